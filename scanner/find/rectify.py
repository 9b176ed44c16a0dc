"""Stage 4, decode: cut one symbol out of a photo and lay it flat."""

import cv2
import numpy as np

from scanner.engines import Corners, corners_of
from scanner.photo.open import Gray

CROP_PX = 400
"""Side of a flattened crop: 4 pixels a module up to version 14, and read in milliseconds."""

_QUIET_SHARE = 0.12
"""Margin on each side: the quiet zone of 4 modules is 14 % of version 3 and 7 % of version 9."""

_BOX_MARGIN_SHARE = 0.25


def halve(gray: Gray, side_px: int) -> Gray:
    """The picture halved until its longer side is at most `side_px`: averages of 2 x 2 pixels cost least."""
    while max(gray.shape) > max(side_px, 1):
        size = (max(1, gray.shape[1] // 2), max(1, gray.shape[0] // 2))
        gray = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return gray


def shrink(gray: Gray, side_px: int) -> Gray:
    """The picture with its longer side at most `side_px`, averaged rather than sampled."""
    near = halve(gray, 2 * side_px)
    factor = side_px / max(near.shape)
    if factor >= 1:
        return near
    size = (max(1, round(near.shape[1] * factor)), max(1, round(near.shape[0] * factor)))
    return np.asarray(cv2.resize(near, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def stretch_corners(corners: Corners, *, from_shape: tuple[int, ...], to_shape: tuple[int, ...]) -> Corners:
    """Corners found in a resized view, in pixels of the picture that it was made from."""
    factors = np.array([to_shape[1] / from_shape[1], to_shape[0] / from_shape[0]])
    return corners_of((np.array(corners) + 0.5) * factors - 0.5)


def flatten(gray: Gray, corners: Corners) -> Gray:
    """The symbol at `corners` as a square of `CROP_PX`, with its quiet zone."""
    near, far = CROP_PX * _QUIET_SHARE, CROP_PX * (1 - _QUIET_SHARE)
    square = np.array([[near, near], [far, near], [far, far], [near, far]], dtype=np.float32)
    turn = cv2.getPerspectiveTransform(np.array(corners, dtype=np.float32), square)
    flat = cv2.warpPerspective(gray, turn, (CROP_PX, CROP_PX), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, dtype=np.uint8)


def cut_out(gray: Gray, corners: Corners) -> tuple[Gray, tuple[int, int]]:
    """The box around `corners` with a margin for a place that was guessed, at its own size; and its left and top."""
    points = np.array(corners)
    margin = _BOX_MARGIN_SHARE * float(np.ptp(points, axis=0).max())
    left, top = (max(0, int(value - margin)) for value in points.min(axis=0))
    right, bottom = (int(value + margin) + 1 for value in points.max(axis=0))
    return np.ascontiguousarray(gray[top:bottom, left:right]), (left, top)
