"""Stage 2, print: one PNG a label, the symbol and its quiet zone in whole pixels and nothing else.

The bytes are written here and not by an imaging library: a plain symbol is one bit a pixel, the physical size is in
it, and the same label gives the same bytes.
"""

import struct
import zlib
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from authcode.design.label import Label
from authcode.design.plan import MODULE_PX, Design
from authcode.print.files import FilePerLabelWriter
from authcode.qr.codewords import QUIET_ZONE_MODULES

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB = 0, 2
_WHITE: Final = 255


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def encode_png(pixels: npt.NDArray[np.uint8] | npt.NDArray[np.bool_], *, pixels_per_metre: int | None = None) -> bytes:
    """A PNG file (ISO/IEC 15948) of bool[h, w] (True is white, one bit), uint8[h, w] grey or uint8[h, w, 3] RGB.

    Rows run from the top; the physical resolution is optional.
    """
    height, width = pixels.shape[:2]
    depth = 1 if pixels.dtype == np.bool_ else 8
    rows = np.packbits(pixels, axis=1) if depth == 1 else pixels.reshape(height, -1)
    scanlines = np.hstack((np.zeros((height, 1), dtype=np.uint8), rows))  # filter type 0 before each
    colour = _GREY if pixels.ndim == 2 else _RGB  # noqa: PLR2004 (rows and columns, no channels)
    parts = [_SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))]
    if pixels_per_metre is not None:
        parts.append(_chunk(b"pHYs", struct.pack(">IIB", pixels_per_metre, pixels_per_metre, 1)))
    parts += [_chunk(b"IDAT", zlib.compress(scanlines.tobytes(), 9)), _chunk(b"IEND", b"")]
    return b"".join(parts)


class PngWriter(FilePerLabelWriter):
    """Writes one PNG a label, `MODULE_PX` pixels a module."""

    ending: ClassVar[str] = "png"

    def __init__(self, directory: Path, design: Design) -> None:
        """Make the folder, and scale the logo once for all labels."""
        super().__init__(directory, design)
        self._pixels_per_metre = round(MODULE_PX / design.module_mm * 1000)
        self._logo: tuple[slice, slice, npt.NDArray[np.uint8]] | None = None
        if design.logo and (place := design.placement):
            left, top = (round((QUIET_ZONE_MODULES + offset) * MODULE_PX) for offset in (place.x0, place.y0))
            logo = design.logo.scaled(round(place.w * MODULE_PX), round(place.h * MODULE_PX))
            self._logo = (slice(top, top + logo.shape[0]), slice(left, left + logo.shape[1]), logo)

    def encode(self, label: Label) -> bytes:
        """One bit a pixel without a logo, else eight bits of grey or RGB, as the logo needs."""
        return encode_png(self._picture(label), pixels_per_metre=self._pixels_per_metre)

    def _picture(self, label: Label) -> npt.NDArray[np.uint8] | npt.NDArray[np.bool_]:
        light = ~np.pad(self._design.dark_modules(label.symbol), QUIET_ZONE_MODULES)
        light = light.repeat(MODULE_PX, axis=0).repeat(MODULE_PX, axis=1)
        if self._logo is None:
            return light
        rows, columns, logo = self._logo
        picture: npt.NDArray[np.uint8] = light.astype(np.uint8) * np.uint8(_WHITE)
        if logo.ndim > picture.ndim:
            picture = picture[:, :, np.newaxis].repeat(3, axis=2)
        picture[rows, columns] = logo
        return picture
