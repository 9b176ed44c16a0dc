"""Stage 5, verify: what withdrawn keys mean for batches as a whole (docs/format.md §1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from keys.format.keyring import Keyring, open_keyring
from keys.format.records import CodeKey
from server.domain.batches.range_act import RangeAct, Stretch, Withdrawal, stretches
from server.services.codes.facts import withdrawal_of
from server.storage.batches import BatchRecord, acts_by_batch
from server.storage.brands import BrandRecord, brand_by_id
from server.storage.engine import Connection


def withdrawals_of(connection: Connection, batches: Sequence[BatchRecord]) -> Mapping[int, Withdrawal | None]:
    """By the batch's row what the withdrawal of its key means for it; None while that key is good.

    Read from the published keyrings as they are stored, so that whoever has the database alone is told the same.
    """
    opened: dict[int, tuple[BrandRecord, Keyring]] = {}
    for number in {batch.brand for batch in batches}:
        brand = brand_by_id(connection, number)
        opened[number] = brand, open_keyring(brand.keyring, root_fingerprint=brand.root_fingerprint).keyring
    found: dict[int, Withdrawal | None] = {}
    for batch in batches:
        brand, keyring = opened[batch.brand]
        key: CodeKey | None = next((key for key in keyring.code_keys if key.key_id == batch.key_id), None)
        found[batch.row] = None if key is None else withdrawal_of(batch, key, brand)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnKey:
    """A batch's key that was withdrawn, as staff are told of it; `locks` is the brand's choice."""

    key_id: str
    since: datetime
    reason: str | None
    locks: bool


def withdrawn_key_of(connection: Connection, batch: BatchRecord) -> WithdrawnKey | None:
    """The withdrawn key of a batch; None while its key is good."""
    brand = brand_by_id(connection, batch.brand)
    keyring = open_keyring(brand.keyring, root_fingerprint=brand.root_fingerprint).keyring
    key = next((key for key in keyring.code_keys if key.key_id == batch.key_id), None)
    withdrawal = None if key is None else withdrawal_of(batch, key, brand)
    if key is None or withdrawal is None:
        return None
    return WithdrawnKey(key_id=key.key_id, since=key.since, reason=key.reason, locks=withdrawal.locks)


def stretches_of(
    connection: Connection,
    batches: Sequence[BatchRecord],
    *,
    today: date,
    acts: Mapping[int, Sequence[RangeAct]] | None = None,
) -> Mapping[int, tuple[Stretch, ...]]:
    """By the batch's row how its units stand, withdrawn keys included; `acts` where they are known already."""
    known = acts or acts_by_batch(connection, [batch.row for batch in batches])
    withdrawals = withdrawals_of(connection, batches)
    return {
        batch.row: stretches(known[batch.row], count=batch.count, today=today, withdrawal=withdrawals[batch.row])
        for batch in batches
    }
