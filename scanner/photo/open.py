"""Stage 3, photo: untrusted bytes become upright pictures of bounded size, or a refusal with its reason.

The order is the defence: length, kind and pixels are settled from the header before one pixel is decoded, and only the
one decoder that belongs to the kind ever sees the bytes.
"""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from scanner.errors import PhotoEmpty, PhotoError, PhotoTooLarge, PhotoTruncated, PhotoUnreadable
from scanner.photo import pdf
from scanner.photo.formats import MAX_WHOLE_PIXELS, Found, check_size, find_picture

Gray = npt.NDArray[np.uint8]
"""A picture as `uint8[h, w]`, 0 black to 255 white."""

Bgr = npt.NDArray[np.uint8]
"""A picture as `uint8[h, w, 3]`, blue first: what OpenCV and zxing-cpp take."""

MAX_PHOTO_BYTES = 32 * 1024 * 1024
"""Longest file, in bytes: phones of 2026 write 3 to 12 MB for a photo, 25 with its film."""

_ORIENTATION_TAG = 0x0112
_WHITE, _BLACK, _OPAQUE = 255, 0, 255
_REDRAWN_QUALITY = 85
_CLEAR_MODES = frozenset({"RGBA", "LA", "PA"})

_STRIP_ROWS = 256
"""Rows that are turned into plain colours at a time: whole copies of a large picture would triple its memory."""

_DECODERS = MappingProxyType(
    {
        "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
        "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
        "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
        "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
        "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
        "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
        "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
        "HEIC": ("pi_heif.as_plugin", "HeifImageFile"),
    }
)
"""The one decoder of each kind: never Pillow's registry of forty formats."""

_process_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One upright picture.

    Attributes:
        bgr: `uint8[h, w, 3]`, blue first, as a viewer shows it (EXIF orientation applied).
        kind: the format, such as `JPEG`.
    """

    bgr: Bgr
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """What a file shows, in the order in which it is worth reading.

    Attributes:
        views: upright pictures in grey, each made when it is asked for; `PhotoError` may come out of the first.
        broken: the error of a file that breaks off, where nothing is read in what is there; None where it is whole.
    """

    views: Iterator[Gray]
    broken: PhotoError | None


def open_photo(data: bytes, *, enough_px: int | None = None) -> Photo:
    """Turn untrusted `data` into an upright picture; a JPEG may come smaller where both sides have `enough_px`.

    Raises:
        PhotoError: one of its leaves, and nothing else, whatever the bytes are; a file that breaks off is refused.
        MemoryError: this process may not use as much memory as the picture takes.
    """
    found = picture_in(data)
    if found.broken:
        raise found.broken
    if found.kind == "PDF":
        for page in pdf.pages(found.data):
            return Photo(bgr=np.asarray(cv2.cvtColor(page, cv2.COLOR_GRAY2BGR), dtype=np.uint8), kind=found.kind)
        raise PhotoUnreadable(found.kind)
    with _decoder_errors(found):
        image = _decode(found, enough_px=enough_px)
        bgr = np.empty((image.height, image.width, 3), dtype=np.uint8)
        for top, rgb in _strips(image, _WHITE):
            bgr[top : top + len(rgb)] = rgb[:, :, ::-1]
    return Photo(bgr=_upright(bgr, _orientation(image)), kind=found.kind)


def open_views(data: bytes) -> Views:
    """What untrusted `data` shows in grey (ITU-R BT.601): a picture, a page each of a PDF.

    A picture with transparent parts is shown on white paper, on black, and as its transparency alone: stickers and
    logos are sent as light modules on nothing.

    Raises:
        PhotoError, MemoryError: see `open_photo`; a picture that breaks off is shown as far as it goes.
    """
    found = picture_in(data)
    if found.kind == "PDF":
        return Views(views=pdf.pages(found.data), broken=None)
    with _decoder_errors(found):
        image = _decode(found, gray=True)
    return Views(views=_gray_views(found, image), broken=found.broken)


def _gray_views(found: Found, image: Image.Image) -> Iterator[Gray]:
    orientation = _orientation(image)
    with _decoder_errors(found):
        yield _upright(_gray(image, _WHITE), orientation)
        alpha = _alpha(image)
        if alpha is not None:
            yield _upright(_gray(image, _BLACK), orientation)
            yield _upright(alpha, orientation)


def _gray(image: Image.Image, paper: int) -> Gray:
    if image.mode == "L" and "transparency" not in image.info:
        return np.asarray(image, dtype=np.uint8)
    gray = np.empty((image.height, image.width), dtype=np.uint8)
    for top, rgb in _strips(image, paper):
        cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY, dst=gray[top : top + len(rgb)])
    return gray


def redrawn(data: bytes, *, side_px: int) -> bytes:
    """The picture encoded again as JPEG: upright, on white, bounded, and without anything else that the file held.

    Raises:
        PhotoError, MemoryError: see `open_photo`.
    """
    photo = open_photo(data, enough_px=2 * side_px)  # shrinking from twice the size looks as from the whole
    image = Image.fromarray(np.ascontiguousarray(photo.bgr[:, :, ::-1]))
    image.thumbnail((side_px, side_px))
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=_REDRAWN_QUALITY)
    return kept.getvalue()


def picture_in(data: bytes) -> Found:
    """The picture in a file: neither empty nor over-long, its kind recognised by its first bytes, never by a name.

    Raises:
        PhotoError: there is none that is taken; no decoder has run.
    """
    if not data:
        raise PhotoEmpty
    if len(data) > MAX_PHOTO_BYTES:
        raise PhotoTooLarge(len(data), MAX_PHOTO_BYTES)
    return find_picture(data)


def _decode(found: Found, *, enough_px: int | None = None, gray: bool = False) -> Image.Image:
    """The decoded first picture, as it is stored.

    1. Open the header.   2. Refuse too many pixels.   3. Let a JPEG be decoded grey where that is asked for, and half
    as large where it has too many pixels or more than enough.   4. Decode the first frame, as far as it goes.
    """
    with _process_set(lenient=found.broken is not None):
        image: Image.Image = _decoder(found.kind)(io.BytesIO(found.data))  # (1)
        check_size(found.kind, *image.size)  # (2)
        if image.width * image.height > MAX_WHOLE_PIXELS:  # (3)
            image.draft("L" if gray else None, (image.width // 2, image.height // 2))
        elif gray or enough_px is not None:
            image.draft("L" if gray else None, (enough_px, enough_px) if enough_px else image.size)
        image.load()  # (4)
    return image


def _decoder(kind: str) -> Any:  # noqa: ANN401 - a class of Pillow or of pi-heif
    """The class that decodes one kind.

    Raises:
        PhotoUnreadable: this installation has none.
    """
    module, name = _DECODERS[kind]
    try:
        return getattr(import_module(module), name)
    except ImportError:
        raise PhotoUnreadable(kind) from None


@contextmanager
def _decoder_errors(found: Found) -> Iterator[None]:
    """A damaged picture makes the decoder raise nearly anything; running out of memory is not damage."""
    try:
        yield
    except (MemoryError, PhotoError):
        raise
    except Exception as error:
        cut = "truncated" in str(error).lower()
        raise (
            found.broken or (PhotoTruncated(found.kind, len(found.data)) if cut else PhotoUnreadable(found.kind))
        ) from error


def _strips(image: Image.Image, paper: int) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """The picture from top to bottom: the first row of each strip, and its pixels, `uint8[h, w, 3]`, red first."""
    for top, strip in _crops(image):
        yield top, _on_paper(strip, paper)


def _crops(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    for top in range(0, image.height, _STRIP_ROWS):
        yield top, image.crop((0, top, image.width, min(top + _STRIP_ROWS, image.height)))


@contextmanager
def _process_set(*, lenient: bool = False) -> Iterator[None]:
    """Pillow without warnings, since odd metadata are no matter here, and lenient with what breaks off.

    Both settings belong to the process: hence the lock.
    """
    with _process_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False


def _alpha(image: Image.Image) -> Gray | None:
    """How opaque each pixel is, `uint8[h, w]`; None where all of them are."""
    if image.mode not in _CLEAR_MODES and "transparency" not in image.info:
        return None
    alpha = np.empty((image.height, image.width), dtype=np.uint8)
    for top, strip in _crops(image):
        alpha[top : top + strip.height] = np.asarray(strip.convert("RGBA").getchannel("A"))
    return None if (alpha == _OPAQUE).all() else alpha


def _on_paper(image: Image.Image, paper: int) -> npt.NDArray[np.uint8]:
    """Decoded pixels as `uint8[h, w, 3]`, red first; transparent parts show a paper of that grey level."""
    if image.mode.startswith("I"):  # 16 bits of grey: keep the high byte, where Pillow would cut off at 255
        high = (np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(high[:, :, np.newaxis], 3, axis=2)
    if image.mode in _CLEAR_MODES or "transparency" in image.info:
        layer = image.convert("RGBA")
        sheet = Image.new("RGB", image.size, (paper, paper, paper))
        sheet.paste(layer, mask=layer.getchannel("A"))
        return np.asarray(sheet, dtype=np.uint8)
    return np.asarray(image.convert("RGB"), dtype=np.uint8)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1 to 8 (CIPA DC-008, tag 0x0112); 1 where it is absent, odd or unreadable."""
    with _process_set():
        try:
            value = image.getexif().get(_ORIENTATION_TAG, 1)
        except Exception:  # noqa: BLE001 - broken metadata are no reason to refuse a good picture
            return 1
    return value if value in range(1, 9) else 1


def _upright(stored: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Turn the stored picture, grey or in colours, as its EXIF orientation demands."""
    if orientation in {5, 6, 7, 8}:  # rows and columns exchanged
        stored = stored.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        stored = stored[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        stored = stored[::-1]
    return np.ascontiguousarray(stored)
