"""What staff did: appended, never changed, and an entry of the log (docs/protocol.md §3)."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from server.domain.log_record import staff_record
from server.storage import log
from server.storage.schema import audit


def note(  # noqa: PLR0913 - one parameter for each column
    connection: sa.Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, object] | None = None,
) -> None:
    """Add one line: who did what to what, in the transaction that does it; `details` stand in the log only."""
    key = connection.execute(audit.insert().values(at=at, actor=actor, action=action, subject=subject))
    assert key.inserted_primary_key is not None  # noqa: S101 - an insert of one row has a key
    record = staff_record(at=at, actor=actor, action=action, subject=subject, details=details or {})
    log.append(connection, log.EntryKind.AUDIT, int(key.inserted_primary_key[0]), record)
