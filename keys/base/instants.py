"""Moments in documents: aware UTC, to the second, written as `2026-03-01T08:30:00Z` and in no other way."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"
_SHAPE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def to_second(instant: datetime) -> datetime:
    """`instant` in UTC, cut to the second, as documents keep it.

    Raises:
        ValueError: `instant` has no time zone.
    """
    if instant.utcoffset() is None:
        raise ValueError("a time needs a time zone")
    return instant.astimezone(UTC).replace(microsecond=0)


def format_instant(instant: datetime) -> str:
    """`instant` (aware UTC) as documents write it, cut to the second.

    Raises:
        ValueError: `instant` is not in UTC.
    """
    if instant.utcoffset() != timedelta(0):
        raise ValueError("a time in a document is in UTC")
    return instant.isoformat(timespec="seconds").partition("+")[0] + "Z"


def parse_instant(text: str) -> datetime:
    """The moment that `format_instant` wrote.

    Raises:
        ValueError: `text` is written in any other way.
    """
    if _SHAPE.fullmatch(text) is None:
        raise ValueError("a time is written as 2026-03-01T08:30:00Z")
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
