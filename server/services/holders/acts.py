"""Stage 6, redeem: the acts of a holder: who may do them, and undo, handing on and erasure (docs/protocol.md §5).

On a page each is two POSTs: the first shows what will happen and gives a token, the second does it. Programs use one.
Claim, cookie or keep-code must show the holder each time; every failure has one answer.
"""

from collections.abc import Sequence
from dataclasses import replace

from authcode.code.payload import NotOurs
from authcode.code.serial import Tier
from server.domain.codes.claim import CLAIM_BYTES, check_claim, marks_of, read_page_claim
from server.domain.codes.holder_acts import (
    NEEDS_GOOD_STATE,
    ActNotNow,
    CookieNotKept,
    HandOnLimit,
    HolderAct,
    HolderUnknown,
    RememberedFull,
    UndoOver,
    check_hand_on,
    check_undo,
    handed_on,
)
from server.domain.codes.keep_code import is_keep_code_of, read_keep_code
from server.domain.codes.page_token import PageTokenInvalid, TokenScope, check_page_token
from server.domain.codes.redemption import Marks, Redemption, ReturnedBy, is_holder
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict, state_check
from server.runtime.context import Context
from server.services.codes.attempts import Channel, append_own, renewed_cookie
from server.services.codes.facts import CodeState, facts_of, repeat_window, state_of
from server.services.codes.receipts import Receipt, receipt_of
from server.services.codes.resolve import resolve, unregistered_unit, verified
from server.services.holders.act_request import ActAnswer, ActRequest, HolderCredentials, preview
from server.services.holders.browsers import forget, remember
from server.services.holders.gifts import give, withdraw
from server.services.holders.keep_codes import KeepCodeTry, is_right, record_use
from server.services.holders.tries import count_wrong_claim
from server.services.log.entries import log_erasure, log_handover, log_return
from server.storage.engine import Connection
from server.storage.gifts import withdraw_gift
from server.storage.holders import Giver, forget_holder, hand_on, holder_before, hops_of, return_unit
from server.storage.redemptions import lock_redemption, unit_life

_Refusal = ActNotNow | UndoOver | HandOnLimit | RememberedFull | CookieNotKept | PageTokenInvalid
_REFUSALS = (ActNotNow, UndoOver, HandOnLimit, RememberedFull, CookieNotKept, PageTokenInvalid)
"""Refusals that the holder is answered."""


def preview_on_page(ctx: Context, text: str, act: HolderAct, holder: HolderCredentials) -> ActAnswer:
    """Check that the holder of a page's code may do this, and give the token for it; the code does not change.

    Raises:
        HolderUnknown, KeepCodeInvalid, KeepCodeTriesSpent: nothing shows the holder.
        ActNotNow, UndoOver, HandOnLimit, RememberedFull, CookieNotKept: it cannot be done.
    """
    return _done(ctx, text, replace(_request(ctx, act, holder), preview=True))


def act_on_page(ctx: Context, text: str, act: HolderAct, holder: HolderCredentials, *, token: str | None) -> ActAnswer:
    """Do what the holder of a page's code confirmed, with the token of the page before.

    Raises:
        PageTokenInvalid: the token is not of that page, or expired; nothing was done.
        Everything that `preview_on_page` raises.
    """
    return _done(ctx, text, replace(_request(ctx, act, holder), token=token))


def act_for_program(ctx: Context, text: str, act: HolderAct, holder: HolderCredentials) -> ActAnswer:
    """Do what a program's user confirmed there.

    Raises:
        ClaimInvalid: the claim is out of form or too weak.
        ClaimTriesSpent: it is wrong, as too many before it today.
        Everything that `preview_on_page` raises.
    """
    claim = check_claim(holder.claim) if holder.keep_code is None else None
    return _done(ctx, text, replace(_request(ctx, act, holder), claim=claim, page=False))


def _request(ctx: Context, act: HolderAct, holder: HolderCredentials) -> ActRequest:
    typed = None if holder.keep_code is None else read_keep_code(holder.keep_code)
    return ActRequest(
        visitor=holder.visitor, channel=Channel(act), now=ctx.clock(), act=act, claim=holder.claim, typed=typed
    )


def _done(ctx: Context, text: str, request: ActRequest) -> ActAnswer:
    def attempt(connection: Connection) -> ActAnswer | _Refusal | None:
        """One try within one transaction; None where nothing shows the holder."""
        found = resolve(ctx, connection, code, named)
        state = state_of(connection, found, now=request.now)
        if state is None or state.code.tier is Tier.OUTER:
            unit = unregistered_unit(found) if state is None else state.unit
            _is_shown(ctx, connection, unit, (), request)  # counted, so that the end of tries reveals nothing
            return None
        try:
            return _attempt(ctx, connection, state, request)
        except _REFUSALS as refused:  # nothing was done; raised after the transaction, which has counted a keep-code
            return refused

    try:
        code, named = verified(ctx, text)
        answer = ctx.db.attempt(attempt)
    except NotOurs:
        raise HolderUnknown from None
    if answer is None:  # after the transaction, which has counted a wrong keep-code
        raise HolderUnknown
    if isinstance(answer, _REFUSALS):
        raise answer
    return answer


def _attempt(ctx: Context, connection: Connection, state: CodeState, request: ActRequest) -> ActAnswer | None:
    """1. Lock, and look again. 2. The visitor is the holder; a keep-code that shows it is counted in any case.

    3. The state check passes, where the act needs it. 4. The token. 5. The act's own rules, and the act.
    """
    lives = _lives(connection, state, request)  # (1)
    again = _repeated(ctx, connection, lives, request)
    accepted = [(one, first) for one in lives for first in (one.redemption, again) if first is not None]
    held = _shown(ctx, connection, state.unit, accepted, request)  # (2)
    if held is None or held.redemption is None:
        return None
    if again is not None and not request.preview and not _holds(ctx, held.unit, held.redemption, request):
        return _answer(connection, held, request, receipt=receipt_of(ctx, connection, held))
    _check_allowed(ctx, held, request)  # (3), (4)
    answer = _ACTS[request.act](ctx, connection, held, held.redemption, request)  # (5)
    if answer is None or answer.holder_cookie is not None:
        return answer
    return replace(answer, holder_cookie=renewed_cookie(ctx, held.unit, held.redemption, request.visitor))


def _check_allowed(ctx: Context, held: CodeState, request: ActRequest) -> None:
    if request.act in NEEDS_GOOD_STATE and not held.conditions.passed:  # (3)
        raise ActNotNow
    if request.page and not request.preview:  # (4)
        scope = TokenScope(held.unit, held.code.tier, request.act)
        check_page_token(request.token, scope, key=ctx.keys.page_token, now=request.now)


def _lives(connection: Connection, state: CodeState, request: ActRequest) -> tuple[CodeState, ...]:
    """The unit in its present life; for an erasure also in those that ended, whose data the holder may have erased."""
    unit = state.unit
    numbers = range(unit.life + 1) if request.act is HolderAct.ERASE else (unit.life,)
    for number in numbers:
        lock_redemption(connection, replace(unit, life=number))
    uses = [unit_life(connection, unit, life=number) for number in reversed(numbers)]
    return tuple(
        replace(state, code=replace(state.code, unit=use.unit), use=use)
        for use in uses
        if use.redemption is not None and (use.ended is None or request.act is HolderAct.ERASE)
    )


def _repeated(
    ctx: Context, connection: Connection, lives: tuple[CodeState, ...], request: ActRequest
) -> Redemption | None:
    """The redemption before it was handed on a moment ago, whose holder may have lost the answer."""
    first = lives[0].redemption if lives else None
    if request.act is not HolderAct.HAND_ON or first is None or first.hop == 0:
        return None
    before = holder_before(connection, lives[0].unit, first)
    window = repeat_window(ctx, program=not request.page)
    return before[0] if before is not None and request.now - before[1] <= window else None


def _shown(
    ctx: Context,
    connection: Connection,
    present: Unit,
    accepted: Sequence[tuple[CodeState, Redemption]],
    request: ActRequest,
) -> CodeState | None:
    """The life whose holder the visitor is, or was a moment ago; a keep-code is counted, right or wrong."""
    if not _is_shown(ctx, connection, present, [(one.unit, first) for one, first in accepted], request):
        return None
    held = next((one for one, first in accepted if _holds(ctx, one.unit, first, request)), None)
    if held is not None and request.typed is not None:
        record_use(ctx, connection, held, replace(request, channel=Channel.KEEP))
    return held


def _is_shown(
    ctx: Context,
    connection: Connection,
    present: Unit,
    accepted: Sequence[tuple[Unit, Redemption]],
    request: ActRequest,
) -> bool:
    """Whether keep-code or claim is that of one of the `accepted` redemptions; wrong ones are limited and counted."""
    if request.typed is not None:
        return is_right(ctx, connection, KeepCodeTry(typed=request.typed, unit=present, accepted=accepted), request)
    right = any([_holds(ctx, unit, first, request) for unit, first in accepted])  # noqa: C419 - as long either way
    if not (right or request.page):
        count_wrong_claim(ctx, connection, present, request)
    return right


def _holds(ctx: Context, unit: Unit, first: Redemption, request: ActRequest) -> bool:
    """Whether the visitor is the holder of this redemption, which may be the one before it was handed on."""
    if request.typed is not None:
        return is_keep_code_of(request.typed, unit, first, key=ctx.keys.keep_code)
    claim = read_page_claim(request.claim) if request.page else request.claim
    return is_holder(first, marks_of(unit, claim=claim, cookie=request.visitor.cookie, key=ctx.keys.claim))


def _undo(
    ctx: Context, connection: Connection, state: CodeState, first: Redemption, request: ActRequest
) -> ActAnswer | None:
    check_undo(first, state.use.returns, now=request.now, window_s=ctx.settings.undo_window_s)
    if request.preview:
        return preview(ctx, connection, state, request)
    if not return_unit(connection, state.unit, at=request.now, by=ReturnedBy.HOLDER):
        return None  # another request was first; it is not returned, and not logged, twice
    log_return(connection, state.code, state.unit, at=request.now, by=ReturnedBy.HOLDER)
    append_own(ctx, connection, state.code, request, Verdict.UNUSED)
    return _answer(connection, replace(state, use=unit_life(connection, state.unit)), request)


def _hand_on(
    ctx: Context, connection: Connection, state: CodeState, first: Redemption, request: ActRequest
) -> ActAnswer:
    check_hand_on(first, hops_of(connection, state.unit), now=request.now)
    if request.preview:
        return preview(ctx, connection, state, request)
    handed = handed_on(state.unit, first, key=ctx.keys.claim)
    giver = Giver(first=first, mark=request.mark(ctx, state.unit))
    hand_on(connection, state.unit, giver, handed, at=request.now)
    withdraw_gift(connection, state.unit, at=request.now)
    log_handover(connection, state.code, state.unit, handed, at=request.now)
    append_own(ctx, connection, state.code, request, Verdict.VERIFIED_BY_YOU)
    next_state = replace(state, use=unit_life(connection, state.unit))
    return _answer(connection, next_state, request, receipt=receipt_of(ctx, connection, next_state))


def _erase(
    ctx: Context, connection: Connection, state: CodeState, _first: Redemption, request: ActRequest
) -> ActAnswer:
    if request.preview:
        return preview(ctx, connection, state, request)
    append_own(ctx, connection, state.code, request, Verdict.VERIFIED_BY_YOU)
    blank = Marks(claim_hash=ctx.random(CLAIM_BYTES), holder_hash=ctx.random(CLAIM_BYTES))
    forget_holder(connection, state.unit, blank, at=request.now)
    log_erasure(connection, state.code, state.unit, at=request.now)
    forgotten = replace(state, use=unit_life(connection, state.unit))
    return replace(_answer(connection, forgotten, request), ended=state.use.ended is not None)


_ACTS = {
    HolderAct.UNDO: _undo,
    HolderAct.HAND_ON: _hand_on,
    HolderAct.GIVE: give,
    HolderAct.WITHDRAW: withdraw,
    HolderAct.REMEMBER: remember,
    HolderAct.FORGET: forget,
    HolderAct.ERASE: _erase,
}


def _answer(
    connection: Connection, state: CodeState, request: ActRequest, *, receipt: Receipt | None = None
) -> ActAnswer:
    used = Verdict.ALREADY_VERIFIED if state.redemption is not None else Verdict.UNUSED
    verdict = state_check(state.conditions) or used
    return ActAnswer(act=request.act, facts=facts_of(connection, state, own=False), verdict=verdict, receipt=receipt)
