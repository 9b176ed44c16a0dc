"""Stage 6, redeem: what a buyer keeps: a proof to show, a keep-code to know them again (docs/protocol.md §2).

Both follow from the redemption's row and the server's keys, so that nothing of them is stored and a repeat gives the
same bytes. Checking a proof changes nothing and gives no rights: it says what is on record.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from authcode.code.payload import NotOurs
from authcode.code.serial import Tier
from keys.proof import Proof
from server.domain.codes.holder_acts import undo_until
from server.domain.codes.keep_code import keep_code_of, printed_keep_code
from server.domain.codes.proof_id import ProofUnknown, proof_id, read_proof_id
from server.domain.codes.redemption import Redemption, ReturnedBy
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict, state_check
from server.runtime.context import Context
from server.services.codes.facts import CodeFacts, CodeState, facts_of, state_of
from server.services.codes.resolve import resolved_unit
from server.storage.engine import Connection
from server.storage.gifts import open_gift
from server.storage.holders import hops_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A proof (a text of some 500 characters, to show) and a keep-code in groups (to keep)."""

    proof: str
    keep_code: str = field(repr=False)
    address: str
    """The address of the server, without a slash at its end: a proof is shown below it."""
    hop: int = 0
    """How often the unit was handed on."""
    log_head: str | None = None
    """The log's last head before the verification, as the proof names it."""
    undo_until: datetime | None = None
    """Until when its holder may return the unit to unused, whether that has passed or not; None: never."""
    remembered_since: tuple[datetime, ...] = ()
    """Since when further browsers of the holder are remembered, each."""
    gift_until: datetime | None = None
    """Until when the open link that gives the unit away can be taken; None where none is open."""


class EndedBy(StrEnum):
    """What became of a verification that is no longer on record."""

    RETURNED = "returned"
    HANDED_ON = "handed_on"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a verification whose proof was signed, and when; `by` says who returned a unit to unused."""

    how: EndedBy
    at: datetime | None = None
    by: ReturnedBy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStatus:
    """What is on record of a proof's verification now.

    `on_record` is whether it still counts; `since` the verdict of the state check now (recalled, void, ...), None where
    that passes. `facts` are those that a stranger may know. `ended` says what became of one that
    is not on record, where that is known.
    """

    on_record: bool
    since: Verdict | None = None
    facts: CodeFacts | None = None
    ended: Ended | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedProof:
    """A proof whose signature holds, and what is on record of it now."""

    proof: Proof
    status: ProofStatus


def receipt_of(ctx: Context, connection: Connection, state: CodeState) -> Receipt | None:
    """The receipt of a used unit, for its holder; None through an outer code, which verifies nothing."""
    if state.redemption is None or state.code.tier is Tier.OUTER:
        return None
    until = undo_until(state.redemption, state.use.returns, window_s=ctx.settings.undo_window_s)
    refused = (until is not None and ctx.clock() > until) or not state.conditions.passed
    gift = open_gift(connection, state.unit)
    return Receipt(
        proof=ctx.keys.proofs.sign(_proof_of(ctx, state, state.redemption)),
        keep_code=printed_keep_code(keep_code_of(state.unit, state.redemption, key=ctx.keys.keep_code)),
        address=state.code.address,
        hop=state.redemption.hop,
        log_head=state.redemption.log_head,
        undo_until=None if refused else until,
        remembered_since=tuple(one.at for one in state.redemption.remembered),
        gift_until=gift.until if gift is not None and ctx.clock() <= gift.until else None,
    )


def check_proof(ctx: Context, text: str) -> CheckedProof:
    """What a proof says, and what is on record of it now.

    Raises:
        ProofRefused: it is no proof of this server; the leaves say why.
    """
    proof = ctx.keys.proofs.open(text)
    try:
        return CheckedProof(proof=proof, status=_status(ctx, proof.id, proof))
    except ProofUnknown:  # signed by us under another number key: nothing is known of it here
        return CheckedProof(proof=proof, status=ProofStatus(on_record=False))


def proof_status(ctx: Context, number: str) -> ProofStatus:
    """What is on record of the proof with this number (its `jti`).

    Raises:
        ProofUnknown: we never made this number.
    """
    return _status(ctx, number, None)


def _proof_of(ctx: Context, state: CodeState, first: Redemption) -> Proof:
    return Proof(
        issuer=state.code.address,
        id=proof_id(state.unit, first.hop, key=ctx.keys.proof_id),
        at=first.at.astimezone(UTC).replace(microsecond=0),
        brand=state.code.brand.brand_id.hex(),
        gtin=state.batch.gtin,
        serial=state.code.serial,
        life=state.unit.life,
        hop=first.hop,
        log_head=first.log_head,
    )


def _status(ctx: Context, number: str, proof: Proof | None) -> ProofStatus:
    unit, hop = read_proof_id(number, key=ctx.keys.proof_id)
    with ctx.db.read() as connection:
        state = _state_of_unit(ctx, connection, unit)
        if state is None or state.redemption is None:
            return ProofStatus(on_record=False)
        ended = _ended(connection, state, state.redemption, hop)
        counts = ended is None and hop == state.redemption.hop
        if not counts or (proof is not None and proof != _proof_of(ctx, state, state.redemption)):
            return ProofStatus(on_record=False, ended=ended)
        return ProofStatus(
            on_record=True, since=state_check(state.conditions), facts=facts_of(connection, state, own=False)
        )


def _ended(connection: Connection, state: CodeState, first: Redemption, hop: int) -> Ended | None:
    """What became of the verification of this hop, in the order in which it matters to who is shown its proof."""
    returned = state.use.ended
    if returned is not None:
        return Ended(how=EndedBy.RETURNED, at=returned.at, by=returned.by)
    if first.erased:
        return Ended(how=EndedBy.ERASED)
    if hop < first.hop:
        moments = hops_of(connection, state.unit)[hop : hop + 1]  # none where a row was removed by hand
        return Ended(how=EndedBy.HANDED_ON, at=moments[0] if moments else None)
    return None


def _state_of_unit(ctx: Context, connection: Connection, unit: Unit) -> CodeState | None:
    try:
        return state_of(connection, resolved_unit(ctx, connection, unit), now=ctx.clock(), life=unit.life)
    except NotOurs:
        return None
