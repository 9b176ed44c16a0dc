"""Stage 3, photo: what to do better when nothing was read, as a code with numbers and never as a sentence.

Measured on a view of at most 1,600 px; lengths are given in pixels of the whole picture.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from scanner.engines import Corners
from scanner.find.localise import Finder, find_finders
from scanner.find.rectify import shrink
from scanner.photo.open import Gray

MIN_MODULE_PX = 2.5
"""Pixels a module below which decoders fail on photos; they want 3 and more."""

EASY_MODULE_PX = 6.0
"""Pixels a module above which a larger picture of the same symbol would not help any more."""

DARK_BRIGHTEST = 70
"""A picture whose brighter end (95 % of its pixels) is below this grey level of 255 is too dark."""

BRIGHT_DARKEST = 185
"""A picture whose darker end (5 %) stays above this grey level is washed out."""

MIN_SHARPNESS = 0.1
"""Share of the contrast that the steepest edges cross within a pixel; 1 is a perfect edge, 0.1 a smear of 10 pixels."""

MAX_EDGE_MODULES = 1.2
"""Width of the steepest edges in modules: wider ones run into each other."""

MAX_GLARE_SHARE = 0.15
"""Share of a symbol that may be one blank white spot: level M mends 15 % of the codewords (ISO/IEC 18004, 6.5.1)."""

DRAWN_SHARE = 0.6
"""Share of what is not white that few grey levels hold in a drawing, such as a logo: no camera sees so evenly."""

DRAWN_EDGE = 0.4
"""Share of the contrast that a drawing's steepest edge crosses within a pixel; a smeared photo stays below."""

_VIEW_PX = 1600
_DRAWN_LEVELS = 4
_WHITE = 250
_MIN_SPOT_SHARE = 0.03
_TYPICAL_MODULES = 41
_SPOT_MODULES = 6
_WHOLE_FINDERS = 3
_SAME_SIZE = 1.6


class AdviceCode(StrEnum):
    """Advice to a person; its sentences are in the message catalogue."""

    MOVE_CLOSER = "move_closer"
    HOLD_STILL = "hold_still"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    GLARE = "glare"
    WHOLE_CODE = "whole_code"
    NO_CODE = "no_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One piece of advice.

    Attributes:
        code: what to do.
        facts: the numbers behind it: `module_px` (pixels a module), `sharpness` (0 to 1), `mean` (grey level 0 to 255),
            `share` (of the symbol or picture that is one blank spot), `finders` (corner patterns found, of 3).
    """

    code: AdviceCode
    facts: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outline:
    """Where a symbol seems to be in the view: its box, module, corner patterns, and whether all of it shows."""

    patch: Gray
    module_px: float
    finders: int
    whole: bool


def advise(gray: Gray, located: Sequence[Corners] = ()) -> Advice:
    """Find why `gray` (`uint8[h, w]`) was not read; `located` are symbols that were found and not decoded.

    1. Light as a whole.   2. Where a symbol shows: size, spots, sharpness, and what is left: too small, or not whole.
    3. Where none shows: spots and sharpness of the picture.
    """
    view = shrink(gray, _VIEW_PX)
    scale = gray.shape[1] / view.shape[1]
    levels = _histogram(view)
    low, high = _level(levels, 0.05), _level(levels, 0.95)
    if high < DARK_BRIGHTEST:  # (1)
        return _advice(AdviceCode.TOO_DARK, mean=float(view.mean()))
    if low > BRIGHT_DARKEST:
        return _advice(AdviceCode.TOO_BRIGHT, mean=float(view.mean()))
    outline = _outline(view, located, scale)
    return _about_symbol(outline, scale) if outline else _about_picture(view)  # (2), (3)


def _advice(code: AdviceCode, **facts: float) -> Advice:
    return Advice(code=code, facts=MappingProxyType({name: round(value, 3) for name, value in facts.items()}))


def _about_symbol(outline: _Outline, scale: float) -> Advice:
    module_px = outline.module_px * scale
    if module_px < MIN_MODULE_PX:
        return _advice(AdviceCode.MOVE_CLOSER, module_px=module_px)
    share = _spot_share(outline.patch, round(_SPOT_MODULES * outline.module_px))
    if share > MAX_GLARE_SHARE:
        return _advice(AdviceCode.GLARE, share=share)
    sharpness = _steepness(outline.patch)
    if sharpness * outline.module_px * MAX_EDGE_MODULES < 1:
        return _advice(AdviceCode.HOLD_STILL, sharpness=sharpness, module_px=module_px)
    if outline.whole and module_px < EASY_MODULE_PX:
        return _advice(AdviceCode.MOVE_CLOSER, module_px=module_px)
    return _advice(AdviceCode.WHOLE_CODE, finders=outline.finders)  # cut, covered, bent or damaged


def _about_picture(view: Gray) -> Advice:
    sharpness, drawn = _steepness(view), _is_drawn(view)
    share = _spot_share(view, max(3, min(view.shape) // 20))
    if not drawn and share > _MIN_SPOT_SHARE and float(np.median(view)) < BRIGHT_DARKEST:
        return _advice(AdviceCode.GLARE, share=share)
    if not drawn and 0 < sharpness < MIN_SHARPNESS:
        return _advice(AdviceCode.HOLD_STILL, sharpness=sharpness)
    return _advice(AdviceCode.NO_CODE, sharpness=sharpness, mean=float(view.mean()))


def _is_drawn(view: Gray) -> bool:
    """Whether a picture came from no camera: its white reflects nothing, and holding still would not sharpen it."""
    levels = _histogram(view)[:_WHITE]
    even = int(np.sort(levels)[-_DRAWN_LEVELS:].sum()) > DRAWN_SHARE * int(levels.sum())
    return even and _steepness(view, 1.0) > DRAWN_EDGE


def _steepness(patch: Gray, quantile: float = 0.995) -> float:
    """Share of the contrast, 0 to 1, that the edges steeper than `quantile` of all steps cross within one pixel."""
    steps = _histogram([])
    for one, other in ((patch[1:], patch[:-1]), (patch[:, 1:], patch[:, :-1])):
        if one.size:
            steps = steps + _histogram(cv2.absdiff(one, other))
    levels = _histogram(patch)
    contrast = _level(levels, 0.99) - _level(levels, 0.01)
    return min(1.0, _level(steps, quantile) / contrast) if contrast else 0.0


def _histogram(levels: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """How many pixels have each of the 256 grey levels: percentiles without sorting millions of values."""
    return np.bincount(np.asarray(levels, dtype=np.uint8).ravel(), minlength=256)


def _level(histogram: npt.NDArray[np.int64], share: float) -> int:
    """The grey level that `share` of the pixels do not exceed."""
    counts = np.cumsum(histogram)
    return int(np.searchsorted(counts, share * counts[-1]))


def _spot_share(patch: Gray, spot_px: int) -> float:
    """Share of `patch` covered by blank white spots at least `spot_px` wide: light areas of a symbol are smaller."""
    white = (patch >= _WHITE).astype(np.uint8)
    spots = cv2.morphologyEx(white, cv2.MORPH_OPEN, np.ones((max(1, spot_px), max(1, spot_px)), dtype=np.uint8))
    return float(np.asarray(spots).mean())


def _outline(view: Gray, located: Sequence[Corners], scale: float) -> _Outline | None:
    """Box around the largest located symbol, else around corner patterns of about one size."""
    finders = _alike(find_finders(view))
    if located:
        points = max((np.array(corners) / scale for corners in located), key=lambda points: float(np.ptp(points)))
        side = float(np.mean(np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)))
        module_px = finders[0].module_px if finders else side / _TYPICAL_MODULES
        margin, whole = 0.0, True
    elif finders:
        points = np.array([(finder.x, finder.y) for finder in finders])
        module_px, whole = finders[0].module_px, len(finders) >= _WHOLE_FINDERS
        margin = 4 * module_px
    else:
        return None
    height, width = view.shape
    left, top = (max(0, int(value - margin)) for value in points.min(axis=0))
    right, bottom = (int(value + margin) + 1 for value in points.max(axis=0))
    if min(width, right) - left < 2 or min(height, bottom) - top < 2:  # noqa: PLR2004 - too thin to measure
        return None
    count = min(len(finders), _WHOLE_FINDERS)
    return _Outline(patch=view[top:bottom, left:right], module_px=module_px, finders=count, whole=whole)


def _alike(finders: list[Finder]) -> list[Finder]:
    """The largest group of corner patterns of about one size; a lonely one counts too."""
    ordered = sorted(finders, key=lambda finder: finder.module_px)
    sizes = [finder.module_px for finder in ordered]
    ends = [bisect_right(sizes, size * _SAME_SIZE) for size in sizes]
    begin = max(range(len(ends)), key=lambda at: ends[at] - at, default=0)
    return ordered[begin : ends[begin]] if ends else []
