"""Stage 6, redeem: the one row that says who was first (docs/protocol.md §2 rule 6)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from authcode.log.checkpoint import named_head
from server.domain.codes.redemption import Redemption, Remembered, Returned, ReturnedBy, UnitLife
from server.domain.codes.unit import INDEX_BITS, LIFE_BITS, Unit
from server.storage.engine import insert_or_nothing
from server.storage.schema import log_head, redemption, remembered, undo

_STORED = ("at", "country", "region", "claim_hash", "holder_hash", "hop")
_WITH_LAST_HEAD = ((redemption.c.log_size.name, sa.select(sa.func.max(log_head.c.size)).scalar_subquery()),)
_LIVES = (
    sa.select(
        redemption,
        log_head.c.note,
        undo.c.at.label("undone_at"),
        undo.c.by.label("undone_by"),
        undo.c.reason.label("undone_reason"),
    )
    .select_from(
        redemption.outerjoin(log_head, log_head.c.size == redemption.c.log_size).outerjoin(
            undo, undo.c.unit == redemption.c.unit
        )
    )
    .order_by(redemption.c.unit)
)
_IN_EVERY_LIFE = _LIVES.where(redemption.c.unit.in_([sa.bindparam(f"life{life}") for life in range(1 << LIFE_BITS)]))
_REMEMBERED = (
    sa.select(remembered.c.holder_hash, remembered.c.at)
    .where(remembered.c.unit == sa.bindparam("unit"))
    .order_by(remembered.c.at, remembered.c.holder_hash)
)
_IN_ONE_LIFE = _LIVES.where(redemption.c.unit == sa.bindparam("unit"))


def burn(connection: sa.Connection, unit: Unit, first: Redemption) -> bool:
    """Use the unit, in one statement that stores the size of the log's last head: whether this was the first use."""
    values = {name: getattr(first, name) for name in _STORED}
    return insert_or_nothing(connection, redemption, _WITH_LAST_HEAD, unit=unit.id, **values)


def unit_life(connection: sa.Connection, unit: Unit, *, life: int | None = None) -> UnitLife:
    """The use of a unit in its present life (or in `life`), not in the one that `unit` names.

    One statement, and one more for a used unit.
    """
    ids = {f"life{number}": _in_life(unit, number).id for number in range(1 << LIFE_BITS)}
    rows = {Unit.of_id(row.unit).life: row for row in connection.execute(_IN_EVERY_LIFE, ids)}
    returns = tuple(
        Returned(life=number, at=row.undone_at, by=ReturnedBy(row.undone_by), reason=row.undone_reason)
        for number, row in rows.items()
        if row.undone_at is not None
    )
    if life is None:
        life = returns[-1].life + 1 if returns else 0
    found, there = rows.get(life), _in_life(unit, life)
    first = None if found is None else replace(_first(found), remembered=_remembered(connection, there))
    return UnitLife(unit=there, redemption=first, returns=returns)


def _remembered(connection: sa.Connection, unit: Unit) -> tuple[Remembered, ...]:
    rows = connection.execute(_REMEMBERED, {"unit": unit.id})
    return tuple(Remembered(holder_hash=row.holder_hash, at=row.at) for row in rows)


def redemption_of(connection: sa.Connection, unit: Unit) -> Redemption | None:
    """The redemption of a unit in exactly this life, if there is one."""
    row = connection.execute(_IN_ONE_LIFE, {"unit": unit.id}).first()
    return None if row is None else _first(row)


def _in_life(unit: Unit, life: int) -> Unit:
    return Unit(row=unit.row, index=unit.index, life=life)


def _first(row: sa.Row[tuple[object, ...]]) -> Redemption:
    log_head = None if row.note is None else named_head(row.note)
    stored = {name: getattr(row, name) for name in _STORED}
    return Redemption(**stored, log_head=log_head, erased=row.erased_at is not None)


def lock_redemption(connection: sa.Connection, unit: Unit) -> None:
    """Lock the row of a used unit until the transaction ends, so that each attempt counts those before it.

    An attempt takes its other locks after it, always in this order: the redemption, the advisory lock of its tries,
    the counters of its batch, its alerts, the tree of the log. In another order two attempts would wait for each other.
    """
    connection.execute(sa.select(redemption.c.unit).where(redemption.c.unit == unit.id).with_for_update(key_share=True))


def count_used_between(connection: sa.Connection, row: int, first: int, last: int) -> int:
    """How many units first..last (both included) of a batch are used; one that was returned to unused is not."""
    used, returned = (
        int(connection.execute(_count(table).where(_between(table, row, first, last))).scalar_one())
        for table in (redemption, undo)
    )
    return used - returned


def returned_by_batch(connection: sa.Connection, rows: Collection[int]) -> Mapping[int, int]:
    """How often units of these batches were returned to unused; a batch without returns is not named."""
    batches = sorted(set(rows))
    if not batches:
        return {}
    last = (1 << INDEX_BITS) - 1
    counts = [_count(undo).where(_between(undo, row, 0, last)).scalar_subquery().label(f"row{row}") for row in batches]
    amounts = connection.execute(sa.select(*counts)).one()
    return {row: int(amount) for row, amount in zip(batches, amounts, strict=True) if amount}


def used_between(connection: sa.Connection, row: int, first: int, last: int, *, limit: int) -> Sequence[Unit]:
    """The units first..last (both included) of a batch that are used now, each in its life, at most `limit`."""
    query = (
        sa.select(redemption.c.unit)
        .outerjoin(undo, undo.c.unit == redemption.c.unit)
        .where(_between(redemption, row, first, last) & undo.c.unit.is_(None))
        .order_by(redemption.c.unit)
        .limit(limit)
    )
    return [Unit.of_id(number) for number in connection.execute(query).scalars()]


def _count(table: sa.Table) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(table)


def _between(table: sa.Table, row: int, first: int, last: int) -> sa.ColumnElement[bool]:
    lives = [Unit(row=row, index=0, life=life).id for life in range(1 << LIFE_BITS)]
    return sa.or_(*(table.c.unit.between(start + first, start + last) for start in lives))
