"""Stage 6, redeem: claims that can be guessed are compared only so often (docs/protocol.md §2 rule 2, ADR 0022).

A claim names the holder as a keep-code does. Those of 128 bits need no limit; shorter ones that are wrong are counted
per unit and network, and per unit.
"""

from dataclasses import dataclass
from datetime import timedelta

from server.domain.codes.claim import ClaimTriesSpent, is_guessable
from server.domain.codes.redemption import Marks, Redemption, is_holder
from server.domain.codes.unit import Unit
from server.domain.network_limits import TRIES_WINDOW, WRONG_CLAIMS_HERE, WRONG_CLAIMS_OF_UNIT
from server.runtime.context import Context
from server.services.codes.attempts import Request, VerifyRequest
from server.services.codes.facts import CodeState
from server.storage.engine import Connection
from server.storage.redemptions import lock_redemption
from server.storage.scans import network_of_burn
from server.storage.wrong_tries import Tried, TryKind, WrongTries, add_wrong_try, advisory_lock, wrong_tries


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTry:
    """One claim on a unit in its present life, with its `redemption`; `right` is whether it shows the holder."""

    unit: Unit
    claim: str
    right: bool
    redemption: Redemption | None


def may_be_holder(ctx: Context, connection: Connection, tried: ClaimTry, request: Request) -> bool:
    """Whether a claim shows the holder: right, and no guess after too many. Wrong ones are counted: commit in any case.

    Raises:
        ClaimTriesSpent: too many wrong ones today; what this one is makes no difference, and it is not counted.
    """
    if is_guessable(tried.claim) and not _is_compared(ctx, connection, tried, request):
        raise ClaimTriesSpent
    return tried.right


def marks_that_count(
    ctx: Context, connection: Connection, state: CodeState, marks: Marks, request: VerifyRequest
) -> Marks:
    """The marks of an attempt: all, unless its claim can be guessed and too many were; then it is a stranger's.

    On an unused unit there is no holder to be found out, and nothing is counted.
    """
    first = state.redemption
    if first is None or not is_guessable(request.claim):
        return marks
    tried = ClaimTry(unit=state.unit, claim=request.claim, right=is_holder(first, marks), redemption=first)
    return marks if _is_compared(ctx, connection, tried, request) else Marks()


def _is_compared(ctx: Context, connection: Connection, tried: ClaimTry, request: Request) -> bool:
    """Whether a guessable claim may be compared after those before it; one that may and is wrong is counted."""
    by, wrong = tries_before(ctx, connection, TryKind.CLAIM, tried.unit, request)
    if wrong.here >= WRONG_CLAIMS_HERE:
        return False
    if wrong.of_unit >= WRONG_CLAIMS_OF_UNIT and not _repeats(ctx, connection, tried, request, by.network_unit):
        return False
    if not tried.right:
        add_wrong_try(connection, by, at=request.now)
    return True


def tries_before(
    ctx: Context, connection: Connection, kind: TryKind, unit: Unit, request: Request
) -> tuple[Tried, WrongTries]:
    """Lock the tries on a unit: this one, and how many before it in the window were wrong."""
    networks = ctx.pseudonyms.marks(request.visitor.address, unit.id, now=request.now)
    lock_redemption(connection, unit)
    advisory_lock(connection, unit.id)
    tried = Tried(kind=kind, unit=unit.id, network_day=networks.day, network_unit=networks.unit)
    return tried, wrong_tries(connection, tried, since=request.now - TRIES_WINDOW)


def _repeats(ctx: Context, connection: Connection, tried: ClaimTry, request: Request, network: bytes | None) -> bool:
    """Whether the network verified the unit a moment ago: its answer may have been lost."""
    window = timedelta(seconds=ctx.settings.repeat_window_s)
    lately = tried.redemption is not None and request.now - tried.redemption.at <= window
    return lately and network_of_burn(connection, tried.unit.id) == network
