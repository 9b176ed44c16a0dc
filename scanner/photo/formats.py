"""Stage 3, photo: the formats that are taken, recognised and bounded by their first bytes, before any decoder runs."""

from dataclasses import dataclass
from types import MappingProxyType

from scanner.errors import PhotoError, PhotoTooCostly, PhotoTooManyPixels, PhotoTruncated, PhotoUnreadable
from scanner.photo.jpeg import jpeg_extent

MAX_JPEG_PIXELS = 200_000_000
"""Most pixels of a JPEG: phones of 2026 write 200 megapixels."""

MAX_WHOLE_PIXELS = 50_000_000
"""Most pixels that are decoded as they are; a larger JPEG is halved while it is decoded."""

MAX_AVIF_PIXELS, MAX_WEBP_PIXELS = 25_000_000, 16_000_000
"""Most pixels of two kinds that no camera writes: their decoders hold several copies of the whole canvas."""

MAX_PIXELS = MappingProxyType(
    {
        "JPEG": MAX_JPEG_PIXELS,
        **dict.fromkeys(("PNG", "GIF", "BMP", "TIFF", "HEIC"), MAX_WHOLE_PIXELS),
        "AVIF": MAX_AVIF_PIXELS,
        "WebP": MAX_WEBP_PIXELS,
    }
)
"""Most pixels by kind."""

MAX_PHOTO_SIDE = 30_000
"""Longest side in pixels: a strip of 50,000,000 x 1 is no photo, and some filters take no side above 32,767."""

MAX_PNG_CHUNKS = 10_000
"""Chunks of a PNG: encoders write one for each 8 KB or more. An empty one has 12 bytes and costs a reader 10 us, so
that a flood of a million held a processor for seconds."""

MAX_JPEG_WORK = 600_000_000
"""Most pixels times scans of a JPEG: 50 megapixels in twelve scans, which cameras write. A few hundred kilobytes of
repeated scans kept a decoder busy for minutes."""

MAX_BYTES_BEFORE = 64
"""Bytes before a picture that are skipped: the byte order mark or the line that a form or a script put there."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (_PNG_SIGNATURE, "PNG"),
    (b"RIFF", "RIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"%PDF-", "PDF"),
    (b"BM", "BMP"),
)
_BRANDS = MappingProxyType(
    {b"avif": "AVIF", b"avis": "AVIF"}
    | dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC")
)
_UNKNOWN_WORK = MAX_AVIF_PIXELS
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A picture in a file.

    Attributes:
        kind: a name of `MAX_PIXELS`, or PDF.
        data: its bytes alone: what stands before or behind it is gone, and a JPEG has an end.
        broken: what to say where nothing can be read in it, because it breaks off; None where it is whole.
        work: what decoding is likely to take, in pixels times scans.
    """

    kind: str
    data: bytes
    broken: PhotoError | None = None
    work: int = _UNKNOWN_WORK


def find_picture(data: bytes) -> Found:
    """The first picture of a file, by its signature.

    Raises:
        PhotoUnreadable, PhotoTruncated: there is none of a kind that is taken.
        PhotoTooManyPixels, PhotoTooCostly: it is none to decode.
    """
    for start in range(min(MAX_BYTES_BEFORE, len(data)) + 1):
        kind = _kind_at(data, start)
        if kind:
            picture = data[start:] if start else data
            break
    else:
        raise PhotoUnreadable("unknown")
    if kind == "JPEG":
        return _jpeg(picture)
    if kind == "PNG":
        _count_chunks(picture)
        whole = b"IEND" in picture[-64:]  # the last chunk (ISO/IEC 15948, 11.2.5)
        work = int.from_bytes(picture[16:20]) * int.from_bytes(picture[20:24])  # of the chunk IHDR
        return Found(kind=kind, data=picture, broken=None if whole else PhotoTruncated(kind, len(picture)), work=work)
    if kind == "WebP":
        _check_webp(picture)
    return Found(kind=kind, data=picture)


def _kind_at(data: bytes, at: int) -> str | None:
    """The kind of the picture that begins there, None where none does."""
    head = data[at : at + 64]
    kind = next((kind for start, kind in _SIGNATURES if head.startswith(start)), None)
    if kind == "RIFF":
        return "WebP" if head[8:12] == b"WEBP" else None
    if kind == "BMP":
        return kind if int.from_bytes(head[14:18], "little") in _BMP_HEADERS else None
    if head[4:8] == b"ftyp":  # ISO/IEC 14496-12: the brand, then compatible ones; "mif1" may be either
        return "AVIF" if b"avif" in head[8:] else _BRANDS.get(head[8:12])
    return kind


def _jpeg(data: bytes) -> Found:
    """A JPEG by its own markers; one that breaks off is given an end, so that its decoder shows what is there."""
    extent = jpeg_extent(data)
    if not extent.width or not extent.scans:
        raise PhotoUnreadable("JPEG") if extent.whole else PhotoTruncated("JPEG", len(data))
    check_size("JPEG", extent.width, extent.height)
    if extent.progressive and extent.width * extent.height > MAX_WHOLE_PIXELS:  # its coefficients alone take 600 MB
        raise PhotoTooManyPixels(extent.width, extent.height, MAX_WHOLE_PIXELS, MAX_PHOTO_SIDE)
    work = extent.scans * extent.width * extent.height
    if work > MAX_JPEG_WORK:
        raise PhotoTooCostly
    if extent.whole:
        return Found(kind="JPEG", data=data[: extent.end], work=work)
    return Found(kind="JPEG", data=data + b"\xff\xd9", broken=PhotoTruncated("JPEG", len(data)), work=work)


def _count_chunks(data: bytes) -> None:
    """Count chunks before the decoder meets them (ISO/IEC 15948, clause 5.3: length, type, data, CRC)."""
    at, chunks = len(_PNG_SIGNATURE), 0
    while at + 8 <= len(data) and data[at + 4 : at + 8] != b"IEND":
        at += 12 + int.from_bytes(data[at : at + 4])
        chunks += 1
        if chunks > MAX_PNG_CHUNKS:
            raise PhotoUnreadable("PNG")


def _check_webp(data: bytes) -> None:
    """Check the size of a WebP before its decoder sees it, which reserves a whole canvas at once (RFC 9649, 2.7)."""
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:  # noqa: PLR2004 - the longest of the three headers
        raise PhotoTruncated("WebP", len(data))
    if chunk == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
    elif chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    check_size("WebP", width, height)
    if len(data) < int.from_bytes(data[4:8], "little") + 8:  # RFC 9649, clause 2.3
        raise PhotoTruncated("WebP", len(data))


def check_size(kind: str, width: int, height: int) -> None:
    """Refuse a picture with more pixels, or a longer side, than its kind may have.

    Raises:
        PhotoTooManyPixels: it has.
    """
    most = MAX_PIXELS[kind]
    if width * height > most or max(width, height) > MAX_PHOTO_SIDE:
        raise PhotoTooManyPixels(width, height, most, MAX_PHOTO_SIDE)
