"""Stage 6, redeem: requests about a code, and attempts as the history keeps them (docs/protocol.md §2 rule 6)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.domain.alerts.alert import Attempt
from server.domain.codes.claim import CLAIM_BYTES, holder_of_claim, marks_of
from server.domain.codes.redemption import Marks, Unit, Verdict
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
    ERASE = "erase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks: address as the server saw it, the holder cookie if any, whether staff are logged in.

    `silent` visits (HEAD, prefetch) are answered and not counted.
    """

    address: str | None = None
    holder: str | None = None
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
    """One request to verify; `token` is the page's, where a page sent it."""

    claim: str
    token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an attempt came to, as the history keeps it. `mark` tells people apart on one unit."""

    verdict: Verdict
    mark: bytes
    own: bool = True
    burned: bool = False


def append_attempt(
    ctx: Context, connection: Connection, code: Resolved, request: Request, outcome: Outcome
) -> tuple[Attempt, int]:
    """Add an attempt to the history; as the rules see it, and its number there."""
    visitor, place = request.visitor, ctx.places.of(request.visitor.address)
    unit = None if code.unit is None else code.unit.id
    networks = ctx.pseudonyms.marks(visitor.address, unit or 0, now=request.now)
    scan = append_scan(
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
        at=request.now,
        place=place,
        mark=outcome.mark,
        staff=visitor.staff,
        network=networks.day,
        burned=outcome.burned,
    )
    return attempt, scan


def append_own(ctx: Context, connection: Connection, code: Resolved, request: Request, verdict: Verdict) -> int:
    """Add what a holder did to the history, its number; the cookie tells them apart, where there is one."""
    unit = unregistered_unit(code) if code.unit is None else code.unit
    holder = request.visitor.holder or holder_of_claim(ctx.random(CLAIM_BYTES).hex(), key=ctx.keys.holder)
    mark = marks_of(unit, claim=None, holder=holder, key=ctx.keys.claim).holder_hash
    return append_attempt(ctx, connection, code, request, Outcome(verdict=verdict, mark=mark or b""))[1]


def marks_of_request(ctx: Context, unit: Unit, request: VerifyRequest) -> Marks:
    """The hashes of who asks, on this unit: of the claim, and of the cookie that it has or will be given."""
    holder = request.visitor.holder or holder_of_claim(request.claim, key=ctx.keys.holder)
    return marks_of(unit, claim=request.claim, holder=holder, key=ctx.keys.claim)
