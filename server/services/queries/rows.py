"""Stage 7, alert: the rows of attempts and alerts that several pages show, with the names of what they refer to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authcode.code.serial import printed_serial
from server.domain.alerts.alert import Severity, Subject
from server.domain.alerts.rules import rule_named
from server.domain.alerts.triage import Cause
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.storage import alerts as alert_rows
from server.storage import scans as scan_rows
from server.storage.batches import BatchRecord, batches_by_rows
from server.storage.engine import Connection
from server.storage.products import product_names
from server.storage.redemptions import returned_by_batch
from server.storage.staff import emails_of

RECENT = 20
"""Attempts and alerts that are shown with a batch or a code."""

RECENT_DAYS = 14
"""Days of an alert's sparkline, today included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """What happened to a batch's codes on one day (UTC)."""

    day: str
    looks: int
    verified: int
    refused: int

    @property
    def total(self) -> int:
        """Looks and attempts together."""
        return self.looks + self.verified + self.refused


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRow:
    """One attempt in the history. `person` numbers the distinct askers of this unit (1, 2, ...) without a name."""

    at: datetime
    unit: Unit | None
    serial_printed: str
    channel: str
    said: Verdict
    own: bool
    burned: bool
    staff: bool
    country: str | None
    region: str | None
    network: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One alert in the list. `people` counts the holder too where there is one; `key_id` is the key it is about.

    `places` counts an unknown place as one, `regions` only the known ones. `rule` is the rule's name, `owner` an email
    address. `recent` counts the attempts of each of the last
    fourteen days, today last.
    """

    id: int
    rule: str
    severity: Severity
    batch_row: int | None
    order: str | None
    product: str | None
    unit: Unit | None
    serial_printed: str | None
    key_id: str | None
    first_at: datetime
    last_at: datetime
    count: int
    people: int
    places: int
    regions: int
    owner: str | None
    snoozed_until: datetime | None
    closed_at: datetime | None
    cause: Cause | None
    muted: bool
    recent: tuple[int, ...]


# Fields that are shown as they are stored.
_OF_SCAN = ("at", "channel", "said", "own", "burned", "staff", "country", "region")
_OF_ALERT = (
    *("id", "rule", "severity", "batch_row", "first_at", "last_at", "count", "places"),
    *("snoozed_until", "closed_at", "cause", "muted"),
)


def used_and_refused(connection: Connection, rows: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """How many units are used now and how many attempts were refused, by the batch's row."""
    attempts, returned = scan_rows.totals_of_batches(connection, rows), returned_by_batch(connection, rows)
    totals = {row: attempts.get(row, (0, 0)) for row in rows}
    return {row: (burned - returned.get(row, 0), refused) for row, (burned, refused) in totals.items()}


def product_names_of(connection: Connection, records: Collection[BatchRecord]) -> Mapping[int, str | None]:
    """The name of each batch's product, by the batch's row; its SKU where the brand has not published it."""
    keys = {(record.brand, record.product_sku) for record in records if record.product_sku is not None}
    names = product_names(connection, keys)
    return {
        record.row: record.product_sku and names.get((record.brand, record.product_sku), record.product_sku)
        for record in records
    }


def scan_rows_of(records: Sequence[scan_rows.ScanRecord]) -> tuple[ScanRow, ...]:
    """Attempts as their tables show them."""
    return tuple(
        ScanRow(
            **_as_stored(record, _OF_SCAN),
            unit=None if record.unit is None else Unit.of_id(record.unit),
            serial_printed=printed_serial(record.serial),
            network="" if record.network_unit is None else record.network_unit.hex()[:6],
            person="" if record.person is None else str(record.person),
        )
        for record in records
    )


def alert_rows_of(
    connection: Connection, records: Sequence[alert_rows.AlertRecord], *, now: datetime
) -> tuple[AlertRow, ...]:
    """Alerts, with the names of their orders, products and owners, and their last fourteen days."""
    numbers = [record.id for record in records]
    recent = _recent_of(connection, numbers, now)
    batches = batches_by_rows(connection, {record.batch_row for record in records if record.batch_row is not None})
    orders, products = _order_names(batches), product_names_of(connection, batches.values())
    # Batches and accounts are numbered from 1: 0 is none.
    unknown = alert_rows.without_some_place(connection, numbers)
    owners = emails_of(connection, {record.owner for record in records if record.owner is not None})
    return tuple(
        AlertRow(
            **_as_stored(record, _OF_ALERT),
            order=orders.get(record.batch_row or 0),
            product=products.get(record.batch_row or 0),
            unit=None if record.unit is None else Unit.of_id(record.unit),
            serial_printed=record.serial and printed_serial(record.serial),
            key_id=Subject.key_id_in(record.subject),
            people=record.claims + rule_named(record.rule).of_copies,
            regions=record.places - (record.id in unknown),
            owner=owners.get(record.owner or 0),
            recent=recent[record.id],
        )
        for record in records
    )


def _recent_of(connection: Connection, alerts: Sequence[int], now: datetime) -> Mapping[int, tuple[int, ...]]:
    days = [(now.date() - timedelta(days=back)).isoformat() for back in reversed(range(RECENT_DAYS))]
    attempts = alert_rows.days_of_alerts(connection, alerts, since=now - timedelta(days=RECENT_DAYS - 1))
    return {alert: tuple(attempts[alert].get(day, 0) for day in days) for alert in alerts}


def _order_names(batches: Mapping[int, BatchRecord]) -> Mapping[int, str]:
    return {row: batch.order_name for row, batch in batches.items()}


def _as_stored(record: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}
