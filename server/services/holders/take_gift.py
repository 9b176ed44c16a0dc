"""Stage 6, redeem: somebody looks at a gift's link, and takes the unit over (docs/protocol.md §5 rule 8).

Looking changes nothing. Taking moves the unit as handing on does, but the next holder is known by the claim and cookie
that they bring, and the giver learns nothing of them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authcode.code.payload import NotOurs
from server.domain.codes.claim import (
    CLAIM_BYTES,
    HOLDER_DAYS,
    LOOK_DAYS,
    ClaimInvalid,
    HolderCookie,
    belong_together,
    check_claim,
    claim_of_holder,
    holder_of_claim,
    marks_of,
    read_page_claim,
)
from server.domain.codes.gift import (
    TRIES_UNIT,
    Gift,
    GiftLate,
    GiftOwn,
    GiftUnknown,
    GiftUsed,
    GiftWithdrawn,
    check_gift,
    check_taker,
    token_hash,
    was_taken_by,
)
from server.domain.codes.holder_acts import ActNotNow, next_holder
from server.domain.codes.page_token import PageTokenInvalid, TokenScope, check_page_token, make_page_token
from server.domain.codes.redemption import Marks, Redemption
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Use, Verdict, verdict_of
from server.runtime.context import Context
from server.services.codes.attempts import Channel, VerifyRequest, Visitor, append_own, marks_of_request
from server.services.codes.facts import CodeFacts, CodeState, facts_of, state_of
from server.services.codes.receipts import Receipt, receipt_of
from server.services.codes.redeem import PageForm
from server.services.codes.resolve import resolved_unit
from server.services.holders.tries import count_wrong_claim
from server.services.log.entries import log_handover
from server.storage.engine import Connection
from server.storage.gifts import gift_of, take_gift
from server.storage.holders import Giver, hand_on
from server.storage.redemptions import lock_redemption

GIFT_REFUSALS = (GiftUnknown, GiftUsed, GiftWithdrawn, GiftLate, GiftOwn, ActNotNow)
"""Why a gift is not taken, on its page and by programs."""

_PURPOSE = "take"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A gift that the visitor took: facts, verdict and receipt as its holder's, and the cookie to set.

    `known_by_cookie` is whether the cookie that came along shows them: a later GET is answered alike.
    """

    verdict: Verdict
    facts: CodeFacts
    receipt: Receipt
    holder_cookie: HolderCookie | None = None
    known_by_cookie: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftLook:
    """What the page of a link shows: what strangers may know of its unit, and token and claim of the form.

    `holder_cookie` is to be set. For who took it there is what they took, and no form; for staff there is neither.
    """

    facts: CodeFacts
    unit: Unit
    token: str | None = None
    claim: str | None = None
    taken: Taken | None = None
    holder_cookie: HolderCookie | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A gift whose unit is verified, in the life that was given, with who asks."""

    gift: Gift
    state: CodeState
    first: Redemption
    marks: Marks

    @property
    def taken_by_visitor(self) -> bool:
        return self.state.use.ended is None and was_taken_by(self.gift, self.first, self.marks)

    @property
    def may_change_hands(self) -> bool:
        """Whether the unit is as it was when it was given: verified, its giver's, and in a good state."""
        passed = self.state.conditions.passed and self.state.use.ended is None
        return passed and not self.first.erased and self.first.hop == self.gift.hop


@dataclass(frozen=True, slots=True, kw_only=True)
class _TakeRequest(VerifyRequest):
    """A request to take a gift, by its form on a `page` or by a program.

    `cookie` is what the browser brought; its visitor has the one that they will get where there was none.
    """

    page: bool
    cookie: str | None


def look_at_gift(ctx: Context, token: str, visitor: Visitor, *, claim: str | None = None) -> GiftLook:
    """Look at the link of a gift, on its page; `claim` is that of the page that is shown again.

    Raises:
        GiftUnknown, GiftUsed, GiftWithdrawn, GiftLate, GiftOwn, ActNotNow: it cannot be taken.
    """
    hashed, now, kept = token_hash(token, key=ctx.keys.claim), ctx.clock(), read_page_claim(claim)
    with ctx.db.read() as connection:
        gift = gift_of(connection, hashed)
        if gift is None:
            raise GiftUnknown
        marks = marks_of(gift.unit, claim=kept, cookie=visitor.cookie, key=ctx.keys.claim)
        found = _find(ctx, connection, gift, marks, now=now)
        if found is not None and found.taken_by_visitor and not visitor.staff:
            return _takers_look(ctx, connection, found, visitor)
        found = _check(gift, found, now=now)
        seen = GiftLook(facts=facts_of(connection, found.state, own=False), unit=gift.unit)
    return seen if visitor.staff else _offered(ctx, found.state, replace(seen, claim=kept), visitor, now=now)


def take_on_page(ctx: Context, token: str, form: PageForm, visitor: Visitor) -> Taken:
    """Take a gift over on its page.

    Raises:
        ClaimInvalid, PageTokenInvalid: the form is none of that page, or expired; nothing was done.
        ClaimTriesSpent: this network brought too many links that are none.
        Everything that `look_at_gift` raises.
    """
    claim = read_page_claim(form.claim)
    if claim is None:
        raise ClaimInvalid
    taken = _take(ctx, token, _request(ctx, claim, visitor, form))
    cookie = visitor.cookie or holder_of_claim(claim, key=ctx.keys.holder)
    known = visitor.cookie is not None
    return replace(taken, holder_cookie=HolderCookie(value=cookie, days=HOLDER_DAYS), known_by_cookie=known)


def take_for_program(ctx: Context, token: str, *, claim: str, visitor: Visitor) -> Taken:
    """Take a gift over for a program's user, who is known by this claim from then on.

    Raises:
        ClaimInvalid, ClaimTooWeak: the claim is out of form or can be guessed.
        ClaimTriesSpent: this network brought too many links that are none.
        Everything that `look_at_gift` raises.
    """
    return _take(ctx, token, _request(ctx, check_claim(claim), visitor, None))


def _request(ctx: Context, claim: str, visitor: Visitor, form: PageForm | None) -> _TakeRequest:
    cookie = visitor.cookie or holder_of_claim(claim, key=ctx.keys.holder)
    return _TakeRequest(
        visitor=replace(visitor, cookie=cookie),
        channel=Channel.TAKE,
        now=ctx.clock(),
        claim=claim,
        token=None if form is None else form.token,
        origin_hidden=form is not None and form.origin_hidden,
        page=form is not None,
        cookie=visitor.cookie,
    )


def _take(ctx: Context, token: str, request: _TakeRequest) -> Taken:
    """One try is one transaction; its answer leaves after the transaction is durable."""

    def attempt(connection: Connection) -> Taken | None:
        """None for a token that is none, which is counted."""
        gift = gift_of(connection, hashed)
        if gift is None:
            count_wrong_claim(ctx, connection, TRIES_UNIT, request)
            return None
        lock_redemption(connection, gift.unit)
        return _attempt(ctx, connection, gift_of(connection, hashed) or gift, request)

    hashed = token_hash(token, key=ctx.keys.claim)
    taken = ctx.db.attempt(attempt)
    if taken is None:  # after the transaction, which has counted it
        raise GiftUnknown
    return taken


def _attempt(ctx: Context, connection: Connection, gift: Gift, request: _TakeRequest) -> Taken:
    """1. Who took it is answered alike again. 2. The link is open, its unit as it was, the visitor somebody else.

    3. The page's token. 4. The unit has its next holder, the link is used, and the log says so.
    """
    marks = marks_of_request(ctx, gift.unit, request)
    found = _find(ctx, connection, gift, marks, now=request.now)
    if found is not None and found.taken_by_visitor:  # (1)
        return _taken(ctx, connection, found.state)
    found = _check(gift, found, now=request.now)  # (2)
    state, unit = found.state, gift.unit
    _check_form(ctx, state, request)  # (3)
    handed = next_holder(found.first, marks)  # (4)
    giver = Giver(first=found.first, mark=gift.giver_hash, by_gift=True)
    hand_on(connection, unit, giver, handed, at=request.now)
    take_gift(connection, unit, at=request.now)
    log_handover(connection, state.code, unit, handed, at=request.now)
    taken = _taken(ctx, connection, replace(state, use=replace(state.use, redemption=handed)))
    append_own(ctx, connection, state.code, request, taken.verdict)
    return taken


def _find(ctx: Context, connection: Connection, gift: Gift, marks: Marks, *, now: datetime) -> _Found | None:
    """The unit of a gift; None where it is not ours any more."""
    try:
        state = state_of(connection, resolved_unit(ctx, connection, gift.unit), now=now, life=gift.unit.life)
    except NotOurs:
        return None
    if state is None or state.redemption is None:
        return None
    return _Found(gift=gift, state=state, first=state.redemption, marks=marks)


def _check(gift: Gift, found: _Found | None, *, now: datetime) -> _Found:
    """The unit of a link that is open; that it may be handed on was seen when the link was made, and no hop came since.

    Raises:
        GiftUsed, GiftWithdrawn, GiftLate, ActNotNow, GiftOwn: it cannot be taken by this visitor.
    """
    check_gift(gift, now=now)
    if found is None or not found.may_change_hands:
        raise ActNotNow
    check_taker(gift, found.first, found.marks)
    return found


def _check_form(ctx: Context, state: CodeState, request: _TakeRequest) -> None:
    """Accept the form of the gift's page; one of unknown origin must show that our page was in this browser too."""
    if not request.page:
        return
    scope = TokenScope(state.unit, state.code.tier, _PURPOSE)
    check_page_token(request.token, scope, key=ctx.keys.page_token, now=request.now)
    ours = belong_together(request.claim, request.cookie, state.unit, key=ctx.keys.holder)
    if request.origin_hidden and not ours:
        raise PageTokenInvalid


def _taken(ctx: Context, connection: Connection, state: CodeState) -> Taken:
    verdict, facts = verdict_of(state.conditions, Use.OWN_LATER), facts_of(connection, state, own=True)
    receipt = receipt_of(ctx, connection, state)
    assert receipt is not None  # noqa: S101 - a unit that is verified, by the code that verifies it
    return Taken(verdict=verdict, facts=facts, receipt=receipt)


def _takers_look(ctx: Context, connection: Connection, found: _Found, visitor: Visitor) -> GiftLook:
    kept = None if visitor.cookie is None else HolderCookie(value=visitor.cookie, days=HOLDER_DAYS)
    taken = _taken(ctx, connection, found.state)
    return GiftLook(facts=taken.facts, unit=found.gift.unit, taken=taken, holder_cookie=kept)


def _offered(ctx: Context, state: CodeState, seen: GiftLook, visitor: Visitor, *, now: datetime) -> GiftLook:
    """The look with its form, and the cookie that makes the visitor the holder also where the answer is lost."""
    ttl = timedelta(seconds=ctx.settings.page_token_ttl_s)
    scope = TokenScope(state.unit, state.code.tier, _PURPOSE)
    token = make_page_token(scope, key=ctx.keys.page_token, now=now, ttl=ttl)
    cookie = visitor.cookie
    made = seen.claim or (ctx.random(CLAIM_BYTES).hex() if cookie is None else claim_of_holder(cookie, state.unit))
    seen = replace(seen, token=token, claim=made)
    if cookie is not None or visitor.silent or not state.code.brand.cookie_on_look:
        return seen
    return replace(seen, holder_cookie=HolderCookie(value=holder_of_claim(made, key=ctx.keys.holder), days=LOOK_DAYS))
