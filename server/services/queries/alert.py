"""Stage 7, alert: one alert: what happened, why it fired, what it probably is, what was done with it. Reads only."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from server.domain.alerts.copies import Copies, estimate_copies
from server.domain.alerts.likely_cause import Guess, Measured, likely_causes
from server.domain.alerts.rules import rule_named
from server.domain.batches.range_act import Stretch, standing_of
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.domain.places.place import Place
from server.runtime.context import Context
from server.services.alerts.triage import AlertUnknown
from server.services.batches.withdrawals import stretches_of
from server.services.queries.alerts import RuleRecord, record_of
from server.services.queries.page import ListPage, page_of
from server.services.queries.rows import AlertRow, DayCount, ScanRow, alert_rows_of, scan_rows_of, used_and_refused
from server.storage import alerts as alert_rows
from server.storage import looks as look_rows
from server.storage import scans as scan_rows
from server.storage.batches import acts_covering, batch_by_row
from server.storage.brands import brand_by_id
from server.storage.engine import Connection
from server.storage.redemptions import redemption_of
from server.storage.triage import EventRecord, closed_by_cause, events_of

HISTORY_SHOWN = 100
"""Lines of an alert's history on its page: the latest."""

_PLACES = 1_000
_LOOK_DAYS = 60
_NEVER_SOLD = frozenset({Verdict.NOT_ACTIVATED, Verdict.VOID, Verdict.SAMPLE, Verdict.NOT_OURS})


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDetail:
    """An alert with the scans behind it (newest first, paged), its places with their attempts, and why it fired.

    `threshold` is the number of other claims from which on this brand is alerted (duplicates only); `measured` the
    number of distinct other claims; `record` is how its rule did so far, `stream` what was done with it, newest first.
    `stretches` are its batch's, empty where it has none. `verdicts` and `days` count all scans behind it, not only
    this page's. `guess` is what it probably is; `copies` about how many packs have its code, None where too few scan.
    `networks` is how many its claims came from (duplicates only), None where that is not known.
    """

    alert: AlertRow
    measured: int
    places: tuple[tuple[str, int], ...]
    record: RuleRecord
    guess: Guess
    stream: tuple[EventRecord, ...]
    verdicts: Mapping[Verdict, int]
    days: tuple[DayCount, ...]
    scans: ListPage[ScanRow]
    first_verified_at: datetime | None = None
    first_place: str | None = None
    is_locked: bool = False
    stretches: tuple[Stretch, ...] = ()
    batch_count: int = 0
    threshold: int | None = None
    copies: Copies | None = None
    placement: str | None = None
    lock_is_proposed: bool = False
    networks: int | None = None


def alert(ctx: Context, alert_id: int, *, page: int = 1) -> AlertDetail:
    """One alert with a page of the scans behind it.

    Raises:
        AlertUnknown: there is none.
    """
    now = ctx.clock()
    with ctx.db.read() as connection:
        record = alert_rows.alert_by_id(connection, alert_id)
        if record is None:
            raise AlertUnknown
        rule = rule_named(record.rule)
        verdicts, days = _verdicts_of(connection, alert_id)
        places = tuple(alert_rows.places_of(connection, alert_id, limit=_PLACES))
        so_far = record_of(closed_by_cause(connection).get(record.rule, {}))
        networks = scan_rows.networks_of_alert(connection, alert_id) if rule.of_copies else None
        total, read = 0 if rule.of_looks else record.count, partial(scan_rows.scans_of_alert, connection, alert_id)
        (row,) = alert_rows_of(connection, [record], now=now)
        measured = Measured(others=record.claims, regions=row.regions, scans=record.count, networks=networks)
        detail = AlertDetail(
            alert=row,
            measured=record.claims,
            networks=networks,
            places=places,
            record=so_far,
            guess=likely_causes(rule.prior, rule.facts_of(measured), so_far.causes),
            stream=tuple(events_of(connection, alert_id, limit=HISTORY_SHOWN)),
            verdicts=verdicts,
            days=_as_looks(days) if rule.of_looks else days,
            scans=page_of(page, total, read, scan_rows_of),
        )
        if record.unit is not None:
            detail = _with_code(connection, detail, Unit.of_id(record.unit), now)
            detail = replace(detail, lock_is_proposed=rule.proposes_lock(measured))
        if record.batch_row is not None:
            detail = _with_batch(connection, detail, record.batch_row, now)
        return _with_copies(connection, detail, record) if rule.of_copies else detail


def _with_code(connection: Connection, detail: AlertDetail, unit: Unit, now: datetime) -> AlertDetail:
    """An alert about one code, with its first use and the looks at it."""
    first = redemption_of(connection, unit)
    acts = acts_covering(connection, unit.row, unit.index)
    return replace(
        detail,
        days=_with_looks(connection, unit, detail.days, now),
        first_verified_at=None if first is None else first.at,
        first_place=None if first is None else Place(country=first.country, region=first.region).key,
        is_locked=standing_of(acts, unit.index).lock is not None,
    )


def _with_batch(connection: Connection, detail: AlertDetail, row: int, now: datetime) -> AlertDetail:
    batch = batch_by_row(connection, row)
    if batch is None:
        return detail
    stretches = stretches_of(connection, [batch], today=now.date())[row]
    return replace(detail, stretches=stretches, batch_count=batch.count, placement=batch.placement)


def _with_copies(connection: Connection, detail: AlertDetail, record: alert_rows.AlertRecord) -> AlertDetail:
    """With about how many copies there are, from the share of the batch's other codes that were verified."""
    copies = None
    if record.batch_row is not None:
        verified, _ = used_and_refused(connection, [record.batch_row])[record.batch_row]
        on_sale = sum(piece.count for piece in detail.stretches if piece.state not in _NEVER_SOLD)
        copies = estimate_copies(others=record.claims, verified=min(verified, on_sale) - 1, on_sale=on_sale - 1)
    return replace(detail, threshold=brand_by_id(connection, record.brand).alert_from, copies=copies)


def _verdicts_of(connection: Connection, alert: int) -> tuple[Mapping[Verdict, int], tuple[DayCount, ...]]:
    """The verdicts of all attempts behind an alert, the most frequent first, and their number on each day."""
    verdicts: Counter[Verdict] = Counter()
    days: dict[str, Counter[bool]] = {}
    for (day, verdict), attempts in alert_rows.verdicts_in_alert(connection, alert).items():
        verdicts[verdict] += attempts
        days.setdefault(day, Counter())[verdict in (Verdict.GENUINE, Verdict.VERIFIED_BY_YOU)] += attempts
    by_day = tuple(
        DayCount(day=day, looks=0, verified=days[day][True], refused=days[day][False]) for day in sorted(days)
    )
    return dict(verdicts.most_common()), by_day


def _as_looks(days: tuple[DayCount, ...]) -> tuple[DayCount, ...]:
    """The days of an alert that counts looks."""
    return tuple(replace(day, looks=day.verified + day.refused, verified=0, refused=0) for day in days)


def _with_looks(connection: Connection, unit: Unit, days: tuple[DayCount, ...], now: datetime) -> tuple[DayCount, ...]:
    """The days of an alert about one code, with the looks at it."""
    looks = look_rows.looks_of_unit_by_day(connection, unit.id, since=now - timedelta(days=_LOOK_DAYS))
    counted = {day: DayCount(day=day, looks=0, verified=0, refused=0) for day in looks} | {day.day: day for day in days}
    return tuple(replace(counted[day], looks=looks.get(day, 0)) for day in sorted(counted))
