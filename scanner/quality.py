"""Stage 3, photo: what to do better when nothing was read, as a code with numbers and never as a sentence.

Measured on a view of at most 1,600 px; lengths are given in pixels of the whole picture.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from scanner.engines import Corners
from scanner.find.localise import Finder, find_finders, find_leaning_finders, find_small_finders
from scanner.find.pose import Pose, find_pose
from scanner.find.rectify import halve, shrink
from scanner.photo.open import Gray

MIN_MODULE_PX = 2.5
"""Pixels a module below which decoders fail on photos; they want 3 and more."""

EASY_MODULE_PX = 3.5
"""Pixels a module above which a larger picture of the same symbol would not help any more."""

MAX_BEND = 1.07
"""Ratio of the modules counted along and across above which a symbol is bent; flat ones showed up to 1.03."""

SURELY_BENT = 1.2
"""The same ratio above which leaning away explains it no more: it gives up to 1.15 at 80 degrees."""

MAX_LEAN = 1.8
"""How much longer a module may look one way than the other: 1.8 is seen from 56 degrees off the front."""

CROWD = 9
"""Finder patterns of about one size, of which a picture without a reading holds too many codes: three symbols."""

DARK_BRIGHTEST = 70
"""A picture whose brighter end (95 % of its pixels) is below this grey level of 255 is too dark."""

BRIGHT_DARKEST = 185
"""A picture whose darker end (5 %) stays above this grey level is washed out."""

MIN_SHARPNESS = 0.1
"""Share of the contrast that the steepest edges cross within a pixel; 1 is a perfect edge, 0.1 a smear of 10 pixels."""

MAX_EDGE_MODULES = 0.85
"""Width of the steepest edges in modules: wider ones run into each other."""

MAX_GLARE_SHARE = 0.08
"""Share of a symbol that may be one blank white spot: level M mends 15 % of the codewords (ISO/IEC 18004, 6.5.1), and
what surrounds the spot is washed out."""

DRAWN_SHARE = 0.6
"""Share of what is not white that few grey levels hold in a drawing, such as a logo: no camera sees so evenly."""

DRAWN_EDGE = 0.4
"""Share of the contrast that a drawing's steepest edge crosses within a pixel; a smeared photo stays below."""

_VIEW_PX = 1600
_SMALL_PX = 2_500_000
_THINNEST_PX = 2
_SOFT = 0.22
_SMEARED = 0.66
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
    TILT = "tilt"
    BENT = "bent"
    ONE_CODE_AT_A_TIME = "one_code_at_a_time"
    NO_CODE = "no_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One piece of advice.

    Attributes:
        code: what to do.
        facts: the numbers behind it: `module_px` (pixels a module), `sharpness` (0 to 1), `mean` (grey level 0 to 255),
            `share` (of the symbol or picture that is one blank spot), `lean` (how much longer a module looks one way
            than the other), `bend` (ratio of the modules counted along and across), `finders` (corner patterns found).
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

    1. Light as a whole.   2. Where three finder patterns fit: how the symbol lies.   3. Where a symbol shows in part:
    size, spots, sharpness, and what is left: not whole.   4. Where none shows: spots and sharpness of the picture.
    """
    view = shrink(gray, _VIEW_PX)
    levels = _histogram(view)
    low, high = _level(levels, 0.05), _level(levels, 0.95)
    if high < DARK_BRIGHTEST:  # (1)
        return _advice(AdviceCode.TOO_DARK, mean=float(view.mean()))
    if low > BRIGHT_DARKEST:
        return _advice(AdviceCode.TOO_BRIGHT, mean=float(view.mean()))
    finders, pose = _posed(view)
    scale = gray.shape[1] / view.shape[1]
    if len(finders) >= CROWD:
        return _advice(AdviceCode.ONE_CODE_AT_A_TIME, finders=len(finders))
    if pose:
        return _about_pose(view, pose, scale)  # (2)
    outline = _outline(view, finders, located, scale)
    return _about_symbol(outline, scale) if outline else _about_picture(view)  # (3), (4)


def _posed(view: Gray) -> tuple[list[Finder], Pose | None]:
    """The finder patterns of one size, and the symbol that three of them form; harder looks where there is none.

    1. As it is.   2. Twice the size: small ones.   3. Drawn out: leaning ones.
    """
    finders = _alike(find_finders(view))  # (1)
    pose = find_pose(finders)
    if pose or len(finders) >= CROWD or view.size > _SMALL_PX:
        return finders, pose
    for look in (find_small_finders, partial(find_leaning_finders, angle_deg=_steepest_deg(view))):  # (2), (3)
        more = _alike(look(view))
        finders, pose = max(finders, more, key=len), find_pose(more)
        if pose:
            return more, pose
    return finders, None


def _steepest_deg(view: Gray) -> float:
    """Direction in which most edges are crossed, in degrees: what leans away is pressed together along it."""
    small = halve(view, _VIEW_PX // 2)
    across, down = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    return math.degrees(math.atan2(2 * float((across * down).sum()), float((across**2 - down**2).sum()))) / 2


def _about_pose(view: Gray, pose: Pose, scale: float) -> Advice:
    """What is wrong with a symbol whose three finder patterns show: what would hide the rest comes first."""
    corners = np.rint(pose.corners).astype(np.int32)
    inside = np.asarray(cv2.fillConvexPoly(np.zeros_like(view), corners, 1), dtype=np.uint8)
    spots = _spots(view, round(_SPOT_MODULES * pose.short_px)) & inside
    share = float(spots.sum()) / max(1.0, float(inside.sum()))
    patch = _box(view, pose.corners, 0.0)
    sharpness = _steepness(patch) if patch is not None else 1.0
    long_px = pose.long_px * scale
    size, lie, edges = {"module_px": long_px}, {"lean": pose.lean}, {"sharpness": sharpness, "module_px": long_px}
    faults = (
        (long_px < MIN_MODULE_PX, AdviceCode.MOVE_CLOSER, size),
        (share > MAX_GLARE_SHARE, AdviceCode.GLARE, {"share": share}),
        (pose.bend > SURELY_BENT, AdviceCode.BENT, {"bend": pose.bend}),
        (pose.lean > MAX_LEAN, AdviceCode.TILT, lie),
        (pose.bend > MAX_BEND, AdviceCode.BENT, {"bend": pose.bend}),
        (sharpness * pose.short_px * MAX_EDGE_MODULES < 1, AdviceCode.HOLD_STILL, edges),
        (long_px < EASY_MODULE_PX, AdviceCode.MOVE_CLOSER, size),
        (True, AdviceCode.WHOLE_CODE, {"finders": _WHOLE_FINDERS}),  # covered or damaged
    )
    return next(_advice(code, **facts) for wrong, code, facts in faults if wrong)


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
    directions, drawn = [share for share in _steepnesses(view) if share], _is_drawn(view)
    sharpness = min(directions, default=0.0)
    share = _spot_share(view, max(3, min(view.shape) // 20))
    if not drawn and share > _MIN_SPOT_SHARE and float(np.median(view)) < BRIGHT_DARKEST:
        return _advice(AdviceCode.GLARE, share=share)
    smeared = sharpness < _SOFT and sharpness < _SMEARED * max(directions, default=0.0)
    if not drawn and sharpness > 0 and (sharpness < MIN_SHARPNESS or smeared):
        return _advice(AdviceCode.HOLD_STILL, sharpness=sharpness)
    return _advice(AdviceCode.NO_CODE, sharpness=sharpness, mean=float(view.mean()))


def _is_drawn(view: Gray) -> bool:
    """Whether a picture came from no camera: its white reflects nothing, and holding still would not sharpen it."""
    levels = _histogram(view)[:_WHITE]
    even = int(np.sort(levels)[-_DRAWN_LEVELS:].sum()) > DRAWN_SHARE * int(levels.sum())
    return even and max(_steepnesses(view, 1.0)) > DRAWN_EDGE


def _steepness(patch: Gray) -> float:
    """The lowest of `_steepnesses`: a picture that moved is smeared in one direction alone."""
    return min(_steepnesses(patch))


def _steepnesses(patch: Gray, quantile: float = 0.995) -> tuple[float, ...]:
    """By direction, the share of the contrast, 0 to 1, that edges steeper than `quantile` of all cross in one pixel."""
    levels = _histogram(patch)
    contrast = _level(levels, 0.99) - _level(levels, 0.01)
    if not contrast:
        return (0.0,)
    return tuple(min(1.0, _level(steps, quantile) / length / contrast) for steps, length in _steps(patch))


def _steps(patch: Gray) -> Iterator[tuple[npt.NDArray[np.int64], float]]:
    """Histograms of the steps between neighbours along rows, columns and diagonals, each with its length in pixels."""
    for one, other, length in (
        (patch[1:], patch[:-1], 1.0),
        (patch[:, 1:], patch[:, :-1], 1.0),
        (patch[1:, 1:], patch[:-1, :-1], 2**0.5),
        (patch[1:, :-1], patch[:-1, 1:], 2**0.5),
    ):
        if one.size:
            yield _histogram(cv2.absdiff(one, other)), length


def _histogram(levels: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """How many pixels have each of the 256 grey levels: percentiles without sorting millions of values."""
    return np.bincount(np.asarray(levels, dtype=np.uint8).ravel(), minlength=256)


def _level(histogram: npt.NDArray[np.int64], share: float) -> int:
    """The grey level that `share` of the pixels do not exceed."""
    counts = np.cumsum(histogram)
    return int(np.searchsorted(counts, share * counts[-1]))


def _spot_share(patch: Gray, spot_px: int) -> float:
    """Share of `patch` covered by blank white spots at least `spot_px` wide: light areas of a symbol are smaller."""
    return float(_spots(patch, spot_px).mean())


def _spots(patch: Gray, spot_px: int) -> Gray:
    """1 where `patch` is a blank white spot at least `spot_px` wide, else 0."""
    white = (patch >= _WHITE).astype(np.uint8)
    opened = cv2.morphologyEx(white, cv2.MORPH_OPEN, np.ones((max(1, spot_px), max(1, spot_px)), dtype=np.uint8))
    return np.asarray(opened, dtype=np.uint8)


def _outline(view: Gray, finders: Sequence[Finder], located: Sequence[Corners], scale: float) -> _Outline | None:
    """Box around the largest located symbol, else around corner patterns of about one size."""
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
    patch = _box(view, points, margin)
    if patch is None:
        return None
    return _Outline(patch=patch, module_px=module_px, finders=min(len(finders), _WHOLE_FINDERS), whole=whole)


def _box(view: Gray, points: npt.NDArray[np.float64], margin: float) -> Gray | None:
    """The part of the view around `points`, or None where it is too thin to measure."""
    height, width = view.shape
    left, top = (max(0, int(value - margin)) for value in points.min(axis=0))
    right, bottom = (int(value + margin) + 1 for value in points.max(axis=0))
    if min(width, right) - left < _THINNEST_PX or min(height, bottom) - top < _THINNEST_PX:
        return None
    return view[top:bottom, left:right]


def _alike(finders: list[Finder]) -> list[Finder]:
    """The largest group of corner patterns of about one size; a lonely one counts too."""
    ordered = sorted(finders, key=lambda finder: finder.module_px)
    sizes = [finder.module_px for finder in ordered]
    ends = [bisect_right(sizes, size * _SAME_SIZE) for size in sizes]
    begin = max(range(len(ends)), key=lambda at: ends[at] - at, default=0)
    return ordered[begin : ends[begin]] if ends else []
