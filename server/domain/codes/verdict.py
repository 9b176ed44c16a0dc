"""Stage 6, redeem: what a claim is answered, a second one too: the verdict about a code (docs/protocol.md §2). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from server.domain.codes.redemption import Marks, Redemption, is_holder


class Verdict(StrEnum):
    """The verdict about a code. `unused` is the state of a look, never the answer of a verification that can burn.

    `withheld` takes its place, and that of `already_verified`, where strangers looked too often to learn which it is.
    (Verifying through an *outer* code, which can only be looked at, answers `unused` while the unit is so.)
    """

    UNUSED = "unused"
    WITHHELD = "withheld"
    GENUINE = "genuine"
    VERIFIED_BY_YOU = "verified_by_you"
    ALREADY_VERIFIED = "already_verified"
    NOT_ACTIVATED = "not_activated"
    EXPIRED = "expired"
    RECALLED = "recalled"
    VOID = "void"
    LOCKED = "locked"
    SAMPLE = "sample"
    NOT_OURS = "not_ours"


class Use(StrEnum):
    """The use of a unit, as the visitor sees it."""

    NONE = "none"
    OWN_NOW = "own_now"
    OWN_LATER = "own_later"
    OTHER = "other"

    @property
    def own(self) -> bool:
        """Whether the visitor is the holder."""
        return self in {Use.OWN_NOW, Use.OWN_LATER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Everything about a unit that decides its verdict, apart from its use.

    The key of a `not_ours` unit was withdrawn before the unit was in the world: a thief may have made its code.
    """

    not_ours: bool = False
    recalled: bool = False
    voided: bool = False
    sample: bool = False
    expired: bool = False
    activated: bool = False
    locked: bool = False

    @property
    def passed(self) -> bool:
        """Whether the state check passes: the unit may be used."""
        return state_check(self) is None


def state_check(conditions: Conditions) -> Verdict | None:
    """The state check: the verdict that forbids a burn, by the state order, or None when the unit may be used.

    recalled > void > sample > expired > not activated > locked (docs/protocol.md §2 rule 6.5); a code that is not ours
    has no other verdict.
    """
    order = (
        (conditions.not_ours, Verdict.NOT_OURS),
        (conditions.recalled, Verdict.RECALLED),
        (conditions.voided, Verdict.VOID),
        (conditions.sample, Verdict.SAMPLE),
        (conditions.expired, Verdict.EXPIRED),
        (not conditions.activated, Verdict.NOT_ACTIVATED),
        (conditions.locked, Verdict.LOCKED),
    )
    return next((verdict for holds, verdict in order if holds), None)


_BY_USE = {
    Use.NONE: Verdict.UNUSED,
    Use.OWN_NOW: Verdict.GENUINE,
    Use.OWN_LATER: Verdict.VERIFIED_BY_YOU,
    Use.OTHER: Verdict.ALREADY_VERIFIED,
}


def verdict_of(conditions: Conditions, use: Use) -> Verdict:
    """The verdict: the state check first, then the use (recalled > ... > locked > used > genuine)."""
    return state_check(conditions) or _BY_USE[use]


def use_of(first: Redemption | None, marks: Marks, *, now: datetime, repeat_window: timedelta) -> Use:
    """How the unit's use looks to the visitor: unused, theirs within the window or before it, or another's.

    Who was handed it was not the first, however soon.
    """
    if first is None:
        return Use.NONE
    if not is_holder(first, marks):
        return Use.OTHER
    return Use.OWN_NOW if first.hop == 0 and now - first.at <= repeat_window else Use.OWN_LATER
