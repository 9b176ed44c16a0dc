"""Stage 6, redeem: the redemption of a unit, its holder and its returns to unused (docs/protocol.md §2). Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.domain.codes.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A browser that showed the keep-code and is remembered since `at`, by the hash of its cookie on this unit."""

    holder_hash: bytes
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """The redemption of a unit: when, where, and the two hashes that know its holder (docs/protocol.md §2 rule 2).

    `hop` counts how often the unit was handed on; the hashes are the present holder's. `log_head` names the last head
    of the log before it. Once what is kept of its holder was `erased`, it has no holder. `remembered` are the holder's
    further browsers, the oldest first.
    """

    at: datetime
    country: str | None
    region: str | None
    claim_hash: bytes
    holder_hash: bytes
    hop: int = 0
    log_head: str | None = None
    erased: bool = False
    remembered: tuple[Remembered, ...] = ()


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


def is_holder(first: Redemption, marks: Marks) -> bool:
    """Whether the visitor is the holder: either hash is enough, or a remembered browser's (protocol.md §2 rule 2)."""
    browsers = {first.holder_hash, *(one.holder_hash for one in first.remembered)}
    return marks.claim_hash == first.claim_hash or marks.holder_hash in browsers
