"""A simulated phone: takes a picture of a printed label.

The sheet is rendered by a renderer that is not ours, then seen at an angle, out of focus, in uneven light, with a
noisy sensor, and saved as JPEG. Each fault stands for one that consumers' photos have; their amounts are those of an
ordinary snapshot indoors.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pypdfium2

POINTS_PER_INCH = 72
SHEET_DPI = 300
PHOTO_WIDTH_PX = 1200
PHOTO_HEIGHT_PX = 900

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the camera does to the scene.

    Attributes:
        tilt: How far the corners move, as a share of the picture's width.
        blur_px: Standard deviation of the defocus, in pixels of the photo.
        noise: Standard deviation of the sensor's noise, in grey levels of 255.
        shade: Share of light that the darkest corner loses.
        jpeg_quality: As in libjpeg, 1 to 100.
    """

    tilt: float = 0.06
    blur_px: float = 0.9
    noise: float = 6.0
    shade: float = 0.45
    jpeg_quality: int = 82


def render_page(pdf: Path, page: int = 0, *, dpi: int = SHEET_DPI) -> Picture:
    """The page as BGR uint8[h, w, 3] at `dpi`, drawn by PDFium."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        bitmap = document[page].render(scale=dpi / POINTS_PER_INCH)
        return np.asarray(bitmap.to_pil().convert("RGB"), dtype=np.uint8)[:, :, ::-1].copy()
    finally:
        document.close()


def photograph(scene: Picture, *, seed: int, snapshot: Snapshot | None = None) -> bytes:
    """A JPEG of `scene` (BGR uint8[h, w, 3]) as the simulated phone sees it; the same seed takes the same picture."""
    shot = snapshot or Snapshot()
    chance = np.random.default_rng(seed)
    picture = _tilted(scene, shot.tilt, chance)
    seen = cv2.GaussianBlur(picture, (0, 0), shot.blur_px).astype(np.float64) * _light(shot.shade, chance)
    exposed = np.asarray(np.clip(seen + chance.normal(0.0, shot.noise, seen.shape), 0, 255), dtype=np.uint8)
    _, jpeg = cv2.imencode(".jpg", exposed, [cv2.IMWRITE_JPEG_QUALITY, shot.jpeg_quality])
    return bytes(jpeg)


def _tilted(scene: Picture, tilt: float, chance: np.random.Generator) -> npt.NDArray[np.uint8]:
    """The scene in perspective on a table-coloured background."""
    height, width = scene.shape[:2]
    scale = min(PHOTO_WIDTH_PX / width, PHOTO_HEIGHT_PX / height) * (1 - 2 * tilt)
    left = (PHOTO_WIDTH_PX - width * scale) / 2
    top = (PHOTO_HEIGHT_PX - height * scale) / 2
    right, bottom = left + width * scale, top + height * scale
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)
    corners += chance.uniform(-tilt, tilt, corners.shape).astype(np.float32) * PHOTO_WIDTH_PX
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    warp = cv2.getPerspectiveTransform(flat, corners)
    size = (PHOTO_WIDTH_PX, PHOTO_HEIGHT_PX)
    seen = cv2.warpPerspective(
        scene, warp, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=(96, 118, 132)
    )
    return np.asarray(seen, dtype=np.uint8)


def _light(shade: float, chance: np.random.Generator) -> npt.NDArray[np.float32]:
    """A light field float32[h, w, 1] that falls off from a lamp somewhere at the edge."""
    lamp_x, lamp_y = chance.uniform(0, PHOTO_WIDTH_PX), chance.uniform(0, PHOTO_HEIGHT_PX * 0.4)
    y, x = np.mgrid[0:PHOTO_HEIGHT_PX, 0:PHOTO_WIDTH_PX]
    distance = np.hypot(x - lamp_x, y - lamp_y) / np.hypot(PHOTO_WIDTH_PX, PHOTO_HEIGHT_PX)
    return np.asarray(1.0 - shade * distance, dtype=np.float32)[:, :, np.newaxis]
