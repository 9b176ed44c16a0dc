"""Shared fixtures of the print tests: code texts, a logo drawn by code, and readers that are not ours."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import numpy.typing as npt
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from authcode.design.label import Label
from authcode.design.plan import Design
from keys.format.records import Form

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def code_text(form: Form, seed: int, host: str = "V.EXAMPLE.COM") -> str:
    """A text of the right shape; nothing is signed, since print only carries it."""
    random = np.random.default_rng(seed)
    serial = "".join(random.choice(list(CROCKFORD), 13))
    if form is Form.SHORT:
        return f"HTTPS://{host}/K1{serial}{''.join(random.choice(list(CROCKFORD), 103))}"
    return f"HTTPS://{host}/01/09506000134352/21/{serial}?8030=K1{''.join(random.choice(list(BASE64URL), 86))}"


def serial_text(seed: int) -> str:
    characters = "".join(np.random.default_rng(seed).choice(list(CROCKFORD), 14))
    return f"{characters[:4]} {characters[4:8]} {characters[8:12]} {characters[12]}·{characters[13]}"


def drawn_logo(size: tuple[int, int] = (600, 600), *, colour: str = "#0b6e4f") -> Image.Image:
    """A leaf in a disc on a transparent ground: round edges, a colour, thin lines."""
    width, height = size
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), radius=min(size) // 3, fill=colour)
    side = min(size)
    left, top = (width - side) // 2, (height - side) // 2
    box = [left + side * 0.22, top + side * 0.22, left + side * 0.78, top + side * 0.78]
    draw.pieslice(box, 90, 270, fill="white")
    draw.pieslice(box, 270, 90, fill="#ffd166")
    draw.line((left + side * 0.5, top + side * 0.15, left + side * 0.5, top + side * 0.85), "white", max(side // 40, 1))
    return picture


def make_label(design: Design, code: str, index: int = 0, tier: str | None = None) -> Label:
    return Label(index=index, tier=tier, serial_text=serial_text(index), code=code, symbol=design.symbol_of(code))


def read_by_zxing(picture: npt.NDArray[np.uint8]) -> list[str]:
    found = zxingcpp.read_barcodes(
        picture, formats=zxingcpp.BarcodeFormat.QRCodeModel2, text_mode=zxingcpp.TextMode.Plain
    )
    return [symbol.text for symbol in found]


def read_by_opencv(picture: npt.NDArray[np.uint8]) -> str:
    """OpenCV's detector misses every tenth perfect symbol at one size or another, so it is shown several sizes."""
    for scale in (1.0, 0.75, 0.5, 1.5, 0.6, 2.0, 1.25, 3.0, 0.4):
        shown = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if text := cv2.QRCodeDetector().detectAndDecode(shown)[0]:
            return text
    return ""


def grey(file: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(file)).convert("L"), dtype=np.uint8)


def pdf_page(path: Path, page: int = 0, dpi: int = 300) -> Image.Image:
    """A page drawn by PDFium, which shares no code with what wrote it."""
    with pypdfium2.PdfDocument(path) as document:
        return document[page].render(scale=dpi / 72).to_pil().convert("RGB")


@pytest.fixture(scope="session")
def shop() -> SimpleNamespace:
    """What a print shop has at hand: codes to print, a logo, labels, and readers that are not ours."""
    return SimpleNamespace(
        code_text=code_text,
        serial_text=serial_text,
        drawn_logo=drawn_logo,
        make_label=make_label,
        read_by_zxing=read_by_zxing,
        read_by_opencv=read_by_opencv,
        grey=grey,
        pdf_page=pdf_page,
    )


@pytest.fixture
def logo_file(tmp_path: Path) -> Callable[..., Path]:
    """Draws a logo of a size in pixels into a PNG file."""

    def make(size: tuple[int, int] = (600, 600)) -> Path:
        path = tmp_path / "logo.png"
        drawn_logo(size).save(path)
        return path

    return make
