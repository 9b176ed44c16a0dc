"""Stage 4, decode: local contrast."""

import cv2
import numpy as np

from scanner.photo.open import Gray

_CLIP_LIMIT = 2.0
_TILES = 8


def contrast(gray: Gray) -> Gray:
    """Equalise the histogram of each of 8 x 8 tiles, with a limit on how far noise is drawn apart (CLAHE)."""
    return np.asarray(cv2.createCLAHE(_CLIP_LIMIT, (_TILES, _TILES)).apply(gray), dtype=np.uint8)
