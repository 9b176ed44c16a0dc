"""Stage 7, alert: one growing row for each (brand, rule, subject), with rows of its own for claims and places."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from server.domain.alerts.alert import AlertFilter, Attempt, Severity, Subject
from server.domain.alerts.growth import GrowingAlert
from server.domain.alerts.triage import Cause, Event, Pile
from server.domain.codes.verdict import Verdict
from server.domain.places.place import UNKNOWN
from server.storage.engine import add_to_counters, count_rows, insert_or_nothing
from server.storage.looks import LookKey
from server.storage.scans import verdict_in_scan
from server.storage.schema import (
    alert,
    alert_claim,
    alert_day,
    alert_event,
    alert_mute,
    alert_place,
    alert_scan,
    day_number,
    day_text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """An alert. `claims` and `places` count distinct ones; `muted`: its rule is muted for its batch."""

    id: int
    brand: int
    rule: str
    subject: str
    severity: Severity
    batch_row: int | None
    unit: int | None
    serial: str | None
    first_at: datetime
    last_at: datetime
    count: int
    claims: int
    places: int
    owner: int | None
    snoozed_until: datetime | None
    closed_at: datetime | None
    cause: Cause | None
    muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInAlert:
    """Whether an attempt's claim and place are the first of their kind in its alert."""

    claim: bool
    place: bool


_MUTED = alert_mute.c.rule.is_not(None)
_WITH_MUTES = alert.outerjoin(
    alert_mute, (alert_mute.c.batch_row == alert.c.batch_row) & (alert_mute.c.rule == alert.c.rule)
)
_COLUMNS = [*(alert.c[name] for name in AlertRecord.__slots__ if name != "muted"), _MUTED.label("muted")]
_RANKED = (alert.c.severity.desc(), alert.c.claims.desc(), alert.c.last_at.desc(), alert.c.id.desc())
_LATEST = (alert.c.last_at.desc(), alert.c.id.desc())


def _record(row: sa.RowMapping) -> AlertRecord:
    return AlertRecord(**{**_enums(row), "muted": bool(row["muted"])})


def _enums(row: sa.RowMapping) -> dict[str, Any]:
    """A row with its severity and cause as what they mean."""
    cause = None if row["cause"] is None else Cause(row["cause"])
    return {**row, "severity": list(Severity)[row["severity"]], "cause": cause}


def others_with(connection: sa.Connection, brand: int, rule: str, subject: Subject, mark: bytes) -> int:
    """The number of distinct claims in an alert once this mark is among them."""
    row = connection.execute(sa.select(alert.c.id, alert.c.claims).where(_is(brand, rule, subject))).first()
    if row is None:
        return 1
    known = connection.execute(
        sa.select(alert_claim.c.mark).where((alert_claim.c.alert == row.id) & (alert_claim.c.mark == mark))
    ).first()
    return int(row.claims) + (known is None)


def lock_alert(
    connection: sa.Connection, brand: int, rule: str, subject: Subject, raised: GrowingAlert
) -> tuple[int, GrowingAlert]:
    """The alert of (brand, rule, subject), locked until the transaction ends; `raised` where there was none."""
    about = {"batch_row": subject.batch_row, "unit": subject.unit, "serial": subject.serial}
    insert_or_nothing(connection, alert, brand=brand, rule=rule, subject=subject.key, **about, **_values(raised))
    query = sa.select(alert).where(_is(brand, rule, subject)).with_for_update()
    row = connection.execute(query).mappings().one()
    return row["id"], GrowingAlert(**{name: _enums(row)[name] for name in GrowingAlert.__slots__})


def add_attempt(connection: sa.Connection, number: int, scan: int, attempt: Attempt) -> NewInAlert | None:
    """Count an attempt behind an alert: what is new about it there. None for one that is counted already."""
    if not insert_or_nothing(connection, alert_scan, alert=number, scan=scan):
        return None
    new_claim = insert_or_nothing(connection, alert_claim, alert=number, mark=attempt.mark)
    verdict = verdict_in_scan(connection, scan)
    counted = {"alert": number, "day": day_number(attempt.at), "said": verdict, "attempts": 1}
    add_to_counters(connection, alert_day, [counted])
    return NewInAlert(claim=new_claim, place=_new_place(connection, number, attempt.place.key))


def add_looks(connection: sa.Connection, number: int, looks: Mapping[LookKey, int]) -> int:
    """Count looks behind an alert, by day and place: how many places are new there."""
    places, verdicts = Counter[str](), Counter[tuple[int, str]]()
    for key, amount in looks.items():
        places[key.place] += amount
        verdicts[day_number(key.hour), key.said] += amount
    new_places = sum(_new_place(connection, number, place, times=places[place]) for place in sorted(places))
    days = [{"alert": number, "day": day, "said": one, "attempts": n} for (day, one), n in sorted(verdicts.items())]
    add_to_counters(connection, alert_day, days)
    return new_places


def save_alert(connection: sa.Connection, number: int, grown: GrowingAlert, reopened_at: Sequence[datetime]) -> None:
    """Write a locked alert, and into its history when it opened again by itself."""
    connection.execute(alert.update().where(alert.c.id == number).values(_values(grown)))
    if reopened_at:
        opened = [{"alert": number, "at": at, "kind": Event.REOPENED} for at in reopened_at]
        connection.execute(alert_event.insert(), opened)


def _is(brand: int, rule: str, subject: Subject) -> sa.ColumnElement[bool]:
    return (alert.c.brand == brand) & (alert.c.rule == rule) & (alert.c.subject == subject.key)


def _values(grown: GrowingAlert) -> dict[str, object]:
    return {name: getattr(grown, name) for name in GrowingAlert.__slots__} | {"severity": grown.severity.rank}


def _new_place(connection: sa.Connection, number: int, place: str, *, times: int = 1) -> bool:
    """Count attempts or looks of an alert at their place: whether they are the first from there."""
    if insert_or_nothing(connection, alert_place, alert=number, place=place, attempts=times):
        return True
    here = (alert_place.c.alert == number) & (alert_place.c.place == place)
    connection.execute(alert_place.update().where(here).values(attempts=alert_place.c.attempts + times))
    return False


def _conditions(wanted: AlertFilter) -> sa.ColumnElement[bool]:
    found: list[sa.ColumnElement[bool]] = [sa.true()]
    exact = ((alert.c.rule, wanted.rule), (alert.c.batch_row, wanted.batch_row), (alert.c.owner, wanted.owner))
    found += [column == value for column, value in exact if value is not None]
    if wanted.severity is not None:
        found.append(alert.c.severity >= wanted.severity.rank)
    if wanted.loudest is not None:
        found.append(alert.c.severity <= wanted.loudest.rank)
    if wanted.unit is not None:
        found.append(alert.c.unit == wanted.unit.id)
    if wanted.pile is not None:
        found.append(_in_pile(wanted.pile, wanted.now))
    return sa.and_(*found)


def _in_pile(pile: Pile, now: datetime | None) -> sa.ColumnElement[bool]:
    if pile is Pile.CLOSED:
        return alert.c.closed_at.is_not(None)
    put_off = sa.func.coalesce(alert.c.snoozed_until > now, sa.false()) | _MUTED
    return alert.c.closed_at.is_(None) & (put_off if pile is Pile.SNOOZED else ~put_off)


def alerts_like(connection: sa.Connection, wanted: AlertFilter, *, limit: int, offset: int = 0) -> list[AlertRecord]:
    """The alerts that match: the latest grown first, or `ranked` by severity and people."""
    order = _RANKED if wanted.ranked else _LATEST
    query = sa.select(*_COLUMNS).select_from(_WITH_MUTES).where(_conditions(wanted)).order_by(*order)
    return [_record(row) for row in connection.execute(query.limit(limit).offset(offset)).mappings()]


def count_each(connection: sa.Connection, wanted: Sequence[AlertFilter]) -> list[int]:
    """How many alerts match each of these, in one reading."""
    sums = [sa.func.coalesce(sa.func.sum(sa.case((_conditions(one), 1), else_=0)), 0) for one in wanted]
    return [int(amount) for amount in connection.execute(sa.select(*sums).select_from(_WITH_MUTES)).one()]


def latest_news(connection: sa.Connection) -> datetime | None:
    """When an alert last became news."""
    return connection.execute(sa.select(sa.func.max(alert.c.loud_at))).scalar()


def count_news(connection: sa.Connection, wanted: AlertFilter, *, after: datetime, limit: int) -> int:
    """How many alerts that match, at most `limit`, became news after a moment; a late write can be missed."""
    chosen = sa.select(alert.c.id).select_from(_WITH_MUTES).where((alert.c.loud_at > after) & _conditions(wanted))
    return count_rows(connection, chosen.limit(limit).subquery())


def count_by_batch(connection: sa.Connection, rows: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """How many alerts that are not closed name each of these batches, and how many of them are no more than notes."""
    notes = sa.func.sum(sa.case((alert.c.severity == Severity.NOTE.rank, 1), else_=0))
    here = alert.c.batch_row.in_(rows) & alert.c.closed_at.is_(None)
    query = sa.select(alert.c.batch_row, sa.func.count(), notes).where(here).group_by(alert.c.batch_row)
    return {row: (int(count) - int(quiet), int(quiet)) for row, count, quiet in connection.execute(query)}


def alert_by_id(connection: sa.Connection, number: int) -> AlertRecord | None:
    """One alert."""
    query = sa.select(*_COLUMNS).select_from(_WITH_MUTES).where(alert.c.id == number)
    row = connection.execute(query).mappings().first()
    return None if row is None else _record(row)


def places_of(connection: sa.Connection, number: int, *, limit: int) -> list[tuple[str, int]]:
    """The places most of an alert's attempts came from, with how many."""
    query = (
        sa.select(alert_place.c.place, alert_place.c.attempts)
        .where(alert_place.c.alert == number)
        .order_by(alert_place.c.attempts.desc(), alert_place.c.place)
        .limit(limit)
    )
    return [(place, int(attempts)) for place, attempts in connection.execute(query)]


def without_some_place(connection: sa.Connection, numbers: Sequence[int]) -> frozenset[int]:
    """Those of these alerts with attempts from an unknown place."""
    query = sa.select(alert_place.c.alert).where(alert_place.c.alert.in_(numbers) & (alert_place.c.place == UNKNOWN))
    return frozenset(connection.execute(query).scalars())


def days_of_alerts(
    connection: sa.Connection, numbers: Sequence[int], *, since: datetime
) -> Mapping[int, Mapping[str, int]]:
    """The attempts behind each of these alerts on each day (ISO date, UTC) from `since` on."""
    query = (
        sa.select(alert_day.c.alert, alert_day.c.day, sa.func.sum(alert_day.c.attempts))
        .where(alert_day.c.alert.in_(numbers) & (alert_day.c.day >= day_number(since)))
        .group_by(alert_day.c.alert, alert_day.c.day)
    )
    found: dict[int, dict[str, int]] = {number: {} for number in numbers}
    for number, day, attempts in connection.execute(query):
        found[number][day_text(day)] = int(attempts)
    return found


def verdicts_in_alert(connection: sa.Connection, number: int) -> Mapping[tuple[str, Verdict], int]:
    """The verdicts of all attempts behind an alert, by day (ISO date, UTC)."""
    query = sa.select(alert_day.c.day, alert_day.c.said, alert_day.c.attempts).where(alert_day.c.alert == number)
    return {(day_text(day), Verdict(verdict)): int(count) for day, verdict, count in connection.execute(query)}
