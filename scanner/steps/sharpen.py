"""Stage 4, decode: blurred pictures sharpened."""

import cv2
import numpy as np

from scanner.find.rectify import halve
from scanner.photo.open import Gray

_SIDE_PX = 1200
_RADIUS_PX = 2.0
_AMOUNT = 1.0


def sharpen(gray: Gray) -> Gray:
    """Unsharp mask on at most 1,200 px: what is smeared over pixels needs fewer of them."""
    small = halve(gray, _SIDE_PX)
    smooth = cv2.GaussianBlur(small, (0, 0), _RADIUS_PX)
    return np.asarray(cv2.addWeighted(small, 1 + _AMOUNT, smooth, -_AMOUNT, 0), dtype=np.uint8)
