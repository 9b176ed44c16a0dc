"""Stage 7, alert: when a closed alert opens again. Pure."""

from datetime import datetime


def reopens(closed_at: datetime, *, is_louder: bool, claims: int, looks_since: datetime | None = None) -> bool:
    """Whether an alert closed at `closed_at` opens again: louder than before, or more of what was closed.

    More is a new asker (`claims` new to the alert), or a storm of looks that began after the closing.
    """
    if looks_since is not None:
        return is_louder or looks_since > closed_at
    return is_louder or claims > 0
