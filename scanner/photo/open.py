"""Stage 3, photo: untrusted bytes become one upright picture of bounded size, or a refusal that says why.

The order is the defence: length, kind, pixels and frames are settled from the header before one pixel is decoded, and
only the one decoder that belongs to the kind ever sees the bytes.
"""

import io
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from scanner.errors import (
    PhotoAnimated,
    PhotoEmpty,
    PhotoTooLarge,
    PhotoTooManyPixels,
    PhotoTruncated,
    PhotoUnreadable,
)

Gray = npt.NDArray[np.uint8]
"""A picture as `uint8[h, w]`, 0 black to 255 white."""

Bgr = npt.NDArray[np.uint8]
"""A picture as `uint8[h, w, 3]`, blue first: what OpenCV and zxing-cpp take."""

MAX_PHOTO_BYTES = 20 * 1024 * 1024
"""Longest file, in bytes: phones of 2026 write 3 to 12 MB for a full photo."""

MAX_PHOTO_PIXELS = 50_000_000
"""Most pixels of a JPEG: the 48- and 50-megapixel cameras pass; decoded that is 200 MB."""

MAX_DRAWN_PIXELS = MappingProxyType({"JPEG": MAX_PHOTO_PIXELS, "PNG": 25_000_000, "WebP": 16_000_000})
"""Most pixels by kind. No camera writes PNG or WebP: those are screenshots and what messengers made of a photo, and a
flat one of 50 megapixels costs its sender two kilobytes. libwebp holds four copies of the whole canvas."""

MAX_PHOTO_SIDE = 20_000
"""Longest side in pixels: a strip of 50,000,000 x 1 is no photo, and some filters take no side above 32,767."""

_ORIENTATION_TAG = 0x0112
_PAPER = (255, 255, 255)
_REDRAWN_QUALITY = 85

_DECODERS: Final[dict[str, Callable[[io.BytesIO], Image.Image]]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
}

_header_lock = threading.Lock()


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
    with _damage_told(data, kind):
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
    with _damage_told(data, kind):
        for top, rgb in _strips(image):
            cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY, dst=gray[top : top + len(rgb)])
    return _upright(gray, _orientation(image))


def redrawn(data: bytes, *, side_px: int) -> bytes:
    """A picture made anew as JPEG: upright, on white, bounded, and without whatever else the file held.

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
    kind = _kind(data)  # (2)
    image = _open_header(data, kind)  # (3)
    _refuse_size(*image.size, kind)
    if kind == "JPEG" and data.count(_SCAN_START) > MAX_JPEG_SCANS:
        raise PhotoUnreadable(kind)
    if getattr(image, "n_frames", 1) > 1:
        raise PhotoAnimated(kind)
    with _damage_told(data, kind):
        if enough_px is not None:
            image.draft(None, (enough_px, enough_px))
        image.load()  # (4)
    return image, kind


def _refuse_size(width: int, height: int, kind: str) -> None:
    most = MAX_DRAWN_PIXELS[kind]
    if width * height > most or max(width, height) > MAX_PHOTO_SIDE:
        raise PhotoTooManyPixels(width, height, most, MAX_PHOTO_SIDE)


@contextmanager
def _damage_told(data: bytes, kind: str) -> Iterator[None]:
    """A damaged picture makes the decoder raise nearly anything; want of memory is no damage."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise _damaged(data, kind) from error


_STRIP_ROWS = 256
"""Rows that are turned into plain colours at a time: whole copies of a large picture would triple its memory."""


def _strips(image: Image.Image) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """The picture from top to bottom: the first row of each strip, and its pixels, `uint8[h, w, 3]`, red first."""
    for top in range(0, image.height, _STRIP_ROWS):
        yield top, _on_paper(image.crop((0, top, image.width, min(top + _STRIP_ROWS, image.height))))


MAX_PNG_CHUNKS = 10_000
"""Chunks of a PNG: encoders write one for each 8 KB or more. An empty one has 12 bytes and costs a reader 10 us, so
that a flood of a million held a processor for seconds."""

MAX_JPEG_SCANS = 64
"""Scans of a progressive JPEG, thumbnails included: cameras write about ten. Each one costs a pass over all pixels, so
that a few hundred kilobytes of repeated scans could keep a decoder busy for minutes."""

_SCAN_START = b"\xff\xda"  # the marker SOS (ITU-T T.81 B.1.1.3); entropy-coded data cannot hold it


def _kind(data: bytes) -> str:
    """Kind of picture by its first bytes; refuses what is not taken."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(_PNG_SIGNATURE):
        return _png_of_few_chunks(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _still_webp(data)
    if data.startswith((b"GIF87a", b"GIF89a")):
        # A GIF is refused either way; two frames or more each have a graphic control extension (GIF89a, clause 23).
        raise PhotoAnimated("GIF") if data.count(b"\x21\xf9\x04") > 1 else PhotoUnreadable("GIF")
    raise PhotoUnreadable("unknown")


_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _png_of_few_chunks(data: bytes) -> str:
    """Count chunks before the decoder meets them (ISO/IEC 15948, clause 5.3: length, type, data, CRC)."""
    at, chunks = len(_PNG_SIGNATURE), 0
    while at + 8 <= len(data) and data[at + 4 : at + 8] != b"IEND":
        at += 12 + int.from_bytes(data[at : at + 4])
        chunks += 1
        if chunks > MAX_PNG_CHUNKS:
            raise PhotoUnreadable("PNG")
    return "PNG"


def _still_webp(data: bytes) -> str:
    """Check the size and the animation flag of a WebP before its decoder sees it (RFC 9649, clause 2.7).

    The decoder reserves a whole canvas as soon as it is made, so the limits have to hold before that.
    """
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:  # noqa: PLR2004 - the longest of the three headers
        raise PhotoTruncated("WebP", len(data))
    if chunk == b"VP8X":
        if body[0] & 0x02:
            raise PhotoAnimated("WebP")
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
    elif chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    _refuse_size(width, height, "WebP")
    return "WebP"


def _open_header(data: bytes, kind: str) -> Image.Image:
    """Let the one decoder of `kind` read the header; Pillow's registry of forty formats is never asked.

    Odd metadata make Pillow warn; the picture is what counts, so the warnings are dropped (under a lock, since the
    filter list belongs to the process).
    """
    with _header_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _DECODERS[kind](io.BytesIO(data))
        except MemoryError:
            raise
        except Exception as error:  # see open_photo: nearly anything
            raise _damaged(data, kind) from error


def _damaged(data: bytes, kind: str) -> PhotoTruncated | PhotoUnreadable:
    """Tell a file that breaks off, which can be sent again, from one that is broken inside."""
    whole = {
        "JPEG": b"\xff\xd9" in data[-64:],  # end of image (ITU-T T.81, B.2.1); some cameras pad a little behind it
        "PNG": b"IEND" in data[-64:],  # the last chunk (ISO/IEC 15948, 11.2.5)
        "WebP": len(data) >= int.from_bytes(data[4:8], "little") + 8,  # RFC 9649, clause 2.3
    }[kind]
    return PhotoUnreadable(kind) if whole else PhotoTruncated(kind, len(data))


def _on_paper(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Decoded pixels as `uint8[h, w, 3]`, red first; transparent parts lie on white, as a viewer shows them."""
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
    with _header_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = image.getexif().get(_ORIENTATION_TAG, 1)
        except Exception:  # noqa: BLE001 - broken metadata are no reason to refuse a good picture
            return 1
    return value if value in range(1, 9) else 1


def _upright(stored: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Turn the stored picture, grey or in colours, as EXIF orientation says."""
    if orientation in {5, 6, 7, 8}:  # rows and columns exchanged
        stored = stored.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        stored = stored[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        stored = stored[::-1]
    return np.ascontiguousarray(stored)
