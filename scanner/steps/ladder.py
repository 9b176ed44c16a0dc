"""Stage 4, decode: what is done to a picture that was not read as it is, one rung at a time.

Every rung is a picture in, a picture out, at most 1,600 px, in 1 to 6 ms; zxing-cpp then reads the result. First comes
what reads most for its time; `benchmarks/read.py --ablate` prints what is lost without each.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from scanner.engines import Gray

LADDER_PX = 1600
"""Longest side on the ladder: beyond it a rung costs more and reads no more."""

_SMALL_PX = 800
_LEVELS = np.arange(256) / 255
_CROSS = np.ones((3, 3), dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One preparation. `prepare` takes and gives `uint8[h, w]`; `side_px` is the longest side that it is worth."""

    name: str
    prepare: Callable[[Gray], Gray]
    side_px: int = LADDER_PX


def gamma(gray: Gray, exponent: float) -> Gray:
    """Power-law tone curve: above 1 it draws bright tones apart, as under glare."""
    table = np.asarray(255 * _LEVELS**exponent, dtype=np.uint8)
    return np.asarray(cv2.LUT(gray, table), dtype=np.uint8)


def even_light(gray: Gray) -> Gray:
    """Divide by the background, seen at an eighth of the size: takes slow changes of light away."""
    small = cv2.resize(gray, (max(1, gray.shape[1] // 8), max(1, gray.shape[0] // 8)), interpolation=cv2.INTER_AREA)
    paper = cv2.GaussianBlur(cv2.dilate(small, _CROSS), (0, 0), max(1.0, max(small.shape) / 20))
    background = cv2.resize(paper, (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(gray, background, scale=220), dtype=np.uint8)


def local_threshold(gray: Gray) -> Gray:
    """Black and white against the mean of a window of a quarter of the shorter side."""
    window = max(3, min(gray.shape) // 4 | 1)
    mean = cv2.ADAPTIVE_THRESH_MEAN_C
    return np.asarray(cv2.adaptiveThreshold(gray, 255, mean, cv2.THRESH_BINARY, window, 5), dtype=np.uint8)


def double(gray: Gray) -> Gray:
    """Twice the size: decoders want 3 pixels a module, small pictures have fewer."""
    return np.asarray(cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def thicken(gray: Gray) -> Gray:
    """Let dark grow by a pixel: mends thin prints and codes of separate dots."""
    return np.asarray(cv2.erode(gray, _CROSS), dtype=np.uint8)


RUNGS = (
    Rung(name="gamma 3", prepare=lambda gray: gamma(gray, 3.0)),
    Rung(name="local threshold", prepare=local_threshold),
    Rung(name="double", prepare=double, side_px=_SMALL_PX),
    Rung(name="even light", prepare=even_light),
    Rung(name="thicken", prepare=thicken),
)
"""The ladder, in order. `side_px` skips a rung for larger pictures."""
