"""What staff did: appended, never changed."""

from datetime import datetime

import sqlalchemy as sa

from server.storage.schema import audit


def note(connection: sa.Connection, *, at: datetime, actor: str, action: str, subject: str) -> None:
    """Add one line: who did what to what, in the transaction that does it."""
    connection.execute(audit.insert().values(at=at, actor=actor, action=action, subject=subject))
