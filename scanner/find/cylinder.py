"""Stage 4, decode: a symbol around a bottle or a tube, unrolled.

On a cylinder modules grow narrower towards its edges. How wide the finder patterns look there, against the modules
that are counted across, gives the angles at which they lie; nothing else of the symbol has to be read for it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from scanner.find.localise import FINDER_MODULES
from scanner.find.pose import Pose
from scanner.photo.open import Gray

MODULE_PX = 6
"""Pixels a module of the unrolled symbol."""

SAGS = (0.0, 0.06, -0.06, 0.12, -0.12)
"""How far rows of modules sag in their middle, in heights of the symbol: a bottle seen from above, or from below."""

_MIN_BEND, _MAX_TURN = 1.04, math.radians(170)
_QUIET = 4.0
_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cylinder:
    """Angles in radians at which the first and the last finder pattern lie, 0 being straight ahead."""

    first: float
    last: float

    def place(self, share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Where in the picture a share of the way around lies, as a share of the straight way."""
        angle = (self.first + (self.last - self.first) * share).clip(-math.pi / 2, math.pi / 2)
        return np.asarray((np.sin(angle) - math.sin(self.first)) / (math.sin(self.last) - math.sin(self.first)))


def unrolled(gray: Gray, pose: Pose, scale: float) -> Iterator[Gray]:
    """The symbol of `pose`, found in a view `scale` times smaller than `gray`, unrolled in a few likely ways.

    1. Along which of its two directions it is bent.   2. The angles.   3. One picture for each sag of `SAGS`.
    """
    along = int(np.argmax(pose.modules))  # (1)
    across = 1 - along
    count = pose.modules[across]
    if pose.bend < _MIN_BEND:
        return
    ends = [pose.widths[0, along] + pose.widths[2 - along, along], 2 * pose.widths[1 + along, along]]
    cylinder = _fit([width / 2 * count / FINDER_MODULES for width in ends])  # (2)
    if cylinder is None:
        return
    margin = (FINDER_MODULES / 2 + _QUIET) / count
    side = int((count + FINDER_MODULES + 2 * _QUIET) * MODULE_PX)
    flat = np.linspace(-margin, 1 + margin, side)
    straight, bent = np.meshgrid(flat, cylinder.place(flat), indexing="ij")
    corner = pose.corners[0]
    legs = np.array([pose.corners[1] - corner, pose.corners[3] - corner])
    for sag in SAGS:  # (3)
        depth = sag * 4 * bent * (1 - bent)
        points = corner + bent[..., np.newaxis] * legs[along] + (straight + depth)[..., np.newaxis] * legs[across]
        at = (points * scale).astype(np.float32)
        yield np.asarray(cv2.remap(gray, at[..., 0], at[..., 1], cv2.INTER_LINEAR), dtype=np.uint8)


def _fit(slopes: Sequence[float]) -> _Cylinder | None:
    """The cylinder on which modules at the two ends look `slopes` times as wide as on average.

    With the turn D between the ends and their middle M, the slopes are D cos(M -+ D/2) / (2 cos M sin(D/2)): their sum
    is D / tan(D/2), and their ratio gives M.
    """
    turns = np.linspace(1e-3, _MAX_TURN, _STEPS)
    sums = turns / np.tan(turns / 2)
    if not sums[-1] < sum(slopes) < sums[0]:
        return None
    turn = float(np.interp(-sum(slopes), -sums, turns))
    ratio = slopes[1] / slopes[0]
    middle = math.atan((1 - ratio) / (1 + ratio) / math.tan(turn / 2))
    return _Cylinder(first=middle - turn / 2, last=middle + turn / 2)
