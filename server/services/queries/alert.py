"""Stage 7, alert: one alert as its page shows it: what happened, why it fired, what it probably is. Reads only."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from server.domain.alerts.alert import Rule
from server.domain.alerts.copies import Copies, estimate_copies
from server.domain.alerts.likely_cause import Measured, likely_causes, proposes_lock
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
from server.storage.redemptions import first_use

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
        brand = brand_by_id(connection, record.brand)
        first = None if record.unit is None else first_use(connection, Unit.of_id(record.unit))
        of_looks = record.rule is Rule.LOOK_STORM
        scans_total = 0 if of_looks else record.count
        page, pages, offset = page_of(page, scans_total, size=PAGE_SIZE)
        told, days = verdicts_of_alert(connection, alert_id)
        places = tuple(alert_rows.places_of(connection, alert_id, limit=_PLACES))
        causes = rule_records_of(connection)[record.rule]
        networks = scan_rows.networks_of_alert(connection, alert_id) if record.rule is Rule.DUPLICATE else None
        measured = _measured(record, places, networks)
        days = _with_looks(connection, record, () if of_looks else days, now)
        batch = None if record.batch_row is None else batch_by_row(connection, record.batch_row)
        pieces = () if batch is None else stretches_of(connection, [batch], today=now.date())[batch.row]
        unit = None if record.unit is None else Unit.of_id(record.unit)
        acts = [] if unit is None else acts_covering(connection, unit.row, unit.index)
        scans = scan_rows.scans_of_alert(connection, alert_id, limit=PAGE_SIZE, offset=offset)
        return AlertDetail(
            alert=alert_rows_of(connection, [record], now=now)[0],
            threshold=brand.alert_from if record.rule is Rule.DUPLICATE else None,
            measured=record.claims,
            networks=networks,
            first_verified_at=None if first is None else first.at,
            first_place=None if first is None else Place(country=first.country, region=first.region).key,
            places=places,
            record=causes,
            guess=likely_causes(measured, causes.causes),
            copies=_copies(connection, record, pieces),
            placement=None if batch is None else batch.placement,
            lock_is_proposed=unit is not None and proposes_lock(measured),
            stream=stream_of(connection, alert_id),
            stretches=pieces,
            is_locked=unit is not None and standing_of(acts, unit.index).lock is not None,
            batch_count=0 if batch is None else batch.count,
            told=told,
            days=days,
            scans=scan_rows_of(scans),
            scans_total=scans_total,
            page=page,
            pages=pages,
        )


def _measured(record: alert_rows.AlertRecord, places: Sequence[tuple[str, int]], networks: int | None) -> Measured:
    regions = sum(1 for key, _ in places if key != UNKNOWN)
    return Measured(rule=record.rule, others=record.claims, regions=regions, scans=record.count, networks=networks)


def _copies(connection: Connection, record: alert_rows.AlertRecord, pieces: Sequence[Stretch]) -> Copies | None:
    """About how many copies of the code there are, from the share of its batch's other codes that were verified."""
    if record.rule is not Rule.DUPLICATE or record.batch_row is None:
        return None
    verified, _ = used_and_refused(connection, [record.batch_row])[record.batch_row]
    on_sale = sum(piece.count for piece in pieces if piece.state not in _NEVER_SOLD)
    return estimate_copies(others=record.claims, verified=min(verified, on_sale) - 1, on_sale=on_sale - 1)


def _with_looks(
    connection: Connection, record: alert_rows.AlertRecord, days: tuple[DayCount, ...], now: datetime
) -> tuple[DayCount, ...]:
    """The days of an alert about one code, with the looks at it; looks at whole batches stand on the batch's page."""
    if record.unit is None:
        return days
    looks = look_rows.looks_of_unit_by_day(connection, record.unit, since=now - timedelta(days=_LOOK_DAYS))
    held = {day.day: day for day in days}
    empty = DayCount(day="", looks=0, verified=0, refused=0)
    return tuple(
        replace(held.get(day, empty), day=day, looks=looks.get(day, 0)) for day in sorted(held.keys() | looks.keys())
    )
