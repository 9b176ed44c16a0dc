"""Stage 7, alert: one growing row for each (brand, rule, subject), with rows of its own for claims and places."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from server.domain.alerts.alert import AlertDraft, AlertFilter, Attempt, Rule, Severity
from server.domain.alerts.triage import Cause, Event, Pile
from server.domain.codes.redemption import Unit, Verdict
from server.storage.engine import add_to_counters, insert_or_nothing
from server.storage.looks import LookKey
from server.storage.scans import attempts_behind, verdict_in_scan
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
    """An alert. `claims` and `places` count distinct askers and places; `unit` is a unit id, `owner` an account's.

    `muted` tells whether its rule is quiet for its batch.
    """

    id: int
    brand: int
    rule: Rule
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


_CROWD_READ = 100  # attempts behind an alert, the latest, among which a crowd is looked for

_MUTED = alert_mute.c.rule.is_not(None)
_WITH_MUTES = alert.outerjoin(
    alert_mute, (alert_mute.c.batch_row == alert.c.batch_row) & (alert_mute.c.rule == alert.c.rule)
)
_COLUMNS = [*(alert.c[name] for name in AlertRecord.__slots__ if name != "muted"), _MUTED.label("muted")]
_RANKED = (alert.c.severity.desc(), alert.c.claims.desc(), alert.c.last_at.desc(), alert.c.id.desc())
_LATEST = (alert.c.last_at.desc(), alert.c.id.desc())


def _record(row: sa.RowMapping) -> AlertRecord:
    told = {
        "rule": Rule(row["rule"]),
        "severity": list(Severity)[row["severity"]],
        "cause": None if row["cause"] is None else Cause(row["cause"]),
        "muted": bool(row["muted"]),
    }
    return AlertRecord(**{**row, **told})


def others_with(connection: sa.Connection, brand: int, draft: tuple[Rule, str], mark: bytes) -> int:
    """The number of distinct claims in an alert once this mark is among them."""
    rule, subject = draft
    here = (alert.c.brand == brand) & (alert.c.rule == rule) & (alert.c.subject == subject)
    row = connection.execute(sa.select(alert.c.id, alert.c.claims).where(here)).first()
    if row is None:
        return 1
    known = connection.execute(
        sa.select(alert_claim.c.mark).where((alert_claim.c.alert == row.id) & (alert_claim.c.mark == mark))
    ).first()
    return int(row.claims) + (known is None)


def add_to_alert(  # noqa: PLR0913 - one alert grows by one attempt, with everything that its rows say
    connection: sa.Connection,
    brand: int,
    draft: AlertDraft,
    attempt: Attempt,
    *,
    scan: int,
    batch_row: int | None,
    unit: int | None,
    serial: str | None,
) -> None:
    """Let the alert grow by one attempt: new if it is the first. Its severity never falls.

    One that was closed opens again when somebody new asks, or when it becomes louder. An attempt counts once.
    """
    values = {"batch_row": batch_row, "unit": unit, "serial": serial}
    grown = _found_or_new(connection, brand, draft, attempt.at, values)
    if not insert_or_nothing(connection, alert_scan, alert=grown["id"], scan=scan):
        return
    new_claim = insert_or_nothing(connection, alert_claim, alert=grown["id"], mark=attempt.mark)
    told = {"alert": grown["id"], "day": day_number(attempt.at), "said": verdict_in_scan(connection, scan)}
    add_to_counters(connection, alert_day, [{**told, "attempts": 1}])
    severity = max(grown["severity"], _loudness(connection, grown, draft, attempt.at))
    is_louder = severity > grown["severity"]
    opens_again = grown["closed_at"] is not None and (new_claim or is_louder)
    if opens_again:
        _reopen(connection, grown["id"], attempt.at)
    connection.execute(
        alert.update()
        .where(alert.c.id == grown["id"])
        .values(
            severity=severity,
            first_at=min(grown["first_at"], attempt.at),
            last_at=max(grown["last_at"], attempt.at),
            count=grown["count"] + 1,
            claims=grown["claims"] + new_claim,
            places=grown["places"] + _new_place(connection, grown["id"], attempt.place.key),
            loud_at=attempt.at if opens_again or is_louder or not grown["count"] else grown["loud_at"],
        )
    )


def _loudness(connection: sa.Connection, grown: sa.RowMapping, draft: AlertDraft, at: datetime) -> int:
    """How loud an attempt makes its alert; where a crowd decides, by the latest attempts behind the alert."""
    if draft.crowd is None or grown["severity"] >= Severity.ALERT.rank:
        return draft.severity.rank
    crowd = draft.crowd.is_among(attempts_behind(connection, grown["id"], limit=_CROWD_READ), at)
    return max(draft.severity, Severity.ALERT if crowd else Severity.NOTE, key=lambda one: one.rank).rank


def add_looks_to_alert(  # noqa: PLR0913 - one alert grows by an hour's looks, with everything that its rows say
    connection: sa.Connection,
    brand: int,
    draft: AlertDraft,
    looks: Mapping[LookKey, int],
    *,
    at: datetime,
    unit: Unit,
    serial: str | None,
) -> None:
    """Let the alert of a storm grow by looks that it has not counted, the last of them `at` a moment.

    Nobody is known of those who look, so that a closed one opens again when a storm comes in a later hour.
    """
    hour = min(key.hour for key in looks)
    grown = _found_or_new(connection, brand, draft, hour, {"batch_row": unit.row, "unit": unit.id, "serial": serial})
    places, said = Counter[str](), Counter[tuple[int, str]]()
    for key, amount in looks.items():
        places[key.place] += amount
        said[day_number(key.hour), key.said] += amount
    new_places = sum(_new_place(connection, grown["id"], place, times=places[place]) for place in sorted(places))
    told = [{"alert": grown["id"], "day": day, "said": word, "attempts": said[day, word]} for day, word in sorted(said)]
    add_to_counters(connection, alert_day, told)
    is_louder = draft.severity.rank > grown["severity"]
    opens_again = grown["closed_at"] is not None and (is_louder or hour > grown["closed_at"])
    if opens_again:
        _reopen(connection, grown["id"], at)
    values = {
        "severity": max(grown["severity"], draft.severity.rank),
        "first_at": min(grown["first_at"], hour),
        "last_at": max(grown["last_at"], at),
        "count": grown["count"] + places.total(),
        "places": grown["places"] + new_places,
        "loud_at": at if opens_again or is_louder or not grown["count"] else grown["loud_at"],
    }
    connection.execute(alert.update().where(alert.c.id == grown["id"]).values(**values))


def _found_or_new(
    connection: sa.Connection, brand: int, draft: AlertDraft, at: datetime, values: Mapping[str, int | str | None]
) -> sa.RowMapping:
    """The alert of (brand, rule, subject), held until the transaction ends; made empty where there was none."""
    insert_or_nothing(
        connection,
        alert,
        brand=brand,
        rule=draft.rule,
        subject=draft.subject,
        severity=draft.severity.rank,
        first_at=at,
        last_at=at,
        count=0,
        claims=0,
        places=0,
        **values,
    )
    here = (alert.c.brand == brand) & (alert.c.rule == draft.rule) & (alert.c.subject == draft.subject)
    return connection.execute(sa.select(alert).where(here).with_for_update()).mappings().one()


def _new_place(connection: sa.Connection, number: int, place: str, *, times: int = 1) -> bool:
    """Count attempts or looks of an alert at their place: whether they are the first from there."""
    if insert_or_nothing(connection, alert_place, alert=number, place=place, attempts=times):
        return True
    here = (alert_place.c.alert == number) & (alert_place.c.place == place)
    connection.execute(alert_place.update().where(here).values(attempts=alert_place.c.attempts + times))
    return False


def _reopen(connection: sa.Connection, number: int, at: datetime) -> None:
    connection.execute(alert.update().where(alert.c.id == number).values(closed_at=None, cause=None))
    connection.execute(alert_event.insert().values(alert=number, at=at, kind=Event.REOPENED))


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
    """How many alerts that match became news after a moment; no more than `limit` are looked for.

    One whose attempt is written later than that of a newer one goes unannounced; the list has it.
    """
    chosen = sa.select(alert.c.id).select_from(_WITH_MUTES).where((alert.c.loud_at > after) & _conditions(wanted))
    return int(connection.execute(sa.select(sa.func.count()).select_from(chosen.limit(limit).subquery())).scalar_one())


def count_like(connection: sa.Connection, wanted: AlertFilter) -> Mapping[Severity, int]:
    """How many alerts match, by severity; severities without any are named with 0."""
    chosen = sa.select(alert.c.severity, sa.func.count()).select_from(_WITH_MUTES).where(_conditions(wanted))
    counted = {list(Severity)[rank]: count for rank, count in connection.execute(chosen.group_by(alert.c.severity))}
    return {severity: counted.get(severity, 0) for severity in Severity}


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
    """What all attempts behind an alert were told, by day (ISO date, UTC)."""
    query = sa.select(alert_day.c.day, alert_day.c.said, alert_day.c.attempts).where(alert_day.c.alert == number)
    return {(day_text(day), Verdict(said)): int(count) for day, said, count in connection.execute(query)}
