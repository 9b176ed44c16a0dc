"""Stage 4, decode: how a symbol that was not read lies in the picture, from its three finder patterns.

Seen from any side, a flat finder pattern is about 7 of the symbol's modules wide along both of its sides (ISO/IEC
18004, 6.3.3). Measured in the symbol's own two directions, its width therefore counts the modules between the patterns;
on a flat symbol both directions give one number, on a bent one they do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from scanner.find.localise import FINDER_MODULES, Finder

_MOST_FINDERS = 12
_MODULES = (10.0, 180.0)
_SAME_SIZE = 2.5
_MIN_FILL = 0.7
_MAX_RATIO = 2.2

_Vectors = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """A symbol by its three finder patterns.

    Attributes:
        corners: of the parallelogram that its pattern centres span, as `float64[4, 2]` in pixels.
        long_px, short_px: the largest and the smallest side of a module in the picture.
        modules: as counted along its two directions, to the right and down in its own orientation.
        widths: of the patterns at its corner, to its right and below, `float64[3, 2]`, as shares of the ways between
            their centres.
    """

    corners: _Vectors
    long_px: float
    short_px: float
    modules: tuple[float, float]
    widths: _Vectors

    @property
    def outer(self) -> _Vectors:
        """The symbol's own corners, `float64[4, 2]`, half a pattern beyond the centres."""
        corner, legs = self.corners[0], np.array([self.corners[1], self.corners[3]]) - self.corners[0]
        x, y = FINDER_MODULES / 2 / np.array(self.modules)
        shares = np.array([[-x, -y], [1 + x, -y], [1 + x, 1 + y], [-x, 1 + y]])
        return np.asarray(corner + shares @ legs)

    @property
    def bend(self) -> float:
        """Ratio, at least 1, of the modules counted along its two directions."""
        return max(self.modules) / min(self.modules)

    @property
    def lean(self) -> float:
        """How much longer a module looks in one direction than across it: 1 from the front, 2 from 60 degrees."""
        return self.long_px / self.short_px


def find_pose(finders: Sequence[Finder]) -> Pose | None:
    """The three of `finders` that fit each other best as the corners of one symbol, or None."""
    largest = sorted(finders, key=lambda finder: finder.module_px, reverse=True)[:_MOST_FINDERS]
    best: tuple[float, Pose] | None = None
    for three in combinations(largest, 3):
        if three[0].module_px > _SAME_SIZE * three[2].module_px:
            continue
        for at in range(3):
            fit = _fit(three[at], three[at - 2], three[at - 1])
            if fit and (best is None or fit[0] > best[0]):
                best = fit
    return best[1] if best else None


def _fit(corner: Finder, right: Finder, below: Finder) -> tuple[float, Pose] | None:
    """How well three patterns fit with `corner` between the others, and the pose then."""
    origin = np.array([corner.x, corner.y])
    legs = np.array([[right.x, right.y], [below.x, below.y]]) - origin
    if abs(np.linalg.det(legs)) < 1.0:
        return None
    own = [(finder.outline - origin) @ np.linalg.inv(legs) for finder in (corner, right, below)]
    widths = np.array([np.ptp(points, axis=0) for points in own])
    fill = min(_area(points) / max(width.prod(), 1e-9) for points, width in zip(own, widths, strict=True))
    modules = FINDER_MODULES / widths.mean(axis=0)
    if (
        fill < _MIN_FILL
        or modules.max() > _MAX_RATIO * modules.min()
        or modules.min() < _MODULES[0]
        or modules.max() > _MODULES[1]
    ):
        return None
    spread = float(np.log(widths.max(axis=0) / widths.min(axis=0)).sum())
    sides = np.linalg.svd(legs / modules[:, np.newaxis], compute_uv=False)
    corners = np.array([origin, origin + legs[0], origin + legs.sum(axis=0), origin + legs[1]])
    counted = (float(modules[0]), float(modules[1]))
    found = Pose(corners=corners, long_px=float(sides[0]), short_px=float(sides[1]), modules=counted, widths=widths)
    return fill - spread / 2, found


def _area(points: _Vectors) -> float:
    """Area of an outline (the shoelace formula)."""
    x, y = points.T
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2
