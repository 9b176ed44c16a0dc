"""A brand's accent colour on shoppers' pages: any colour is shown in a shade that can be read."""

import re
from dataclasses import dataclass
from typing import Final

_FORM = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_PAPER: Final = {"light": "#ffffff", "dark": "#121518"}  # the pages' own backgrounds, in their stylesheet
_INK: Final = {"light": "#000000", "dark": "#ffffff"}  # towards which a shade is moved until it can be read
_STEPS: Final = 100
LEAST_CONTRAST: Final = 7.0
"""Contrast of all text on shoppers' pages (WCAG 2.2, 1.4.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shades:
    """The shades of one accent, as `#rrggbb`: on light paper and on dark, each with a stronger one for a press."""

    light: str
    light_press: str
    dark: str
    dark_press: str


def is_colour(text: str) -> bool:
    """Whether a text is a colour as it is kept, `#0a4a82`."""
    return _FORM.fullmatch(text) is not None


def shades_of(colour: str) -> Shades:
    """The shades nearest to a colour with `LEAST_CONTRAST` or more on their paper."""
    light, dark = _readable(colour, "light"), _readable(colour, "dark")
    return Shades(
        light=light, light_press=_mixed(light, _INK["light"], 25), dark=dark, dark_press=_mixed(dark, _INK["dark"], 25)
    )


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _readable(colour: str, scheme: str) -> str:
    shades = (_mixed(colour, _INK[scheme], step) for step in range(_STEPS + 1))
    return next(shade for shade in shades if contrast(shade, _PAPER[scheme]) >= LEAST_CONTRAST)


def _mixed(colour: str, towards: str, hundredths: int) -> str:
    pairs = zip(_channels(colour), _channels(towards), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * hundredths / _STEPS):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _luminance(colour: str) -> float:
    linear = [_linear(value / 255) for value in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB's own knee
