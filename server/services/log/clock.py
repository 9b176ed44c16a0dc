"""Whether this machine's clock can be right: it is never before what it recorded."""

from datetime import datetime, timedelta

from server.storage.engine import Database
from server.storage.newest_record import newest_record_at

TOLERANCE = timedelta(minutes=2)
"""What clocks of several servers on one database may differ by."""

CLOCK_BEHIND = "clock_behind"
"""The warning's stable name, on /readyz and in the log."""


def clock_behind(db: Database, *, now: datetime) -> timedelta | None:
    """How far the clock is before the newest record; None within the tolerance. It only warns: the record may be wrong.

    Raises:
        RecordsUnreachable: the database cannot be asked.
    """
    with db.read() as connection:
        newest = newest_record_at(connection)
    behind = timedelta() if newest is None else newest - now
    return behind if behind > TOLERANCE else None


def clock_warning(behind: timedelta) -> str:
    """The warning for the server's operator."""
    return (
        f"this machine's clock stands {round(behind.total_seconds() / 60)} minutes before the newest record "
        f"[{CLOCK_BEHIND}]; set it right, since first verifications are recorded with it for good"
    )
