"""Stage 5, verify: looks at codes, which use nothing up (docs/protocol.md §1)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authcode.code.foreign import ForeignText
from authcode.code.payload import NotOurs, code_from_path, dropped_link
from authcode.code.serial import SerialUnit, Tier, read_typed_serial
from authcode.code.verify import VerifiedCode
from server.domain.codes.claim import (
    CLAIM_BYTES,
    LOOK_DAYS,
    HolderCookie,
    claim_of_holder,
    holder_of_claim,
    marks_of,
)
from server.domain.codes.page_token import TokenScope, make_page_token
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict, verdict_of
from server.domain.places.place import truncated_network
from server.runtime.context import Context
from server.services.codes.attempts import Channel, Request, Visitor, renewed_cookie
from server.services.codes.facts import CodeFacts, CodeState, bare_facts, facts_of, is_not_ours, state_on_record, use_by
from server.services.codes.receipts import Receipt, receipt_of
from server.services.codes.resolve import Resolved, foreign_text, resolve, resolve_serial, unregistered_unit, verified
from server.services.codes.same_network import is_from_same_network
from server.storage.engine import Connection
from server.storage.holders import handed_on_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The answer to a look.

    `state` is `unused` or a verdict. `token` and `claim` are there only on the page of a code whose state is `OFFERED`:
    the form with them verifies an unused code, and tells the brand of a pack with any other. `foreign` describes a text
    that leads elsewhere (state `not_ours`). `receipt` is there on its holder's page. `holder_cookie` is to be
    set: it makes the visitor the holder of what this page verifies, also when the answer to that is lost.
    """

    state: Verdict
    facts: CodeFacts | None = None
    foreign: ForeignText | None = None
    token: str | None = None
    claim: str | None = None
    unit: Unit | None = None
    receipt: Receipt | None = None
    holder_cookie: HolderCookie | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _LookRequest(Request):
    """A request to look; `claim` is that of a page that is shown again."""

    claim: str | None = None


def look_at_page(ctx: Context, raw_path: str, query: str, visitor: Visitor, *, claim: str | None = None) -> Look:
    """Look at the code that a page's raw, undecoded path and query name; a link without its 8030 is a look by serial.

    `claim` is that of the page that is shown again, where there was one. Staff are offered no gesture and no receipt.

    Raises:
        RecordsUnreachable: there is no answer now.
    """
    link = dropped_link(raw_path, query)
    if link is not None:
        return _look_by_serial(ctx, link.serial, visitor, gtin=link.gtin)
    text = text_of_page(ctx, raw_path, query)
    seen = replace(_look(ctx, [text], visitor, Channel.PAGE, claim)[0], foreign=None)
    return replace(seen, token=None, claim=None, receipt=None, holder_cookie=None) if visitor.staff else seen


def look(ctx: Context, text: str, visitor: Visitor, channel: Channel) -> Look:
    """Look at any text; never burns, and has a token only on the code's own page."""
    return _look(ctx, [text], visitor, channel)[0]


def look_at_symbols(ctx: Context, texts: Sequence[str], visitor: Visitor) -> list[Look]:
    """Look at the texts of a picture's symbols, all as of one moment."""
    return _look(ctx, texts, visitor, Channel.PHOTO)


def look_at_serial(ctx: Context, typed: str, visitor: Visitor) -> Look:
    """Look by a typed serial: the one look without a signature, which shows and never burns.

    Raises:
        TypedSerialInvalid: it is mistyped.
    """
    return _look_by_serial(ctx, read_typed_serial(typed), visitor)


def text_of_page(ctx: Context, raw_path: str, query: str) -> str:
    """The text of a page's code, from its raw path and query; empty for what is none."""
    try:
        return code_from_path(raw_path, query, ctx.keyrings())
    except NotOurs:
        return ""


def _look(
    ctx: Context, texts: Sequence[str], visitor: Visitor, channel: Channel, claim: str | None = None
) -> list[Look]:
    codes = [_verified(ctx, text) for text in texts]
    found: list[Look | None] = [None] * len(codes)
    if any(codes):
        request = _LookRequest(visitor=visitor, channel=channel, now=ctx.clock(), claim=claim)
        with ctx.db.read() as connection:
            found = [code and _look_at(ctx, connection, resolve(ctx, connection, *code), request) for code in codes]
    return [
        one or Look(state=Verdict.NOT_OURS, foreign=foreign_text(ctx, text))
        for one, text in zip(found, texts, strict=True)
    ]


def _verified(ctx: Context, text: str) -> tuple[VerifiedCode, SerialUnit] | None:
    try:
        return verified(ctx, text)
    except NotOurs:
        return None


def _look_by_serial(ctx: Context, serial: str, visitor: Visitor, *, gtin: str | None = None) -> Look:
    request = _LookRequest(visitor=visitor, channel=Channel.SERIAL, now=ctx.clock())
    try:
        with ctx.db.read() as connection:
            found = _look_at(ctx, connection, resolve_serial(ctx, connection, serial, gtin=gtin), request)
    except NotOurs:
        found = None
    return found or Look(state=Verdict.NOT_OURS)


def _look_at(ctx: Context, connection: Connection, code: Resolved, request: _LookRequest) -> Look | None:
    """What a look tells of a code; None for one that is not ours any more."""
    state = state_on_record(connection, code, now=request.now)
    if is_not_ours(code, state):
        if state is not None:
            _count(ctx, state, request, Verdict.NOT_OURS)
        return None
    if state is None:
        unknown = Look(state=Verdict.NOT_ACTIVATED, facts=bare_facts(code))
        return _offered(ctx, code, unregistered_unit(code), unknown, request)
    marks = marks_of(state.unit, claim=request.claim, cookie=request.visitor.cookie, key=ctx.keys.claim)
    use = use_by(ctx, state, marks, now=request.now, program=request.channel is Channel.API)
    verdict = verdict_of(state.conditions, use)
    _count(ctx, state, request, verdict)
    seen = (_holders_look if use.own else _strangers_look)(ctx, connection, state, request, verdict)
    return _offered(ctx, code, state.unit, seen, request)


def _holders_look(
    ctx: Context, connection: Connection, state: CodeState, request: _LookRequest, verdict: Verdict
) -> Look:
    """What its holder sees, whose cookie is renewed; the receipt is on the code's own page."""
    facts = facts_of(connection, state, own=True, later=verdict is Verdict.VERIFIED_BY_YOU)
    kept = renewed_cookie(ctx, state.unit, state.redemption, request.visitor)
    receipt = receipt_of(ctx, connection, state) if request.channel is Channel.PAGE else None
    return Look(state=verdict, facts=facts, unit=state.unit, receipt=receipt, holder_cookie=kept)


def _strangers_look(
    ctx: Context, connection: Connection, state: CodeState, request: _LookRequest, verdict: Verdict
) -> Look:
    """What everybody else sees, within the limits on looks."""
    facts = facts_of(connection, state, own=False)
    handed = _handed_on_at(ctx, connection, state, request)
    if verdict is Verdict.ALREADY_VERIFIED and handed is not None:
        return Look(state=verdict, facts=replace(facts, handed_on_at=handed), unit=state.unit)
    seen = Look(state=verdict, facts=facts, unit=state.unit)
    if not _may_tell(ctx, state, request):
        return _withheld(seen)
    if verdict is not Verdict.ALREADY_VERIFIED:
        return seen
    return replace(seen, facts=replace(facts, same_network=is_from_same_network(ctx, connection, state, request)))


def _handed_on_at(ctx: Context, connection: Connection, state: CodeState, request: _LookRequest) -> datetime | None:
    """When this browser handed the unit on: its page must not speak of somebody else's verification."""
    if state.redemption is None or state.redemption.hop == 0 or request.visitor.cookie is None:
        return None
    mark = marks_of(state.unit, claim=None, cookie=request.visitor.cookie, key=ctx.keys.claim).holder_hash
    return None if mark is None else handed_on_at(connection, state.unit, mark)


def _count(ctx: Context, state: CodeState, request: Request, verdict: Verdict) -> None:
    visitor = request.visitor
    if not (visitor.silent or visitor.staff):
        place = ctx.places.of(visitor.address).key
        ctx.looks.count(state.unit, place, verdict, now=request.now, serial=state.code.serial)
        if verdict is Verdict.UNUSED:
            ctx.looks.count_unburned(state.unit, place, truncated_network(visitor.address), now=request.now)


def _may_tell(ctx: Context, state: CodeState, request: Request) -> bool:
    """Whether this visitor may still learn that a unit was used or not (docs/protocol.md §1 rule 5a)."""
    visitor = request.visitor
    return visitor.staff or ctx.look_limits.may_tell(
        state.unit.id, visitor.address, now=request.now, cookie=visitor.cookie, silent=visitor.silent
    )


def _withheld(seen: Look) -> Look:
    """The same look without what tells a used code from an unused one; every other state is shown however often."""
    if seen.state not in {Verdict.UNUSED, Verdict.ALREADY_VERIFIED} or seen.facts is None:
        return seen
    facts = replace(seen.facts, first_verified_on=None, first_day_in_zone=None, first_country=None)
    return replace(seen, state=Verdict.WITHHELD, facts=facts)


OFFERED = frozenset(
    {Verdict.UNUSED, Verdict.WITHHELD, Verdict.ALREADY_VERIFIED, Verdict.NOT_ACTIVATED, Verdict.VOID, Verdict.LOCKED}
)
"""States whose page offers a gesture: to verify where the code is unused, else to report this pack to the brand.

A look changes nothing, so that without the second gesture no shopper with a copy would ever be counted (ADR 0009).
"""


def _has_gesture(code: Resolved, seen: Look) -> bool:
    """Whether a page has something to press; who handed a unit on knows that its pack is out there."""
    handed_on = seen.facts is not None and seen.facts.handed_on_at is not None
    return seen.state in OFFERED and code.tier is not Tier.OUTER and not handed_on


def _offered(ctx: Context, code: Resolved, unit: Unit, seen: Look, request: _LookRequest) -> Look:
    """The look with a page token, a claim and the cookie that goes with it, where its page offers a gesture."""
    if request.channel is not Channel.PAGE or not _has_gesture(code, seen):
        return seen
    ttl = timedelta(seconds=ctx.settings.page_token_ttl_s)
    token = make_page_token(TokenScope(unit, code.tier), key=ctx.keys.page_token, now=request.now, ttl=ttl)
    cookie = request.visitor.cookie
    claim = request.claim or (ctx.random(CLAIM_BYTES).hex() if cookie is None else claim_of_holder(cookie, unit))
    seen = replace(seen, token=token, claim=claim)
    if cookie is not None or request.visitor.silent or not code.brand.cookie_on_look:
        return seen
    return replace(seen, holder_cookie=HolderCookie(value=holder_of_claim(claim, key=ctx.keys.holder), days=LOOK_DAYS))
