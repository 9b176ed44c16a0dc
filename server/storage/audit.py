"""What staff did: appended, never changed, and an entry of the log (docs/protocol.md §3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from server.domain.codes.log_record import staff_record
from server.storage import log
from server.storage.engine import insert_row
from server.storage.schema import audit


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One line: who did what to what, when."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str


def lines(
    connection: sa.Connection, *, actor: str | None, kind: str | None, before: int | None, limit: int
) -> list[AuditRecord]:
    """The latest lines before a number, of one actor and one kind (`alert`, or `alert.close`) if given."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    if actor is not None:
        query = query.where(audit.c.actor == actor)
    if kind is not None:
        query = query.where((audit.c.action == kind) | audit.c.action.startswith(f"{kind}.", autoescape=True))
    if before is not None:
        query = query.where(audit.c.id < before)
    return [AuditRecord(**row) for row in connection.execute(query).mappings()]


def append(  # noqa: PLR0913 - one parameter for each column
    connection: sa.Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, object] | None = None,
) -> None:
    """Add a line, in the transaction of the act; `details` go into the log only."""
    line = {"at": at, "actor": actor, "action": action, "subject": subject}
    number = insert_row(connection, audit.insert(), line)
    record = staff_record(at=at, actor=actor, action=action, subject=subject, details=details or {})
    log.append(connection, log.EntryKind.AUDIT, number, record)
