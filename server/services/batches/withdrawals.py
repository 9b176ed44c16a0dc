"""Stage 5, verify: what withdrawn keys mean for batches as a whole (docs/format.md §1)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from keys.format.keyring import open_keyring
from keys.format.records import CodeKey
from server.domain.batches.range_act import RangeAct, Stretch, Withdrawal, stretches
from server.services.codes.facts import withdrawal_of
from server.storage.batches import BatchRecord, acts_by_batch
from server.storage.brands import brand_by_id
from server.storage.engine import Connection


def withdrawals_of(connection: Connection, batches: Sequence[BatchRecord]) -> Mapping[int, Withdrawal | None]:
    """What the withdrawal of its key means for each batch row, from the stored keyrings; None while the key is good."""
    return {batch.row: found and found[1] for batch, found in _withdrawn(connection, batches)}


def _withdrawn(
    connection: Connection, batches: Sequence[BatchRecord]
) -> Iterator[tuple[BatchRecord, tuple[CodeKey, Withdrawal] | None]]:
    """Each batch with its key and the key's withdrawal; None while that key is good."""
    brands = {number: brand_by_id(connection, number) for number in {batch.brand for batch in batches}}
    keys = {
        (number, key.key_id): key
        for number, brand in brands.items()
        for key in open_keyring(brand.keyring, root_fingerprint=brand.root_fingerprint).keyring.code_keys
    }
    for batch in batches:
        key = keys.get((batch.brand, batch.key_id))
        withdrawal = None if key is None else withdrawal_of(batch, key, brands[batch.brand])
        yield batch, None if key is None or withdrawal is None else (key, withdrawal)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnKey:
    """A batch's key that was withdrawn, as staff see it; `locks` is the brand's choice."""

    key_id: str
    since: datetime
    reason: str | None
    locks: bool


def withdrawn_key_of(connection: Connection, batch: BatchRecord) -> WithdrawnKey | None:
    """The withdrawn key of a batch; None while its key is good."""
    [(_, found)] = _withdrawn(connection, [batch])
    if found is None:
        return None
    key, withdrawal = found
    return WithdrawnKey(key_id=key.key_id, since=key.since, reason=key.reason, locks=withdrawal.locks)


def stretches_of(
    connection: Connection,
    batches: Sequence[BatchRecord],
    *,
    today: date,
    acts: Mapping[int, Sequence[RangeAct]] | None = None,
) -> Mapping[int, tuple[Stretch, ...]]:
    """By the batch's row the states of its units, withdrawn keys included; `acts` where they are read already."""
    known = acts or acts_by_batch(connection, [batch.row for batch in batches])
    withdrawals = withdrawals_of(connection, batches)
    return {
        batch.row: stretches(known[batch.row], count=batch.count, today=today, withdrawal=withdrawals[batch.row])
        for batch in batches
    }
