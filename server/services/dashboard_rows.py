"""Stage 7, alert: stored rows as the dashboard shows them, with the names that belong to their numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from authcode.serial import Tier, printed_serial
from server.domain.alert import Rule
from server.domain.range_act import stretches
from server.domain.redemption import Unit, Verdict
from server.services.read_models import AlertRow, BatchRow, DayCount, ScanRow
from server.storage import alerts as alert_rows
from server.storage import looks as look_rows
from server.storage import scans as scan_rows
from server.storage.batches import BatchRecord, acts_of, batch_by_row
from server.storage.brands import BrandRecord, all_brands
from server.storage.engine import Connection
from server.storage.products import product_of
from server.storage.redemptions import count_used


def batch_row(
    connection: Connection, batch: BatchRecord, brand: BrandRecord, now: datetime, counts: tuple[int, int, int]
) -> BatchRow:
    """A batch in the list; `counts` are its looks, refused attempts and alerts."""
    looks, refused, alerted = counts
    states: Counter[Verdict] = Counter()
    for stretch in stretches(acts_of(connection, batch.row), count=batch.count, today=now.date()):
        states[stretch.state] += stretch.count
    return BatchRow(
        row=batch.row,
        brand=brand.name,
        brand_id=brand.brand_id.hex(),
        order=batch.order_name,
        product=_product_name(connection, batch),
        placement=batch.placement,
        count=batch.count,
        registered_at=batch.registered_at,
        states=dict(states),
        verified=count_used(connection, batch.row),
        refused=refused,
        looks=looks,
        alerts=alerted,
    )


def _product_name(connection: Connection, batch: BatchRecord) -> str | None:
    found = None if batch.product_sku is None else product_of(connection, batch.brand, batch.product_sku)
    return batch.product_sku if found is None else found.name


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


def scan_rows_of(connection: Connection, records: Sequence[scan_rows.ScanRecord]) -> tuple[ScanRow, ...]:
    """Attempts, with the askers of each unit numbered in the order they first came."""
    numbers = scan_rows.mark_numbers(connection, {record.unit for record in records if record.unit is not None})
    return tuple(_scan_row(record, numbers) for record in records)


def _scan_row(record: scan_rows.ScanRecord, numbers: Mapping[tuple[int, bytes], int]) -> ScanRow:
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
        person="" if unit is None else str(numbers[unit, record.mark]),
    )


def alert_rows_of(connection: Connection, records: Sequence[alert_rows.AlertRecord]) -> tuple[AlertRow, ...]:
    """Alerts, with the names of their brands, orders and products."""
    brands = {brand.id: brand.name for brand in all_brands(connection)}
    batch_rows = {record.batch_row for record in records if record.batch_row is not None}
    named = {row: batch_by_row(connection, row) for row in batch_rows}
    rows = []
    for record in records:
        batch = None if record.batch_row is None else named[record.batch_row]
        rows.append(
            AlertRow(
                id=record.id,
                rule=record.rule,
                severity=record.severity,
                brand=brands[record.brand],
                batch_row=record.batch_row,
                order=None if batch is None else batch.order_name,
                product=None if batch is None else _product_name(connection, batch),
                unit=None if record.unit is None else Unit.of_id(record.unit),
                serial_printed=None if record.serial is None else printed_serial(record.serial),
                key_id=record.subject.partition(":")[2] if record.rule is Rule.UNKNOWN_UNIT else None,
                first_at=record.first_at,
                last_at=record.last_at,
                count=record.count,
                people=record.claims + (record.rule is Rule.DUPLICATE),
                places=record.places,
            )
        )
    return tuple(rows)
