"""Stage 6, redeem: the history of attempts, appended and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from server.domain.redemption import Verdict
from server.storage.schema import alert_scan, scan

_DAY_US = 86_400_000_000  # microseconds
_REFUSED = tuple(
    verdict for verdict in Verdict if verdict not in (Verdict.UNUSED, Verdict.GENUINE, Verdict.VERIFIED_BY_YOU)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRecord:
    """One attempt. `unit` is a unit id, None where the server knows no such unit; `mark` tells askers apart."""

    id: int
    at: datetime
    brand: int
    unit: int | None
    batch_row: int | None
    batch_number: int
    unit_index: int
    tier: int
    key_id: str
    serial: str
    channel: str
    said: Verdict
    burned: bool
    own: bool
    staff: bool
    mark: bytes
    country: str | None
    region: str | None
    network_day: bytes | None
    network_unit: bytes | None


_COLUMNS = [scan.c[name] for name in ScanRecord.__slots__]


def append_scan(connection: sa.Connection, **values: object) -> int:
    """Add an attempt to the history; its number."""
    key = connection.execute(scan.insert().values(**values)).inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has a key
    return int(key[0])


def _page(
    connection: sa.Connection, query: sa.Select[tuple[object, ...]], *, limit: int, offset: int
) -> list[ScanRecord]:
    rows = connection.execute(query.order_by(scan.c.id.desc()).limit(limit).offset(offset)).mappings()
    return [ScanRecord(**{**row, "said": Verdict(row["said"])}) for row in rows]


def scans_of_unit(connection: sa.Connection, unit: int, *, limit: int, offset: int = 0) -> list[ScanRecord]:
    """The attempts on a unit, newest first."""
    return _page(connection, sa.select(*_COLUMNS).where(scan.c.unit == unit), limit=limit, offset=offset)


def scans_of_batch(connection: sa.Connection, row: int, *, limit: int) -> list[ScanRecord]:
    """The latest attempts on a batch's units, newest first."""
    return _page(connection, sa.select(*_COLUMNS).where(scan.c.batch_row == row), limit=limit, offset=0)


def scans_of_alert(connection: sa.Connection, alert: int, *, limit: int, offset: int = 0) -> list[ScanRecord]:
    """The attempts behind an alert, newest first."""
    query = sa.select(*_COLUMNS).join(alert_scan, alert_scan.c.scan == scan.c.id).where(alert_scan.c.alert == alert)
    return _page(connection, query, limit=limit, offset=offset)


def count_of_unit(connection: sa.Connection, unit: int) -> int:
    """How many attempts a unit has seen."""
    query = sa.select(sa.func.count()).select_from(scan).where(scan.c.unit == unit)
    return int(connection.execute(query).scalar_one())


def count_of_alert(connection: sa.Connection, alert: int) -> int:
    """How many attempts stand behind an alert."""
    query = sa.select(sa.func.count()).select_from(alert_scan).where(alert_scan.c.alert == alert)
    return int(connection.execute(query).scalar_one())


def latest_by_others(connection: sa.Connection, unit: int) -> tuple[datetime, str | None] | None:
    """When and in which country somebody else than the holder last tried a used unit."""
    row = connection.execute(
        sa.select(scan.c.at, scan.c.country)
        .where((scan.c.unit == unit) & ~scan.c.own & ~scan.c.burned & ~scan.c.staff)
        .order_by(scan.c.at.desc(), scan.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else (row.at, row.country)


def said_in_batch(connection: sa.Connection, row: int) -> Mapping[Verdict, int]:
    """How often each verdict was answered in a batch."""
    query = sa.select(scan.c.said, sa.func.count()).where(scan.c.batch_row == row).group_by(scan.c.said)
    return {Verdict(said): count for said, count in connection.execute(query)}


def refused_by_batch(connection: sa.Connection) -> Mapping[int, int]:
    """How many attempts were refused, by batch."""
    query = (
        sa.select(scan.c.batch_row, sa.func.count())
        .where(scan.c.batch_row.is_not(None) & scan.c.said.in_(_REFUSED))
        .group_by(scan.c.batch_row)
    )
    return {row: count for row, count in connection.execute(query)}  # noqa: C416 - rows are not pairs to the type checker


def days_of_batch(connection: sa.Connection, row: int) -> Mapping[str, tuple[int, int]]:
    """Burned and refused attempts of a batch for each day (ISO date, UTC)."""
    query = (
        sa.select(
            (sa.cast(scan.c.at, sa.BigInteger) // _DAY_US).label("day"),
            sa.func.sum(sa.case((scan.c.burned, 1), else_=0)),
            sa.func.sum(sa.case((scan.c.said.in_(_REFUSED), 1), else_=0)),
        )
        .where(scan.c.batch_row == row)
        .group_by(sa.literal_column("day"))
        .order_by(sa.literal_column("day"))
    )
    return {
        datetime.fromtimestamp(number * 86_400, UTC).date().isoformat(): (burned, refused)
        for number, burned, refused in connection.execute(query)
    }


def countries_of_batch(connection: sa.Connection, row: int, *, limit: int) -> list[tuple[str, int]]:
    """The countries most attempts on a batch came from."""
    query = (
        sa.select(sa.func.coalesce(scan.c.country, "unknown").label("land"), sa.func.count())
        .where(scan.c.batch_row == row)
        .group_by(sa.literal_column("land"))
        .order_by(sa.func.count().desc(), sa.literal_column("land"))
        .limit(limit)
    )
    return [(name, count) for name, count in connection.execute(query)]


def mark_numbers(connection: sa.Connection, units: set[int]) -> Mapping[tuple[int, bytes], int]:
    """For each unit its askers, numbered from 1 in the order they first came."""
    query = (
        sa.select(scan.c.unit, scan.c.mark, sa.func.min(scan.c.id).label("came"))
        .where(scan.c.unit.in_(units))
        .group_by(scan.c.unit, scan.c.mark)
        .order_by(sa.literal_column("came"))
    )
    numbers: dict[tuple[int, bytes], int] = {}
    seen: dict[int, int] = {}
    for unit, mark, _came in connection.execute(query):
        seen[unit] = seen.get(unit, 0) + 1
        numbers[unit, mark] = seen[unit]
    return numbers
