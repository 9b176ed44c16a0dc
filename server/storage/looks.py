"""Stage 5, verify: counts of looks; telemetry, and the only thing a look ever writes."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from server.domain.codes.redemption import Unit, Verdict
from server.storage.engine import add_to_counters
from server.storage.schema import day_number, day_text, look_count, look_day

_COUNTS_READ = 5_000  # of one unit: sixty days by the hour from three places, or a storm's last day


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LookKey:
    """What looks are counted by: the unit's id, the hour (UTC), the place's key, and what was said."""

    unit: int
    hour: datetime
    place: str
    said: str


def add_looks(connection: sa.Connection, counted: Sequence[tuple[LookKey, int]]) -> None:
    """Add looks to their counts, and to those of their batches' days.

    In the order of their keys: those who write the same rows never wait for each other in a circle.
    """
    days: Counter[tuple[int, int, str]] = Counter()
    for key, looks in counted:
        days[Unit.of_id(key.unit).row, day_number(key.hour), key.said] += looks
    add_to_counters(
        connection,
        look_count,
        [
            {"unit": key.unit, "hour": key.hour, "place": key.place, "said": key.said, "looks": looks}
            for key, looks in sorted(counted)
        ],
    )
    add_to_counters(
        connection,
        look_day,
        [
            {"batch_row": row, "day": day, "said": said, "looks": looks}
            for (row, day, said), looks in sorted(days.items())
        ],
    )


def storming(
    connection: sa.Connection, counted: Sequence[LookKey], *, least: int, without: Collection[str]
) -> dict[tuple[int, datetime], dict[LookKey, int]]:
    """Of these counts' units and hours those with so many looks, with all counts of the hour by place and answer.

    What was said of some looks leaves them out.
    """
    units, hours = {key.unit for key in counted}, {key.hour for key in counted}
    chosen = look_count.c.unit.in_(units) & look_count.c.hour.in_(hours) & look_count.c.said.not_in(sorted(without))
    total = sa.func.sum(look_count.c.looks)
    grouped = sa.select(look_count.c.unit, look_count.c.hour).where(chosen).group_by("unit", "hour")
    found: dict[tuple[int, datetime], dict[LookKey, int]] = {}
    for unit, hour in connection.execute(grouped.having(total >= least).order_by("unit", "hour")).all():
        rows = sa.select(look_count).where(chosen & (look_count.c.unit == unit) & (look_count.c.hour == hour))
        found[unit, hour] = {
            LookKey(unit=row.unit, hour=row.hour, place=row.place, said=row.said): int(row.looks)
            for row in connection.execute(rows)
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


def looks_by_state(connection: sa.Connection, row: int) -> Mapping[Verdict, int]:
    """Looks at a batch's units, by what was said."""
    query = (
        sa.select(look_day.c.said, sa.func.sum(look_day.c.looks))
        .where(look_day.c.batch_row == row)
        .group_by(look_day.c.said)
    )
    return {Verdict(said): int(looks) for said, looks in connection.execute(query)}


def looks_by_batch(connection: sa.Connection, rows: Sequence[int]) -> Mapping[int, int]:
    """Looks at the units of these batches."""
    query = (
        sa.select(look_day.c.batch_row, sa.func.sum(look_day.c.looks))
        .where(look_day.c.batch_row.in_(rows))
        .group_by(look_day.c.batch_row)
    )
    return {number: int(looks) for number, looks in connection.execute(query)}


def looks_by_day(connection: sa.Connection, row: int) -> Mapping[str, int]:
    """Looks at a batch's units for each day (ISO date, UTC)."""
    query = (
        sa.select(look_day.c.day, sa.func.sum(look_day.c.looks))
        .where(look_day.c.batch_row == row)
        .group_by(look_day.c.day)
    )
    return {day_text(day): int(looks) for day, looks in connection.execute(query)}
