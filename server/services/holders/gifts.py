"""Stage 6, redeem: a holder gives a unit away by a link, or withdraws the link (docs/protocol.md §5 rule 8).

Only the link's hash is kept, so that it is shown once; a lost answer is made good by another link. Nothing changes
hands until somebody takes it (`take_gift.py`).
"""

from server.domain.codes.gift import TOKEN_BYTES, Gift, gift_token, token_hash
from server.domain.codes.holder_acts import check_hand_on
from server.domain.codes.redemption import Redemption
from server.domain.codes.verdict import Use, verdict_of
from server.runtime.context import Context
from server.services.codes.attempts import append_own
from server.services.codes.facts import CodeState
from server.services.holders.act_request import ActAnswer, ActRequest, GiftLink, preview, still_held
from server.storage.engine import Connection
from server.storage.gifts import add_gift, withdraw_gift
from server.storage.holders import hops_of


def give(ctx: Context, connection: Connection, state: CodeState, first: Redemption, request: ActRequest) -> ActAnswer:
    """Make a link by which somebody takes the unit over; one that was open is withdrawn.

    Raises:
        HandOnLimit: it could not be handed on now.
    """
    check_hand_on(first, hops_of(connection, state.unit), now=request.now)
    if request.preview:
        return preview(ctx, connection, state, request)
    token = gift_token(ctx.random(TOKEN_BYTES))
    made = Gift(unit=state.unit, hop=first.hop, at=request.now, giver_hash=request.mark(ctx, state.unit))
    add_gift(connection, token_hash(token, key=ctx.keys.claim), made)
    append_own(ctx, connection, state.code, request, verdict_of(state.conditions, Use.OWN_LATER))
    link = GiftLink(link=f"{state.code.address}/gift/{token}", until=made.until)
    return still_held(connection, state, request, gift=link)


def withdraw(
    ctx: Context, connection: Connection, state: CodeState, _first: Redemption, request: ActRequest
) -> ActAnswer:
    """Withdraw the open link, if there is one."""
    if request.preview:
        return preview(ctx, connection, state, request)
    withdraw_gift(connection, state.unit, at=request.now)
    append_own(ctx, connection, state.code, request, verdict_of(state.conditions, Use.OWN_LATER))
    return still_held(connection, state, request)
