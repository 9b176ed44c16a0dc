"""Stage 6, redeem: the state of a code, the verdict about it, and its holder (docs/protocol.md §2). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

ROW_BITS = 25
INDEX_BITS = 35
LIFE_BITS = 2


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
class Unit:
    """One printed unit: the server's row of its batch, the index in it, and which life it is in (docs/format.md §2)."""

    row: int
    index: int
    life: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers that would run into the next field of the id."""
        if not 0 <= self.row < 1 << ROW_BITS:
            raise ValueError(f"row {self.row} does not fit {ROW_BITS} bits")
        if not 0 <= self.index < 1 << INDEX_BITS:
            raise ValueError(f"index {self.index} does not fit {INDEX_BITS} bits")
        if not 0 <= self.life < 1 << LIFE_BITS:
            raise ValueError(f"life {self.life} does not fit {LIFE_BITS} bits")

    @property
    def id(self) -> int:
        """The unit id with its life: bits 0-34 index, 35-59 row, 60-61 life; always below 2**62."""
        return (self.life << (ROW_BITS + INDEX_BITS)) | (self.row << INDEX_BITS) | self.index

    @classmethod
    def of_id(cls, number: int) -> "Unit":
        """The unit a number names.

        Raises:
            ValueError: no unit has this number.
        """
        if not 0 <= number < 1 << (ROW_BITS + INDEX_BITS + LIFE_BITS):
            raise ValueError("not a unit id")
        return cls(
            row=(number >> INDEX_BITS) & ((1 << ROW_BITS) - 1),
            index=number & ((1 << INDEX_BITS) - 1),
            life=number >> (ROW_BITS + INDEX_BITS),
        )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """The redemption of a unit: when, where, and the two hashes that know its holder (docs/protocol.md §2 rule 2).

    `hop` counts how often the unit was handed on; the hashes are the present holder's. `log_head` names the last head
    of the log before it. Once what is kept of its holder was `erased`, it has no holder.
    """

    at: datetime
    country: str | None
    region: str | None
    claim_hash: bytes
    holder_hash: bytes
    hop: int = 0
    log_head: str | None = None
    erased: bool = False


class ReturnedBy(StrEnum):
    """Who returned a unit to unused."""

    HOLDER = "holder"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A return of a unit to unused, kept for good. `life` is the one that it ended."""

    life: int
    at: datetime
    by: ReturnedBy
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLife:
    """The use of a unit in one life: its redemption, if any, and all its returns, the latest last.

    `unit` carries the life. `returned` is the return before that life, `ended` the one that ended it.
    """

    unit: Unit
    redemption: Redemption | None
    returns: tuple[Returned, ...] = ()

    @property
    def returned(self) -> Returned | None:
        """How the unit became unused again before this life; None in its first."""
        return next((one for one in self.returns if one.life == self.unit.life - 1), None)

    @property
    def ended(self) -> Returned | None:
        """How this life ended; None in the present one."""
        return next((one for one in self.returns if one.life == self.unit.life), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The hashes of a visitor, made like those of a `Redemption`; None for what the visitor did not bring."""

    claim_hash: bytes | None = None
    holder_hash: bytes | None = None


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


def is_holder(first: Redemption, marks: Marks) -> bool:
    """Whether the visitor is the holder: either hash is enough (docs/protocol.md §2 rule 2)."""
    return marks.claim_hash == first.claim_hash or marks.holder_hash == first.holder_hash


def use_of(first: Redemption | None, marks: Marks, *, now: datetime, repeat_window: timedelta) -> Use:
    """How the unit's use looks to the visitor: unused, theirs within the window or before it, or another's."""
    if first is None:
        return Use.NONE
    if not is_holder(first, marks):
        return Use.OTHER
    return Use.OWN_NOW if now - first.at <= repeat_window else Use.OWN_LATER
