"""Stage 6, redeem: what a buyer keeps: a proof to show, a keep-code to know them again (docs/protocol.md §2).

Both follow from the redemption's row and the server's keys, so that nothing of them is stored and a repeat gives the
same bytes. Checking a proof changes nothing and gives no rights: it says what is on record.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from authcode.payload import NotOurs
from authcode.serial import Tier
from keys.errors import UnknownKey
from keys.proof import Proof
from server.context import Context
from server.domain.keep_code import keep_code_of, printed_keep_code
from server.domain.proof_id import ProofUnknown, proof_id, read_proof_id
from server.domain.redemption import Unit, Verdict, gate
from server.services.facts import CodeState, Facts, facts_of, state_of
from server.services.resolve_code import resolved_unit
from server.storage.batches import batch_by_row
from server.storage.engine import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A proof (a text of some 500 characters, to show) and a keep-code in groups (to keep)."""

    proof: str
    keep_code: str = field(repr=False)
    address: str
    """The address of the server, without a slash at its end: a proof is shown below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStatus:
    """What is on record of a proof's verification now.

    `on_record` is whether it still stands; `since` what has been said of the unit since, before its use (recalled,
    void, ...), None where nothing stands in the way. `facts` are those that a stranger may know.
    """

    on_record: bool
    since: Verdict | None = None
    facts: Facts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedProof:
    """A proof whose signature holds, and what is on record of it now."""

    proof: Proof
    status: ProofStatus


def receipt_of(ctx: Context, state: CodeState) -> Receipt | None:
    """The receipt of a used unit, for its holder; None through an outer code, which verifies nothing."""
    if state.first is None or state.code.tier is Tier.OUTER:
        return None
    return Receipt(
        proof=ctx.keys.proofs.sign(_proof_of(ctx, state, state.first.at, state.first.hop)),
        keep_code=printed_keep_code(keep_code_of(state.unit, state.first, key=ctx.keys.keep_code)),
        address=state.code.address,
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


def _proof_of(ctx: Context, state: CodeState, at: datetime, hop: int) -> Proof:
    return Proof(
        issuer=state.code.address,
        id=proof_id(state.unit, hop, key=ctx.keys.proof_id),
        at=at.astimezone(UTC).replace(microsecond=0),
        brand=state.code.brand.brand_id.hex(),
        gtin=state.batch.gtin,
        serial=state.code.serial,
        life=state.unit.life,
        hop=hop,
    )


def _status(ctx: Context, number: str, proof: Proof | None) -> ProofStatus:
    unit, hop = read_proof_id(number, key=ctx.keys.proof_id)
    with ctx.db.read() as connection:
        state = _state_of_unit(ctx, connection, unit)
        if state is None or state.first is None or state.first.hop != hop:
            return ProofStatus(on_record=False)
        now_said = _proof_of(ctx, state, state.first.at, hop)
        stands = proof is None or replace(proof, log_head=None) == now_said
        return ProofStatus(
            on_record=stands,
            since=gate(state.conditions),
            facts=facts_of(connection, state, holder=False) if stands else None,
        )


def _state_of_unit(ctx: Context, connection: Connection, unit: Unit) -> CodeState | None:
    batch = batch_by_row(connection, unit.row)
    if batch is None or unit.index >= batch.count:
        return None
    try:
        code = replace(resolved_unit(ctx, batch, unit), unit=unit)
        return state_of(connection, code, now=ctx.clock())
    except (NotOurs, UnknownKey):
        return None
