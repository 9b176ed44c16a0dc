"""Stage 5, verify: counts of looks; telemetry, and the only thing a look ever writes."""

from collections.abc import Mapping
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from server.domain.redemption import INDEX_BITS, ROW_BITS, Verdict
from server.storage.redemptions import units_of
from server.storage.schema import look_count

_DAY_US = 86_400_000_000  # microseconds


def add_looks(  # noqa: PLR0913 - one parameter for each column
    connection: sa.Connection, *, unit: int, hour: datetime, place: str, said: str, looks: int
) -> None:
    """Add looks of one hour to their count."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(look_count).values(unit=unit, hour=hour, place=place, said=said, looks=looks)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(look_count.primary_key.columns),
            set_={"looks": look_count.c.looks + statement.excluded.looks},
        )
    )


def looks_of_unit(connection: sa.Connection, unit: int) -> int:
    """Looks at one unit."""
    query = sa.select(sa.func.coalesce(sa.func.sum(look_count.c.looks), 0)).where(look_count.c.unit == unit)
    return int(connection.execute(query).scalar_one())


def looks_by_state(connection: sa.Connection, row: int) -> Mapping[Verdict, int]:
    """Looks at a batch's units, by what was said."""
    query = (
        sa.select(look_count.c.said, sa.func.sum(look_count.c.looks))
        .where(units_of(look_count.c.unit, row))
        .group_by(look_count.c.said)
    )
    return {Verdict(said): int(looks) for said, looks in connection.execute(query)}


def looks_by_batch(connection: sa.Connection) -> Mapping[int, int]:
    """Looks by batch."""
    row = look_count.c.unit.op(">>")(sa.literal(INDEX_BITS, sa.Integer)).op("&")((1 << ROW_BITS) - 1).label("batch_row")
    query = sa.select(row, sa.func.sum(look_count.c.looks)).group_by(sa.literal_column("batch_row"))
    return {number: int(looks) for number, looks in connection.execute(query)}


def looks_by_day(connection: sa.Connection, row: int) -> Mapping[str, int]:
    """Looks at a batch's units for each day (ISO date, UTC)."""
    day = (sa.cast(look_count.c.hour, sa.BigInteger) // _DAY_US).label("day")
    query = (
        sa.select(day, sa.func.sum(look_count.c.looks))
        .where(units_of(look_count.c.unit, row))
        .group_by(sa.literal_column("day"))
    )
    return {
        datetime.fromtimestamp(number * 86_400, UTC).date().isoformat(): int(looks)
        for number, looks in connection.execute(query)
    }
