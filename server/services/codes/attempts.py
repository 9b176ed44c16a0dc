"""Stage 6, redeem: requests about a code, and attempts as the history keeps them (docs/protocol.md §2 rule 6)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.domain.alerts.alert import Attempt, NumberedAttempt
from server.domain.codes.claim import CLAIM_BYTES, HOLDER_DAYS, HolderCookie, holder_of_claim, marks_of
from server.domain.codes.redemption import Marks, Redemption, is_holder
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.runtime.context import Context
from server.services.codes.resolve import Resolved, unregistered_unit
from server.storage.engine import Connection
from server.storage.scans import KEEP_CHANNEL, append_scan


class Channel(StrEnum):
    """How a code came to us."""

    PAGE = "page"
    API = "api"
    PHOTO = "photo"
    SERIAL = "serial"
    KEEP = KEEP_CHANNEL
    UNDO = "undo"
    HAND_ON = "hand_on"
    GIVE = "give"
    TAKE = "take"
    WITHDRAW = "withdraw"
    REMEMBER = "remember"
    FORGET = "forget"
    ERASE = "erase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who sends a request, from the address that the server saw. `silent` visits (HEAD, prefetch) are not counted."""

    address: str | None = None
    cookie: str | None = None
    staff: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request about a code: who sent it, how it came, and when."""

    visitor: Visitor
    channel: Channel
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest(Request):
    """One request to verify; `token` is the page's, where a page sent it, and `ticked` whether its box was.

    With `origin_hidden` the browser did not say which page sent it.
    """

    claim: str
    token: str | None
    ticked: bool = False
    origin_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of an attempt, as the history keeps it. `mark` distinguishes visitors of one unit."""

    verdict: Verdict
    mark: bytes
    own: bool = True
    burned: bool = False


def append_attempt(
    ctx: Context, connection: Connection, code: Resolved, request: Request, outcome: Outcome
) -> NumberedAttempt:
    """Add an attempt to the history: its number there, and how the alert rules see it."""
    visitor, place = request.visitor, ctx.places.of(request.visitor.address)
    unit = None if code.unit is None else code.unit.id
    networks = ctx.pseudonyms.marks(visitor.address, unit or 0, now=request.now)
    number = append_scan(
        connection,
        at=request.now,
        brand=code.brand.id,
        unit=unit,
        batch_row=None if code.batch is None else code.batch.row,
        batch_number=code.batch_number,
        unit_index=code.index,
        tier=code.tier,
        key_id=code.key.key_id,
        serial=code.serial,
        channel=request.channel,
        said=outcome.verdict,
        burned=outcome.burned,
        own=outcome.own,
        staff=visitor.staff,
        mark=outcome.mark,
        country=place.country,
        region=place.region,
        network_day=networks.day,
        network_unit=networks.unit,
    )
    attempt = Attempt(
        at=request.now, place=place, mark=outcome.mark, staff=visitor.staff, network=networks.day, burned=outcome.burned
    )
    return number, attempt


def append_own(ctx: Context, connection: Connection, code: Resolved, request: Request, verdict: Verdict) -> int:
    """Add a holder's act to the history: its number there. Its mark is that of the cookie, if any."""
    unit = unregistered_unit(code) if code.unit is None else code.unit
    cookie = request.visitor.cookie or holder_of_claim(ctx.random(CLAIM_BYTES).hex(), key=ctx.keys.holder)
    mark = marks_of(unit, claim=None, cookie=cookie, key=ctx.keys.claim).holder_hash
    return append_attempt(ctx, connection, code, request, Outcome(verdict=verdict, mark=mark or b""))[0]


def marks_of_request(ctx: Context, unit: Unit, request: VerifyRequest) -> Marks:
    """The visitor's hashes on this unit: of the claim, and of the cookie that it has or will get."""
    cookie = request.visitor.cookie or holder_of_claim(request.claim, key=ctx.keys.holder)
    return marks_of(unit, claim=request.claim, cookie=cookie, key=ctx.keys.claim)


def renewed_cookie(ctx: Context, unit: Unit, first: Redemption | None, visitor: Visitor) -> HolderCookie | None:
    """The visitor's own cookie for another 400 days, where it shows the holder of this redemption (§2 rule 2.3)."""
    cookie = visitor.cookie
    if first is None or cookie is None:
        return None
    held = is_holder(first, marks_of(unit, claim=None, cookie=cookie, key=ctx.keys.claim))
    return HolderCookie(value=cookie, days=HOLDER_DAYS) if held else None
