"""Stage 7, alert: what staff make of an alert: why it was closed, and how often each rule was right."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Final

from keys.base.errors import AuthcodeError

DEFAULT_ALERT_BUDGET = 20
"""Alerts a week that a brand's staff can open with care: one costs about half an hour."""

MAX_COMMENT_CHARACTERS = 2_000
_Z = 1.959964  # the normal distribution's 97.5 % point: intervals hold in 95 of 100 cases


class AlertWorkInvalid(AuthcodeError):
    """An act on an alert that is incomplete or out of range."""

    code = "alert_work_invalid"
    http_status = 400
    sentence = "{reason}"
    reason: str


class Cause(StrEnum):
    """Why an alert was raised, chosen by the person who closes it."""

    OWN_RESCAN = "own_rescan"
    STAFF = "staff"
    BOT = "bot"
    MISREAD = "misread"
    LATE_SYNC = "late_sync"
    DIVERSION = "diversion"
    CLONE = "clone"
    LEAK = "leak"
    OTHER = "other"


REAL: Final = frozenset({Cause.DIVERSION, Cause.CLONE, Cause.LEAK})
"""The causes that staff had to act on; every other one but `other` is a false alarm."""


class Event(StrEnum):
    """What happened to an alert, in its history."""

    CLOSED = "closed"
    REOPENED = "reopened"
    ASSIGNED = "assigned"
    RELEASED = "released"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    MUTED = "muted"
    UNMUTED = "unmuted"
    COMMENT = "comment"


class Pile(StrEnum):
    """The list that shows an alert: open ones want attention, snoozed or muted ones later or never."""

    OPEN = "open"
    SNOOZED = "snoozed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How many of a rule's closed alerts were real: `right` of `judged`. `other` is neither and not counted."""

    right: int
    judged: int

    @property
    def share(self) -> float:
        """The measured precision, 0 to 1; 0 where nothing was judged."""
        return self.right / self.judged if self.judged else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at 95 % (E. B. Wilson, JASA 22, 1927): honest for few and for none."""
        if not self.judged:
            return 0.0, 1.0
        n, z2 = self.judged, _Z * _Z
        middle = (self.share + z2 / (2 * n)) / (1 + z2 / n)
        reach = _Z / (1 + z2 / n) * sqrt(self.share * (1 - self.share) / n + z2 / (4 * n * n))
        return max(0.0, middle - reach), min(1.0, middle + reach)


def precision_of(closed: Mapping[Cause, int]) -> Precision:
    """The precision that these closed alerts of one rule, counted by cause, make."""
    right = sum(closed.get(cause, 0) for cause in REAL)
    return Precision(right=right, judged=sum(closed.values()) - closed.get(Cause.OTHER, 0))


def read_comment(text: str) -> str | None:
    """A comment as it is kept; None for an empty one.

    Raises:
        AlertWorkInvalid: longer than is kept, or with control characters.
    """
    kept = text.replace("\r\n", "\n").strip()
    if len(kept) > MAX_COMMENT_CHARACTERS or not all(mark.isprintable() or mark == "\n" for mark in kept):
        raise AlertWorkInvalid(f"A comment takes up to {MAX_COMMENT_CHARACTERS} printable characters.")
    return kept or None
