"""Stage 5, verify: what withdrawing a key would touch, counted before it is done (docs/format.md §1)."""

from dataclasses import dataclass
from datetime import datetime

from authcode.events import Touched
from keys.format.records import check_withdrawal_moment
from server.domain.batches.range_act import Withdrawal, WithdrawnKeys, standings
from server.domain.codes.verdict import state_check
from server.storage.batches import BatchRecord, acts_of, batches_of_key
from server.storage.brands import brand_by_brand_id
from server.storage.engine import Connection, Database
from server.storage.redemptions import count_used_between


def preview_withdrawal(db: Database, brand_id: bytes, key_id: str, *, since: datetime, now: datetime) -> Touched:
    """Count the units of a key that would be answered otherwise, were it withdrawn `since` (aware UTC).

    Raises:
        KeyStateRefused: the moment is yet to come.
    """
    check_withdrawal_moment(key_id, since=since, now=now)
    orders = before = after = used = used_before = used_after = 0
    with db.read() as connection:
        known = brand_by_brand_id(connection, brand_id)
        for batch in [] if known is None else batches_of_key(connection, known.id, key_id):
            in_world, later = _standing(connection, batch, since=since, now=now)
            orders, before, after = orders + 1, before + in_world.unburned, after + later.unburned
            used_before, used_after = used_before + in_world.used, used_after + later.used
            used += count_used_between(connection, batch.row, 0, batch.count - 1)
    locks = known is None or known.withdrawn_keys == WithdrawnKeys.LOCK
    return Touched(
        orders=orders,
        active_unburned=before + after,
        locked=before if locks else 0,
        as_usual=0 if locks else before,
        used=used,
        used_locked=used_before if locks else 0,
        used_not_ours=used_after,
    )


@dataclass(slots=True)
class _Counted:
    """Units that could be verified, or were: how many are unused, and how many used."""

    unburned: int = 0
    used: int = 0


def _standing(
    connection: Connection, batch: BatchRecord, *, since: datetime, now: datetime
) -> tuple[_Counted, _Counted]:
    """Units that were registered and activated before `since`, and the others; recalled or void ones stay so.

    Used ones that were never activated before `since` count among the others, even where they are recalled or void.
    """
    in_world, others = _Counted(), _Counted()
    withdrawal = Withdrawal(since=since, registered_at=batch.registered_at)
    for first, last, standing in standings(acts_of(connection, batch.row), count=batch.count):
        used = count_used_between(connection, batch.row, first, last)
        world = standing.was_in_the_world(withdrawal)
        if state_check(standing.conditions(today=now.date())) is not None:
            others.used += 0 if world else used
            continue
        counted = in_world if world else others
        counted.unburned += last - first + 1 - used
        counted.used += used
    return in_world, others
