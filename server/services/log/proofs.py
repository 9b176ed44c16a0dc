"""Stage 6, redeem: proofs from the log (docs/protocol.md §3 rules 7.5 and 7.6)."""

from authcode.code.payload import NotOurs
from authcode.log.proof import ConsistencyProof, InclusionProof
from keys.base.errors import AuthcodeError
from server.domain.codes.claim import check_claim, marks_of
from server.domain.codes.redemption import is_holder
from server.domain.codes.unit import Unit
from server.runtime.context import Context
from server.services.codes.resolve import resolve, verified
from server.services.log.entries import LogEntryUnknown
from server.services.log.heads import newest_head
from server.storage import log
from server.storage.engine import Connection, Database
from server.storage.redemptions import unit_life


class LogSizeUnknown(AuthcodeError):
    """The log's newest head has fewer leaves than the request names."""

    code = "log_size_unknown"
    http_status = 404
    sentence = (
        "The newest head has {size} leaves, not {requested}. If you hold a signed head of {requested}, the log was "
        "cut: keep that head, it is evidence."
    )
    requested: int
    size: int


def prove_leaf(db: Database, named: int | bytes | Unit) -> InclusionProof:
    """That a leaf is under the newest head: the leaf of this number or hash, or that of a unit's redemption.

    A proof by hash does not show the entry: a visitor who names a leaf has it. The others show it unless it was erased;
    the caller has checked that the visitor may see it: the operator, or by `unit_of_claim` the holder.

    Raises:
        LogEntryUnknown: there is no such leaf under that head.
        LogHeadMissing: no head was signed yet.
    """
    with db.read() as connection:
        head = newest_head(connection)
        found = _leaf(connection, named)
        if found is None or found.number >= head.size:
            raise LogEntryUnknown
        path = log.Tree(connection).inclusion(found.number, head.size)
    entry = None if isinstance(named, bytes) else found.entry
    return InclusionProof(index=found.number, path=path, note=head.note, entry=entry)


def _leaf(connection: Connection, named: int | bytes | Unit) -> log.LeafRecord | None:
    if isinstance(named, Unit):
        return log.leaf_of(connection, log.EntryKind.REDEMPTION, named.id)
    return log.leaf_by_hash(connection, named) if isinstance(named, bytes) else log.leaf_at(connection, named)


def unit_of_claim(ctx: Context, text: str, *, claim: str) -> Unit:
    """The unit whose redemption may be shown proven: to its holder, who brings the claim that verified it.

    Raises:
        ClaimInvalid: the claim is out of form or too weak.
        LogEntryUnknown: no such redemption, or another's; also for texts that are no codes.
    """
    kept = check_claim(claim)
    try:
        code, named = verified(ctx, text)
    except NotOurs:
        raise LogEntryUnknown from None
    with ctx.db.read() as connection:
        unit = resolve(ctx, connection, code, named).unit
        first = None if unit is None else unit_life(connection, unit)
    if first is None or first.redemption is None:
        raise LogEntryUnknown
    if not is_holder(first.redemption, marks_of(first.unit, claim=kept, cookie=None, key=ctx.keys.claim)):
        raise LogEntryUnknown
    return first.unit


def prove_growth(db: Database, old: int) -> ConsistencyProof:
    """That the newest head continues the tree of `old` leaves.

    Raises:
        LogSizeUnknown: the newest head is smaller.
        LogHeadMissing: no head was signed yet.
    """
    with db.read() as connection:
        head = newest_head(connection)
        if not 0 <= old <= head.size:
            raise LogSizeUnknown(old, head.size)
        return ConsistencyProof(old=old, path=log.Tree(connection).consistency(old, head.size), note=head.note)
