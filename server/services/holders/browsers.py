"""Stage 6, redeem: further browsers of a holder, remembered once they showed the keep-code (protocol.md §5 rule 7).

A remembered browser is the holder's as the one is that verified. At most five are, for one holder of one unit.
"""

from dataclasses import replace

from server.domain.codes.claim import CLAIM_BYTES, HOLDER_DAYS, LOOK_DAYS, HolderCookie, holder_of_claim
from server.domain.codes.holder_acts import CookieNotKept, check_remember
from server.domain.codes.redemption import Marks, Redemption, is_holder
from server.domain.codes.verdict import Use, verdict_of
from server.runtime.context import Context
from server.services.codes.attempts import append_own
from server.services.codes.facts import CodeState
from server.services.holders.act_request import ActAnswer, ActRequest, preview, still_held
from server.storage.engine import Connection
from server.storage.holders import forget_browsers, remember_browser


def remember(
    ctx: Context, connection: Connection, state: CodeState, first: Redemption, request: ActRequest
) -> ActAnswer | None:
    """Remember the browser, which shows the keep-code and keeps a cookie; None for a holder who shows no keep-code.

    The first of the two requests may come without a cookie: its answer brings one.

    Raises:
        RememberedFull: there is no room.
        CookieNotKept: the second came without it.
    """
    if request.typed is None:
        return None
    mark = request.mark(ctx, state.unit)
    check_remember(first, mark)
    cookie = request.visitor.cookie
    if request.preview:
        new = holder_of_claim(ctx.random(CLAIM_BYTES).hex(), key=ctx.keys.holder)
        set_now = None if cookie is not None else HolderCookie(value=new, days=LOOK_DAYS)
        return replace(preview(ctx, connection, state, request), holder_cookie=set_now)
    if mark is None or cookie is None:
        raise CookieNotKept
    if not is_holder(first, Marks(holder_hash=mark)):
        remember_browser(connection, state.unit, mark, at=request.now)
        append_own(ctx, connection, state.code, request, verdict_of(state.conditions, Use.OWN_LATER))
    kept = HolderCookie(value=cookie, days=HOLDER_DAYS)
    return replace(still_held(connection, state, request), holder_cookie=kept)


def forget(
    ctx: Context, connection: Connection, state: CodeState, _first: Redemption, request: ActRequest
) -> ActAnswer:
    """Forget every remembered browser; the one that verified is the holder's all the same."""
    if request.preview:
        return preview(ctx, connection, state, request)
    append_own(ctx, connection, state.code, request, verdict_of(state.conditions, Use.OWN_LATER))
    forget_browsers(connection, state.unit)
    return still_held(connection, state, request)
