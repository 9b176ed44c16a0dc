"""Stage 5, verify: looks at codes, and Stage 6, redeem: their one burn (docs/protocol.md §1 and §2)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authcode.code.foreign import ForeignText
from authcode.code.payload import NotOurs, code_from_path, dropped_link
from authcode.code.serial import Tier, read_typed_serial
from server.domain.codes.claim import (
    CLAIM_BYTES,
    ClaimInvalid,
    check_claim,
    check_page_claim,
    claim_of_holder,
    holder_of_claim,
    marks_of,
)
from server.domain.codes.page_token import PageTokenInvalid, check_page_token, make_page_token
from server.domain.codes.redemption import FirstUse, Marks, Unit, Use, Verdict, gate, is_holder, said, use_of
from server.runtime.context import Context
from server.services.alerts.evaluate import after_attempt, after_disowned_code, after_unknown_unit
from server.services.codes.attempts import Ask, Channel, Note, Visitor, append_attempt, mark_of
from server.services.codes.claim_tries import marks_that_count
from server.services.codes.facts import CodeState, Facts, bare_facts, facts_of, is_disowned, state_on_record
from server.services.codes.receipts import Receipt, receipt_of
from server.services.codes.resolve import Resolved, nobody, not_ours, resolve, resolve_serial, verified
from server.services.log.entries import log_redemption
from server.storage.engine import Connection
from server.storage.redemptions import burn, first_use, hold

__all__ = [
    "OFFERED",
    "Answer",
    "Channel",
    "Look",
    "Visitor",
    "look",
    "look_at_page",
    "look_at_serial",
    "text_of_page",
    "verify",
    "verify_on_page",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The answer to a look.

    `state` is `unused` or a verdict. `token` and `claim` are there only on the page of a code whose state is `OFFERED`:
    the form with them verifies an unused code, and tells the brand of a pack with any other. `foreign` describes a text
    that leads elsewhere (state `not_ours`). `receipt` is there on its holder's page.
    """

    state: Verdict
    facts: Facts | None = None
    foreign: ForeignText | None = None
    token: str | None = None
    claim: str | None = None
    unit: Unit | None = None
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to an attempt to verify.

    With `look_again` set the page's token did not hold: nothing was burned, `verdict` is None, and the look page is
    shown again (409) with this look's fresh token and the same claim. `holder_cookie` is to be set in the same answer.
    `receipt` is given to the holder; `keep_code_refused` tells that a keep-code was tried and is not this code's.
    """

    verdict: Verdict | None
    facts: Facts | None = None
    foreign: ForeignText | None = None
    look_again: Look | None = None
    holder_cookie: str | None = None
    receipt: Receipt | None = None
    keep_code_refused: bool = False


def look_at_page(ctx: Context, raw_path: str, query: str, visitor: Visitor) -> Look:
    """Look at the code that a page's raw, undecoded path and query name; a link without its 8030 is a look by serial.

    Raises:
        RecordsUnreachable: there is no answer now.
    """
    return _look_at_page(ctx, raw_path, query, visitor, claim=None)


def look(ctx: Context, text: str, visitor: Visitor, channel: Channel) -> Look:
    """Look at any text; never burns, and has a token only on the code's own page."""
    return _look(ctx, text, visitor, channel, claim=None)


def look_at_serial(ctx: Context, typed: str, visitor: Visitor) -> Look:
    """Look by a typed serial: the one look without a signature, which shows and never burns.

    Raises:
        TypedSerialInvalid: it is mistyped.
    """
    return _look_by_serial(ctx, read_typed_serial(typed), visitor)


def verify_on_page(  # noqa: PLR0913 - what a page's form brings
    ctx: Context, raw_path: str, query: str, *, token: str | None, claim: str | None, visitor: Visitor
) -> Answer:
    """Burn the code of a page: steps 3 to 7 of docs/protocol.md §2, page token included."""
    text = text_of_page(ctx, raw_path, query)
    try:
        kept = check_page_claim(claim)
    except ClaimInvalid:
        return Answer(verdict=None, look_again=_look_at_page(ctx, raw_path, query, visitor, claim=None))
    try:
        answer = _verify(ctx, text, claim=kept, visitor=visitor, channel=Channel.PAGE, token=token)
    except PageTokenInvalid:
        return Answer(verdict=None, look_again=_look_at_page(ctx, raw_path, query, visitor, claim=kept))
    if answer.verdict is Verdict.NOT_OURS or visitor.holder is not None:
        return answer
    return replace(answer, holder_cookie=holder_of_claim(kept, key=ctx.keys.holder))


def verify(ctx: Context, text: str, *, claim: str, visitor: Visitor) -> Answer:
    """Burn through the API: steps 3, 4, 6 and 7 of docs/protocol.md §2, without a page token.

    Raises:
        ClaimInvalid: not 1 to 64 visible ASCII characters.
    """
    return _verify(ctx, text, claim=check_claim(claim), visitor=visitor, channel=Channel.API, token=None)


def text_of_page(ctx: Context, raw_path: str, query: str) -> str:
    """The text of a page's code, from its raw path and query; empty for what is none."""
    try:
        return code_from_path(raw_path, query, ctx.keyrings())
    except NotOurs:
        return ""


def _look_at_page(ctx: Context, raw_path: str, query: str, visitor: Visitor, *, claim: str | None) -> Look:
    text = text_of_page(ctx, raw_path, query)
    link = dropped_link(raw_path, query)
    if link is not None:
        return _look_by_serial(ctx, link.serial, visitor, gtin=link.gtin)
    return replace(_look(ctx, text, visitor, Channel.PAGE, claim=claim), foreign=None)


def _look(ctx: Context, text: str, visitor: Visitor, channel: Channel, *, claim: str | None) -> Look:
    try:
        code, named = verified(ctx, text)
        with ctx.db.read() as connection:
            return _look_at(ctx, connection, resolve(ctx, connection, code, named), visitor, channel, claim)
    except NotOurs:
        return Look(state=Verdict.NOT_OURS, foreign=not_ours(ctx, text))


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
    if is_disowned(code, state):
        if counted and state is not None:
            ctx.looks.count(
                state.unit, ctx.places.of(visitor.address).key, Verdict.NOT_OURS, now=now, serial=code.serial
            )
        raise NotOurs
    if state is None:
        unknown = Look(state=Verdict.NOT_ACTIVATED, facts=bare_facts(code))
        return _offered(ctx, unknown, nobody(code), code.tier, visitor, channel, claim)
    use = _use(ctx, state, visitor, claim, now)
    verdict = said(state.conditions, use)
    if counted:
        ctx.looks.count(state.unit, ctx.places.of(visitor.address).key, verdict, now=now, serial=code.serial)
    seen = Look(
        state=verdict,
        facts=facts_of(connection, state, holder=use in _HOLDS, later=verdict is Verdict.VERIFIED_BY_YOU),
        unit=state.unit,
        receipt=receipt_of(ctx, state) if use in _HOLDS and channel is Channel.PAGE else None,
    )
    if (
        use not in _HOLDS
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


_HOLDS = frozenset({Use.OWN_NOW, Use.OWN_LATER})


def _new_claim(ctx: Context, unit: Unit, visitor: Visitor) -> str:
    if visitor.holder is not None:
        return claim_of_holder(visitor.holder, unit)
    return ctx.random(CLAIM_BYTES).hex()


def _use(ctx: Context, state: CodeState, visitor: Visitor, claim: str | None, now: datetime) -> Use:
    marks = marks_of(state.unit, claim=claim, holder=visitor.holder, key=ctx.keys.claim)
    return use_of(state.first, marks, now=now, repeat_window=timedelta(seconds=ctx.settings.repeat_window_s))


def _verify(  # noqa: PLR0913 - one attempt, with everything that decides about it
    ctx: Context, text: str, *, claim: str, visitor: Visitor, channel: Channel, token: str | None
) -> Answer:
    """One attempt is one transaction; its answer leaves after the transaction is durable."""

    def attempt(connection: Connection) -> Answer:
        """One try within one transaction; it is run again where the database asks for that."""
        found = resolve(ctx, connection, code, named)
        ask = Ask(claim=claim, visitor=visitor, channel=channel, token=token, now=ctx.clock())
        state = state_on_record(connection, found, now=ask.now)
        if is_disowned(found, state):
            _note_disowned(ctx, connection, found, state, ask)
            return Answer(verdict=Verdict.NOT_OURS, foreign=not_ours(ctx, text))
        if state is None:
            return _note_unknown(ctx, connection, found, ask)
        return _attempt(ctx, connection, state, ask)

    try:
        code, named = verified(ctx, text)  # (3)
        return ctx.db.attempt(attempt)
    except NotOurs:
        return Answer(verdict=Verdict.NOT_OURS, foreign=not_ours(ctx, text))


def _attempt(ctx: Context, connection: Connection, state: CodeState, ask: Ask) -> Answer:
    if state.first is not None:
        hold(connection, state.unit)
    brought = _marks(ctx, state.unit, ask)
    marks = marks_that_count(ctx, connection, state, brought, ask)
    own = state.first is not None and is_holder(state.first, marks)  # (4)
    if not own and ask.channel is Channel.PAGE:
        check_page_token(ask.token, state.unit, state.code.tier, key=ctx.keys.page_token, now=ask.now)  # (5)
    outer, closed = state.code.tier is Tier.OUTER, gate(state.conditions) is not None
    if outer and not closed:  # in good standing it is looked at: nothing that could be burned, and no attempt either
        return _answer(ctx, connection, state, marks, ask)
    before, burned = state.first, False
    late = ask.channel is Channel.API and _verified_an_earlier_life(ctx, connection, state.unit, ask.claim)
    if before is None and not closed and not late:  # (6)
        before, burned = _burn(ctx, connection, state, brought, ask)
        state = state.with_first(first_use(connection, state.unit))
        marks = brought if burned else marks_that_count(ctx, connection, state, brought, ask)
        own = burned or (before is not None and is_holder(before, marks))
    answer = _answer(ctx, connection, state, marks, ask)  # (7)
    mark = brought.holder_hash or b""
    note = Note(mark=mark, said=answer.verdict or Verdict.NOT_OURS, own=own or late, burned=burned)
    attempt, scan = append_attempt(ctx, connection, state.code, ask, note)
    first = None if outer else before  # an outer code beside a used inner one is its own pack's, and no copy
    after_attempt(connection, state, attempt, scan=scan, before=first, holder=own or late)
    return answer


def _marks(ctx: Context, unit: Unit, ask: Ask) -> Marks:
    claimed = marks_of(unit, claim=ask.claim, holder=None, key=ctx.keys.claim)
    return replace(claimed, holder_hash=mark_of(ctx, unit, ask))


def _verified_an_earlier_life(ctx: Context, connection: Connection, unit: Unit, claim: str) -> bool:
    """Whether this claim verified the unit before it was returned: the request is a late duplicate, and burns nothing.

    A page's token names the life, so that only programs can send one.
    """
    for life in range(unit.life):
        earlier = replace(unit, life=life)
        first = first_use(connection, earlier)
        claimed = marks_of(earlier, claim=claim, holder=None, key=ctx.keys.claim)
        if first is not None and first.claim_hash == claimed.claim_hash:
            return True
    return False


def _burn(
    ctx: Context, connection: Connection, state: CodeState, marks: Marks, ask: Ask
) -> tuple[FirstUse | None, bool]:
    """Try to be the first: the redemption that stood before (another was faster), and whether this one is it."""
    place = ctx.places.of(ask.visitor.address)
    mine = FirstUse(
        at=ask.now,
        country=place.country,
        region=place.region,
        claim_hash=marks.claim_hash or b"",
        holder_hash=marks.holder_hash or b"",
    )
    if burn(connection, state.unit, mine):
        log_redemption(connection, state.code, state.unit, mine)
        return None, True
    hold(connection, state.unit)
    return first_use(connection, state.unit), False


def _answer(ctx: Context, connection: Connection, state: CodeState, marks: Marks, ask: Ask) -> Answer:
    """What is said, by the state order; a repeat within the window is the first answer again, byte for byte."""
    window = timedelta(seconds=ctx.settings.repeat_window_s)
    use = use_of(state.first, marks, now=ask.now, repeat_window=window)
    verdict = said(state.conditions, use)
    own = use in _HOLDS
    facts = facts_of(connection, state, holder=own, later=verdict is Verdict.VERIFIED_BY_YOU)
    return Answer(verdict=verdict, facts=facts, receipt=receipt_of(ctx, state) if own else None)


def _note_unknown(ctx: Context, connection: Connection, code: Resolved, ask: Ask) -> Answer:
    """A good signature on a unit that does not exist: said as not activated, and told to staff at once."""
    if ask.channel is Channel.PAGE:
        check_page_token(ask.token, nobody(code), code.tier, key=ctx.keys.page_token, now=ask.now)
    note = Note(mark=mark_of(ctx, nobody(code), ask), said=Verdict.NOT_ACTIVATED, own=False, burned=False)
    attempt, scan = append_attempt(ctx, connection, code, ask, note)
    after_unknown_unit(connection, code, attempt, scan=scan)
    return Answer(verdict=Verdict.NOT_ACTIVATED, facts=bare_facts(code))


def _note_disowned(ctx: Context, connection: Connection, code: Resolved, state: CodeState | None, ask: Ask) -> None:
    """A code of a withdrawn key that no honest print made before: nothing is told of it, all is written down.

    No page of such a code has a token, since it looks like any page of no code of ours; so none is asked for.
    """
    unit = nobody(code) if state is None else state.unit
    first = None if state is None else state.first
    if first is not None:
        hold(connection, unit)
    mark = mark_of(ctx, unit, ask)
    claimed = marks_of(unit, claim=ask.claim, holder=None, key=ctx.keys.claim)
    own = first is not None and is_holder(first, replace(claimed, holder_hash=mark))
    note = Note(mark=mark, said=Verdict.NOT_OURS, own=own, burned=False)
    attempt, scan = append_attempt(ctx, connection, code if state is None else state.code, ask, note)
    if state is not None:
        after_attempt(connection, state, attempt, scan=scan, before=first, holder=own)
    if not own:
        after_disowned_code(connection, code, state, attempt, scan=scan)
