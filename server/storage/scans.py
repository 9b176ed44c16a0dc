"""Stage 6, redeem: the history of attempts, appended and never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from server.domain.alerts.alert import Attempt
from server.domain.codes.verdict import Verdict
from server.domain.places.place import UNKNOWN, Place
from server.storage.engine import add_to_counters, count_rows, insert_row
from server.storage.schema import (
    COUNTER_SLOTS,
    alert_scan,
    attempt_day,
    attempt_place,
    batch,
    day_number,
    day_text,
    redemption,
    scan,
)

KEEP_CHANNEL = "keep"
"""The channel of an attempt that named its holder by the keep-code."""

LATEST_SEARCHED = 5_000
"""Attempts of a batch, the latest, among which those of one country are looked for."""

_STORM_READ = 100  # attempts on one unit, the latest, that rules about many look at

_ATTEMPTS = sa.select(
    scan.c.id, scan.c.at, scan.c.country, scan.c.region, scan.c.mark, scan.c.network_day, scan.c.burned
)

_REFUSED = tuple(
    verdict
    for verdict in Verdict
    if verdict not in (Verdict.UNUSED, Verdict.WITHHELD, Verdict.GENUINE, Verdict.VERIFIED_BY_YOU)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRecord:
    """One attempt. `unit` is a unit id, None where the server knows no such unit; `person` numbers its askers."""

    id: int
    at: datetime
    brand: int
    unit: int | None
    batch_row: int | None
    unit_index: int
    tier: int
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
    person: int | None


_COLUMNS = [scan.c[name] for name in ScanRecord.__slots__]
_APPEND = scan.insert()
_ON_UNIT = scan.c.unit == sa.bindparam("unit")
# The asker's number on this unit: theirs, or the next. PostgreSQL may give one to two at once: it is for reading only.
_PERSON = sa.select(
    sa.func.coalesce(
        sa.select(scan.c.person).where(_ON_UNIT & (scan.c.mark == sa.bindparam("mark"))).limit(1).scalar_subquery(),
        sa.select(sa.func.coalesce(sa.func.max(scan.c.person), 0) + 1).where(_ON_UNIT).scalar_subquery(),
    )
)


def append_scan(connection: sa.Connection, **values: Any) -> int:  # noqa: ANN401 - the columns of one row
    """Add an attempt to the history and to the counters of its batch; its number."""
    unit, mark = values["unit"], values["mark"]
    person = None if unit is None else connection.execute(_PERSON, {"unit": unit, "mark": mark}).scalar_one()
    number = insert_row(connection, _APPEND, {"person": person, **values})
    if values["batch_row"] is not None:
        _count(connection, values)
    return number


def _count(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    counted = {
        "batch_row": values["batch_row"],
        "said": values["said"],
        "slot": values["unit_index"] % COUNTER_SLOTS,
        "attempts": 1,
        "burned": int(values["burned"]),
    }
    add_to_counters(connection, attempt_day, [{**counted, "day": day_number(values["at"])}])
    add_to_counters(connection, attempt_place, [{**counted, "country": values["country"] or UNKNOWN}])


def _page(connection: sa.Connection, chosen: sa.Select[tuple[int]], *, limit: int, offset: int) -> list[ScanRecord]:
    """A page of the chosen scan numbers, whose query is ordered; rows are read for this page only."""
    page = chosen.limit(limit).offset(offset).subquery()
    query = sa.select(*_COLUMNS).join(page, page.c[0] == scan.c.id).order_by(scan.c.at.desc(), scan.c.id.desc())
    return [ScanRecord(**{**row, "said": Verdict(row["said"])}) for row in connection.execute(query).mappings()]


_NEWEST_FIRST = (scan.c.at.desc(), scan.c.id.desc())


def scans_of_unit(connection: sa.Connection, unit: int, *, limit: int, offset: int = 0) -> list[ScanRecord]:
    """The attempts on a unit, newest first."""
    chosen = sa.select(scan.c.id).where(scan.c.unit == unit).order_by(*_NEWEST_FIRST)
    return _page(connection, chosen, limit=limit, offset=offset)


def scans_of_batch(
    connection: sa.Connection, row: int, *, limit: int, country: str | None = None, day: date | None = None
) -> list[ScanRecord]:
    """The latest attempts on a batch's units (of one day, UTC), newest first; those of one country among the latest."""
    chosen = sa.select(scan.c.id).where(scan.c.batch_row == row).order_by(*_NEWEST_FIRST)
    if day is not None:
        begin = datetime.combine(day, time(), UTC)
        chosen = chosen.where((scan.c.at >= begin) & (scan.c.at < begin + timedelta(days=1)))
    if country is not None:
        latest = chosen.limit(LATEST_SEARCHED).subquery()
        wanted = scan.c.country.is_(None) if country == UNKNOWN else scan.c.country == country
        chosen = sa.select(scan.c.id).join(latest, latest.c.id == scan.c.id).where(wanted).order_by(*_NEWEST_FIRST)
    return _page(connection, chosen, limit=limit, offset=0)


def indices_of_batch(connection: sa.Connection, row: int, *, limit: int) -> list[int]:
    """The indices of the latest attempts on a batch, each once, in order."""
    chosen = sa.select(scan.c.unit_index).where(scan.c.batch_row == row).order_by(*_NEWEST_FIRST).limit(limit)
    return sorted(set(connection.execute(chosen).scalars()))


def scans_of_alert(connection: sa.Connection, alert: int, *, limit: int, offset: int = 0) -> list[ScanRecord]:
    """The attempts behind an alert, the latest noted first."""
    chosen = sa.select(alert_scan.c.scan).where(alert_scan.c.alert == alert).order_by(alert_scan.c.scan.desc())
    return _page(connection, chosen, limit=limit, offset=offset)


def networks_of_alert(connection: sa.Connection, alert: int) -> int | None:
    """How many networks the attempts behind an alert came from; None where one of them is not known."""
    chosen = sa.select(alert_scan.c.scan).where(alert_scan.c.alert == alert)
    found = list(connection.execute(sa.select(scan.c.network_unit).where(scan.c.id.in_(chosen)).distinct()).scalars())
    return None if None in found or not found else len(found)


def latest_attempt_at(connection: sa.Connection) -> datetime | None:
    """When the newest attempt was made."""
    return connection.execute(sa.select(scan.c.at).order_by(scan.c.id.desc()).limit(1)).scalar()


def count_of_unit(connection: sa.Connection, unit: int) -> int:
    """How many attempts there were on a unit."""
    return count_rows(connection, scan, scan.c.unit == unit)


_USED_KEEP_CODE = scan.c.channel == sa.bindparam("keep", KEEP_CHANNEL, literal_execute=True)  # as its index says it


def keep_code_uses(
    connection: sa.Connection, unit: int, *, limit: int, since: datetime | None = None
) -> list[tuple[int, Attempt]]:
    """The latest uses of a unit's keep-code by others than staff, oldest first, each with its number in the history.

    `since` a moment, without what was done in it: a unit that was handed on was given another keep-code.
    """
    used = (scan.c.unit == unit) & _USED_KEEP_CODE & ~scan.c.staff
    query = _ATTEMPTS.where(used if since is None else used & (scan.c.at > since)).order_by(*_NEWEST_FIRST)
    return [(row.id, _attempt(row)) for row in connection.execute(query.limit(limit))][::-1]


def attempt_by_number(connection: sa.Connection, number: int) -> Attempt:
    """One attempt of the history, as the rules see it."""
    return _attempt(connection.execute(_ATTEMPTS.where(scan.c.id == number)).one())


def _is_burn(unit: int) -> sa.ColumnElement[bool]:
    """Whether an attempt is the one that verified a unit: found by its moment, however many there are."""
    moment = sa.select(redemption.c.at).where(redemption.c.unit == unit).scalar_subquery()
    return (scan.c.unit == unit) & (scan.c.at == moment) & scan.c.burned


def network_of_burn(connection: sa.Connection, unit: int) -> bytes | None:
    """The pseudonym, on this unit, of the network that it was verified from; None where that is not known."""
    return connection.execute(sa.select(scan.c.network_unit).where(_is_burn(unit))).scalar()


def networks_of_burns(connection: sa.Connection, units: Sequence[int]) -> list[tuple[int, bytes | None]]:
    """Those of these units that were verified, each with the pseudonym on it of the network that did."""
    same = (scan.c.unit == redemption.c.unit) & (scan.c.at == redemption.c.at) & scan.c.burned
    query = sa.select(scan.c.unit, scan.c.network_unit).join(redemption, same).where(redemption.c.unit.in_(units))
    return [(row.unit, row.network_unit) for row in connection.execute(query)]


def attempts_around(connection: sa.Connection, unit: int, at: datetime, window: timedelta) -> list[tuple[int, Attempt]]:
    """What was tried on a unit within a time around a moment, each with its number, the latest first.

    The first verification is among them; its holder's later scans and staff are not. In a storm the latest only.
    """
    near = (scan.c.at >= at - window) & (scan.c.at <= at + window) & ~scan.c.staff
    strangers = _ATTEMPTS.where((scan.c.unit == unit) & near & ~scan.c.own).order_by(*_NEWEST_FIRST)
    rows = [
        *connection.execute(strangers.limit(_STORM_READ)),
        *connection.execute(_ATTEMPTS.where(_is_burn(unit) & near)),
    ]
    rows.sort(key=lambda row: (row.at, row.id), reverse=True)
    return [(row.id, _attempt(row)) for row in rows[:_STORM_READ]]


def attempts_behind(connection: sa.Connection, alert: int, *, limit: int) -> list[Attempt]:
    """The attempts behind an alert, the latest noted first."""
    query = _ATTEMPTS.join(alert_scan, alert_scan.c.scan == scan.c.id).where(alert_scan.c.alert == alert)
    return [_attempt(row) for row in connection.execute(query.order_by(alert_scan.c.scan.desc()).limit(limit))]


def _attempt(row: Any) -> Attempt:  # noqa: ANN401 - a row of the columns above
    place = Place(country=row.country, region=row.region)
    return Attempt(at=row.at, place=place, mark=row.mark, network=row.network_day, burned=row.burned)


def latest_by_others(connection: sa.Connection, unit: int) -> tuple[datetime, str | None] | None:
    """When and in which country a visitor other than the holder last tried a used unit."""
    row = connection.execute(
        sa.select(scan.c.at, scan.c.country)
        .where((scan.c.unit == unit) & ~scan.c.own & ~scan.c.burned & ~scan.c.staff)
        .order_by(scan.c.at.desc(), scan.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else (row.at, row.country)


def verdict_in_scan(connection: sa.Connection, number: int) -> Verdict:
    """The verdict of an attempt."""
    return Verdict(connection.execute(sa.select(scan.c.said).where(scan.c.id == number)).scalar_one())


def verdicts_in_batch(connection: sa.Connection, row: int) -> Mapping[Verdict, int]:
    """How often each verdict was answered in a batch."""
    query = (
        sa.select(attempt_place.c.said, sa.func.sum(attempt_place.c.attempts))
        .where(attempt_place.c.batch_row == row)
        .group_by(attempt_place.c.said)
    )
    return {Verdict(verdict): int(count) for verdict, count in connection.execute(query)}


def totals_of_batches(connection: sa.Connection, rows: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """Burned and refused attempts of these batches; a batch without attempts is not named."""
    query = (
        sa.select(attempt_place.c.batch_row, sa.func.sum(attempt_place.c.burned), _refused(attempt_place))
        .where(attempt_place.c.batch_row.in_(rows))
        .group_by(attempt_place.c.batch_row)
    )
    return {row: (int(burned), int(refused)) for row, burned, refused in connection.execute(query)}


def attempts_since(connection: sa.Connection, moment: datetime) -> int:
    """The attempts on all batches from the day (UTC) of a moment on, batch by batch along their counters' key."""
    joined = batch.join(attempt_day, attempt_day.c.batch_row == batch.c.row)
    total = sa.select(sa.func.coalesce(sa.func.sum(attempt_day.c.attempts), 0)).select_from(joined)
    return int(connection.execute(total.where(attempt_day.c.day >= day_number(moment))).scalar_one())


def days_of_batch(connection: sa.Connection, row: int) -> Mapping[str, tuple[int, int]]:
    """Burned and refused attempts of a batch for each day (ISO date, UTC)."""
    query = (
        sa.select(attempt_day.c.day, sa.func.sum(attempt_day.c.burned), _refused(attempt_day))
        .where(attempt_day.c.batch_row == row)
        .group_by(attempt_day.c.day)
        .order_by(attempt_day.c.day)
    )
    return {day_text(day): (int(burned), int(refused)) for day, burned, refused in connection.execute(query)}


def _refused(counters: sa.Table) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((counters.c.said.in_(_REFUSED), counters.c.attempts), else_=0))


def countries_of_batch(connection: sa.Connection, row: int, *, limit: int) -> list[tuple[str, int]]:
    """The countries most attempts on a batch came from."""
    total = sa.func.sum(attempt_place.c.attempts)
    query = (
        sa.select(attempt_place.c.country, total)
        .where(attempt_place.c.batch_row == row)
        .group_by(attempt_place.c.country)
        .order_by(total.desc(), attempt_place.c.country)
        .limit(limit)
    )
    return [(name, int(count)) for name, count in connection.execute(query)]
