"""Whether this machine's clock can be right: it is never before what it recorded."""

from datetime import datetime, timedelta

from server.storage.engine import Database
from server.storage.log import last_head
from server.storage.scans import latest_attempt_at

TOLERANCE = timedelta(minutes=2)
"""What clocks of several servers on one database may differ by."""

CLOCK_BEHIND = "clock_behind"
"""The warning's stable name, on /readyz and in the log."""


def clock_behind(db: Database, *, now: datetime) -> timedelta | None:
    """How far the clock is before the newest attempt or signed head; None within the tolerance.

    It only warns: the record may be wrong.

    Raises:
        RecordsUnreachable: the database does not answer.
    """
    with db.read() as connection:
        attempt, head = latest_attempt_at(connection), last_head(connection)
    moments = [attempt, None if head is None else head.at]
    behind = max((moment - now for moment in moments if moment is not None), default=timedelta())
    return behind if behind > TOLERANCE else None


def clock_warning(behind: timedelta) -> str:
    """The warning for the server's operator."""
    return (
        f"this machine's clock is {round(behind.total_seconds() / 60)} minutes before the newest record "
        f"[{CLOCK_BEHIND}]; set it right, since first verifications are recorded with it for good"
    )
