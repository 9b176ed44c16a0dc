"""Stage 7, alert: the values that the dashboard shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from authcode.code.serial import Tier
from server.domain.alerts.alert import Severity
from server.domain.alerts.copies import Copies
from server.domain.alerts.likely_cause import Guess
from server.domain.alerts.triage import Cause
from server.domain.batches.range_act import RangeAct, Stretch
from server.domain.codes.redemption import Returned, ReturnedBy, Unit, Verdict
from server.services.batches.withdrawals import WithdrawnKey
from server.services.codes.facts import CodeFacts
from server.services.queries.alert_views import RuleRecord, StreamLine
from server.storage.triage import MuteRecord

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One batch in the list.

    `states` counts its units by what would be said of an unused one and adds up to `count`; `verified` counts units
    used now (one that was returned to unused is not), `refused` attempts that were answered with neither genuine nor
    verified by you, `looks` looks; `alerts` and `notes` are what names this batch and is not closed, by how loud it is.
    """

    row: int
    brand: str
    brand_id: str
    order: str
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


def batch_facts(batch: BatchRow) -> dict[str, object]:
    """How a batch stands, as machines read it: at the command line and over HTTP alike."""
    return {
        "order": batch.order,
        "brand": batch.brand,
        "product": batch.product,
        "placement": batch.placement,
        "count": batch.count,
        "registered_at": batch.registered_at.isoformat(),
        "states": {str(state): count for state, count in batch.states.items()},
        "verified": batch.verified,
        "refused": batch.refused,
        "looks": batch.looks,
        "alerts": batch.alerts,
        "notes": batch.notes,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchList:
    """One page of batches, the latest registered first. `page` counts from 1."""

    batches: tuple[BatchRow, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActTarget:
    """A batch that somebody is about to act on: what it is called, and how its codes stand."""

    row: int
    brand_id: str
    order: str
    count: int
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """What happened to a batch's codes on one day (UTC)."""

    day: str
    looks: int
    verified: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRow:
    """One attempt in the history. `person` numbers the distinct askers of this unit (1, 2, ...) and names nobody."""

    id: int
    at: datetime
    unit: Unit | None
    serial_printed: str
    tier: Tier
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

    `rule` is the rule's name, `owner` the address of who has it. `recent` counts the attempts of each of the last
    fourteen days, today last.
    """

    id: int
    rule: str
    severity: Severity
    brand: str
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
    owner: str | None
    snoozed_until: datetime | None
    closed_at: datetime | None
    cause: Cause | None
    muted: bool
    recent: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertList:
    """One page of alerts. `page` counts from 1; `by_severity` counts without the severity filter.

    `newest` is when an alert last became news, whether or not it is among these; None where none ever did.
    """

    alerts: tuple[AlertRow, ...]
    total: int
    page: int
    pages: int
    by_severity: Mapping[Severity, int]
    newest: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDetail:
    """An alert with the scans behind it (newest first, paged), its places with their attempts, and why it fired.

    `threshold` is the number of other claims from which on this brand is alerted (duplicates only); `measured` the
    number of distinct other claims; `record` is how its rule did so far, `stream` what was done with it, newest first.
    `stretches` are its batch's, empty where it has none. `told` and `days` count all scans behind it, not only those
    of this page. `guess` is what it probably is; `copies` about how many packs bear its code, None where too few scan.
    `networks` is how many its claims came from (duplicates only), None where that is not known.
    """

    alert: AlertRow
    measured: int
    places: tuple[tuple[str, int], ...]
    record: RuleRecord
    guess: Guess
    stream: tuple[StreamLine, ...]
    told: Mapping[Verdict, int]
    days: tuple[DayCount, ...]
    scans: tuple[ScanRow, ...]
    scans_total: int
    page: int
    pages: int
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """A batch with what happened to its codes; `states` add up to the order's count.

    `recent` are the latest attempts (of one country where it is asked for), `scanned` the indices of the latest ones.
    """

    batch: BatchRow
    batch_number: int
    profile: str
    form: str
    tiers: str
    drawn_by: str
    gtin: str | None
    key_id: str
    issued_at: datetime
    stretches: tuple[Stretch, ...]
    acts: tuple[RangeAct, ...]
    said: Mapping[Verdict, int]
    looks_by_state: Mapping[Verdict, int]
    days: tuple[DayCount, ...]
    countries: tuple[tuple[str, int], ...]
    recent: tuple[ScanRow, ...]
    scanned: tuple[int, ...]
    alerts: tuple[AlertRow, ...]
    mutes: tuple[MuteRecord, ...]
    withdrawn_key: WithdrawnKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeHistory:
    """Everything about one unit in one life: what is said, its first use, the acts that cover it, its scans and alerts.

    `returns` are all its returns to unused, `ended` that of this life; `present` is the unit in its present life.
    """

    unit: Unit
    order: str
    state: Verdict
    facts: CodeFacts
    first_place: str | None
    acts: tuple[RangeAct, ...]
    looks: int
    scans: tuple[ScanRow, ...]
    scans_total: int
    page: int
    pages: int
    alerts: tuple[AlertRow, ...]
    returns: tuple[Returned, ...] = ()
    ended: Returned | None = None
    present: Unit | None = None
    hops: int = 0
    erased: bool = False
    withdrawn_key: WithdrawnKey | None = None

    @property
    def can_be_returned(self) -> bool:
        """Whether staff may return it to unused: it is used in its present life, and they never did."""
        used = self.facts.first_verified_at is not None and self.ended is None
        return used and not any(one.by is ReturnedBy.STAFF for one in self.returns)

    def unit_in(self, life: int) -> Unit:
        """The same unit in another life."""
        return Unit(row=self.unit.row, index=self.unit.index, life=life)
