"""Stage 6, redeem: claims that can be guessed are compared only so often (docs/protocol.md §2 rule 2, ADR 0022).

A claim names the holder as a keep-code does. Those of 128 bits need no limit; shorter ones that are wrong are counted
per unit and network, and per unit.
"""

from datetime import datetime, timedelta

from server.domain.codes.claim import MAX_WRONG_CLAIMS_HERE, MAX_WRONG_CLAIMS_OF_UNIT, ClaimTriesSpent, is_guessable
from server.domain.codes.keep_code import TRIES_WINDOW
from server.domain.codes.redemption import FirstUse, Marks, Unit, is_holder
from server.runtime.context import Context
from server.runtime.pseudonyms import NetworkMarks
from server.services.codes.attempts import VerifyRequest, Visitor
from server.services.codes.facts import CodeState
from server.storage.engine import Connection
from server.storage.redemptions import lock_redemption
from server.storage.scans import network_of_burn
from server.storage.wrong_tries import TryKind, add_wrong_try, advisory_lock, wrong_tries


def may_be_holder(  # noqa: PLR0913 - one claim, with everything that decides about it
    ctx: Context,
    connection: Connection,
    unit: Unit,
    claim: str,
    *,
    right: bool,
    first: FirstUse | None,
    visitor: Visitor,
    now: datetime,
) -> bool:
    """Whether a claim shows the holder: `right`, unless it can be guessed and too many wrong ones came before.

    A wrong one is counted on `unit`, the present one, whose redemption is `first`: the caller's transaction must end
    well.

    Raises:
        ClaimTriesSpent: too many wrong ones today; what this one is makes no difference, and it is not counted.
    """
    if is_guessable(claim) and not _is_compared(
        ctx, connection, unit, right=right, first=first, visitor=visitor, now=now
    ):
        raise ClaimTriesSpent
    return right


def marks_that_count(
    ctx: Context, connection: Connection, state: CodeState, marks: Marks, request: VerifyRequest
) -> Marks:
    """The marks of an attempt: all, unless its claim can be guessed and too many were; then it is a stranger's.

    On an unused unit there is nobody to be found out, and nothing is counted.
    """
    first = state.first
    if first is None or not is_guessable(request.claim):
        return marks
    right, who = is_holder(first, marks), request.visitor
    compared = _is_compared(ctx, connection, state.unit, right=right, first=first, visitor=who, now=request.now)
    return marks if compared else Marks()


def _is_compared(  # noqa: PLR0913 - one claim, with everything that decides about it
    ctx: Context,
    connection: Connection,
    unit: Unit,
    *,
    right: bool,
    first: FirstUse | None,
    visitor: Visitor,
    now: datetime,
) -> bool:
    """Whether a guessable claim may be compared after those before it; one that may and is not `right` is counted."""
    networks = ctx.pseudonyms.marks(visitor.address, unit.id, now=now)
    lock_redemption(connection, unit)
    advisory_lock(connection, unit.id)
    if _are_spent(ctx, connection, unit, networks, first=first, now=now):
        return False
    if not right:
        day, here = networks.day, networks.unit
        add_wrong_try(connection, TryKind.CLAIM, unit=unit.id, at=now, network_day=day, network_unit=here)
    return True


def _are_spent(  # noqa: PLR0913 - whose tries, on what
    ctx: Context, connection: Connection, unit: Unit, networks: NetworkMarks, *, first: FirstUse | None, now: datetime
) -> bool:
    """Strangers elsewhere cannot spend the tries of the network that verified a moment ago: its answer may be lost."""
    day, here = networks.day, networks.unit
    since = now - TRIES_WINDOW
    wrong = wrong_tries(connection, TryKind.CLAIM, unit=unit.id, since=since, network_day=day, network_unit=here)
    if wrong.here >= MAX_WRONG_CLAIMS_HERE:
        return True
    if wrong.of_unit < MAX_WRONG_CLAIMS_OF_UNIT:
        return False
    repeats = first is not None and now - first.at <= timedelta(seconds=ctx.settings.repeat_window_s)
    return not (repeats and network_of_burn(connection, unit.id) == here)
