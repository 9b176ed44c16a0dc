"""Stage 1, batch: what is ordered (docs/format.md §2, §4)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from authcode.code.payload import check_gtin
from keys.base.errors import AuthcodeError
from keys.format.prefix import normalise_prefix
from keys.format.records import Form, Profile

MAX_ORDER_COUNT = 100_000_000
"""Units of one order: five times the largest single orders that are known, and a guard against a stray zero."""

LEVELS = ("L", "M", "Q", "H")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class OrderInvalid(AuthcodeError):
    """An order that cannot be issued as it is."""

    code = "order_invalid"
    sentence = "this order cannot be issued: {reason}"
    reason: str


def is_order_name(text: str) -> bool:
    """Whether an order can bear this name."""
    return _NAME.fullmatch(text) is not None


class Placement(StrEnum):
    """Where the burning code is; it decides what an answer may claim about the product."""

    VISIBLE = "visible"
    INSIDE = "inside"
    SCRATCH = "scratch"


class Tiers(StrEnum):
    """One code a unit, or a pair on one unit: an outer one to look at and an inner one to verify."""

    SINGLE = "single"
    PAIR = "pair"


class DrawnBy(StrEnum):
    """Who draws the symbols: we, or the press from our CSV."""

    AUTHCODE = "authcode"
    PRESS = "press"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order, validated.

    `count` is units (a pair is one unit), `label_mm` the symbol's width with its quiet zone, `prefix` where the codes
    lead (None: where the newest fitting key leads).
    """

    name: str
    count: int
    placement: Placement
    form: Form = Form.SHORT
    profile: Profile = Profile.SIGNED
    tiers: Tiers = Tiers.SINGLE
    drawn_by: DrawnBy = DrawnBy.AUTHCODE
    level: str = "M"
    label_mm: float | None = None
    product: str | None = None
    gtin: str | None = None
    prefix: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be issued (`OrderInvalid`, `GtinInvalid`)."""
        if not _NAME.fullmatch(self.name):
            raise OrderInvalid(
                f"its name {self.name[:80]!r} takes 1 to 64 letters, digits, dots, hyphens and underscores, "
                "as in spring-1"
            )
        if not 1 <= self.count <= MAX_ORDER_COUNT:
            raise OrderInvalid(f"{self.count} units; it takes 1 to {MAX_ORDER_COUNT}")
        if self.level not in LEVELS:
            raise OrderInvalid(f"level {self.level!r}; it takes {', '.join(LEVELS)}")
        if self.label_mm is not None and not (isfinite(self.label_mm) and self.label_mm > 0):
            raise OrderInvalid(f"a label of {self.label_mm} mm; it takes a positive width")
        if self.prefix is not None and normalise_prefix(self.prefix) != self.prefix:
            raise OrderInvalid("its prefix is not written as in the keyring")
        self._check_combination()

    def _check_combination(self) -> None:
        if self.profile is Profile.COMPACT and self.form is Form.GS1:
            raise OrderInvalid("a compact code has the short form only; order --profile signed or --form short")
        if self.tiers is Tiers.PAIR and self.placement is Placement.VISIBLE:
            raise OrderInvalid("the inner code of a pair is hidden; choose --placement inside or scratch")
        if self.form is Form.GS1 and self.gtin is None:
            raise OrderInvalid("a GS1 Digital Link needs a GTIN; name a product that has one with --product")
        if self.gtin is not None and (self.form is not Form.GS1 or check_gtin(self.gtin) != self.gtin):
            raise OrderInvalid("a GTIN belongs to the GS1 form only, as fourteen digits")

    @property
    def risk(self) -> str | None:
        """The risk of the placement, as a clause, or None."""
        if self.placement is not Placement.VISIBLE:
            return None
        return (
            "anybody in the shop can copy a visible code, or verify it before it is bought; only a hidden one "
            "(--placement inside or scratch) says something about the product"
        )

    @property
    def codes(self) -> int:
        """Number of codes: one a unit, two for pairs."""
        return self.count * (2 if self.tiers is Tiers.PAIR else 1)
