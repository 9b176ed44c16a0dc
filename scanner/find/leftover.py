"""Stage 4, decode: whether finder patterns wait outside the symbols that were read.

A pack carries several labels, and a picture is finished only when none is left. The question is asked of every picture
that was read, so it looks at single rows and columns and costs a fraction of a reading.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scanner.engines import Corners, Point
from scanner.find.localise import FINDER_MODULES, finder_runs
from scanner.photo.open import Gray

Points = npt.NDArray[np.float64]

_ROWS = 100
"""Rows looked at: the middle of a finder pattern (three modules) of 1/50 of the height is met once."""

_MIN_STEP = 8  # pixels between rows
_COLUMNS = 2000
"""Most columns looked at: larger pictures are thinned out, since a symbol worth finding has modules of pixels there."""

_MAX_CANDIDATES = 200
_MARGIN = 1.15
_OFF_CENTRE_MODULES = 2.5
_SEPARATE_MODULES = 7.0
_SIZES = 2.5
_FILLED = 0.3
"""Share of a picture that the symbols read may fill: beside larger ones no other label of their size finds room."""

_CLEAR = 0.12
_ENOUGH_PATTERNS = 3
_BESIDE = np.array([-0.5, 0.0, 0.5])  # of a module


def seems_left(gray: Gray, read: Sequence[Corners]) -> bool:
    """Whether at least three finder patterns lie outside the symbols at `read`, in about a millisecond.

    1. Sequences 1:1:3:1:1 along rows (ISO/IEC 18004, 6.3.3).   2. Those outside every symbol that was read, of about
    the size of the patterns inside.   3. Those that are such a sequence along their column too, as clear as those
    inside.   4. Three that are not one and the same pattern.
    """
    if sum(_area(corners) for corners in read) > _FILLED * gray.size:
        return False
    thin = max(1, gray.shape[1] // _COLUMNS)
    step = max(_MIN_STEP, gray.shape[0] // _ROWS)
    rows = np.arange(step // 2, gray.shape[0], step)
    at, x, module = finder_runs(np.ascontiguousarray(gray[rows, ::thin]))  # (1)
    points = np.stack([x * thin, rows[at].astype(np.float64)], axis=1)
    modules = module * thin
    inside = _inside(points, read)
    if not inside.any() or len(inside) - inside.sum() < _ENOUGH_PATTERNS:  # most pictures end here
        return False
    usual = float(np.sort(modules[inside])[inside.sum() // 2])
    outside = ~inside & (modules > usual / _SIZES) & (modules < usual * _SIZES)  # (2)
    waiting = np.flatnonzero(outside)[:_MAX_CANDIDATES]
    points, modules = points[waiting], modules[waiting]
    patterns: list[Point] = []
    for which in _finders_down(gray, points, modules, _CLEAR * _contrast(gray, read)):  # (3)
        x, y = points[which]
        if all(abs(x - ox) + abs(y - oy) > _SEPARATE_MODULES * modules[which] for ox, oy in patterns):  # (4)
            patterns.append((x, y))
    return len(patterns) >= _ENOUGH_PATTERNS


def _area(corners: Corners) -> float:
    """Area of a quadrangle by its diagonals."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    return abs((cx - ax) * (dy - by) - (dx - bx) * (cy - ay)) / 2


def _contrast(gray: Gray, read: Sequence[Corners]) -> int:
    """Span of grey levels in the faintest symbol that was read."""
    spans = []
    for corners in read:
        left, top = (max(0, int(min(axis))) for axis in zip(*corners, strict=True))
        right, bottom = (int(max(axis)) + 1 for axis in zip(*corners, strict=True))
        patch = gray[top:bottom:4, left:right:4]
        spans.append(int(np.ptp(patch)) if patch.size else 0)
    return min(spans)


def _inside(points: Points, read: Sequence[Corners]) -> npt.NDArray[np.bool_]:
    """Which points lie in one of the symbols, their quiet zones included."""
    inside = np.zeros(len(points), dtype=bool)
    for corners in read:
        quad = np.array(corners)
        quad = quad.mean(axis=0) + (quad - quad.mean(axis=0)) * _MARGIN
        sides = np.roll(quad, -1, axis=0) - quad
        to_points = points[:, np.newaxis] - quad
        turns = sides[:, 0] * to_points[..., 1] - sides[:, 1] * to_points[..., 0]
        inside |= (turns >= 0).all(axis=1) | (turns <= 0).all(axis=1)
    return inside


def _finders_down(gray: Gray, points: Points, modules: Points, clear: float) -> list[int]:
    """Which points have a 1:1:3:1:1 sequence of about their module down their column, with a span of `clear` levels."""
    if not len(points):
        return []
    reach = int(FINDER_MODULES * modules.max() * 1.5) + 2
    rows = (points[:, 1:].astype(np.int64) + np.arange(-reach, reach)).clip(0, gray.shape[0] - 1)
    beside = points[:, :1] + modules[:, np.newaxis] * _BESIDE  # three columns of a pattern's middle: noise has no three
    columns = beside.astype(np.int64).clip(0, gray.shape[1] - 1)
    down = gray[rows[:, np.newaxis], columns[..., np.newaxis]].mean(axis=1).astype(np.uint8)
    of, middle, module = finder_runs(down)
    near = np.abs(middle - reach) <= _OFF_CENTRE_MODULES * modules[of]
    alike = (module > modules[of] / 2) & (module < modules[of] * 2)
    return sorted(set(of[near & alike & (np.ptp(down, axis=1)[of] >= clear)].tolist()))
