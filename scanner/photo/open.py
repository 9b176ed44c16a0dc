"""Stage 3, photo: untrusted bytes become one upright picture of bounded size, or a refusal with its reason.

The order is the defence: length, kind, pixels and frames are settled from the header before one pixel is decoded, and
only the one decoder that belongs to the kind ever sees the bytes.
"""

import io
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from scanner.errors import PhotoAnimated, PhotoEmpty, PhotoTooLarge
from scanner.photo.formats import check_header, damaged, kind_of

Gray = npt.NDArray[np.uint8]
"""A picture as `uint8[h, w]`, 0 black to 255 white."""

Bgr = npt.NDArray[np.uint8]
"""A picture as `uint8[h, w, 3]`, blue first: what OpenCV and zxing-cpp take."""

MAX_PHOTO_BYTES = 20 * 1024 * 1024
"""Longest file, in bytes: phones of 2026 write 3 to 12 MB for a full photo."""

_ORIENTATION_TAG = 0x0112
_PAPER = (255, 255, 255)
_REDRAWN_QUALITY = 85

_STRIP_ROWS = 256
"""Rows that are turned into plain colours at a time: whole copies of a large picture would triple its memory."""

_DECODERS: Final[dict[str, Callable[[io.BytesIO], Image.Image]]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
}

_warnings_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One upright picture.

    Attributes:
        bgr: `uint8[h, w, 3]`, blue first, as a viewer shows it (EXIF orientation applied).
        kind: `JPEG`, `PNG` or `WebP`.
    """

    bgr: Bgr
    kind: str


def open_photo(data: bytes, *, enough_px: int | None = None) -> Photo:
    """Turn untrusted `data` into an upright picture; a JPEG may come smaller where both sides have `enough_px`.

    Raises:
        PhotoError: one of its leaves, and nothing else, whatever the bytes are.
        MemoryError: this process may not use as much memory as the picture takes.
    """
    image, kind = _decode(data, enough_px=enough_px)
    bgr = np.empty((image.height, image.width, 3), dtype=np.uint8)
    with _decoder_errors(data, kind):
        for top, rgb in _strips(image):
            bgr[top : top + len(rgb)] = rgb[:, :, ::-1]
    return Photo(bgr=_upright(bgr, _orientation(image)), kind=kind)


def open_gray(data: bytes) -> Gray:
    """The same picture in grey (ITU-R BT.601, as OpenCV turns colours into grey), for a third of the memory.

    Raises:
        PhotoError, MemoryError: see `open_photo`.
    """
    image, kind = _decode(data)
    gray = np.empty((image.height, image.width), dtype=np.uint8)
    with _decoder_errors(data, kind):
        for top, rgb in _strips(image):
            cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY, dst=gray[top : top + len(rgb)])
    return _upright(gray, _orientation(image))


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


def _decode(data: bytes, *, enough_px: int | None = None) -> tuple[Image.Image, str]:
    """The decoded picture, as it is stored, and its kind.

    1. Refuse an empty or over-long file.   2. Recognise the kind by its first bytes, never by a file name.
    3. From the header: refuse animations and too many pixels.   4. Decode the (first) frame; a JPEG no larger than is
    `enough_px`, where a smaller one can be had.
    """
    if not data:  # (1)
        raise PhotoEmpty
    if len(data) > MAX_PHOTO_BYTES:
        raise PhotoTooLarge(len(data), MAX_PHOTO_BYTES)
    kind = kind_of(data)  # (2)
    with _without_warnings(), _decoder_errors(data, kind):
        image = _DECODERS[kind](io.BytesIO(data))  # never Pillow's registry of forty formats
    check_header(data, kind, image.size)  # (3)
    if getattr(image, "n_frames", 1) > 1:
        raise PhotoAnimated(kind)
    with _decoder_errors(data, kind):
        if enough_px is not None:
            image.draft(None, (enough_px, enough_px))
        image.load()  # (4)
    return image, kind


@contextmanager
def _decoder_errors(data: bytes, kind: str) -> Iterator[None]:
    """A damaged picture makes the decoder raise nearly anything; running out of memory is not damage."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise damaged(data, kind) from error


def _strips(image: Image.Image) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """The picture from top to bottom: the first row of each strip, and its pixels, `uint8[h, w, 3]`, red first."""
    for top in range(0, image.height, _STRIP_ROWS):
        yield top, _on_paper(image.crop((0, top, image.width, min(top + _STRIP_ROWS, image.height))))


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Odd metadata make Pillow warn, and only the picture counts; a lock, since the filter list is the process's."""
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _on_paper(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Decoded pixels as `uint8[h, w, 3]`, red first; transparent parts are white, as in a viewer."""
    if image.mode.startswith("I"):  # 16 bits of grey: keep the high byte, where Pillow would cut off at 255
        high = (np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(high[:, :, np.newaxis], 3, axis=2)
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGB", image.size, _PAPER)
        paper.paste(layer, mask=layer.getchannel("A"))
        return np.asarray(paper, dtype=np.uint8)
    return np.asarray(image.convert("RGB"), dtype=np.uint8)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1 to 8 (CIPA DC-008, tag 0x0112); 1 where it is absent, odd or unreadable."""
    with _without_warnings():
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
