"""Stage 7, alert: one alert as its page shows it: what happened, why it fired, what it probably is. Reads only."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from server.domain.alerts.copies import Copies, estimate_copies
from server.domain.alerts.likely_cause import Measured, likely_causes
from server.domain.alerts.rules import rule_named
from server.domain.batches.range_act import Stretch, standing_of
from server.domain.codes.redemption import Unit, Verdict
from server.domain.places.place import UNKNOWN, Place
from server.runtime.context import Context
from server.services.alerts.triage import AlertUnknown
from server.services.batches.withdrawals import stretches_of
from server.services.queries.alert_views import rule_records_of, stream_of
from server.services.queries.models import PAGE_SIZE, AlertDetail, DayCount
from server.services.queries.rows import alert_rows_of, page_of, scan_rows_of, used_and_refused, verdicts_of_alert
from server.storage import alerts as alert_rows
from server.storage import looks as look_rows
from server.storage import scans as scan_rows
from server.storage.batches import acts_covering, batch_by_row
from server.storage.brands import brand_by_id
from server.storage.engine import Connection
from server.storage.redemptions import redemption_of

_PLACES = 1_000
_LOOK_DAYS = 60
_NEVER_SOLD = frozenset({Verdict.NOT_ACTIVATED, Verdict.VOID, Verdict.SAMPLE, Verdict.NOT_OURS})


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
        scans_total = 0 if rule.of_looks else record.count
        page, pages, offset = page_of(page, scans_total, size=PAGE_SIZE)
        told, days = verdicts_of_alert(connection, alert_id)
        places = tuple(alert_rows.places_of(connection, alert_id, limit=_PLACES))
        so_far = rule_records_of(connection)[record.rule]
        networks = scan_rows.networks_of_alert(connection, alert_id) if rule.of_copies else None
        measured = _measured(record, places, networks)
        detail = AlertDetail(
            alert=alert_rows_of(connection, [record], now=now)[0],
            measured=record.claims,
            networks=networks,
            places=places,
            record=so_far,
            guess=likely_causes(rule.prior, rule.facts_of(measured), so_far.causes),
            stream=stream_of(connection, alert_id),
            told=told,
            days=() if rule.of_looks else days,
            scans=scan_rows_of(scan_rows.scans_of_alert(connection, alert_id, limit=PAGE_SIZE, offset=offset)),
            scans_total=scans_total,
            page=page,
            pages=pages,
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
    threshold, copies = brand_by_id(connection, record.brand).alert_from, _copies(connection, record, detail.stretches)
    return replace(detail, threshold=threshold, copies=copies)


def _measured(record: alert_rows.AlertRecord, places: Sequence[tuple[str, int]], networks: int | None) -> Measured:
    regions = sum(1 for key, _ in places if key != UNKNOWN)
    return Measured(others=record.claims, regions=regions, scans=record.count, networks=networks)


def _copies(connection: Connection, record: alert_rows.AlertRecord, pieces: Sequence[Stretch]) -> Copies | None:
    """About how many copies of the code there are, from the share of its batch's other codes that were verified."""
    if record.batch_row is None:
        return None
    verified, _ = used_and_refused(connection, [record.batch_row])[record.batch_row]
    on_sale = sum(piece.count for piece in pieces if piece.state not in _NEVER_SOLD)
    return estimate_copies(others=record.claims, verified=min(verified, on_sale) - 1, on_sale=on_sale - 1)


def _with_looks(connection: Connection, unit: Unit, days: tuple[DayCount, ...], now: datetime) -> tuple[DayCount, ...]:
    """The days of an alert about one code, with the looks at it; looks at whole batches are on the batch's page."""
    looks = look_rows.looks_of_unit_by_day(connection, unit.id, since=now - timedelta(days=_LOOK_DAYS))
    held = {day.day: day for day in days}
    empty = DayCount(day="", looks=0, verified=0, refused=0)
    return tuple(
        replace(held.get(day, empty), day=day, looks=looks.get(day, 0)) for day in sorted(held.keys() | looks.keys())
    )
