"""Stage 6, redeem: the one row that says who was first (docs/protocol.md §2 rule 6)."""

import sqlalchemy as sa

from server.domain.redemption import LIFE_BITS, FirstUse, Unit
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
        hop=first.hop,
    )


def first_use(connection: sa.Connection, unit: Unit) -> FirstUse | None:
    """The redemption of a unit, if there is one."""
    row = connection.execute(sa.select(redemption).where(redemption.c.unit == unit.id)).first()
    if row is None:
        return None
    return FirstUse(
        at=row.at,
        country=row.country,
        region=row.region,
        claim_hash=row.claim_hash,
        holder_hash=row.holder_hash,
        hop=row.hop,
    )


def hold(connection: sa.Connection, unit: Unit) -> None:
    """Let attempts on a used unit take turns until the transaction ends, so that each counts those before it."""
    connection.execute(sa.select(redemption.c.unit).where(redemption.c.unit == unit.id).with_for_update(key_share=True))


def count_used_between(connection: sa.Connection, row: int, first: int, last: int) -> int:
    """How many units first..last (both included) of a batch are used, in whatever life."""
    lives = [Unit(row=row, index=0, life=life).id for life in range(1 << LIFE_BITS)]
    ranges = sa.or_(*(redemption.c.unit.between(start + first, start + last) for start in lives))
    return int(connection.execute(sa.select(sa.func.count()).select_from(redemption).where(ranges)).scalar_one())
