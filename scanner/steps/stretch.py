"""Stage 4, decode: foreshortened symbols drawn out."""

import cv2
import numpy as np

from scanner.photo.open import Gray

_FACTOR = 1.8


def stretch_x(gray: Gray) -> Gray:
    """Wider by 1.8: symbols seen from the side, or on the flanks of a bottle."""
    return np.asarray(cv2.resize(gray, None, fx=_FACTOR, fy=1, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def stretch_y(gray: Gray) -> Gray:
    """Taller by 1.8: symbols seen from above or below."""
    return np.asarray(cv2.resize(gray, None, fx=1, fy=_FACTOR, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
