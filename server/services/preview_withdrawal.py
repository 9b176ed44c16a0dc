"""Stage 5, verify: what withdrawing a key would touch, counted before it is done (docs/format.md §1)."""

from datetime import datetime

from authcode.events import Touched
from keys.records import check_withdrawal_moment
from server.domain.range_act import Withdrawal, WithdrawnKeys, standings
from server.domain.redemption import gate
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
    orders = before = after = used = 0
    with db.read() as connection:
        known = brand_by_brand_id(connection, brand_id)
        for batch in [] if known is None else batches_of_key(connection, known.id, key_id):
            in_world, later = _active_unburned(connection, batch, since=since, now=now)
            orders, before, after = orders + 1, before + in_world, after + later
            used += count_used_between(connection, batch.row, 0, batch.count - 1)
    locks = known is None or known.withdrawn_keys == WithdrawnKeys.LOCK
    return Touched(
        orders=orders,
        active_unburned=before + after,
        locked=before if locks else 0,
        as_usual=0 if locks else before,
        used=used,
    )


def _active_unburned(connection: Connection, batch: BatchRecord, *, since: datetime, now: datetime) -> tuple[int, int]:
    """Units that can be verified today and were not: registered and activated before `since`, and later."""
    in_world = after = 0
    withdrawal = Withdrawal(since=since, registered_at=batch.registered_at)
    for first, last, standing in standings(acts_of(connection, batch.row), count=batch.count):
        if gate(standing.conditions(today=now.date())) is not None:
            continue
        unburned = last - first + 1 - count_used_between(connection, batch.row, first, last)
        if standing.was_in_the_world(withdrawal):
            in_world += unburned
        else:
            after += unburned
    return in_world, after
