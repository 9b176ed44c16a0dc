"""Stage 3, photo: the formats that are taken, recognised and bounded by their first bytes, before any decoder runs."""

from types import MappingProxyType

from scanner.errors import PhotoAnimated, PhotoTooManyPixels, PhotoTruncated, PhotoUnreadable

MAX_PHOTO_PIXELS = 50_000_000
"""Most pixels of a JPEG: the 48- and 50-megapixel cameras pass; decoded that is 200 MB."""

MAX_DRAWN_PIXELS = MappingProxyType({"JPEG": MAX_PHOTO_PIXELS, "PNG": 25_000_000, "WebP": 16_000_000})
"""Most pixels by kind. No camera writes PNG or WebP: those are screenshots and what messengers made of a photo, and a
flat one of 50 megapixels costs its sender two kilobytes. libwebp holds four copies of the whole canvas."""

MAX_PHOTO_SIDE = 20_000
"""Longest side in pixels: a strip of 50,000,000 x 1 is no photo, and some filters take no side above 32,767."""

MAX_PNG_CHUNKS = 10_000
"""Chunks of a PNG: encoders write one for each 8 KB or more. An empty one has 12 bytes and costs a reader 10 us, so
that a flood of a million held a processor for seconds."""

MAX_JPEG_SCANS = 64
"""Scans of a progressive JPEG, thumbnails included: cameras write about ten. Each one costs a pass over all pixels, so
that a few hundred kilobytes of repeated scans could keep a decoder busy for minutes."""

_SCAN_START = b"\xff\xda"  # the marker SOS (ITU-T T.81 B.1.1.3); entropy-coded data cannot hold it
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def kind_of(data: bytes) -> str:
    """`JPEG`, `PNG` or `WebP`, by the first bytes.

    Raises:
        PhotoUnreadable, PhotoAnimated, PhotoTooManyPixels, PhotoTruncated: it is none of them, or not one to decode.
    """
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
    _check_size(width, height, "WebP")
    return "WebP"


def check_header(data: bytes, kind: str, size: tuple[int, int]) -> None:
    """Refuse a picture whose width and height, or whose number of scans, cost too much to decode.

    Raises:
        PhotoTooManyPixels, PhotoUnreadable: it does.
    """
    _check_size(*size, kind)
    if kind == "JPEG" and data.count(_SCAN_START) > MAX_JPEG_SCANS:
        raise PhotoUnreadable(kind)


def _check_size(width: int, height: int, kind: str) -> None:
    most = MAX_DRAWN_PIXELS[kind]
    if width * height > most or max(width, height) > MAX_PHOTO_SIDE:
        raise PhotoTooManyPixels(width, height, most, MAX_PHOTO_SIDE)


def damaged(data: bytes, kind: str) -> PhotoTruncated | PhotoUnreadable:
    """The error for a file that breaks off, which can be sent again, or for one that is broken inside."""
    whole = {
        "JPEG": b"\xff\xd9" in data[-64:],  # end of image (ITU-T T.81, B.2.1); some cameras pad a little behind it
        "PNG": b"IEND" in data[-64:],  # the last chunk (ISO/IEC 15948, 11.2.5)
        "WebP": len(data) >= int.from_bytes(data[4:8], "little") + 8,  # RFC 9649, clause 2.3
    }[kind]
    return PhotoUnreadable(kind) if whole else PhotoTruncated(kind, len(data))
