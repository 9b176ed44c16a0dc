"""Stage 4, decode: shadows and lamps taken away."""

import cv2
import numpy as np

from scanner.photo.open import Gray


def even_light(gray: Gray) -> Gray:
    """Divide by the background, measured at an eighth of the size: removes slow changes of light."""
    small = cv2.resize(gray, (max(1, gray.shape[1] // 8), max(1, gray.shape[0] // 8)), interpolation=cv2.INTER_AREA)
    grown = cv2.dilate(small, np.ones((3, 3), dtype=np.uint8))
    paper = cv2.GaussianBlur(grown, (0, 0), max(1.0, max(small.shape) / 20))
    background = cv2.resize(paper, (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(gray, background, scale=220), dtype=np.uint8)
