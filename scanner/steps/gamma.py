"""Stage 4, decode: the tone curve."""

import cv2
import numpy as np

from scanner.photo.open import Gray

_LEVELS = np.arange(256) / 255


def gamma(gray: Gray, exponent: float = 3.0) -> Gray:
    """Power-law tone curve: above 1 it draws bright tones apart, as under glare."""
    table = np.asarray(255 * _LEVELS**exponent, dtype=np.uint8)
    return np.asarray(cv2.LUT(gray, table), dtype=np.uint8)
