"""Stage 5, verify: the facts about a code that pages and API show with its state."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from authcode.code.payload import NotOurs
from authcode.code.serial import Tier, printed_serial
from authcode.order.order import Placement
from keys.format.records import CodeKey, KeyState
from server.domain.batches.range_act import RangeAct, Standing, Withdrawal, WithdrawnKeys, standing_of
from server.domain.codes.redemption import Conditions, FirstUse, Marks, Returned, Unit, UnitUse, Use, use_of
from server.runtime.context import Context
from server.services.codes.resolve import Resolved
from server.storage.batches import BatchRecord, acts_covering
from server.storage.brands import BrandRecord
from server.storage.engine import Connection
from server.storage.products import ProductRecord, product_of
from server.storage.redemptions import unit_use
from server.storage.scans import latest_by_others

COPIES_FOUND = "copies_found"
"""Why a unit is locked that staff have locked."""

KEY_WITHDRAWN = "key_withdrawn"
"""Why a unit is locked, or answered with a caution, whose key was withdrawn after it was in the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFacts:
    """A product as its brand describes it. `picture` tells whether there is one: its address is the web's affair."""

    sku: str
    name: str
    gtin: str | None
    description: str | None
    features: tuple[str, ...]
    has_picture: bool
    support: str | None
    placement_hint: str | None
    more_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallFacts:
    """A recall (or the withdrawal of a code): since when, why, and where to read on."""

    at: datetime
    reason: str | None
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterScan:
    """The latest attempt of somebody else after the first verification, for the holder only."""

    at: datetime
    country: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """What is known about one code. Times are UTC; a stranger is given day and country of the first use only.

    `support` is whom the brand lets shoppers ask; a product may name somebody else. What else has a default tells of
    events: a code to which nothing happened has none of them.

    `returned` tells everybody that the unit was used before and returned to unused; `hop`, for the holder only, how
    often it was handed on. `caution` is `key_withdrawn` where that is no lock but worth knowing.
    """

    brand: str
    brand_id: str
    product: ProductFacts | None
    lot: str | None
    expires: date | None
    markets: tuple[str, ...]
    placement: Placement | None
    tier: Tier
    host: str
    serial: str
    serial_printed: str
    support: str | None = None
    recall: RecallFacts | None = None
    void: RecallFacts | None = None
    locked_reason: str | None = None
    first_verified_at: datetime | None = None
    first_verified_on: date | None = None
    first_country: str | None = None
    was_yours: bool = False
    later: LaterScan | None = None
    returned: Returned | None = None
    hop: int | None = None
    caution: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeState:
    """The state of a registered unit: the acts and the redemption that decide about it."""

    code: Resolved
    batch: BatchRecord
    standing: Standing
    conditions: Conditions
    use: UnitUse
    withdrawal: Withdrawal | None = None

    @property
    def unit(self) -> Unit:
        """The unit in the life that is looked at."""
        return self.use.unit

    @property
    def first(self) -> FirstUse | None:
        """The redemption of that life, if there is one."""
        return self.use.first

    def with_first(self, first: FirstUse | None) -> "CodeState":
        """The same after a redemption."""
        return replace(self, use=replace(self.use, first=first))


def state_of(connection: Connection, code: Resolved, *, now: datetime, life: int | None = None) -> CodeState | None:
    """The state of a code's unit in its present life (`life`: in another one); None for one that was never registered.

    A unit whose key was withdrawn is locked (or as usual, where its brand chose that) when it was registered and
    activated before that, and not ours otherwise (docs/format.md §1).

    Raises:
        NotOurs: the key was withdrawn before the unit was in the world.
    """
    state = state_on_record(connection, code, now=now, life=life)
    if is_not_ours(code, state):
        raise NotOurs
    return state


def state_on_record(
    connection: Connection, code: Resolved, *, now: datetime, life: int | None = None
) -> CodeState | None:
    """The same for the history and for staff, who are shown a unit that is not ours any more too."""
    if code.batch is None or code.unit is None:
        return None
    standing = standing_of(acts_covering(connection, code.batch.row, code.unit.index), code.unit.index)
    withdrawal = withdrawal_of(code.batch, code.key, code.brand)
    use = unit_use(connection, code.unit, life=life)
    return CodeState(
        code=replace(code, unit=use.unit),
        batch=code.batch,
        standing=standing,
        conditions=standing.conditions(today=now.date(), withdrawal=withdrawal),
        use=use,
        withdrawal=withdrawal,
    )


def is_not_ours(code: Resolved, state: CodeState | None) -> bool:
    """Whether a code is not ours any more: its key was withdrawn, and its unit was not in the world before."""
    return code.key.state is KeyState.WITHDRAWN if state is None else state.conditions.not_ours


def use_by(ctx: Context, state: CodeState, marks: Marks, *, now: datetime) -> Use:
    """How a unit's use looks to who has these marks."""
    return use_of(state.first, marks, now=now, repeat_window=timedelta(seconds=ctx.settings.repeat_window_s))


def withdrawal_of(batch: BatchRecord, key: CodeKey, brand: BrandRecord) -> Withdrawal | None:
    """What the withdrawal of its key means for a batch; None while the key is good."""
    if key.state is not KeyState.WITHDRAWN:
        return None
    locks = brand.withdrawn_keys == WithdrawnKeys.LOCK
    return Withdrawal(since=key.since, registered_at=batch.registered_at, locks=locks)


def facts_of(connection: Connection, state: CodeState, *, holder: bool, later: bool = False) -> CodeFacts:
    """The facts about a registered unit; the moment of its first use for its holder only.

    `later` adds the latest attempt of somebody else.
    """
    standing = state.standing
    facts = replace(
        bare_facts(state.code),
        product=product_facts(connection, state.batch, state.code.brand),
        placement=Placement(state.batch.placement),
        recall=_recall_facts(standing.recall),
        void=_recall_facts(standing.void),
        locked_reason=_locked_reason(state),
        later=_later_scan(connection, state.unit) if later else None,
        returned=state.use.returned,
        caution=KEY_WITHDRAWN if state.withdrawal and not state.withdrawal.locks else None,
    )
    if standing.activation is not None:
        details = standing.activation.details
        facts = replace(facts, lot=details.lot, expires=details.expires, markets=details.markets)
    if state.first is None:
        return facts
    facts = replace(facts, first_verified_on=state.first.at.date(), first_country=state.first.country)
    return replace(facts, first_verified_at=state.first.at, was_yours=True, hop=state.first.hop) if holder else facts


def _locked_reason(state: CodeState) -> str | None:
    """Why a unit is locked. Copies come before a withdrawn key: they are about this code."""
    if state.standing.lock is not None:
        return COPIES_FOUND
    return KEY_WITHDRAWN if state.conditions.locked else None


def bare_facts(code: Resolved) -> CodeFacts:
    """The facts about a code whose unit was never registered: whose it is, and nothing else."""
    return CodeFacts(
        brand=code.brand.name,
        brand_id=code.brand.brand_id.hex(),
        product=None,
        lot=None,
        expires=None,
        markets=(),
        placement=None,
        tier=code.tier,
        host=code.host,
        serial=code.serial,
        serial_printed=printed_serial(code.serial),
        support=code.brand.support,
    )


def product_facts(connection: Connection, batch: BatchRecord, brand: BrandRecord) -> ProductFacts | None:
    """The facts about a batch's product; None where its brand has published none."""
    record = None if batch.product_sku is None else product_of(connection, batch.brand, batch.product_sku)
    return None if record is None else facts_of_product(record, brand)


def facts_of_product(record: ProductRecord, brand: BrandRecord) -> ProductFacts:
    """The facts about a product; whom to ask is the brand's own line where the product has none."""
    return ProductFacts(
        sku=record.sku,
        name=record.name,
        gtin=record.gtin,
        description=record.description,
        features=record.features,
        has_picture=record.picture_type is not None,
        support=record.support or brand.support,
        placement_hint=record.placement_hint,
        more_url=record.more_url,
    )


def _recall_facts(act: RangeAct | None) -> RecallFacts | None:
    return None if act is None else RecallFacts(at=act.at, reason=act.details.reason, link=act.details.link)


def _later_scan(connection: Connection, unit: Unit) -> LaterScan | None:
    found = latest_by_others(connection, unit.id)
    return None if found is None else LaterScan(at=found[0], country=found[1])
