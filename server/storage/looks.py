"""Stage 5, verify: counts of looks; telemetry, and the only thing a look ever writes."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from server.domain.codes.unit import Unit
from server.storage.engine import add_to_counters
from server.storage.schema import day_number, day_text, look_count, look_day

_COUNTS_READ = 5_000  # of one unit: sixty days by the hour from three places, or a storm's last day


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LookKey:
    """What looks are counted by: the unit's id, the hour (UTC), the place's key, and the verdict (`said`)."""

    unit: int
    hour: datetime
    place: str
    said: str


def add_looks(connection: sa.Connection, counted: Sequence[tuple[LookKey, int]]) -> None:
    """Add looks to their counts and their batches' days, in the order of keys: two writers cannot deadlock."""
    days: Counter[tuple[int, int, str]] = Counter()
    for key, looks in counted:
        days[Unit.of_id(key.unit).row, day_number(key.hour), key.said] += looks
    add_to_counters(connection, look_count, [{**asdict(key), "looks": looks} for key, looks in sorted(counted)])
    by_day = [{"batch_row": row, "day": day, "said": one, "looks": n} for (row, day, one), n in sorted(days.items())]
    add_to_counters(connection, look_day, by_day)


def storming(
    connection: sa.Connection, counted: Sequence[LookKey], *, least: int, without: Collection[str]
) -> dict[tuple[int, datetime], dict[LookKey, int]]:
    """Of these counts' units and hours those with `least` looks, with the hour's counts; `without` some verdicts."""
    units, hours = {key.unit for key in counted}, {key.hour for key in counted}
    chosen = look_count.c.unit.in_(units) & look_count.c.hour.in_(hours) & look_count.c.said.not_in(sorted(without))
    total = sa.func.sum(look_count.c.looks)
    grouped = sa.select(look_count.c.unit, look_count.c.hour).where(chosen).group_by("unit", "hour")
    found: dict[tuple[int, datetime], dict[LookKey, int]] = {}
    for unit, hour in connection.execute(grouped.having(total >= least).order_by("unit", "hour")).all():
        rows = sa.select(look_count).where(chosen & (look_count.c.unit == unit) & (look_count.c.hour == hour))
        found[unit, hour] = {
            LookKey(**{name: row[name] for name in LookKey.__slots__}): int(row["looks"])
            for row in connection.execute(rows).mappings()
        }
    return found


def looks_of_unit(connection: sa.Connection, unit: int) -> int:
    """Looks at one unit."""
    query = sa.select(sa.func.coalesce(sa.func.sum(look_count.c.looks), 0)).where(look_count.c.unit == unit)
    return int(connection.execute(query).scalar_one())


def looks_of_unit_by_day(connection: sa.Connection, unit: int, *, since: datetime) -> Mapping[str, int]:
    """Looks at one unit for each day (ISO date, UTC) from `since` on; in a storm of looks the latest only."""
    query = (
        sa.select(look_count.c.hour, look_count.c.looks)
        .where((look_count.c.unit == unit) & (look_count.c.hour >= since))
        .order_by(look_count.c.hour.desc())
        .limit(_COUNTS_READ)
    )
    days: Counter[str] = Counter()
    for hour, looks in connection.execute(query):
        days[day_text(day_number(hour))] += int(looks)
    return days


def looks_by_batch(connection: sa.Connection, rows: Sequence[int]) -> Mapping[int, int]:
    """Looks at the units of these batches."""
    return dict(_looks_by(connection, look_day.c.batch_row, look_day.c.batch_row.in_(rows)))


def looks_by_day(connection: sa.Connection, row: int) -> Mapping[str, int]:
    """Looks at a batch's units for each day (ISO date, UTC)."""
    return {day_text(day): looks for day, looks in _looks_by(connection, look_day.c.day, look_day.c.batch_row == row)}


def _looks_by(
    connection: sa.Connection, column: sa.Column[Any], chosen: sa.ColumnElement[bool]
) -> Iterator[tuple[Any, int]]:
    query = sa.select(column, sa.func.sum(look_day.c.looks)).where(chosen).group_by(column)
    return ((value, int(looks)) for value, looks in connection.execute(query))
