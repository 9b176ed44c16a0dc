"""Stage 7, alert: batches as the dashboard, the interface and the command line show them. Reads only."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import partial

from keys.base.errors import AuthcodeError
from server.domain.alerts.alert import AlertFilter
from server.domain.batches.range_act import RangeAct, Stretch
from server.domain.codes.verdict import Verdict
from server.runtime.context import Context
from server.services.batches.range_acts import OrderUnknown, find_order
from server.services.batches.withdrawals import WithdrawnKey, stretches_of, withdrawn_key_of
from server.services.queries.page import PAGE_SIZE, ListPage, page_of
from server.services.queries.rows import (
    RECENT,
    AlertRow,
    DayCount,
    ScanRow,
    alert_rows_of,
    product_names_of,
    scan_rows_of,
    used_and_refused,
)
from server.storage import alerts as alert_rows
from server.storage import looks as look_rows
from server.storage import scans as scan_rows
from server.storage.batches import BatchRecord, acts_of, batch_by_row, count_batches, latest_batches
from server.storage.brands import all_brands, brand_by_id
from server.storage.engine import Connection, Database
from server.storage.triage import MuteRecord, mutes_of

_DOTS = 400  # attempts that are drawn on a batch's strip; more would be a line
_COUNTRIES = 5


class BatchUnknown(AuthcodeError):
    """No batch has this row."""

    code = "batch_unknown"
    http_status = 404
    sentence = "There is no such batch; the list of batches shows those that are registered."


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One batch in the list.

    `states` counts its units by the verdict of an unused one and adds up to `count`; `verified` counts units used now
    (one that was returned to unused is not), `refused` attempts that were answered with neither genuine nor verified
    by you, `looks` looks; `alerts` and `notes` count the open ones that name this batch.
    """

    row: int
    brand_id: str
    order: str
    brand: str
    product: str | None
    placement: str
    count: int
    registered_at: datetime
    states: Mapping[Verdict, int]
    verified: int
    refused: int
    looks: int
    alerts: int
    notes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActTarget:
    """A batch to act on: its name, its brand's id, and the states of its codes."""

    row: int
    brand_id: bytes
    order: str
    count: int
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """A batch with what happened to its codes; `record` is what was registered.

    `recent` are the latest attempts (of one country or day where it is named), `scanned` the indices of the latest.
    """

    batch: BatchRow
    record: BatchRecord
    stretches: tuple[Stretch, ...]
    acts: tuple[RangeAct, ...]
    verdicts: Mapping[Verdict, int]
    days: tuple[DayCount, ...]
    countries: tuple[tuple[str, int], ...]
    recent: tuple[ScanRow, ...]
    scanned: tuple[int, ...]
    alerts: tuple[AlertRow, ...]
    mutes: tuple[MuteRecord, ...]
    withdrawn_key: WithdrawnKey | None


def batch_facts(batch: BatchRow) -> dict[str, object]:
    """A batch in JSON, at the command line and over HTTP alike."""
    shown = [field.name for field in fields(batch) if field.name not in {"row", "brand_id"}]
    states = {str(state): count for state, count in batch.states.items()}
    written = {"registered_at": batch.registered_at.isoformat(), "states": states}
    return {name: getattr(batch, name) for name in shown} | written


def batches(db: Database, *, now: datetime) -> tuple[BatchRow, ...]:
    """All batches, the latest registered first."""
    rows: list[BatchRow] = []
    with db.read() as connection:
        while found := latest_batches(connection, limit=PAGE_SIZE, offset=len(rows)):
            rows.extend(_batch_rows(connection, found, now=now))
    return tuple(rows)


def batch_list(db: Database, *, now: datetime, page: int = 1, brand: int | None = None) -> ListPage[BatchRow]:
    """One page of the batches (of a brand, by its stored reference), the latest registered first."""
    with db.read() as connection:
        return page_of(
            page,
            count_batches(connection, brand=brand),
            partial(latest_batches, connection, brand=brand),
            partial(_batch_rows, connection, now=now),
        )


def batch_of_order(db: Database, order: str, *, now: datetime, brand_id: bytes | None = None) -> BatchRow:
    """The batch of an order name, of one brand where it is named.

    Raises:
        OrderUnknown, OrderAmbiguous: the name leads to no batch, or to several.
    """
    with db.read() as connection:
        return _batch_rows(connection, [find_order(connection, order, brand_id)], now=now)[0]


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


def batch_to_act_on(db: Database, row: int, *, now: datetime) -> ActTarget:
    """One batch with the states of its codes, and nothing of what happened to them.

    Raises:
        BatchUnknown: there is none.
    """
    with db.read() as connection:
        batch = _batch(connection, row)
        return ActTarget(
            row=row,
            brand_id=brand_by_id(connection, batch.brand).brand_id,
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
        batch = _batch(connection, row)
        acts = acts_of(connection, row)
        pieces = stretches_of(connection, [batch], today=now.date(), acts={row: acts})[row]
        alerts = alert_rows.alerts_like(connection, AlertFilter(batch_row=row), limit=RECENT)
        return BatchPage(
            batch=_batch_rows(connection, [batch], now=now, stretches={row: pieces})[0],
            record=batch,
            stretches=pieces,
            acts=tuple(reversed(acts)),
            verdicts=scan_rows.verdicts_in_batch(connection, row),
            days=_days_of(connection, row),
            countries=tuple(scan_rows.countries_of_batch(connection, row, limit=_COUNTRIES)),
            recent=scan_rows_of(scan_rows.scans_of_batch(connection, row, limit=RECENT, country=country, day=day)),
            scanned=tuple(scan_rows.indices_of_batch(connection, row, limit=_DOTS)),
            alerts=alert_rows_of(connection, alerts, now=now),
            mutes=tuple(mutes_of(connection, row)),
            withdrawn_key=withdrawn_key_of(connection, batch),
        )


def _batch(connection: Connection, row: int) -> BatchRecord:
    batch = batch_by_row(connection, row)
    if batch is None:
        raise BatchUnknown
    return batch


def _batch_rows(
    connection: Connection,
    records: Sequence[BatchRecord],
    *,
    now: datetime,
    stretches: Mapping[int, Sequence[Stretch]] | None = None,
) -> tuple[BatchRow, ...]:
    """Batches in the list, with the same number of queries however many they are."""
    stretches = stretches or stretches_of(connection, records, today=now.date())
    rows = [record.row for record in records]
    brands = {brand.id: brand for brand in all_brands(connection)}
    products = product_names_of(connection, records)
    looks = look_rows.looks_by_batch(connection, rows)
    attempts = used_and_refused(connection, rows)
    alerted = alert_rows.count_by_batch(connection, rows)
    listed = []
    for record in records:
        verified, refused = attempts[record.row]
        alerts, notes = alerted.get(record.row, (0, 0))
        listed.append(
            BatchRow(
                row=record.row,
                brand=brands[record.brand].name,
                brand_id=brands[record.brand].brand_id.hex(),
                order=record.order_name,
                product=products[record.row],
                placement=record.placement,
                count=record.count,
                registered_at=record.registered_at,
                states=_states_of(stretches[record.row]),
                verified=verified,
                refused=refused,
                looks=looks.get(record.row, 0),
                alerts=alerts,
                notes=notes,
            )
        )
    return tuple(listed)


def _states_of(stretches: Sequence[Stretch]) -> Mapping[Verdict, int]:
    states: Counter[Verdict] = Counter()
    for stretch in stretches:
        states[stretch.state] += stretch.count
    return dict(states)


def _days_of(connection: Connection, row: int) -> tuple[DayCount, ...]:
    """What happened to a batch on each day on which something did."""
    attempts, looks = scan_rows.days_of_batch(connection, row), look_rows.looks_by_day(connection, row)
    counts = {day: attempts.get(day, (0, 0)) for day in sorted(attempts.keys() | looks.keys())}
    return tuple(
        DayCount(day=day, looks=looks.get(day, 0), verified=verified, refused=refused)
        for day, (verified, refused) in counts.items()
    )
