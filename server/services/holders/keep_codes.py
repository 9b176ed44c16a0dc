"""Stage 6, redeem: "it was me": the holder known by the keep-code, in any browser (docs/protocol.md §2 rule 12).

A keep-code together with the code means the holder. Wrong ones are limited per unit and network, whether the unit was
used or not, and answered as a look is; right ones raise no duplicate, and are counted, since a forger can ship one
keep-code with every copy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from authcode.code.payload import NotOurs
from server.domain.codes.claim import ClaimInvalid, check_page_claim, marks_of
from server.domain.codes.keep_code import (
    MAX_WRONG_HERE,
    MAX_WRONG_OF_NETWORK,
    MAX_WRONG_OF_UNIT,
    TRIES_WINDOW,
    KeepCodeTriesSpent,
    is_keep_code_of,
    read_keep_code,
)
from server.domain.codes.redemption import FirstUse, Unit, Use, Verdict, verdict_of
from server.runtime.context import Context
from server.services.alerts.evaluate import after_keep_code
from server.services.codes.attempts import Channel, Request, Visitor, append_own
from server.services.codes.facts import CodeState, facts_of, state_of, use_by
from server.services.codes.receipts import receipt_of
from server.services.codes.redeem import Answer
from server.services.codes.resolve import resolve, unregistered_unit, verified
from server.services.log.entries import LogEntryUnknown
from server.storage.engine import Connection
from server.storage.redemptions import lock_redemption
from server.storage.wrong_tries import Tried, TryKind, add_wrong_try, advisory_lock, wrong_tries

_Given = TypeVar("_Given")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCodeTry:
    """A keep-code, as `read_keep_code` gives it, on a unit in its present life.

    `accepted` are the redemptions whose keep-code it may be, each with the unit in its life.
    """

    typed: str
    unit: Unit
    accepted: Sequence[tuple[Unit, FirstUse]]


def prove(ctx: Context, text: str, *, keep_code: str, visitor: Visitor) -> Answer | None:
    """Answer a keep-code on a code: `verified_by_you` for the right one (recall, void and lock take precedence).

    None for a wrong one, which the caller answers as a look, so that it does not tell whether a code was used.

    Raises:
        KeepCodeInvalid: it is mistyped; no try is counted.
        KeepCodeTriesSpent: too many wrong ones today.
    """
    try:
        return _entered(ctx, text, keep_code, visitor, _shown)
    except NotOurs:
        return Answer(verdict=Verdict.NOT_OURS)


def unit_of_keep_code(ctx: Context, text: str, *, keep_code: str, visitor: Visitor) -> Unit:
    """The unit whose holder this is, also of who was handed it on; its redemption can then be proven.

    Raises:
        KeepCodeInvalid, KeepCodeTriesSpent: as `prove`.
        LogEntryUnknown: it is not this code's, or the text is no code.
    """
    try:
        unit = _entered(ctx, text, keep_code, visitor, _noted)
    except NotOurs:
        unit = None
    if unit is None:
        raise LogEntryUnknown
    return unit


def _entered(
    ctx: Context,
    text: str,
    keep_code: str,
    visitor: Visitor,
    give: Callable[[Context, Connection, CodeState, Request], _Given],
) -> _Given | None:
    """What the right keep-code of a code gives; None for a wrong one, which any is where the code has no holder.

    1. Its form and check character.   2. The code's signature, then its unit.   3. Tries are left.   4. It is the one
    that the redemption's row gives.   5. A wrong one is counted; a right one enters the history, and is counted too.

    Raises:
        NotOurs: the text is no code of ours.
    """
    typed = read_keep_code(keep_code)  # (1)
    request = Request(visitor=visitor, channel=Channel.KEEP, now=ctx.clock())

    def attempt(connection: Connection) -> _Given | None:
        """One try within one transaction; None where the keep-code is not this code's."""
        found = resolve(ctx, connection, code, named)
        state = state_of(connection, found, now=request.now)
        unit = unregistered_unit(found) if state is None else state.unit
        accepted = [] if state is None or state.first is None else [(unit, state.first)]
        right = is_right(ctx, connection, KeepCodeTry(typed=typed, unit=unit, accepted=accepted), request)  # (3) to (5)
        return give(ctx, connection, state, request) if right and state is not None else None

    code, named = verified(ctx, text)  # (2)
    return ctx.db.attempt(attempt)


def receipt_on_page(ctx: Context, text: str, *, claim: str | None, visitor: Visitor) -> Answer | None:
    """The receipt of a code's page once more, for who holds it by claim or cookie; None for anybody else."""
    try:
        code, named = verified(ctx, text)
        with ctx.db.read() as connection:
            now = ctx.clock()
            state = state_of(connection, resolve(ctx, connection, code, named), now=now)
            if state is None:
                return None
            marks = marks_of(state.unit, claim=_page_claim(claim), holder=visitor.holder, key=ctx.keys.claim)
            use = use_by(ctx, state, marks, now=now)
            return _own_answer(ctx, connection, state, use) if use.own else None
    except NotOurs:
        return None


def _page_claim(claim: str | None) -> str | None:
    try:
        return check_page_claim(claim)
    except ClaimInvalid:
        return None


def _own_answer(ctx: Context, connection: Connection, state: CodeState, use: Use, *, later: bool = False) -> Answer:
    facts = facts_of(connection, state, holder=True, later=later)
    return Answer(verdict=verdict_of(state.conditions, use), facts=facts, receipt=receipt_of(ctx, state))


def _shown(ctx: Context, connection: Connection, state: CodeState, request: Request) -> Answer:
    """The holder's answer, noted in the history."""
    answer = _own_answer(ctx, connection, state, Use.OWN_LATER, later=state.conditions.passed)
    note_right(ctx, connection, state, request)
    return answer


def _noted(ctx: Context, connection: Connection, state: CodeState, request: Request) -> Unit:
    """The unit in its present life; the keep-code is noted in the history."""
    note_right(ctx, connection, state, request)
    return state.unit


def note_right(ctx: Context, connection: Connection, state: CodeState, request: Request) -> None:
    """Add a right keep-code to the history, whatever it was shown for, and let its alert grow."""
    verdict = verdict_of(state.conditions, Use.OWN_LATER)
    scan = append_own(ctx, connection, state.code, request, verdict)
    if not request.visitor.staff:
        after_keep_code(connection, state, scan)


def is_right(ctx: Context, connection: Connection, tried: KeepCodeTry, request: Request) -> bool:
    """Whether a keep-code is that of one of the accepted redemptions.

    A wrong one is counted: the caller's transaction must be committed. With none accepted every one is wrong, and
    counted all the same: where tries ended for used codes alone, they would tell which codes are used.

    Raises:
        KeepCodeTriesSpent: too many wrong ones today; this one is not looked at.
    """
    unit, now = tried.unit, request.now
    networks = ctx.pseudonyms.marks(request.visitor.address, unit.id, now=now)
    lock_redemption(connection, unit)
    advisory_lock(connection, unit.id)
    by = Tried(kind=TryKind.KEEP_CODE, unit=unit.id, network_day=networks.day, network_unit=networks.unit)
    wrong = wrong_tries(connection, by, since=now - TRIES_WINDOW)
    spent = (
        wrong.here >= MAX_WRONG_HERE or wrong.of_unit >= MAX_WRONG_OF_UNIT or wrong.of_network >= MAX_WRONG_OF_NETWORK
    )
    if spent:
        raise KeepCodeTriesSpent
    key = ctx.keys.keep_code
    if any([is_keep_code_of(tried.typed, one, first, key=key) for one, first in tried.accepted]):  # noqa: C419 - as long either way
        return True
    add_wrong_try(connection, by, at=now)
    return False
