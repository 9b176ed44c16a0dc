"""Stage 6, redeem: the log of redemptions and staff acts, its signed heads and its proofs (docs/protocol.md §3).

Nothing is answered that is not in the log: the entry is durable together with what it records. It gets its place in the
tree a moment later, before the next head is signed; heads cover placed entries only.
"""

from datetime import datetime

from keys.base.errors import AuthcodeError
from server.domain.codes.log_record import erasure_record, handover_record, redemption_record, return_record
from server.domain.codes.redemption import FirstUse, Marks, ReturnedBy, Unit
from server.services.codes.resolve import Resolved
from server.storage import audit, log
from server.storage.engine import Connection, Database


class LogEntryUnknown(AuthcodeError):
    """The log has no such entry under its newest head, or the asker may not see it: one text for both."""

    code = "log_entry_unknown"
    http_status = 404
    sentence = "The log has no such entry for you; one that was just made can be asked for within a minute."


class EntriesWait(Exception):
    """Entries about a unit's holders have no place in the tree yet: place them, and erase again."""


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
