"""Stage 6, redeem: "it was me": the holder known by the keep-code, in any browser (docs/protocol.md §2 rule 12).

A keep-code together with the code means the holder. Wrong ones are limited per unit and network, whether the unit was
used or not, and answered as a look is; right ones raise no duplicate, and are counted, since a forger can ship one
keep-code with every copy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from authcode.code.payload import NotOurs
from authcode.log.proof import InclusionProof
from server.domain.codes.claim import CLAIM_BYTES, ClaimInvalid, check_page_claim, holder_of_claim, marks_of
from server.domain.codes.keep_code import (
    MAX_WRONG_HERE,
    MAX_WRONG_OF_NETWORK,
    MAX_WRONG_OF_UNIT,
    TRIES_WINDOW,
    KeepCodeTriesSpent,
    is_keep_code_of,
    read_keep_code,
)
from server.domain.codes.redemption import FirstUse, Unit, Use, Verdict, use_of, verdict_of
from server.runtime.context import Context
from server.runtime.pseudonyms import NetworkMarks
from server.services.alerts.evaluate import after_keep_code
from server.services.codes.attempts import Channel, Visitor
from server.services.codes.facts import CodeState, facts_of, state_of
from server.services.codes.look import look, look_at_page, text_of_page
from server.services.codes.receipts import receipt_of
from server.services.codes.redeem import Answer
from server.services.codes.resolve import resolve, unregistered_unit, verified
from server.services.log.entries import LogEntryUnknown
from server.services.log.heads import sign_newest_head
from server.services.log.proofs import prove_unit
from server.storage.engine import Connection
from server.storage.redemptions import lock_redemption
from server.storage.scans import append_scan
from server.storage.wrong_tries import TryKind, add_wrong_try, advisory_lock, wrong_tries

_Given = TypeVar("_Given")


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeepCodeRequest:
    """One keep-code on one code."""

    keep_code: str
    visitor: Visitor
    now: datetime


def prove_on_page(ctx: Context, raw_path: str, query: str, *, keep_code: str, visitor: Visitor) -> Answer:
    """Answer a keep-code that was entered on the page of a code; with a wrong one it is the look page again.

    Raises:
        KeepCodeInvalid: it is mistyped; no try is counted.
        KeepCodeTriesSpent: too many wrong ones today.
    """
    try:
        answer = _entered(ctx, text_of_page(ctx, raw_path, query), keep_code, visitor, _shown)
    except NotOurs:
        return Answer(verdict=Verdict.NOT_OURS)
    if answer is None:
        return Answer(verdict=None, look_again=look_at_page(ctx, raw_path, query, visitor), keep_code_refused=True)
    return answer


def prove(ctx: Context, text: str, *, keep_code: str, visitor: Visitor) -> Answer:
    """Answer a keep-code on a code: `verified_by_you` for the right one (recall, void and lock take precedence).

    A wrong one is answered as a look is, under the limits of looks: nobody learns from it whether a code was used.

    Raises:
        KeepCodeInvalid: it is mistyped; no try is counted.
        KeepCodeTriesSpent: too many wrong ones today.
    """
    try:
        answer = _entered(ctx, text, keep_code, visitor, _shown)
    except NotOurs:
        return Answer(verdict=Verdict.NOT_OURS)
    if answer is None:
        seen = look(ctx, text, visitor, Channel.API)
        return Answer(verdict=seen.state, facts=seen.facts, keep_code_refused=True)
    return answer


def prove_redemption_by_keep_code(ctx: Context, text: str, *, keep_code: str, visitor: Visitor) -> InclusionProof:
    """The proof in the log of the redemption whose holder this is, also of who was handed it on.

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
    sign_newest_head(ctx.db, ctx.keys.log_head, now=ctx.clock())
    return prove_unit(ctx.db, unit)


def _entered(
    ctx: Context,
    text: str,
    keep_code: str,
    visitor: Visitor,
    give: Callable[[Context, Connection, CodeState, _KeepCodeRequest], _Given],
) -> _Given | None:
    """What the right keep-code of a code gives; None for a wrong one, which any is where nobody holds the code.

    1. Its form and check character.   2. The code's signature, then its unit.   3. Tries are left.   4. It is the one
    that the redemption's row gives.   5. A wrong one is counted; a right one enters the history, and is counted too.

    Raises:
        NotOurs: the text is no code of ours.
    """
    request = _KeepCodeRequest(keep_code=read_keep_code(keep_code), visitor=visitor, now=ctx.clock())  # (1)

    def attempt(connection: Connection) -> _Given | None:
        """One try within one transaction; None where the keep-code is not this code's."""
        found = resolve(ctx, connection, code, named)
        state = state_of(connection, found, now=request.now)
        unit, accepted = (unregistered_unit(found), ()) if state is None else (state.unit, _accepted(state))
        right = is_right(ctx, connection, unit, accepted, request.keep_code, visitor, request.now)  # (3) to (5)
        return give(ctx, connection, state, request) if right and state is not None else None

    code, named = verified(ctx, text)  # (2)
    return ctx.db.attempt(attempt)


def receipt_on_page(ctx: Context, raw_path: str, query: str, *, claim: str | None, visitor: Visitor) -> Answer:
    """The receipt of a code's page once more, for who holds it by claim or cookie; changes nothing.

    Anybody else gets the look page again.
    """
    own = _by_claim(ctx, text_of_page(ctx, raw_path, query), _claim(claim), visitor)
    return own or Answer(verdict=None, look_again=look_at_page(ctx, raw_path, query, visitor))


def _by_claim(ctx: Context, text: str, claim: str | None, visitor: Visitor) -> Answer | None:
    try:
        code, named = verified(ctx, text)
        with ctx.db.read() as connection:
            state = state_of(connection, resolve(ctx, connection, code, named), now=ctx.clock())
            if state is None:
                return None
            use = _use(ctx, state, claim, visitor, ctx.clock())
            if not use.own:
                return None
            return Answer(
                verdict=verdict_of(state.conditions, use),
                facts=facts_of(connection, state, holder=True),
                receipt=receipt_of(ctx, state),
            )
    except NotOurs:
        return None


def _claim(claim: str | None) -> str | None:
    try:
        return check_page_claim(claim)
    except ClaimInvalid:
        return None


def _use(ctx: Context, state: CodeState, claim: str | None, visitor: Visitor, now: datetime) -> Use:
    marks = marks_of(state.unit, claim=claim, holder=visitor.holder, key=ctx.keys.claim)
    return use_of(state.first, marks, now=now, repeat_window=timedelta(seconds=ctx.settings.repeat_window_s))


def _accepted(state: CodeState) -> tuple[tuple[Unit, FirstUse], ...]:
    return () if state.first is None else ((state.unit, state.first),)


def _shown(ctx: Context, connection: Connection, state: CodeState, request: _KeepCodeRequest) -> Answer:
    """The holder's answer, noted in the history."""
    verdict = verdict_of(state.conditions, Use.OWN_LATER)
    answer = Answer(
        verdict=verdict,
        facts=facts_of(connection, state, holder=True, later=verdict is Verdict.VERIFIED_BY_YOU),
        receipt=receipt_of(ctx, state),
    )
    note_right(ctx, connection, state, request.visitor, said=verdict, now=request.now)
    return answer


def _noted(ctx: Context, connection: Connection, state: CodeState, request: _KeepCodeRequest) -> Unit:
    """The unit in its present life; the keep-code is noted in the history."""
    verdict = verdict_of(state.conditions, Use.OWN_LATER)
    note_right(ctx, connection, state, request.visitor, said=verdict, now=request.now)
    return state.unit


def note_right(  # noqa: PLR0913 - one use of a keep-code, with everything that its row says
    ctx: Context, connection: Connection, state: CodeState, visitor: Visitor, *, said: Verdict, now: datetime
) -> None:
    """Add a right keep-code to the history, whatever it was shown for, and let its alert grow."""
    scan = append_own(ctx, connection, state, visitor, said=said, channel=Channel.KEEP, now=now)
    if not visitor.staff:
        after_keep_code(connection, state, scan)


def is_right(  # noqa: PLR0913, PLR0917 - one try, with everything that decides about it
    ctx: Context,
    connection: Connection,
    unit: Unit,
    accepted: Sequence[tuple[Unit, FirstUse]],
    typed: str,
    visitor: Visitor,
    now: datetime,
) -> bool:
    """Whether a keep-code, as `read_keep_code` gives it, is that of one of the `accepted` redemptions of a unit.

    Each comes with the unit in its life; tries count on `unit`, the present one.
    A wrong one is counted: the caller's transaction must end well. With none `accepted` every one is wrong, and counted
    all the same: where tries ended for used codes alone, they would tell which codes are used.

    Raises:
        KeepCodeTriesSpent: too many wrong ones today; this one is not looked at.
    """
    networks = ctx.pseudonyms.marks(visitor.address, unit.id, now=now)
    lock_redemption(connection, unit)
    advisory_lock(connection, unit.id)
    _limit_tries(connection, unit, networks, now)
    if any([is_keep_code_of(typed, one, first, key=ctx.keys.keep_code) for one, first in accepted]):  # noqa: C419
        return True
    day, here = networks.day, networks.unit
    add_wrong_try(connection, TryKind.KEEP_CODE, unit=unit.id, at=now, network_day=day, network_unit=here)
    return False


def _limit_tries(connection: Connection, unit: Unit, networks: NetworkMarks, now: datetime) -> None:
    day, here = networks.day, networks.unit
    since = now - TRIES_WINDOW
    wrong = wrong_tries(connection, TryKind.KEEP_CODE, unit=unit.id, since=since, network_day=day, network_unit=here)
    spent = (
        wrong.here >= MAX_WRONG_HERE or wrong.of_unit >= MAX_WRONG_OF_UNIT or wrong.of_network >= MAX_WRONG_OF_NETWORK
    )
    if spent:
        raise KeepCodeTriesSpent


def append_own(  # noqa: PLR0913 - one attempt, with everything that its row says
    ctx: Context,
    connection: Connection,
    state: CodeState,
    visitor: Visitor,
    *,
    said: Verdict,
    channel: Channel,
    now: datetime,
) -> int:
    """Add what a holder did to the history, its number; who asks is told apart by the cookie, where there is one."""
    place = ctx.places.of(visitor.address)
    networks = ctx.pseudonyms.marks(visitor.address, state.unit.id, now=now)
    holder = visitor.holder or holder_of_claim(ctx.random(CLAIM_BYTES).hex(), key=ctx.keys.holder)
    mark = marks_of(state.unit, claim=None, holder=holder, key=ctx.keys.claim).holder_hash
    return append_scan(
        connection,
        at=now,
        brand=state.code.brand.id,
        unit=state.unit.id,
        batch_row=state.unit.row,
        batch_number=state.code.batch_number,
        unit_index=state.code.index,
        tier=state.code.tier,
        key_id=state.code.key.key_id,
        serial=state.code.serial,
        channel=channel,
        said=said,
        burned=False,
        own=True,
        staff=visitor.staff,
        mark=mark or b"",
        country=place.country,
        region=place.region,
        network_day=networks.day,
        network_unit=networks.unit,
    )
