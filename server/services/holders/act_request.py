"""Stage 6, redeem: a holder's request for an act, and its answer (docs/protocol.md §5)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from server.domain.codes.claim import HolderCookie, marks_of
from server.domain.codes.holder_acts import HolderAct
from server.domain.codes.page_token import TokenScope, make_page_token
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Use, Verdict, verdict_of
from server.runtime.context import Context
from server.services.codes.attempts import Request, Visitor
from server.services.codes.facts import CodeFacts, CodeState, facts_of
from server.services.codes.receipts import Receipt
from server.storage.engine import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderCredentials:
    """The visitor, and what shows that they are the holder: claim, cookie or keep-code, each as it was sent."""

    visitor: Visitor
    claim: str | None = None
    keep_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftLink:
    """A link that gives a unit away, as its giver is shown it once, and until when it can be taken."""

    link: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActAnswer:
    """The outcome of an act. With a `token` it waits to be confirmed, and nothing has changed.

    `facts` are those of the code's page now, `receipt` is the next owner's after handing on, `gift` the link of what
    was given, `holder_cookie` is to be set. With `ended` the verification had been returned to unused before it was
    erased.
    """

    act: HolderAct
    facts: CodeFacts
    verdict: Verdict
    token: str | None = None
    receipt: Receipt | None = None
    gift: GiftLink | None = None
    holder_cookie: HolderCookie | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRequest(Request):
    """A request for an act; a `preview` only shows what will happen, and gives the token to confirm it."""

    act: HolderAct
    claim: str | None
    typed: str | None
    token: str | None = None
    preview: bool = False
    page: bool = True

    def mark(self, ctx: Context, unit: Unit) -> bytes | None:
        """The mark of the browser that sent it on this unit; None where it brought no cookie."""
        return marks_of(unit, claim=None, cookie=self.visitor.cookie, key=ctx.keys.claim).holder_hash


def preview(ctx: Context, connection: Connection, state: CodeState, request: ActRequest) -> ActAnswer:
    """What will happen, with the token that confirms it; the code does not change."""
    ttl = timedelta(seconds=ctx.settings.page_token_ttl_s)
    scope = TokenScope(state.unit, state.code.tier, request.act)
    return ActAnswer(
        act=request.act,
        facts=facts_of(connection, state, own=True),
        verdict=Verdict.VERIFIED_BY_YOU,
        token=make_page_token(scope, key=ctx.keys.page_token, now=request.now, ttl=ttl),
        ended=state.use.ended is not None,
    )


def still_held(
    connection: Connection, state: CodeState, request: ActRequest, *, gift: GiftLink | None = None
) -> ActAnswer:
    """The outcome of an act after which the visitor is the holder as before."""
    verdict = verdict_of(state.conditions, Use.OWN_LATER)
    return ActAnswer(act=request.act, facts=facts_of(connection, state, own=True), verdict=verdict, gift=gift)
