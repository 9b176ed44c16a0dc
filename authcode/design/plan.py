"""Stage 2, print: decide once for a batch how all its symbols are drawn."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from authcode.design.logo import Logo, LogoPlacement, fit_logo
from authcode.qr.codewords import QUIET_ZONE_MODULES, Level, symbol_width
from authcode.qr.segments import segments_of
from authcode.qr.symbol import Symbol, draw_symbol, smallest_version
from keys.base.errors import AuthcodeError
from keys.format.records import Form

DEFAULT_MODULE_MM: Final = 0.33
"""Module width that phones read easily at arm's length; the default label is the whole millimetre above it."""
MIN_MODULE_MM: Final = 0.25
"""Below this phones fail on ordinary print; six dots a module at 600 dpi."""
MAX_LABEL_MM: Final = 180.0
"""The widest symbol that fits on an A4 sheet with its crop marks."""
MODULE_PX: Final = 10
"""Pixels a module in PNG files: enough for any scaling in a layout program, and whole."""


class LabelTooSmall(AuthcodeError):
    """The requested label makes modules that are not read reliably."""

    code = "label_too_small"
    sentence = (
        f"a label of {{label_mm:g}} mm makes modules of {{module_mm:.2f}} mm; this code needs at least "
        f"{MIN_MODULE_MM:g} mm, a label of {{smallest_mm:g}} mm: enlarge the label or choose a lower level"
    )
    label_mm: float
    smallest_mm: float
    module_mm: float


class LabelTooLarge(AuthcodeError):
    """The requested label does not fit on the sheet."""

    code = "label_too_large"
    sentence = "a label of {label_mm:g} mm does not fit on a sheet; the largest is {largest_mm:g} mm"
    label_mm: float
    largest_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How every symbol of a batch is drawn; its codes differ in nothing but their text."""

    version: int
    level: Level
    form: Form
    label_mm: float
    """Width and height of a printed symbol with its quiet zone, in millimetres."""
    logo: Logo | None
    placement: LogoPlacement | None
    """Where the logo is; None exactly when there is no logo."""

    @property
    def side_modules(self) -> int:
        """Width of a symbol with its quiet zone (ISO/IEC 18004 clause 5.3.8), in modules."""
        return symbol_width(self.version) + 2 * QUIET_ZONE_MODULES

    @property
    def module_mm(self) -> float:
        """Width of a module in print, in millimetres."""
        return self.label_mm / self.side_modules

    @property
    def logo_mm(self) -> tuple[float, float] | None:
        """Width and height of the logo in print, in millimetres; None without one."""
        place = self.placement
        return None if place is None else (place.w * self.module_mm, place.h * self.module_mm)

    @property
    def margin(self) -> float:
        """Share of the error correction left for damage: 1 without a logo."""
        return self.placement.margin if self.placement else 1.0

    def symbol_of(self, code: str) -> Symbol:
        """Draw one code of the batch.

        Raises:
            CodeNotDrawable: the text is not of the batch's form.
            SymbolTooLong: the text is longer than the sample the design was planned with.
        """
        return draw_symbol(segments_of(code, self.form), self.level, version=self.version)

    def dark_modules(self, symbol: Symbol) -> npt.NDArray[np.bool_]:
        """bool[n, n]: the modules to print dark, the logo's place left white, quiet zone excluded."""
        return self.placement.clear(symbol.modules) if self.placement else symbol.modules


def plan_design(sample_code: str, form: Form, *, level: Level, logo: Logo | None, label_mm: float | None) -> Design:
    """Plan a batch by one of its codes, or any text of their form and length.

    `label_mm` is the width of a symbol with its quiet zone, None the whole millimetre that gives modules of
    `DEFAULT_MODULE_MM` or more.

    Raises:
        CodeNotDrawable, SymbolTooLong: the sample cannot be drawn.
        LabelTooSmall, LabelTooLarge: the label's size is out of bounds.
        LogoDoesNotFit: no place for the logo leaves enough error correction.
    """
    version = smallest_version(segments_of(sample_code, form), level)
    side = symbol_width(version) + 2 * QUIET_ZONE_MODULES
    chosen_mm = float(math.ceil(side * DEFAULT_MODULE_MM)) if label_mm is None else label_mm
    if not chosen_mm / side >= MIN_MODULE_MM:  # written so that "not a number" is refused too
        raise LabelTooSmall(chosen_mm, side * MIN_MODULE_MM, chosen_mm / side)
    if chosen_mm > MAX_LABEL_MM:
        raise LabelTooLarge(chosen_mm, MAX_LABEL_MM)
    return Design(
        version=version,
        level=level,
        form=form,
        label_mm=chosen_mm,
        logo=logo,
        placement=fit_logo(version, level, logo) if logo else None,
    )
