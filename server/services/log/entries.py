"""Stage 6, redeem: the log of redemptions and staff acts, its signed heads and its proofs (docs/protocol.md §3).

Nothing is answered that is not in the log: the entry is durable together with what it records. It gets its place in the
tree a moment later, before the next head is signed; heads cover placed entries only.
"""

from datetime import datetime

from keys.base.errors import AuthcodeError
from server.domain.codes.log_record import LoggedUnit, erasure_record, handover_record, redemption_record, return_record
from server.domain.codes.redemption import Redemption, ReturnedBy
from server.domain.codes.unit import Unit
from server.services.codes.resolve import Resolved
from server.storage import audit, log
from server.storage.engine import Connection, Database


class LogEntryUnknown(AuthcodeError):
    """The log has no such entry under its newest head, or the visitor may not see it: one text for both."""

    code = "log_entry_unknown"
    http_status = 404
    sentence = "The log has no such entry for you; one that was just made can be asked for within a minute."


def log_redemption(connection: Connection, code: Resolved, unit: Unit, first: Redemption) -> None:
    """Enter a redemption, in its own transaction."""
    log.append(connection, log.EntryKind.REDEMPTION, unit.id, redemption_record(_logged(code, unit), first))


def log_return(connection: Connection, code: Resolved, unit: Unit, *, at: datetime, by: ReturnedBy) -> None:
    """Enter a return to unused, in its own transaction."""
    log.append(connection, log.EntryKind.UNDO, unit.id, return_record(_logged(code, unit), at=at, by=by.value))


def log_handover(connection: Connection, code: Resolved, unit: Unit, handed: Redemption, *, at: datetime) -> None:
    """Enter a handing on, in its own transaction; `handed` is the redemption as its next holder has it."""
    log.append(connection, log.EntryKind.HANDOVER, unit.id, handover_record(_logged(code, unit), handed, at=at))


def log_erasure(connection: Connection, code: Resolved, unit: Unit, *, at: datetime) -> None:
    """Erase a unit's holders from the log, and enter that, in one transaction."""
    log.erase_holders(connection, unit.id)
    log.append(connection, log.EntryKind.ERASURE, unit.id, erasure_record(_logged(code, unit), at=at))


def _logged(code: Resolved, unit: Unit) -> LoggedUnit:
    return LoggedUnit(brand_id=code.brand.brand_id, batch=code.batch_number, serial=code.serial, life=unit.life)


def erase_entry(db: Database, number: int, *, actor: str, now: datetime) -> None:
    """Erase salt and record of an entry; the leaf stays, and the erasure becomes an entry of its own.

    Raises:
        LogEntryUnknown: there is no such leaf, or it was erased before.
    """
    with db.write() as connection:
        if not log.erase(connection, number):
            raise LogEntryUnknown
        audit.append(connection, at=now, actor=actor, action="log.erase", subject=f"entry {number}")


def latest_entries(db: Database, *, limit: int) -> list[log.LeafRecord]:
    """The last placed entries, oldest first: for the operator."""
    with db.read() as connection:
        return log.latest_leaves(connection, limit=limit)
