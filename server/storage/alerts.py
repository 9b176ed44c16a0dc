"""Stage 7, alert: one growing row for each (brand, rule, subject), with rows of its own for claims and places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from server.domain.alert import AlertDraft, AlertFilter, Attempt, Rule, Severity
from server.domain.redemption import Verdict
from server.storage.engine import add_to_counters, insert_or_nothing
from server.storage.scans import said_in_scan
from server.storage.schema import alert, alert_claim, alert_day, alert_place, alert_scan, day_number, day_text


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """An alert. `claims` and `places` count distinct askers and places; `unit` is a unit id."""

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


def _record(row: sa.RowMapping) -> AlertRecord:
    severity = list(Severity)[row["severity"]]
    return AlertRecord(
        **{**{n: row[n] for n in AlertRecord.__slots__}, "rule": Rule(row["rule"]), "severity": severity}
    )


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
    """Let the alert grow by one attempt: new if it is the first. Its severity never falls."""
    values = {"batch_row": batch_row, "unit": unit, "serial": serial}
    grown = _found_or_new(connection, brand, draft, attempt.at, values)
    new_claim = insert_or_nothing(connection, alert_claim, alert=grown.id, mark=attempt.mark)
    new_place = insert_or_nothing(connection, alert_place, alert=grown.id, place=attempt.place.key)
    insert_or_nothing(connection, alert_scan, alert=grown.id, scan=scan)
    told = {"alert": grown.id, "day": day_number(attempt.at), "said": said_in_scan(connection, scan)}
    add_to_counters(connection, alert_day, [{**told, "attempts": 1}])
    connection.execute(
        alert.update()
        .where(alert.c.id == grown.id)
        .values(
            severity=max(grown.severity.rank, draft.severity.rank),
            first_at=min(grown.first_at, attempt.at),
            last_at=max(grown.last_at, attempt.at),
            count=grown.count + 1,
            claims=grown.claims + new_claim,
            places=grown.places + new_place,
        )
    )


def _found_or_new(
    connection: sa.Connection, brand: int, draft: AlertDraft, at: datetime, values: Mapping[str, int | str | None]
) -> AlertRecord:
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
    return _record(connection.execute(sa.select(alert).where(here).with_for_update()).mappings().one())


def _conditions(wanted: AlertFilter) -> sa.ColumnElement[bool]:
    found: list[sa.ColumnElement[bool]] = [sa.true()]
    if wanted.rule is not None:
        found.append(alert.c.rule == wanted.rule)
    if wanted.severity is not None:
        found.append(alert.c.severity >= wanted.severity.rank)
    if wanted.batch_row is not None:
        found.append(alert.c.batch_row == wanted.batch_row)
    if wanted.unit is not None:
        found.append(alert.c.unit == wanted.unit.id)
    return sa.and_(*found)


def alerts_like(connection: sa.Connection, wanted: AlertFilter, *, limit: int, offset: int = 0) -> list[AlertRecord]:
    """The alerts that match, the latest grown first."""
    query = sa.select(alert).where(_conditions(wanted)).order_by(alert.c.last_at.desc(), alert.c.id.desc())
    return [_record(row) for row in connection.execute(query.limit(limit).offset(offset)).mappings()]


def count_like(connection: sa.Connection, wanted: AlertFilter) -> Mapping[Severity, int]:
    """How many alerts match, by severity; severities without any are named with 0."""
    query = sa.select(alert.c.severity, sa.func.count()).where(_conditions(wanted)).group_by(alert.c.severity)
    counted = {list(Severity)[rank]: count for rank, count in connection.execute(query)}
    return {severity: counted.get(severity, 0) for severity in Severity}


def count_by_batch(connection: sa.Connection, rows: Sequence[int]) -> Mapping[int, int]:
    """How many alerts name each of these batches."""
    query = sa.select(alert.c.batch_row, sa.func.count()).where(alert.c.batch_row.in_(rows)).group_by(alert.c.batch_row)
    return {row: count for row, count in connection.execute(query)}  # noqa: C416 - rows are not pairs to the type checker


def alert_by_id(connection: sa.Connection, number: int) -> AlertRecord | None:
    """One alert."""
    row = connection.execute(sa.select(alert).where(alert.c.id == number)).mappings().first()
    return None if row is None else _record(row)


def places_of(connection: sa.Connection, number: int) -> tuple[str, ...]:
    """The places an alert's attempts came from."""
    query = sa.select(alert_place.c.place).where(alert_place.c.alert == number).order_by(alert_place.c.place)
    return tuple(connection.execute(query).scalars())


def told_in_alert(connection: sa.Connection, number: int) -> Mapping[tuple[str, Verdict], int]:
    """What all attempts behind an alert were told, by day (ISO date, UTC)."""
    query = sa.select(alert_day.c.day, alert_day.c.said, alert_day.c.attempts).where(alert_day.c.alert == number)
    return {(day_text(day), Verdict(said)): int(count) for day, said, count in connection.execute(query)}
