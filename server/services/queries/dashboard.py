"""Stage 7, alert: what the dashboard shows. Read models: nothing here changes anything."""

from dataclasses import replace
from datetime import date, datetime

from authcode.code.payload import NotOurs
from keys.base.errors import AuthcodeError
from server.domain.alerts.alert import AlertFilter
from server.domain.codes.redemption import Unit, Use, verdict_of
from server.domain.places.place import Place
from server.runtime.context import Context
from server.services.alerts.triage import AlertUnknown
from server.services.batches.find import CodeUnknown, find_code
from server.services.batches.range_acts import OrderUnknown, find_order
from server.services.batches.withdrawals import stretches_of, withdrawn_key_of
from server.services.codes.facts import facts_of, state_on_record
from server.services.codes.resolve import resolved_unit
from server.services.queries.alert import alert
from server.services.queries.models import (
    PAGE_SIZE,
    ActTarget,
    AlertDetail,
    AlertList,
    AlertRow,
    BatchList,
    BatchPage,
    BatchRow,
    CodeHistory,
    DayCount,
    ScanRow,
)
from server.services.queries.rows import (
    alert_rows_of,
    batch_rows_of,
    days_of,
    page_of,
    scan_rows_of,
    standing_rows_of,
)
from server.storage import alerts as alert_rows
from server.storage import looks as look_rows
from server.storage import scans as scan_rows
from server.storage.batches import acts_covering, acts_of, batch_by_row, count_batches, latest_batches
from server.storage.brands import brand_by_id
from server.storage.engine import Database
from server.storage.redemptions import unit_life
from server.storage.triage import mutes_of

__all__ = [
    "PAGE_SIZE",
    "ActTarget",
    "AlertDetail",
    "AlertFilter",
    "AlertList",
    "AlertRow",
    "AlertUnknown",
    "BatchList",
    "BatchPage",
    "BatchRow",
    "BatchUnknown",
    "CodeHistory",
    "CodeUnknown",
    "DayCount",
    "ScanRow",
    "alert",
    "alerts",
    "batch_list",
    "batch_of_order",
    "batch_page",
    "batch_to_act_on",
    "batches",
    "code_history",
    "find_batch",
    "find_code",
]

_DOTS = 400  # attempts that are drawn on a batch's strip; more would be a line
_RECENT = 20  # scans and alerts beside a batch; the rest has pages of its own
_COUNTRIES = 5


class BatchUnknown(AuthcodeError):
    """No batch has this row."""

    code = "batch_unknown"
    http_status = 404
    sentence = "There is no such batch; the list of batches shows those that are registered."


def batches(db: Database, *, now: datetime) -> tuple[BatchRow, ...]:
    """All batches, the latest registered first."""
    rows: list[BatchRow] = []
    with db.read() as connection:
        while found := latest_batches(connection, limit=PAGE_SIZE, offset=len(rows)):
            rows.extend(batch_rows_of(connection, found, now))
    return tuple(rows)


def batch_list(db: Database, *, now: datetime, page: int = 1, brand: int | None = None) -> BatchList:
    """One page of the batches (of a brand, by its stored reference), the latest registered first.

    A page beyond the last shows the last.
    """
    with db.read() as connection:
        total = count_batches(connection, brand=brand)
        page, pages, offset = page_of(page, total, size=PAGE_SIZE)
        found = latest_batches(connection, limit=PAGE_SIZE, offset=offset, brand=brand)
        return BatchList(batches=batch_rows_of(connection, found, now), total=total, page=page, pages=pages)


def batch_of_order(db: Database, order: str, *, now: datetime, brand_id: bytes | None = None) -> BatchRow:
    """The batch of an order name, of one brand where it is named.

    Raises:
        OrderUnknown, OrderAmbiguous: the name leads to no batch, or to several.
    """
    with db.read() as connection:
        return batch_rows_of(connection, [find_order(connection, order, brand_id)], now)[0]


def batch_to_act_on(db: Database, row: int, *, now: datetime) -> ActTarget:
    """One batch with how its codes stand, and nothing of what happened to them.

    Raises:
        BatchUnknown: there is none.
    """
    with db.read() as connection:
        batch = batch_by_row(connection, row)
        if batch is None:
            raise BatchUnknown
        return ActTarget(
            row=row,
            brand_id=brand_by_id(connection, batch.brand).brand_id.hex(),
            order=batch.order_name,
            count=batch.count,
            stretches=stretches_of(connection, [batch], today=now.date())[row],
        )


def batch_page(ctx: Context, row: int, *, country: str | None = None, day: date | None = None) -> BatchPage:
    """One batch with what happened to its codes; its latest attempts of one `country` or `day` (UTC) where it is named.

    Raises:
        BatchUnknown: there is none.
    """
    now = ctx.clock()
    with ctx.db.read() as connection:
        batch = batch_by_row(connection, row)
        if batch is None:
            raise BatchUnknown
        acts = acts_of(connection, row)
        pieces = stretches_of(connection, [batch], today=now.date(), acts={row: acts})[row]
        named = AlertFilter(batch_row=row)
        return BatchPage(
            batch=standing_rows_of(connection, [batch], {row: pieces})[0],
            batch_number=batch.number,
            profile=batch.profile,
            form=batch.form,
            tiers=batch.tiers,
            drawn_by=batch.drawn_by,
            gtin=batch.gtin,
            key_id=batch.key_id,
            issued_at=batch.issued_at,
            stretches=pieces,
            acts=tuple(reversed(acts)),
            said=scan_rows.verdicts_in_batch(connection, row),
            looks_by_state=look_rows.looks_by_state(connection, row),
            days=days_of(connection, row),
            countries=tuple(scan_rows.countries_of_batch(connection, row, limit=_COUNTRIES)),
            recent=scan_rows_of(scan_rows.scans_of_batch(connection, row, limit=_RECENT, country=country, day=day)),
            scanned=tuple(scan_rows.indices_of_batch(connection, row, limit=_DOTS)),
            alerts=alert_rows_of(connection, alert_rows.alerts_like(connection, named, limit=_RECENT), now=now),
            mutes=tuple(mutes_of(connection, row)),
            withdrawn_key=withdrawn_key_of(connection, batch),
        )


def alerts(ctx: Context, wanted: AlertFilter, *, page: int = 1) -> AlertList:
    """One page of the alerts that match; a page beyond the last shows the last."""
    now = ctx.clock()
    wanted = replace(wanted, now=now)
    with ctx.db.read() as connection:
        newest = alert_rows.latest_news(connection)  # before the rows: what comes in between is told twice, not never
        by_severity = alert_rows.count_like(connection, replace(wanted, severity=None))
        total = sum(alert_rows.count_like(connection, wanted).values())
        page, pages, offset = page_of(page, total, size=PAGE_SIZE)
        found = alert_rows.alerts_like(connection, wanted, limit=PAGE_SIZE, offset=offset)
        return AlertList(
            alerts=alert_rows_of(connection, found, now=now),
            total=total,
            page=page,
            pages=pages,
            by_severity=by_severity,
            newest=newest,
        )


def code_history(ctx: Context, unit: Unit, *, page: int = 1) -> CodeHistory:
    """Everything about one unit, in the life that it names.

    Raises:
        CodeUnknown: there is none.
        SerialKeyMissing: this server cannot tell its serial.
    """
    now = ctx.clock()
    with ctx.db.read() as connection:
        batch = batch_by_row(connection, unit.row)
        if batch is None or unit.index >= batch.count:
            raise CodeUnknown
        try:
            state = state_on_record(connection, resolved_unit(ctx, batch, unit), now=now, life=unit.life)
        except NotOurs:
            raise CodeUnknown from None
        if state is None:
            raise CodeUnknown
        total = scan_rows.count_of_unit(connection, unit.id)
        page, pages, offset = page_of(page, total, size=PAGE_SIZE)
        scans = scan_rows.scans_of_unit(connection, unit.id, limit=PAGE_SIZE, offset=offset)
        first = state.redemption
        return CodeHistory(
            unit=unit,
            order=batch.order_name,
            state=verdict_of(state.conditions, Use.NONE if first is None else Use.OTHER),
            facts=facts_of(connection, state, own=True),
            first_place=None if first is None else Place(country=first.country, region=first.region).key,
            acts=tuple(reversed(acts_covering(connection, unit.row, unit.index))),
            looks=look_rows.looks_of_unit(connection, unit.id),
            scans=scan_rows_of(scans),
            scans_total=total,
            page=page,
            pages=pages,
            alerts=alert_rows_of(
                connection, alert_rows.alerts_like(connection, AlertFilter(unit=unit), limit=_RECENT), now=now
            ),
            returns=state.use.returns,
            ended=state.use.ended,
            present=unit_life(connection, unit).unit,
            hops=0 if first is None else first.hop,
            erased=first is not None and first.erased,
            withdrawn_key=withdrawn_key_of(connection, batch),
        )


def find_batch(db: Database, text: str) -> int | None:
    """The row of the batch whose order has this name; None where there is none.

    Raises:
        OrderAmbiguous: several brands have an order of this name.
    """
    try:
        with db.read() as connection:
            return find_order(connection, text.strip(), None).row
    except OrderUnknown:
        return None
