"""Stage 6, redeem: the log of redemptions and staff acts, its signed heads and its proofs (docs/protocol.md §3).

Nothing is answered that is not in the log: the entry is durable together with what it records. It gets its place in the
tree a moment later, before the next head is signed; heads cover placed entries only.
"""

from datetime import datetime
from typing import ClassVar

from authcode.code.payload import NotOurs
from authcode.log.checkpoint import Head, LogKey, read_head, sign_head
from authcode.log.merkle import check_consistency
from authcode.log.proof import ConsistencyProof, InclusionProof
from keys.base.errors import AuthcodeError
from keys.primitives import SigningKey
from server.domain.codes.claim import check_claim, is_guessable, marks_of
from server.domain.codes.log_record import erasure_record, handover_record, redemption_record, return_record
from server.domain.codes.redemption import FirstUse, Marks, ReturnedBy, Unit, UnitUse, is_holder
from server.runtime.context import Context
from server.services.codes.attempts import Visitor
from server.services.codes.claim_tries import may_be_holder
from server.services.codes.resolve import Resolved, nobody, resolve, verified
from server.storage import audit, log
from server.storage.engine import Connection, Database
from server.storage.redemptions import unit_use


class LogHeadMissing(AuthcodeError):
    """No head was signed yet."""

    code: ClassVar[str] = "log_head_missing"
    http_status: ClassVar[int] = 404

    def __init__(self) -> None:
        """Say when there will be one."""
        super().__init__("No head of the log was signed yet; the running server signs one within a minute.")


class LogEntryUnknown(AuthcodeError):
    """The log has no such entry under its newest head, or the asker may not see it: one text for both."""

    code: ClassVar[str] = "log_entry_unknown"
    http_status: ClassVar[int] = 404

    def __init__(self) -> None:
        """Say when an entry that was just made can be asked for."""
        super().__init__("The log has no such entry for you; one that was just made can be asked for within a minute.")


class LogSizeUnknown(AuthcodeError):
    """The log's newest head has fewer leaves than was asked for."""

    code: ClassVar[str] = "log_size_unknown"
    http_status: ClassVar[int] = 404

    def __init__(self, asked: int, size: int) -> None:
        """Carry both sizes."""
        super().__init__(
            f"The newest head has {size} leaves, not {asked}. If you hold a signed head of {asked}, the log was cut: "
            "keep that head, it is evidence."
        )
        self.asked, self.size = asked, size


class EntriesWait(Exception):
    """Entries about a unit's holders have no place in the tree yet: place them, and erase again."""


class LogBroken(AuthcodeError):
    """The database no longer holds the tree that the last head was signed over; nothing is signed."""

    code: ClassVar[str] = "log_broken"
    http_status: ClassVar[int] = 500

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "The log in the database is not the one that the last head was signed over, so no new head is signed. "
            "Restore the database as it was; do not delete heads."
        )


def log_redemption(connection: Connection, code: Resolved, unit: Unit, first: FirstUse) -> None:
    """Enter a redemption, in its own transaction."""
    record = redemption_record(
        brand_id=code.brand.brand_id, batch=code.batch_number, serial=code.serial, life=unit.life, first=first
    )
    log.append(connection, log.EntryKind.REDEMPTION, unit.id, record)


def log_return(connection: Connection, code: Resolved, unit: Unit, *, at: datetime, by: ReturnedBy) -> None:
    """Enter a return to unused, in its own transaction."""
    record = return_record(
        brand_id=code.brand.brand_id, batch=code.batch_number, serial=code.serial, life=unit.life, at=at, by=by.value
    )
    log.append(connection, log.EntryKind.UNDO, unit.id, record)


def log_handover(  # noqa: PLR0913 - what the entry says
    connection: Connection, code: Resolved, unit: Unit, *, at: datetime, hop: int, marks: Marks
) -> None:
    """Enter a handing on, in its own transaction."""
    record = handover_record(
        brand_id=code.brand.brand_id,
        batch=code.batch_number,
        serial=code.serial,
        life=unit.life,
        at=at,
        hop=hop,
        marks=marks,
    )
    log.append(connection, log.EntryKind.HANDOVER, unit.id, record)


def log_erasure(connection: Connection, code: Resolved, unit: Unit, *, at: datetime) -> None:
    """Forget what the log says of a unit's holders, and enter that.

    Raises:
        EntriesWait: an entry has no place yet; it would be given one with all that it says.
    """
    if log.holders_wait(connection, unit.id):
        raise EntriesWait
    log.erase_holders(connection, unit.id)
    record = erasure_record(
        brand_id=code.brand.brand_id, batch=code.batch_number, serial=code.serial, life=unit.life, at=at
    )
    log.append(connection, log.EntryKind.ERASURE, unit.id, record)


def log_key(db: Database, key: SigningKey) -> LogKey:
    """The log's name and public key, for whoever checks heads."""
    with db.read() as connection:
        name, _size = log.tree_name_and_size(connection)
    return LogKey(name=name, public_key=key.public_key)


def sign_newest_head(db: Database, key: SigningKey, *, now: datetime) -> log.HeadRecord:
    """Place what waits, and sign the head over it; the last head again where nothing was added.

    1. Place waiting entries, some hundred in a transaction. 2. Check that the tree continues the last head. 3. Sign.
    4. Keep the head.

    Raises:
        LogBroken: the tree does not continue the last head.
    """
    with db.read() as connection:
        waiting = log.entries_wait(connection)
    while waiting:  # (1)
        with db.write() as connection:
            waiting = log.integrate(connection) == log.BATCH
    with db.read() as connection:
        origin, size = log.tree_name_and_size(connection)
        last = log.last_head(connection)
        if last is not None and last.size == size:
            return last
        root = _root_after(connection, last, size)  # (2)
    note = sign_head(Head(origin=origin, size=size, root=root), key)  # (3)
    head = log.HeadRecord(size=size, at=now, note=note)
    with db.write() as connection:
        log.keep_head(connection, head)  # (4)
    return head


def _root_after(connection: Connection, last: log.HeadRecord | None, size: int) -> bytes:
    tree = log.Tree(connection)
    try:
        root = tree.root(size)
        if last is not None:
            before = read_head(last.note)
            check_consistency(before.size, size, before.root, root, tree.consistency(before.size, size))
    except (AuthcodeError, ValueError, IndexError):  # another tree, a shorter one, or rows that are missing
        raise LogBroken from None
    return root


def newest_head(connection: Connection) -> log.HeadRecord:
    """The newest head that was signed; reads only.

    Raises:
        LogHeadMissing: there is none yet.
    """
    head = log.last_head(connection)
    if head is None:
        raise LogHeadMissing
    return head


def prove_leaf(connection: Connection, found: log.LeafRecord | None, *, shown: bool) -> InclusionProof:
    """That a leaf stands under the newest head; with its entry where it is `shown` and was not erased.

    Raises:
        LogEntryUnknown: there is no such leaf under that head.
        LogHeadMissing: no head was signed yet.
    """
    head = newest_head(connection)
    if found is None or found.number >= head.size:
        raise LogEntryUnknown
    path = log.Tree(connection).inclusion(found.number, head.size)
    return InclusionProof(index=found.number, path=path, note=head.note, entry=found.entry if shown else None)


def prove_named_leaf(db: Database, leaf: bytes) -> InclusionProof:
    """That the leaf of this hash stands under the newest head. Its entry is not shown: who names a leaf has it.

    Raises:
        LogEntryUnknown, LogHeadMissing: as `prove_leaf`.
    """
    with db.read() as connection:
        return prove_leaf(connection, log.leaf_by_hash(connection, leaf), shown=False)


def prove_index(db: Database, number: int) -> InclusionProof:
    """That a leaf stands under the newest head, its entry shown: for the operator.

    Raises:
        LogEntryUnknown, LogHeadMissing: as `prove_leaf`.
    """
    with db.read() as connection:
        return prove_leaf(connection, log.leaf_at(connection, number), shown=True)


def prove_unit(db: Database, unit: Unit) -> InclusionProof:
    """That the redemption of a unit stands under the newest head, its entry shown: for the operator.

    Raises:
        LogEntryUnknown, LogHeadMissing: as `prove_leaf`.
    """
    with db.read() as connection:
        return prove_leaf(connection, log.leaf_of(connection, log.EntryKind.REDEMPTION, unit.id), shown=True)


def prove_redemption(ctx: Context, text: str, *, claim: str, visitor: Visitor) -> InclusionProof:
    """The proof of a redemption for its holder: whoever brings the code and the claim that verified it.

    A head is signed where the newest one does not reach the entry yet.

    Raises:
        ClaimInvalid: the claim is out of form.
        ClaimTriesSpent: it can be guessed, and too many wrong ones came today.
        LogEntryUnknown: no such redemption, or another's; also for texts that are no codes.
    """
    kept = check_claim(claim)

    def attempt(connection: Connection) -> Unit | None:
        """One claim; None where it does not show the holder, who may not be there at all."""
        found = resolve(ctx, connection, code, named)
        use = UnitUse(unit=nobody(found), first=None) if found.unit is None else unit_use(connection, found.unit)
        marks = marks_of(use.unit, claim=kept, holder=None, key=ctx.keys.claim)
        right = use.first is not None and is_holder(use.first, marks)
        shown = may_be_holder(
            ctx, connection, use.unit, kept, right=right, first=use.first, visitor=visitor, now=ctx.clock()
        )
        return use.unit if shown else None

    try:
        code, named = verified(ctx, text)
        if is_guessable(kept):
            unit = ctx.db.attempt(attempt)
        else:  # nothing is counted: it waits for no writer, and keeps none waiting
            with ctx.db.read() as connection:
                unit = attempt(connection)
    except NotOurs:
        raise LogEntryUnknown from None
    if unit is None:
        raise LogEntryUnknown
    sign_newest_head(ctx.db, ctx.keys.log_head, now=ctx.clock())
    return prove_unit(ctx.db, unit)


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


def erase_entry(db: Database, number: int, *, actor: str, now: datetime) -> None:
    """Forget salt and record of an entry; the leaf stays, and that it was erased is an entry of its own.

    Raises:
        LogEntryUnknown: there is no such leaf, or it was erased before.
    """
    with db.write() as connection:
        if not log.erase(connection, number):
            raise LogEntryUnknown
        audit.note(connection, at=now, actor=actor, action="log.erase", subject=f"entry {number}")


def latest_entries(db: Database, *, limit: int) -> list[log.LeafRecord]:
    """The last placed entries, oldest first: for the operator."""
    with db.read() as connection:
        return log.latest_leaves(connection, limit=limit)
