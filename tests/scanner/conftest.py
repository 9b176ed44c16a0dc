"""A small simulator for the scanner's tests: a drawn symbol, a camera with faults, and real photos where they are."""

import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import qrcode
from PIL import Image

Bgr = npt.NDArray[np.uint8]
Gray = npt.NDArray[np.uint8]


def draw(text: str, *, module_px: int = 8, border: int = 4) -> Gray:
    """A QR symbol by the `qrcode` package, level M, with its quiet zone: 0 dark, 255 light."""
    symbol = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=border)
    symbol.add_data(text, optimize=0)
    return modules_of(symbol, module_px=module_px)


def modules_of(symbol: qrcode.QRCode, *, module_px: int = 8) -> Gray:
    """The picture of a symbol: 0 dark, 255 light."""
    symbol.make(fit=True)
    modules = np.array(symbol.get_matrix(), dtype=bool)
    return np.kron(np.where(modules, 0, 255), np.ones((module_px, module_px))).astype(np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A camera with faults. Lengths in pixels; light as a factor from the dark to the bright side."""

    size: tuple[int, int] = (800, 600)
    width_px: float = 380.0
    turn_deg: float = 0.0
    tilt: float = 0.0
    blur_px: float = 0.0
    noise: float = 0.0
    light: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    desk: int = 150
    seed: int = 1

    def corners(self) -> npt.NDArray[np.float64]:
        """Where the corners of the printed square (quiet zone included) lie in the photo."""
        half = self.width_px / 2
        square = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
        square[:, 0] *= 1 + self.tilt * square[:, 1] / half  # nearer at the foot
        angle = np.radians(self.turn_deg)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        middle = np.array(self.size) / 2 + np.array(self.shift)
        return np.asarray(square @ turn + middle)

    def photograph(self, print_: Gray) -> Bgr:
        """Photograph a print that lies on a grey desk."""
        height, width = print_.shape
        flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
        lens = cv2.getPerspectiveTransform(flat, self.corners().astype(np.float32))
        seen = cv2.warpPerspective(
            print_, lens, self.size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=self.desk
        ).astype(np.float64)
        seen *= np.linspace(*self.light, self.size[0])[np.newaxis, :]
        if self.blur_px:
            seen = cv2.GaussianBlur(seen, (0, 0), self.blur_px)
        seen += np.random.default_rng(self.seed).normal(0, self.noise, seen.shape) if self.noise else 0
        return np.repeat(seen.clip(0, 255).astype(np.uint8)[:, :, np.newaxis], 3, axis=2)


def encode(bgr: Bgr, kind: str = "JPEG", **options: object) -> bytes:
    """A file of `kind` with this picture in it."""
    file = io.BytesIO()
    Image.fromarray(bgr[:, :, ::-1]).save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(name="draw")
def _draw() -> Callable[..., Gray]:
    return draw


@pytest.fixture(name="camera")
def _camera() -> type[Camera]:
    return Camera


@pytest.fixture(name="encode")
def _encode() -> Callable[..., bytes]:
    return encode


@dataclass(frozen=True, slots=True, kw_only=True)
class RealPhoto:
    """One line of the index of real photos."""

    path: Path
    group: str
    texts: tuple[str | None, ...]


@pytest.fixture(scope="session")
def real_photos() -> list[RealPhoto]:
    folder = os.environ.get("AUTHCODE_PHOTOS")
    if not folder:
        pytest.skip("AUTHCODE_PHOTOS names no folder of real photos")
    lines = json.loads((Path(folder) / "index.json").read_text(encoding="utf-8"))
    return [
        RealPhoto(path=Path(folder) / line["file"], group=line["set"], texts=tuple(line["texts"])) for line in lines
    ]
