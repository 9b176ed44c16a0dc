"""Stage 6, redeem: the one burn of a code (docs/protocol.md §2)."""

from dataclasses import dataclass, replace
from functools import partial

from authcode.code.foreign import ForeignText
from authcode.code.payload import NotOurs
from authcode.code.serial import Tier
from authcode.order.order import Placement
from server.domain.codes.attempt_cases import Action, AttemptFacts, Decision, TickMissing, decide
from server.domain.codes.claim import (
    HOLDER_DAYS,
    LOOK_DAYS,
    ClaimInvalid,
    HolderCookie,
    belong_together,
    check_claim,
    holder_of_claim,
    marks_of,
    read_page_claim,
)
from server.domain.codes.page_token import PageTokenInvalid, TokenScope, check_page_token
from server.domain.codes.redemption import Marks, Redemption, is_holder
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Conditions, Use, Verdict
from server.runtime.context import Context
from server.services.alerts.evaluate import after_attempt, after_key_attempt
from server.services.codes.attempts import Channel, Outcome, VerifyRequest, Visitor, append_attempt, marks_of_request
from server.services.codes.facts import CodeFacts, CodeState, bare_facts, facts_of, is_not_ours, state_on_record, use_by
from server.services.codes.receipts import Receipt, receipt_of
from server.services.codes.resolve import Resolved, foreign_text, resolve, unregistered_unit, verified
from server.services.codes.same_network import is_from_same_network
from server.services.log.entries import log_redemption
from server.storage.engine import Connection
from server.storage.redemptions import burn, lock_redemption, redemption_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to an attempt to verify; `holder_cookie` is to be set, `receipt` is for the holder only.

    `known_by_cookie` is whether the cookie that came along shows the holder: a later GET is answered alike.
    """

    verdict: Verdict
    facts: CodeFacts | None = None
    foreign: ForeignText | None = None
    holder_cookie: HolderCookie | None = None
    receipt: Receipt | None = None
    known_by_cookie: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One attempt within its transaction; `state` is None for a unit that was never registered."""

    code: Resolved
    state: CodeState | None
    request: VerifyRequest
    marks: Marks
    burned: bool = False

    @property
    def unit(self) -> Unit:
        return unregistered_unit(self.code) if self.state is None else self.state.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class PageForm:
    """What the form of a code's page sent: token, claim, and whether "I have bought this" was `ticked`.

    With `origin_hidden` the browser did not say which page that was.
    """

    token: str | None
    claim: str | None
    ticked: bool = False
    origin_hidden: bool = False


def verify_on_page(ctx: Context, text: str, form: PageForm, visitor: Visitor) -> Answer:
    """Burn the code of a page: rules 3 to 7 of docs/protocol.md §2, page token included.

    Raises:
        ClaimInvalid: the claim was not made by a page; nothing was burned.
        PageTokenInvalid: the token is not of this page, or expired; nothing was burned.
        TickMissing: the code is visible and the tick is missing; nothing was burned.
    """
    kept = read_page_claim(form.claim)
    if kept is None:
        raise ClaimInvalid
    request = partial(
        VerifyRequest,
        claim=kept,
        visitor=visitor,
        channel=Channel.PAGE,
        token=form.token,
        ticked=form.ticked,
        origin_hidden=form.origin_hidden,
    )
    answer = _verify(ctx, text, request)
    if answer.verdict is Verdict.NOT_OURS or not (answer.receipt or visitor.cookie is None):
        return answer
    cookie = visitor.cookie or holder_of_claim(kept, key=ctx.keys.holder)
    days = HOLDER_DAYS if answer.receipt is not None else LOOK_DAYS
    return replace(answer, holder_cookie=HolderCookie(value=cookie, days=days))


def verify(ctx: Context, text: str, *, claim: str, visitor: Visitor) -> Answer:
    """Burn through the API: rules 3, 4, 6 and 7 of docs/protocol.md §2, without a page token.

    Raises:
        ClaimInvalid: out of form or too weak.
    """
    kept = check_claim(claim)
    return _verify(ctx, text, partial(VerifyRequest, claim=kept, visitor=visitor, channel=Channel.API, token=None))


def _verify(ctx: Context, text: str, request_at: "partial[VerifyRequest]") -> Answer:
    """One attempt is one transaction; its answer leaves after the transaction is durable."""

    def attempt(connection: Connection) -> Answer:
        """One try within one transaction; it is run again where the database broke it off."""
        found = resolve(ctx, connection, code, named)
        return _attempt(ctx, connection, found, request_at(now=ctx.clock()))

    try:
        code, named = verified(ctx, text)  # (3)
        answer = ctx.db.attempt(attempt)
    except NotOurs:
        answer = Answer(verdict=Verdict.NOT_OURS)
    return replace(answer, foreign=foreign_text(ctx, text)) if answer.verdict is Verdict.NOT_OURS else answer


def _attempt(ctx: Context, connection: Connection, code: Resolved, request: VerifyRequest) -> Answer:
    """1. Find what is known.   2. Decide.   3. Burn, and decide once more.   4. Answer.   5. History and alerts.

    Raises:
        PageTokenInvalid, TickMissing: the decision is to show the look page again.
    """
    state = state_on_record(connection, code, now=request.now)  # (1)
    one = _Attempt(code=code, state=state, request=request, marks=Marks())
    if state is not None and state.redemption is not None:
        lock_redemption(connection, one.unit)
    one = replace(one, marks=marks_of_request(ctx, one.unit, request))
    known = _known(ctx, connection, one)
    decision = decide(known)  # (2)
    if decision.action is Action.LOOK_AGAIN:
        raise TickMissing if known.token_valid else PageTokenInvalid
    if decision.action is Action.BURN and state is not None:  # (3)
        one = _burn(ctx, connection, one, state)
        known = replace(known, use=_use(ctx, one))
        decision = decide(known)
    answer = _answer(ctx, connection, one, known, decision)  # (4)
    if decision.action is not Action.LOOK:  # (5)
        _record(ctx, connection, one, decision)
    return answer


def _known(ctx: Context, connection: Connection, one: _Attempt) -> AttemptFacts:
    state, request = one.state, one.request
    not_ours = is_not_ours(one.code, state)
    use = _use(ctx, one)
    page = request.channel is Channel.PAGE
    visible = state is not None and state.batch.placement == Placement.VISIBLE
    late = request.channel is Channel.API and state is not None and not not_ours
    return AttemptFacts(
        conditions=Conditions(not_ours=not_ours) if state is None else state.conditions,
        use=use,
        registered=state is not None,
        outer=one.code.tier is Tier.OUTER,
        page=page,
        token_valid=_is_token_valid(ctx, one),
        unticked=page and visible and not request.ticked,
        earlier_life=late and _verified_an_earlier_life(ctx, connection, one.unit, request.claim),
    )


def _use(ctx: Context, one: _Attempt) -> Use:
    if one.state is None:
        return Use.NONE
    return use_by(ctx, one.state, one.marks, now=one.request.now, program=one.request.channel is Channel.API)


def _is_token_valid(ctx: Context, one: _Attempt) -> bool:
    """Whether the page token is good; a form of unknown origin must show that our page was in this browser too."""
    request, scope = one.request, TokenScope(one.unit, one.code.tier)
    try:
        check_page_token(request.token, scope, key=ctx.keys.page_token, now=request.now)
    except PageTokenInvalid:
        return False
    return not request.origin_hidden or belong_together(
        request.claim, request.visitor.cookie, one.unit, key=ctx.keys.holder
    )


def _verified_an_earlier_life(ctx: Context, connection: Connection, unit: Unit, claim: str) -> bool:
    """Whether this claim, a program's, verified the unit before it was returned: a late duplicate burns nothing."""
    for life in range(unit.life):
        earlier = replace(unit, life=life)
        redemption = redemption_of(connection, earlier)
        claimed = marks_of(earlier, claim=claim, cookie=None, key=ctx.keys.claim)
        if redemption is not None and redemption.claim_hash == claimed.claim_hash:
            return True
    return False


def _burn(ctx: Context, connection: Connection, one: _Attempt, state: CodeState) -> _Attempt:
    """Insert the redemption, unless another attempt was first: the attempt with the row that is there now."""
    place = ctx.places.of(one.request.visitor.address)
    own = Redemption(
        at=one.request.now,
        country=place.country,
        region=place.region,
        claim_hash=one.marks.claim_hash or b"",
        holder_hash=one.marks.holder_hash or b"",
    )
    burned = burn(connection, state.unit, own)
    if burned:
        log_redemption(connection, state.code, state.unit, own)
    else:
        lock_redemption(connection, state.unit)
    use = replace(state.use, redemption=redemption_of(connection, state.unit))
    return replace(one, state=replace(state, use=use), burned=burned)


def _answer(ctx: Context, connection: Connection, one: _Attempt, known: AttemptFacts, decision: Decision) -> Answer:
    """The answer; a repeat within the window is the first one again, byte for byte."""
    verdict, own = decision.verdict, known.use.own
    if verdict is Verdict.NOT_OURS:
        return Answer(verdict=verdict)
    if one.state is None:
        return Answer(verdict=verdict, facts=bare_facts(one.code))
    facts = facts_of(connection, one.state, own=own, later=verdict is Verdict.VERIFIED_BY_YOU)
    if verdict is Verdict.ALREADY_VERIFIED:
        facts = replace(facts, same_network=is_from_same_network(ctx, connection, one.state, one.request))
    first, by_cookie = one.state.redemption, Marks(holder_hash=one.marks.holder_hash)
    return Answer(
        verdict=verdict,
        facts=facts,
        receipt=receipt_of(ctx, connection, one.state) if own else None,
        known_by_cookie=one.request.visitor.cookie is not None and first is not None and is_holder(first, by_cookie),
    )


def _record(ctx: Context, connection: Connection, one: _Attempt, decision: Decision) -> None:
    """Add the attempt to the history, and run the alert rules on it."""
    verdict, own = decision.verdict, decision.own
    outcome = Outcome(verdict=verdict, mark=one.marks.holder_hash or b"", own=own, burned=one.burned)
    code = one.code if one.state is None else one.state.code
    made = append_attempt(ctx, connection, code, one.request, outcome)
    not_ours = verdict is Verdict.NOT_OURS
    if one.state is not None:
        # The outer code of a pack whose inner one is used is no copy.
        alone = one.burned or (one.code.tier is Tier.OUTER and not not_ours)
        before = None if alone else one.state.redemption
        after_attempt(connection, one.state, made, before=before, own=own)
    concerns_key = not own if not_ours else one.state is None
    if concerns_key:
        after_key_attempt(connection, one.code, one.state, made, withdrawn=not_ours)
