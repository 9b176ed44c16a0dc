"""Stage 4, decode: black and white by the surroundings."""

import cv2
import numpy as np

from scanner.photo.open import Gray


def local_threshold(gray: Gray) -> Gray:
    """Black and white against the mean of a window of a quarter of the shorter side."""
    window = max(3, min(gray.shape) // 4 | 1)
    mean = cv2.ADAPTIVE_THRESH_MEAN_C
    return np.asarray(cv2.adaptiveThreshold(gray, 255, mean, cv2.THRESH_BINARY, window, 5), dtype=np.uint8)
