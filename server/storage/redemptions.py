"""Stage 6, redeem: the one row that says who was first (docs/protocol.md §2 rule 6)."""

import sqlalchemy as sa

from server.domain.redemption import INDEX_BITS, LIFE_BITS, ROW_BITS, FirstUse, Unit
from server.storage.engine import insert_or_nothing
from server.storage.schema import redemption


def burn(connection: sa.Connection, unit: Unit, first: FirstUse) -> bool:
    """Use the unit, in one statement: whether this was the first use. Durable once the transaction has ended."""
    return insert_or_nothing(
        connection,
        redemption,
        unit=unit.id,
        at=first.at,
        country=first.country,
        region=first.region,
        claim_hash=first.claim_hash,
        holder_hash=first.holder_hash,
        hop=0,
    )


def first_use(connection: sa.Connection, unit: Unit) -> FirstUse | None:
    """The redemption of a unit, if there is one."""
    row = connection.execute(sa.select(redemption).where(redemption.c.unit == unit.id)).first()
    if row is None:
        return None
    return FirstUse(
        at=row.at, country=row.country, region=row.region, claim_hash=row.claim_hash, holder_hash=row.holder_hash
    )


def units_of(column: sa.ColumnElement[int], row: int) -> sa.ColumnElement[bool]:
    """Condition: a column of unit ids belongs to a batch, in whatever life; ranges, so that an index serves it."""
    lives = (life << (ROW_BITS + INDEX_BITS) for life in range(1 << LIFE_BITS))
    starts = [life | (row << INDEX_BITS) for life in lives]
    return sa.or_(*(column.between(start, start + (1 << INDEX_BITS) - 1) for start in starts))


def count_used_between(connection: sa.Connection, row: int, first: int, last: int) -> int:
    """How many units first..last (both included) of a batch are used, in whatever life."""
    lives = [Unit(row=row, index=0, life=life).id for life in range(1 << LIFE_BITS)]
    ranges = sa.or_(*(redemption.c.unit.between(start + first, start + last) for start in lives))
    return int(connection.execute(sa.select(sa.func.count()).select_from(redemption).where(ranges)).scalar_one())


def count_used(connection: sa.Connection, row: int) -> int:
    """How many units of a batch are used."""
    query = sa.select(sa.func.count()).select_from(redemption).where(units_of(redemption.c.unit, row))
    return int(connection.execute(query).scalar_one())
