"""Stage 5, verify: looks at codes, which use nothing up (docs/protocol.md §1)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authcode.code.foreign import ForeignText
from authcode.code.payload import NotOurs, code_from_path, dropped_link
from authcode.code.serial import Tier, read_typed_serial
from server.domain.codes.claim import (
    CLAIM_BYTES,
    claim_of_holder,
    marks_of,
)
from server.domain.codes.page_token import make_page_token
from server.domain.codes.redemption import (
    Unit,
    Use,
    Verdict,
    use_of,
    verdict_of,
)
from server.runtime.context import Context
from server.services.codes.attempts import Channel, Visitor
from server.services.codes.facts import CodeFacts, CodeState, bare_facts, facts_of, is_not_ours, state_on_record
from server.services.codes.receipts import Receipt, receipt_of
from server.services.codes.resolve import Resolved, foreign_text, resolve, resolve_serial, unregistered_unit, verified
from server.storage.engine import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The answer to a look.

    `state` is `unused` or a verdict. `token` and `claim` are there only on the page of a code whose state is `OFFERED`:
    the form with them verifies an unused code, and tells the brand of a pack with any other. `foreign` describes a text
    that leads elsewhere (state `not_ours`). `receipt` is there on its holder's page.
    """

    state: Verdict
    facts: CodeFacts | None = None
    foreign: ForeignText | None = None
    token: str | None = None
    claim: str | None = None
    unit: Unit | None = None
    receipt: Receipt | None = None


def look_at_page(ctx: Context, raw_path: str, query: str, visitor: Visitor, *, claim: str | None = None) -> Look:
    """Look at the code that a page's raw, undecoded path and query name; a link without its 8030 is a look by serial.

    `claim` is that of the page that is shown again, where there was one.

    Raises:
        RecordsUnreachable: there is no answer now.
    """
    link = dropped_link(raw_path, query)
    if link is not None:
        return _look_by_serial(ctx, link.serial, visitor, gtin=link.gtin)
    text = text_of_page(ctx, raw_path, query)
    return replace(_look(ctx, text, visitor, Channel.PAGE, claim=claim), foreign=None)


def look(ctx: Context, text: str, visitor: Visitor, channel: Channel) -> Look:
    """Look at any text; never burns, and has a token only on the code's own page."""
    return _look(ctx, text, visitor, channel, claim=None)


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


def _look(ctx: Context, text: str, visitor: Visitor, channel: Channel, *, claim: str | None) -> Look:
    try:
        code, named = verified(ctx, text)
        with ctx.db.read() as connection:
            return _look_at(ctx, connection, resolve(ctx, connection, code, named), visitor, channel, claim)
    except NotOurs:
        return Look(state=Verdict.NOT_OURS, foreign=foreign_text(ctx, text))


def _look_by_serial(ctx: Context, serial: str, visitor: Visitor, *, gtin: str | None = None) -> Look:
    try:
        with ctx.db.read() as connection:
            found = resolve_serial(ctx, connection, serial, gtin=gtin)
            return _look_at(ctx, connection, found, visitor, Channel.SERIAL, None)
    except NotOurs:
        return Look(state=Verdict.NOT_OURS)


def _look_at(  # noqa: PLR0913, PLR0917 - one look, with everything that decides about it
    ctx: Context, connection: Connection, code: Resolved, visitor: Visitor, channel: Channel, claim: str | None
) -> Look:
    now = ctx.clock()
    state = state_on_record(connection, code, now=now)
    counted = not (visitor.silent or visitor.staff)
    if is_not_ours(code, state):
        if counted and state is not None:
            ctx.looks.count(
                state.unit, ctx.places.of(visitor.address).key, Verdict.NOT_OURS, now=now, serial=code.serial
            )
        raise NotOurs
    if state is None:
        unknown = Look(state=Verdict.NOT_ACTIVATED, facts=bare_facts(code))
        return _offered(ctx, unknown, unregistered_unit(code), code.tier, visitor, channel, claim)
    use = _use(ctx, state, visitor, claim, now)
    verdict = verdict_of(state.conditions, use)
    if counted:
        ctx.looks.count(state.unit, ctx.places.of(visitor.address).key, verdict, now=now, serial=code.serial)
    seen = Look(
        state=verdict,
        facts=facts_of(connection, state, holder=use.own, later=verdict is Verdict.VERIFIED_BY_YOU),
        unit=state.unit,
        receipt=receipt_of(ctx, state) if use.own and channel is Channel.PAGE else None,
    )
    if (
        not use.own
        and not visitor.staff
        and not ctx.look_limits.may_tell(state.unit.id, visitor.address, now=now, silent=visitor.silent)
    ):
        seen = _withheld(seen)
    return _offered(ctx, seen, state.unit, code.tier, visitor, channel, claim)


def _withheld(seen: Look) -> Look:
    """The same look without what tells a used code from an unused one; every other state is told however often."""
    if seen.state not in {Verdict.UNUSED, Verdict.ALREADY_VERIFIED} or seen.facts is None:
        return seen
    told = replace(seen.facts, first_verified_at=None, first_verified_on=None, first_country=None)
    return replace(seen, state=Verdict.WITHHELD, facts=told)


OFFERED = frozenset(
    {Verdict.UNUSED, Verdict.WITHHELD, Verdict.ALREADY_VERIFIED, Verdict.NOT_ACTIVATED, Verdict.VOID, Verdict.LOCKED},
)
"""States whose page offers a gesture: to verify where the code is unused, else to tell the brand of this pack.

A look changes nothing, so that without the second gesture no shopper with a copy would ever be counted (ADR 0009).
"""


def _offered(  # noqa: PLR0913, PLR0917 - one look, with everything that decides about it
    ctx: Context, seen: Look, unit: Unit, tier: Tier, visitor: Visitor, channel: Channel, claim: str | None
) -> Look:
    """The look with a page token and a claim, where its page offers a gesture."""
    if channel is not Channel.PAGE or seen.state not in OFFERED or tier is Tier.OUTER:
        return seen
    ttl = timedelta(seconds=ctx.settings.page_token_ttl_s)
    token = make_page_token(unit, tier, key=ctx.keys.page_token, now=ctx.clock(), ttl=ttl)
    return replace(seen, token=token, claim=claim or _new_claim(ctx, unit, visitor))


def _new_claim(ctx: Context, unit: Unit, visitor: Visitor) -> str:
    if visitor.holder is not None:
        return claim_of_holder(visitor.holder, unit)
    return ctx.random(CLAIM_BYTES).hex()


def _use(ctx: Context, state: CodeState, visitor: Visitor, claim: str | None, now: datetime) -> Use:
    marks = marks_of(state.unit, claim=claim, holder=visitor.holder, key=ctx.keys.claim)
    return use_of(state.first, marks, now=now, repeat_window=timedelta(seconds=ctx.settings.repeat_window_s))
