"""The moment of the newest record, to recognise a clock that is behind it."""

from datetime import datetime

import sqlalchemy as sa

from server.storage.log import last_head
from server.storage.schema import scan


def newest_record_at(connection: sa.Connection) -> datetime | None:
    """The moment of the newest attempt or signed head of the log, whichever is later; None where there is neither."""
    attempt: datetime | None = connection.execute(sa.select(scan.c.at).order_by(scan.c.id.desc()).limit(1)).scalar()
    head = last_head(connection)
    moments = [moment for moment in (attempt, None if head is None else head.at) if moment is not None]
    return max(moments, default=None)
