"""Stage 6, redeem: wrong keep-codes and claims are counted, so that a holder's secrets are not found by trying.

A network is counted by its pseudonyms (docs/protocol.md §2 rules 2 and 12).
"""

from server.domain.codes.claim import ClaimTriesSpent
from server.domain.codes.unit import Unit
from server.domain.network_limits import TRIES_WINDOW, WRONG_CLAIMS_HERE
from server.runtime.context import Context
from server.services.codes.attempts import Request
from server.storage.engine import Connection
from server.storage.redemptions import lock_redemption
from server.storage.wrong_tries import Tried, TryKind, WrongTries, add_wrong_try, advisory_lock, wrong_tries


def count_wrong_claim(ctx: Context, connection: Connection, unit: Unit, request: Request) -> None:
    """Count a claim that is not the holder's, on unused and unknown units alike: commit in any case.

    Raises:
        ClaimTriesSpent: this network brought too many on this unit today; this one is not counted.
    """
    by, wrong = tries_before(ctx, connection, TryKind.CLAIM, unit, request)
    if wrong.here >= WRONG_CLAIMS_HERE:
        raise ClaimTriesSpent
    add_wrong_try(connection, by, at=request.now)


def tries_before(
    ctx: Context, connection: Connection, kind: TryKind, unit: Unit, request: Request
) -> tuple[Tried, WrongTries]:
    """Lock the tries on a unit: this one, and how many before it in the window were wrong."""
    networks = ctx.pseudonyms.marks(request.visitor.address, unit.id, now=request.now)
    lock_redemption(connection, unit)
    advisory_lock(connection, unit.id)
    tried = Tried(kind=kind, unit=unit.id, network_day=networks.day, network_unit=networks.unit)
    return tried, wrong_tries(connection, tried, since=request.now - TRIES_WINDOW)
