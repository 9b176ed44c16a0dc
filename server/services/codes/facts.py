"""Stage 5, verify: the facts about a code that pages and API show with its state."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from authcode.code.payload import NotOurs
from authcode.code.serial import Tier, printed_serial
from authcode.order.order import Placement
from keys.format.records import CodeKey, KeyState
from server.domain.batches.range_act import RangeAct, Standing, Withdrawal, WithdrawnKeys, standing_of
from server.domain.codes.redemption import Marks, Redemption, Returned, UnitLife
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Conditions, Use, Verdict, state_check, use_of
from server.domain.places.market_zone import zone_of_markets
from server.runtime.context import Context
from server.services.codes.resolve import Resolved
from server.storage.batches import BatchRecord, acts_covering
from server.storage.brands import BrandRecord
from server.storage.engine import Connection
from server.storage.products import ProductRecord, product_of
from server.storage.redemptions import unit_life
from server.storage.scans import latest_by_others

COPIES_FOUND = "copies_found"
"""Why a unit is locked that staff have locked."""

KEY_WITHDRAWN = "key_withdrawn"
"""Why a unit is locked, or answered with a caution, whose key was withdrawn after it was in the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallFacts:
    """A recall (or the withdrawal of a code): since when, why, and where to read on."""

    at: datetime
    reason: str | None
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterScan:
    """The latest attempt of another person after the first verification, for the holder only."""

    at: datetime
    country: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """The facts about one code. Times are UTC; strangers get only day and country of the first use.

    `support` is the brand's contact; a product may name its own. `returned` is set after a return to unused, for
    everybody; `hop`, for the holder only, counts handovers. `caution` is `key_withdrawn` where that is no lock.
    `zone` is the market's, where it has one clock, and `first_day_in_zone` the day of the first use there. With
    `same_network` the first use was a few minutes ago and from the visitor's own network. `handed_on_at` is when this
    visitor, who was the holder before, handed it on.
    """

    brand: str
    brand_id: str
    tier: Tier
    host: str
    serial: str
    serial_printed: str
    product: ProductRecord | None = None
    lot: str | None = None
    expires: date | None = None
    markets: tuple[str, ...] = ()
    placement: Placement | None = None
    support: str | None = None
    recall: RecallFacts | None = None
    void: RecallFacts | None = None
    locked_reason: str | None = None
    first_verified_at: datetime | None = None
    first_verified_on: date | None = None
    first_day_in_zone: date | None = None
    zone: tzinfo | None = None
    first_country: str | None = None
    was_yours: bool = False
    later: LaterScan | None = None
    returned: Returned | None = None
    hop: int | None = None
    caution: str | None = None
    same_network: bool = False
    handed_on_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeState:
    """The state of a registered unit: the acts and the redemption that decide about it."""

    code: Resolved
    batch: BatchRecord
    standing: Standing
    conditions: Conditions
    use: UnitLife
    withdrawal: Withdrawal | None = None

    @property
    def unit(self) -> Unit:
        """The unit in the life that is looked at."""
        return self.use.unit

    @property
    def redemption(self) -> Redemption | None:
        """The redemption of that life, if there is one."""
        return self.use.redemption


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
    use = unit_life(connection, code.unit, life=life)
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


SHORTEST_REPEAT_ON_PAGES = timedelta(seconds=30)
"""After a verification the browser follows a redirect: on a slow phone its first answer is still `genuine`."""


def repeat_window(ctx: Context, *, program: bool) -> timedelta:
    """How long the same answer is given again to who was given it: what the setting says, on pages 30 s at least."""
    window = timedelta(seconds=ctx.settings.repeat_window_s)
    return window if program else max(window, SHORTEST_REPEAT_ON_PAGES)


def use_by(ctx: Context, state: CodeState, marks: Marks, *, now: datetime, program: bool) -> Use:
    """How a unit's use looks to who has these marks, on a page or to a `program`."""
    return use_of(state.redemption, marks, now=now, repeat_window=repeat_window(ctx, program=program))


def withdrawal_of(batch: BatchRecord, key: CodeKey, brand: BrandRecord) -> Withdrawal | None:
    """What the withdrawal of its key means for a batch; None while the key is good."""
    if key.state is not KeyState.WITHDRAWN:
        return None
    locks = brand.withdrawn_keys == WithdrawnKeys.LOCK
    return Withdrawal(since=key.since, registered_at=batch.registered_at, locks=locks)


def facts_of(connection: Connection, state: CodeState, *, own: bool, later: bool = False) -> CodeFacts:
    """The facts about a registered unit, those for its holder only with `own`; `later` adds others' latest attempt.

    Before its activation strangers learn no more of it than of a unit that was never registered.
    """
    if not own and state_check(state.conditions) is Verdict.NOT_ACTIVATED:
        return bare_facts(state.code)
    standing = state.standing
    found = latest_by_others(connection, state.unit.id) if later else None
    facts = replace(
        bare_facts(state.code),
        product=product_facts(connection, state.batch, state.code.brand),
        placement=Placement(state.batch.placement),
        recall=_recall_facts(standing.recall),
        void=_recall_facts(standing.void),
        locked_reason=_locked_reason(state),
        later=LaterScan(at=found[0], country=found[1]) if found else None,
        returned=state.use.returned,
        caution=_caution(state),
    )
    if standing.activation is not None:
        details = standing.activation.details
        zone = zone_of_markets(details.markets)
        facts = replace(facts, lot=details.lot, expires=details.expires, markets=details.markets, zone=zone)
    if state.redemption is None:
        return facts
    at, hop = state.redemption.at, state.redemption.hop
    there = at.astimezone(facts.zone or UTC).date()
    facts = replace(facts, first_verified_on=at.date(), first_day_in_zone=there, first_country=state.redemption.country)
    return replace(facts, first_verified_at=at, was_yours=True, hop=hop) if own else facts


def _caution(state: CodeState) -> str | None:
    """The caution of a code that is answered as usual although its key was withdrawn."""
    return KEY_WITHDRAWN if state.withdrawal and not state.withdrawal.locks else None


def _locked_reason(state: CodeState) -> str | None:
    """Why a unit is locked. Copies come before a withdrawn key: they are about this code."""
    if state.standing.lock is not None:
        return COPIES_FOUND
    return KEY_WITHDRAWN if state.conditions.locked else None


def bare_facts(code: Resolved) -> CodeFacts:
    """The facts about a code whose unit was never registered or not activated: whose it is, and nothing else."""
    return CodeFacts(
        brand=code.brand.name,
        brand_id=code.brand.brand_id.hex(),
        tier=code.tier,
        host=code.host,
        serial=code.serial,
        serial_printed=printed_serial(code.serial),
        support=code.brand.support,
    )


def product_facts(connection: Connection, batch: BatchRecord, brand: BrandRecord) -> ProductRecord | None:
    """A batch's product, with the brand's contact where it names none; None where the brand published no product."""
    record = None if batch.product_sku is None else product_of(connection, batch.brand, batch.product_sku)
    return None if record is None else replace(record, support=record.support or brand.support)


def _recall_facts(act: RangeAct | None) -> RecallFacts | None:
    return None if act is None else RecallFacts(at=act.at, reason=act.details.reason, link=act.details.link)
