"""Stage 7, alert: stored rows as the dashboard shows them, with the names that belong to their numbers."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from authcode.code.serial import Tier, printed_serial
from server.domain.alerts.alert import Subject
from server.domain.alerts.rules import rule_named
from server.domain.batches.range_act import Stretch
from server.domain.codes.redemption import Unit, Verdict
from server.services.batches.withdrawals import stretches_of
from server.services.queries.models import AlertRow, BatchRow, DayCount, ScanRow
from server.storage import alerts as alert_rows
from server.storage import looks as look_rows
from server.storage import scans as scan_rows
from server.storage.batches import BatchRecord, batches_by_rows
from server.storage.brands import all_brands
from server.storage.engine import Connection
from server.storage.products import product_names
from server.storage.redemptions import returned_by_batch
from server.storage.staff import emails_of

RECENT_DAYS = 14
"""Days of an alert's sparkline, today included."""


def batch_rows_of(connection: Connection, records: Sequence[BatchRecord], now: datetime) -> tuple[BatchRow, ...]:
    """Batches as their list shows them; the same few questions to the database, however many they are."""
    return standing_rows_of(connection, records, stretches_of(connection, records, today=now.date()))


def standing_rows_of(
    connection: Connection, records: Sequence[BatchRecord], standing: Mapping[int, Sequence[Stretch]]
) -> tuple[BatchRow, ...]:
    """The same, of batches whose stretches are known already."""
    rows = [record.row for record in records]
    brands = {brand.id: brand for brand in all_brands(connection)}
    products = _product_names(connection, records)
    looks = look_rows.looks_by_batch(connection, rows)
    attempts = used_and_refused(connection, rows)
    alerted = alert_rows.count_by_batch(connection, rows)
    listed = []
    for record in records:
        used, refused = attempts[record.row]
        states: Counter[Verdict] = Counter()
        for stretch in standing[record.row]:
            states[stretch.state] += stretch.count
        brand = brands[record.brand]
        listed.append(
            BatchRow(
                row=record.row,
                brand=brand.name,
                brand_id=brand.brand_id.hex(),
                order=record.order_name,
                product=products[record.row],
                placement=record.placement,
                count=record.count,
                registered_at=record.registered_at,
                states=dict(states),
                verified=used,
                refused=refused,
                looks=looks.get(record.row, 0),
                alerts=alerted.get(record.row, (0, 0))[0],
                notes=alerted.get(record.row, (0, 0))[1],
            )
        )
    return tuple(listed)


def used_and_refused(connection: Connection, rows: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """By the batch's row how many of its units are used now, and how many attempts were refused.

    Burns are counted with each attempt; a unit that was returned since is used no more, until somebody burns it again.
    """
    attempts, returned = scan_rows.totals_of_batches(connection, rows), returned_by_batch(connection, rows)
    totals = {row: attempts.get(row, (0, 0)) for row in rows}
    return {row: (burned - returned.get(row, 0), refused) for row, (burned, refused) in totals.items()}


def _product_names(connection: Connection, records: Collection[BatchRecord]) -> Mapping[int, str | None]:
    """By the batch's row the name of its product; its SKU where the brand has not published it."""
    keys = {(record.brand, record.product_sku) for record in records if record.product_sku is not None}
    names = product_names(connection, keys)
    return {
        record.row: record.product_sku and names.get((record.brand, record.product_sku), record.product_sku)
        for record in records
    }


def days_of(connection: Connection, row: int) -> tuple[DayCount, ...]:
    """What happened to a batch on each day on which something did."""
    attempts = scan_rows.days_of_batch(connection, row)
    looks = look_rows.looks_by_day(connection, row)
    return tuple(
        DayCount(
            day=day,
            looks=looks.get(day, 0),
            verified=attempts.get(day, (0, 0))[0],
            refused=attempts.get(day, (0, 0))[1],
        )
        for day in sorted(attempts.keys() | looks.keys())
    )


def verdicts_of_alert(connection: Connection, alert: int) -> tuple[Mapping[Verdict, int], tuple[DayCount, ...]]:
    """What all attempts behind an alert were told, the most frequent first, and how many there were on each day."""
    told: Counter[Verdict] = Counter()
    days: dict[str, Counter[bool]] = {}
    for (day, verdict), attempts in alert_rows.verdicts_in_alert(connection, alert).items():
        told[verdict] += attempts
        days.setdefault(day, Counter())[verdict in (Verdict.GENUINE, Verdict.VERIFIED_BY_YOU)] += attempts
    by_day = tuple(
        DayCount(day=day, looks=0, verified=days[day][True], refused=days[day][False]) for day in sorted(days)
    )
    return dict(told.most_common()), by_day


def scan_rows_of(records: Sequence[scan_rows.ScanRecord]) -> tuple[ScanRow, ...]:
    """Attempts as their tables show them."""
    return tuple(_scan_row(record) for record in records)


def _scan_row(record: scan_rows.ScanRecord) -> ScanRow:
    unit = record.unit
    return ScanRow(
        id=record.id,
        at=record.at,
        unit=None if unit is None else Unit.of_id(unit),
        serial_printed=printed_serial(record.serial),
        tier=Tier(record.tier),
        channel=record.channel,
        said=record.said,
        own=record.own,
        burned=record.burned,
        staff=record.staff,
        country=record.country,
        region=record.region,
        network="" if record.network_unit is None else record.network_unit.hex()[:6],
        person="" if record.person is None else str(record.person),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What the numbers in alerts' rows are called: brands, batches, their products, owners."""

    brands: Mapping[int, str]
    batches: Mapping[int, BatchRecord]
    products: Mapping[int, str | None]
    owners: Mapping[int, str]


def alert_rows_of(
    connection: Connection, records: Sequence[alert_rows.AlertRecord], *, now: datetime
) -> tuple[AlertRow, ...]:
    """Alerts, with the names of their brands, orders, products and owners, and their last fourteen days."""
    days = [(now.date() - timedelta(days=back)).isoformat() for back in reversed(range(RECENT_DAYS))]
    since = now - timedelta(days=RECENT_DAYS - 1)
    recent = alert_rows.days_of_alerts(connection, [record.id for record in records], since=since)
    batches = batches_by_rows(connection, {record.batch_row for record in records if record.batch_row is not None})
    names = _Names(
        brands={brand.id: brand.name for brand in all_brands(connection)},
        batches=batches,
        products=_product_names(connection, batches.values()),
        owners=emails_of(connection, {record.owner for record in records if record.owner is not None}),
    )
    return tuple(_alert_row(one, names, tuple(recent[one.id].get(day, 0) for day in days)) for one in records)


def _alert_row(record: alert_rows.AlertRecord, names: _Names, recent: tuple[int, ...]) -> AlertRow:
    batch = None if record.batch_row is None else names.batches.get(record.batch_row)
    return AlertRow(
        id=record.id,
        rule=record.rule,
        severity=record.severity,
        brand=names.brands[record.brand],
        batch_row=record.batch_row,
        order=None if batch is None else batch.order_name,
        product=None if batch is None else names.products[batch.row],
        unit=None if record.unit is None else Unit.of_id(record.unit),
        serial_printed=None if record.serial is None else printed_serial(record.serial),
        key_id=Subject.key_id_in(record.subject),
        first_at=record.first_at,
        last_at=record.last_at,
        count=record.count,
        people=record.claims + rule_named(record.rule).of_copies,
        places=record.places,
        owner=None if record.owner is None else names.owners.get(record.owner),
        snoozed_until=record.snoozed_until,
        closed_at=record.closed_at,
        cause=record.cause,
        muted=record.muted,
        recent=recent,
    )


def page_of(page: int, total: int, *, size: int) -> tuple[int, int, int]:
    """The page to show, how many there are, and the rows before it, with `size` rows on a page."""
    pages = max(1, -(-total // size))
    shown = min(max(1, page), pages)
    return shown, pages, (shown - 1) * size
