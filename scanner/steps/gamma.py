"""Stage 4, decode: the tone curve."""

import cv2
import numpy as np

from scanner.photo.open import Gray

_LEVELS = np.arange(256) / 255


def darken(gray: Gray) -> Gray:
    """The cube of every tone: draws bright tones apart, as under glare."""
    return _gamma(gray, 3.0)


def brighten(gray: Gray) -> Gray:
    """The power of 0.4 of every tone: draws dark tones apart, as in shadow and beside a bright spot."""
    return _gamma(gray, 0.4)


def _gamma(gray: Gray, exponent: float) -> Gray:
    table = np.asarray(255 * _LEVELS**exponent, dtype=np.uint8)
    return np.asarray(cv2.LUT(gray, table), dtype=np.uint8)
