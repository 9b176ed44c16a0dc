"""A simulated phone: takes a picture of a printed label.

The sheet is rendered by a renderer that is not ours, then seen at an angle, out of focus, in uneven light, with a
noisy sensor, and saved as JPEG. The faults are those of consumers' photos, in the amounts of an
ordinary snapshot indoors.
"""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pypdfium2

POINTS_PER_INCH = 72
SHEET_DPI = 300
PHOTO_WIDTH_PX = 1200
PHOTO_HEIGHT_PX = 900
TILT = 0.06
"""How far the corners move, as a share of the picture's width."""
BLUR_PX = 0.9
"""Standard deviation of the defocus, in pixels of the photo."""
NOISE = 6.0
"""Standard deviation of the sensor's noise, in grey levels of 255."""
SHADE = 0.45
"""Share of light that the darkest corner loses."""
JPEG_QUALITY = 82
"""As in libjpeg, 1 to 100."""

Picture = npt.NDArray[np.uint8]


def render_page(pdf: Path) -> Picture:
    """The first page as BGR uint8[h, w, 3] at `SHEET_DPI`, drawn by PDFium."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        bitmap = document[0].render(scale=SHEET_DPI / POINTS_PER_INCH)
        return np.asarray(bitmap.to_pil().convert("RGB"), dtype=np.uint8)[:, :, ::-1].copy()
    finally:
        document.close()


def photograph(scene: Picture, *, seed: int) -> bytes:
    """A JPEG of `scene` (BGR uint8[h, w, 3]) as the simulated phone sees it; the same seed takes the same picture."""
    chance = np.random.default_rng(seed)
    picture = _tilted(scene, chance)
    seen = cv2.GaussianBlur(picture, (0, 0), BLUR_PX).astype(np.float64) * _light(chance)
    exposed = np.asarray(np.clip(seen + chance.normal(0.0, NOISE, seen.shape), 0, 255), dtype=np.uint8)
    _, jpeg = cv2.imencode(".jpg", exposed, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(jpeg)


def _tilted(scene: Picture, chance: np.random.Generator) -> npt.NDArray[np.uint8]:
    """The scene in perspective on a table-coloured background."""
    height, width = scene.shape[:2]
    scale = min(PHOTO_WIDTH_PX / width, PHOTO_HEIGHT_PX / height) * (1 - 2 * TILT)
    left = (PHOTO_WIDTH_PX - width * scale) / 2
    top = (PHOTO_HEIGHT_PX - height * scale) / 2
    right, bottom = left + width * scale, top + height * scale
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)
    corners += chance.uniform(-TILT, TILT, corners.shape).astype(np.float32) * PHOTO_WIDTH_PX
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    warp = cv2.getPerspectiveTransform(flat, corners)
    size = (PHOTO_WIDTH_PX, PHOTO_HEIGHT_PX)
    seen = cv2.warpPerspective(
        scene, warp, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=(96, 118, 132)
    )
    return np.asarray(seen, dtype=np.uint8)


def _light(chance: np.random.Generator) -> npt.NDArray[np.float32]:
    """A light field float32[h, w, 1] that falls off from a lamp somewhere at the edge."""
    lamp_x, lamp_y = chance.uniform(0, PHOTO_WIDTH_PX), chance.uniform(0, PHOTO_HEIGHT_PX * 0.4)
    y, x = np.mgrid[0:PHOTO_HEIGHT_PX, 0:PHOTO_WIDTH_PX]
    distance = np.hypot(x - lamp_x, y - lamp_y) / np.hypot(PHOTO_WIDTH_PX, PHOTO_HEIGHT_PX)
    return np.asarray(1.0 - SHADE * distance, dtype=np.float32)[:, :, np.newaxis]
