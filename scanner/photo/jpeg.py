"""Stage 3, photo: where a JPEG picture ends, and what it costs, by its markers alone (ITU-T T.81, annex B).

Phones put films, second pictures and depth maps behind a picture, and thumbnails inside its segments. Only the markers
between the first start and its own end of image belong to it.
"""

import re
from dataclasses import dataclass

_AFTER_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")  # in entropy-coded data FF 00 is a value, FF D0 to D7 a restart
_MARKER = re.compile(rb"\xff+[^\x00\xff]")
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ALONE = frozenset({0x01, _START, *range(0xD0, 0xD8)})
_FRAME_HEADER = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegExtent:
    """One picture of a file.

    Attributes:
        end: bytes of the file that belong to it.
        whole: whether its end of image is among them.
        scans: passes over all its pixels that decoding takes.
        progressive: whether all coefficients are held until the last pass.
        width, height: of its frame, in pixels; 0 where no frame header was met.
    """

    end: int
    whole: bool
    scans: int
    progressive: bool
    width: int
    height: int


def jpeg_extent(data: bytes) -> JpegExtent:
    """Walk the markers of the picture that begins `data` (with FF D8), in time that its length bounds."""
    at, scans, frame, progressive, whole = 2, 0, (0, 0), False, False
    pattern = _MARKER
    while found := pattern.search(data, at):
        marker, at, pattern = data[found.end() - 1], found.end(), _MARKER
        if marker == _END:
            whole = True
            break
        if marker in _ALONE:
            continue
        if marker in _FRAMES and len(data) >= at + _FRAME_HEADER and frame == (0, 0):
            frame = (int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 3 : at + 5]))
            progressive = marker in _PROGRESSIVE
        if marker == _SCAN:
            scans, pattern = scans + 1, _AFTER_SCAN
        at += max(2, int.from_bytes(data[at : at + 2]))
    width, height = frame
    end = at if whole else len(data)
    return JpegExtent(end=end, whole=whole, scans=scans, progressive=progressive, width=width, height=height)
