"""Stage 6, redeem: the one burn of a code (docs/protocol.md §2)."""

from dataclasses import dataclass, replace
from datetime import timedelta

from authcode.code.foreign import ForeignText
from authcode.code.payload import NotOurs
from authcode.code.serial import Tier
from server.domain.codes.claim import (
    ClaimInvalid,
    check_claim,
    check_page_claim,
    holder_of_claim,
    marks_of,
)
from server.domain.codes.page_token import PageTokenInvalid, check_page_token
from server.domain.codes.redemption import (
    FirstUse,
    Marks,
    Unit,
    Verdict,
    is_holder,
    state_check,
    use_of,
    verdict_of,
)
from server.runtime.context import Context
from server.services.alerts.evaluate import after_attempt, after_unknown_unit, after_withdrawn_key
from server.services.codes.attempts import Channel, Outcome, VerifyRequest, Visitor, append_attempt, mark_of
from server.services.codes.claim_tries import marks_that_count
from server.services.codes.facts import CodeFacts, CodeState, bare_facts, facts_of, is_not_ours, state_on_record
from server.services.codes.look import Look, look_at_page, text_of_page
from server.services.codes.receipts import Receipt, receipt_of
from server.services.codes.resolve import Resolved, foreign_text, resolve, unregistered_unit, verified
from server.services.log.entries import log_redemption
from server.storage.engine import Connection
from server.storage.redemptions import burn, first_use, lock_redemption


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to an attempt to verify.

    With `look_again` set the page's token did not hold: nothing was burned, `verdict` is None, and the look page is
    shown again (409) with this look's fresh token and the same claim. `holder_cookie` is to be set in the same answer.
    `receipt` is given to the holder; `keep_code_refused` tells that a keep-code was tried and is not this code's.
    """

    verdict: Verdict | None
    facts: CodeFacts | None = None
    foreign: ForeignText | None = None
    look_again: Look | None = None
    holder_cookie: str | None = None
    receipt: Receipt | None = None
    keep_code_refused: bool = False


def verify_on_page(  # noqa: PLR0913 - what a page's form brings
    ctx: Context, raw_path: str, query: str, *, token: str | None, claim: str | None, visitor: Visitor
) -> Answer:
    """Burn the code of a page: steps 3 to 7 of docs/protocol.md §2, page token included."""
    text = text_of_page(ctx, raw_path, query)
    try:
        kept = check_page_claim(claim)
    except ClaimInvalid:
        return Answer(verdict=None, look_again=look_at_page(ctx, raw_path, query, visitor))
    try:
        answer = _verify(ctx, text, claim=kept, visitor=visitor, channel=Channel.PAGE, token=token)
    except PageTokenInvalid:
        return Answer(verdict=None, look_again=look_at_page(ctx, raw_path, query, visitor, claim=kept))
    if answer.verdict is Verdict.NOT_OURS or visitor.holder is not None:
        return answer
    return replace(answer, holder_cookie=holder_of_claim(kept, key=ctx.keys.holder))


def verify(ctx: Context, text: str, *, claim: str, visitor: Visitor) -> Answer:
    """Burn through the API: steps 3, 4, 6 and 7 of docs/protocol.md §2, without a page token.

    Raises:
        ClaimInvalid: not 1 to 64 visible ASCII characters.
    """
    return _verify(ctx, text, claim=check_claim(claim), visitor=visitor, channel=Channel.API, token=None)


def _verify(  # noqa: PLR0913 - one attempt, with everything that decides about it
    ctx: Context, text: str, *, claim: str, visitor: Visitor, channel: Channel, token: str | None
) -> Answer:
    """One attempt is one transaction; its answer leaves after the transaction is durable."""

    def attempt(connection: Connection) -> Answer:
        """One try within one transaction; it is run again where the database asks for that."""
        found = resolve(ctx, connection, code, named)
        request = VerifyRequest(claim=claim, visitor=visitor, channel=channel, token=token, now=ctx.clock())
        state = state_on_record(connection, found, now=request.now)
        if is_not_ours(found, state):
            _append_not_ours(ctx, connection, found, state, request)
            return Answer(verdict=Verdict.NOT_OURS, foreign=foreign_text(ctx, text))
        if state is None:
            return _note_unknown(ctx, connection, found, request)
        return _attempt(ctx, connection, state, request)

    try:
        code, named = verified(ctx, text)  # (3)
        return ctx.db.attempt(attempt)
    except NotOurs:
        return Answer(verdict=Verdict.NOT_OURS, foreign=foreign_text(ctx, text))


def _attempt(ctx: Context, connection: Connection, state: CodeState, request: VerifyRequest) -> Answer:
    if state.first is not None:
        lock_redemption(connection, state.unit)
    brought = _marks(ctx, state.unit, request)
    marks = marks_that_count(ctx, connection, state, brought, request)
    own = state.first is not None and is_holder(state.first, marks)  # (4)
    if not own and request.channel is Channel.PAGE:
        check_page_token(request.token, state.unit, state.code.tier, key=ctx.keys.page_token, now=request.now)  # (5)
    outer, closed = state.code.tier is Tier.OUTER, state_check(state.conditions) is not None
    if outer and not closed:  # in good standing it is looked at: nothing that could be burned, and no attempt either
        return _answer(ctx, connection, state, marks, request)
    before, burned = state.first, False
    late = request.channel is Channel.API and _verified_an_earlier_life(ctx, connection, state.unit, request.claim)
    if before is None and not closed and not late:  # (6)
        before, burned = _burn(ctx, connection, state, brought, request)
        state = state.with_first(first_use(connection, state.unit))
        marks = brought if burned else marks_that_count(ctx, connection, state, brought, request)
        own = burned or (before is not None and is_holder(before, marks))
    answer = _answer(ctx, connection, state, marks, request)  # (7)
    mark = brought.holder_hash or b""
    outcome = Outcome(mark=mark, said=answer.verdict or Verdict.NOT_OURS, own=own or late, burned=burned)
    attempt, scan = append_attempt(ctx, connection, state.code, request, outcome)
    first = None if outer else before  # an outer code beside a used inner one is its own pack's, and no copy
    after_attempt(connection, state, attempt, scan=scan, before=first, holder=own or late)
    return answer


def _marks(ctx: Context, unit: Unit, request: VerifyRequest) -> Marks:
    claimed = marks_of(unit, claim=request.claim, holder=None, key=ctx.keys.claim)
    return replace(claimed, holder_hash=mark_of(ctx, unit, request))


def _verified_an_earlier_life(ctx: Context, connection: Connection, unit: Unit, claim: str) -> bool:
    """Whether this claim verified the unit before it was returned: the request is a late duplicate, and burns nothing.

    A page's token names the life, so that only programs can send one.
    """
    for life in range(unit.life):
        earlier = replace(unit, life=life)
        first = first_use(connection, earlier)
        claimed = marks_of(earlier, claim=claim, holder=None, key=ctx.keys.claim)
        if first is not None and first.claim_hash == claimed.claim_hash:
            return True
    return False


def _burn(
    ctx: Context, connection: Connection, state: CodeState, marks: Marks, request: VerifyRequest
) -> tuple[FirstUse | None, bool]:
    """Try to be the first: the redemption that stood before (another was faster), and whether this one is it."""
    place = ctx.places.of(request.visitor.address)
    mine = FirstUse(
        at=request.now,
        country=place.country,
        region=place.region,
        claim_hash=marks.claim_hash or b"",
        holder_hash=marks.holder_hash or b"",
    )
    if burn(connection, state.unit, mine):
        log_redemption(connection, state.code, state.unit, mine)
        return None, True
    lock_redemption(connection, state.unit)
    return first_use(connection, state.unit), False


def _answer(ctx: Context, connection: Connection, state: CodeState, marks: Marks, request: VerifyRequest) -> Answer:
    """What is said, by the state order; a repeat within the window is the first answer again, byte for byte."""
    window = timedelta(seconds=ctx.settings.repeat_window_s)
    use = use_of(state.first, marks, now=request.now, repeat_window=window)
    verdict = verdict_of(state.conditions, use)
    own = use.own
    facts = facts_of(connection, state, holder=own, later=verdict is Verdict.VERIFIED_BY_YOU)
    return Answer(verdict=verdict, facts=facts, receipt=receipt_of(ctx, state) if own else None)


def _note_unknown(ctx: Context, connection: Connection, code: Resolved, request: VerifyRequest) -> Answer:
    """A good signature on a unit that does not exist: said as not activated, and told to staff at once."""
    if request.channel is Channel.PAGE:
        check_page_token(request.token, unregistered_unit(code), code.tier, key=ctx.keys.page_token, now=request.now)
    outcome = Outcome(
        mark=mark_of(ctx, unregistered_unit(code), request), said=Verdict.NOT_ACTIVATED, own=False, burned=False
    )
    attempt, scan = append_attempt(ctx, connection, code, request, outcome)
    after_unknown_unit(connection, code, attempt, scan=scan)
    return Answer(verdict=Verdict.NOT_ACTIVATED, facts=bare_facts(code))


def _append_not_ours(
    ctx: Context, connection: Connection, code: Resolved, state: CodeState | None, request: VerifyRequest
) -> None:
    """A code of a withdrawn key that no honest print made before: nothing is told of it, all is written down.

    No page of such a code has a token, since it looks like any page of no code of ours; so none is asked for.
    """
    unit = unregistered_unit(code) if state is None else state.unit
    first = None if state is None else state.first
    if first is not None:
        lock_redemption(connection, unit)
    mark = mark_of(ctx, unit, request)
    claimed = marks_of(unit, claim=request.claim, holder=None, key=ctx.keys.claim)
    own = first is not None and is_holder(first, replace(claimed, holder_hash=mark))
    outcome = Outcome(mark=mark, said=Verdict.NOT_OURS, own=own, burned=False)
    attempt, scan = append_attempt(ctx, connection, code if state is None else state.code, request, outcome)
    if state is not None:
        after_attempt(connection, state, attempt, scan=scan, before=first, holder=own)
    if not own:
        after_withdrawn_key(connection, code, state, attempt, scan=scan)
