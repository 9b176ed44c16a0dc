"""Stage 6, redeem: an attempt as the history keeps it, whatever is said of it (docs/protocol.md §2 rule 6)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.domain.alerts.alert import Attempt
from server.domain.codes.claim import holder_of_claim, marks_of
from server.domain.codes.redemption import Unit, Verdict
from server.runtime.context import Context
from server.services.codes.resolve import Resolved
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
class VerifyRequest:
    """One request to verify."""

    claim: str
    visitor: Visitor
    channel: Channel
    token: str | None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the history keeps of an attempt beside its circumstances."""

    mark: bytes
    said: Verdict
    own: bool
    burned: bool


def append_attempt(
    ctx: Context, connection: Connection, code: Resolved, request: VerifyRequest, outcome: Outcome
) -> tuple[Attempt, int]:
    """Add an attempt to the history; as the rules see it, and its number there."""
    place = ctx.places.of(request.visitor.address)
    unit = None if code.unit is None else code.unit.id
    networks = ctx.pseudonyms.marks(request.visitor.address, unit or 0, now=request.now)
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
        said=outcome.said,
        burned=outcome.burned,
        own=outcome.own,
        staff=request.visitor.staff,
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
        staff=request.visitor.staff,
        network=networks.day,
        burned=outcome.burned,
    )
    return attempt, scan


def mark_of(ctx: Context, unit: Unit, request: VerifyRequest) -> bytes:
    """Who asks, on this unit: by the holder cookie, or by the one that this claim will be given."""
    holder = request.visitor.holder or holder_of_claim(request.claim, key=ctx.keys.holder)
    mark = marks_of(unit, claim=None, holder=holder, key=ctx.keys.claim).holder_hash
    return mark or b""
