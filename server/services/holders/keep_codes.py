"""Stage 6, redeem: "it was me": the holder known by the keep-code, in any browser (docs/protocol.md §2 rule 12).

A keep-code together with the code means the holder. Wrong ones are limited per unit and network, whether the unit was
used or not, and answered as a look is; right ones raise no duplicate, and are counted, since a forger can ship one
keep-code with every copy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from authcode.code.payload import NotOurs
from server.domain.codes.claim import marks_of, read_page_claim
from server.domain.codes.keep_code import KeepCodeTriesSpent, is_keep_code_of, read_keep_code
from server.domain.codes.redemption import Redemption, is_holder
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Use, Verdict, verdict_of
from server.domain.network_limits import WRONG_KEEP_CODES_HERE, WRONG_KEEP_CODES_OF_NETWORK, WRONG_KEEP_CODES_OF_UNIT
from server.runtime.context import Context
from server.services.alerts.evaluate import after_keep_code
from server.services.codes.attempts import Channel, Request, Visitor, append_own, renewed_cookie
from server.services.codes.facts import CodeState, facts_of, state_of, use_by
from server.services.codes.receipts import receipt_of
from server.services.codes.redeem import Answer
from server.services.codes.resolve import resolve, unregistered_unit, verified
from server.services.holders.tries import tries_before
from server.services.log.entries import LogEntryUnknown
from server.storage.engine import Connection
from server.storage.wrong_tries import TryKind, add_wrong_try

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCodeTry:
    """A keep-code as `read_keep_code` gives it; `accepted` are redemptions it may be of, each with unit and life."""

    typed: str
    unit: Unit
    accepted: Sequence[tuple[Unit, Redemption]]


def prove(ctx: Context, text: str, *, keep_code: str, visitor: Visitor) -> Answer | None:
    """Answer a keep-code on a code: `verified_by_you` for the right one (recall, void and lock take precedence).

    None for a wrong one, which the caller answers as a look, so that it does not reveal whether a code was used.

    Raises:
        KeepCodeInvalid: it is mistyped; no try is counted.
        KeepCodeTriesSpent: too many wrong ones today.
    """

    def answer(connection: Connection, state: CodeState) -> Answer:
        marks = marks_of(state.unit, claim=None, cookie=visitor.cookie, key=ctx.keys.claim)
        known = state.redemption is not None and is_holder(state.redemption, marks)
        return replace(_own_answer(ctx, connection, state, Use.OWN_LATER, visitor), known_by_cookie=known)

    try:
        return _with_keep_code(ctx, text, keep_code, visitor, answer)
    except NotOurs:
        return Answer(verdict=Verdict.NOT_OURS)


def unit_of_keep_code(ctx: Context, text: str, *, keep_code: str, visitor: Visitor) -> Unit:
    """The unit whose holder the keep-code shows, handed on or not; its redemption can then be proven.

    Raises:
        KeepCodeInvalid, KeepCodeTriesSpent: as `prove`.
        LogEntryUnknown: it is not this code's, or the text is no code.
    """
    try:
        unit = _with_keep_code(ctx, text, keep_code, visitor, lambda _, state: state.unit)
    except NotOurs:
        unit = None
    if unit is None:
        raise LogEntryUnknown
    return unit


def _with_keep_code(
    ctx: Context, text: str, keep_code: str, visitor: Visitor, result: Callable[[Connection, CodeState], _Result]
) -> _Result | None:
    """The `result` for the right keep-code of a code; None for a wrong one.

    1. Its form and check character.   2. The code's signature, then its unit.   3. Tries are left.   4. It is the one
    that the redemption's row gives.   5. A wrong one is counted; a right one enters the history, and is counted too.

    Raises:
        NotOurs: the text is no code of ours.
    """
    typed = read_keep_code(keep_code)  # (1)
    request = Request(visitor=visitor, channel=Channel.KEEP, now=ctx.clock())

    def attempt(connection: Connection) -> _Result | None:
        """One try within one transaction; None where the keep-code is not this code's."""
        found = resolve(ctx, connection, code, named)
        state = state_of(connection, found, now=request.now)
        unit = unregistered_unit(found) if state is None else state.unit
        accepted = [] if state is None or state.redemption is None else [(unit, state.redemption)]
        right = is_right(ctx, connection, KeepCodeTry(typed=typed, unit=unit, accepted=accepted), request)  # (3) to (5)
        if not right or state is None:
            return None
        answer = result(connection, state)
        record_use(ctx, connection, state, request)
        return answer

    code, named = verified(ctx, text)  # (2)
    return ctx.db.attempt(attempt)


def receipt_on_page(ctx: Context, text: str, *, claim: str | None, visitor: Visitor) -> Answer | None:
    """The receipt of a code's page again, for its holder by claim or cookie; None for other visitors."""
    try:
        code, named = verified(ctx, text)
        with ctx.db.read() as connection:
            now = ctx.clock()
            state = state_of(connection, resolve(ctx, connection, code, named), now=now)
            if state is None:
                return None
            marks = marks_of(state.unit, claim=read_page_claim(claim), cookie=visitor.cookie, key=ctx.keys.claim)
            use = use_by(ctx, state, marks, now=now, program=False)
            return _own_answer(ctx, connection, state, use, visitor) if use.own else None
    except NotOurs:
        return None


def _own_answer(ctx: Context, connection: Connection, state: CodeState, use: Use, visitor: Visitor) -> Answer:
    verdict = verdict_of(state.conditions, use)
    return Answer(
        verdict=verdict,
        facts=facts_of(connection, state, own=True, later=verdict is Verdict.VERIFIED_BY_YOU),
        receipt=receipt_of(ctx, connection, state),
        holder_cookie=renewed_cookie(ctx, state.unit, state.redemption, visitor),
    )


def record_use(ctx: Context, connection: Connection, state: CodeState, request: Request) -> None:
    """Add a right keep-code to the history, and let its alert grow."""
    verdict = verdict_of(state.conditions, Use.OWN_LATER)
    scan = append_own(ctx, connection, state.code, request, verdict)
    if not request.visitor.staff:
        after_keep_code(connection, state, scan)


def is_right(ctx: Context, connection: Connection, tried: KeepCodeTry, request: Request) -> bool:
    """Whether a keep-code is that of one of the accepted redemptions.

    A wrong one is counted: the caller's transaction must be committed. Tries on unused units are counted too, since
    a limit for used codes alone would reveal which codes are used.

    Raises:
        KeepCodeTriesSpent: too many wrong ones today; this one is not looked at.
    """
    by, wrong = tries_before(ctx, connection, TryKind.KEEP_CODE, tried.unit, request)
    spent = (
        wrong.here >= WRONG_KEEP_CODES_HERE
        or wrong.of_unit >= WRONG_KEEP_CODES_OF_UNIT
        or wrong.of_network >= WRONG_KEEP_CODES_OF_NETWORK
    )
    if spent:
        raise KeepCodeTriesSpent
    key = ctx.keys.keep_code
    if any([is_keep_code_of(tried.typed, one, first, key=key) for one, first in tried.accepted]):  # noqa: C419 - as long either way
        return True
    add_wrong_try(connection, by, at=request.now)
    return False
