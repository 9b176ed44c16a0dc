"""Stage 2, print: print sheets as PDF files, through pikepdf and drawing operators of our own.

Symbols are one-bit stencil masks painted in DeviceGray 0, so black ink alone; the logo is one image object in each
file. Files hold a few thousand codes, so that memory stays flat however large the order is. No time stamp but the date
handed in: the same labels give the same bytes.
"""

import io
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pikepdf
from pikepdf import Array, Dictionary, Name

from authcode.design.label import Label
from authcode.design.logo import Logo
from authcode.design.plan import Design
from authcode.design.type import POINT_MM
from authcode.print.files import LabelWriter
from authcode.print.sheet import (
    FACE_NAMES,
    LOGO_NAME,
    PAGE_HEIGHT_MM,
    PAGE_WIDTH_MM,
    SheetGeometry,
    SheetHeading,
    page_operators,
    symbol_name,
)

CODES_PER_FILE: Final = 3_000
"""About 1 MB a file, and about as much memory; a print shop's software opens it at once."""
_PDF_VERSION: Final = "1.4"


def _deflated(pdf: pikepdf.Pdf, data: bytes) -> pikepdf.Stream:
    stream = pdf.make_stream(zlib.compress(data, 9))
    stream.Filter = Name.FlateDecode
    return stream


def _stencil(pdf: pikepdf.Pdf, dark: npt.NDArray[np.bool_]) -> pikepdf.Stream:
    """A symbol as a stencil mask (ISO 32000-1 clause 8.9.6.2): ink where a bit is set, nothing elsewhere."""
    height, width = dark.shape
    stencil = pdf.make_stream(np.packbits(dark, axis=1).tobytes())
    stencil.Type, stencil.Subtype = Name.XObject, Name.Image
    stencil.Width, stencil.Height = width, height
    stencil.BitsPerComponent, stencil.ImageMask, stencil.Decode = 1, True, Array([1, 0])
    return stencil


def _picture(pdf: pikepdf.Pdf, logo: Logo) -> pikepdf.Stream:
    """The logo as an image object; a grey one stays in black ink."""
    picture = _deflated(pdf, logo.pixels.tobytes())
    picture.Type, picture.Subtype = Name.XObject, Name.Image
    picture.Width, picture.Height, picture.BitsPerComponent = logo.width_px, logo.height_px, 8
    picture.ColorSpace = Name.DeviceGray if logo.grey else Name.DeviceRGB
    return picture


class _SheetFile:
    """One PDF file in memory, until `save`."""

    def __init__(self, design: Design, geometry: SheetGeometry, heading: SheetHeading) -> None:
        self._design, self._geometry, self._heading = design, geometry, heading
        self._pdf = pikepdf.new()
        faces = {
            f"/{name}": self._pdf.make_indirect(
                Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name(f"/{face}"), Encoding=Name.WinAnsiEncoding)
            )
            for face, name in FACE_NAMES.items()
        }
        self._faces = self._pdf.make_indirect(Dictionary(faces))
        self._logo = self._pdf.make_indirect(_picture(self._pdf, design.logo)) if design.logo else None
        self._pdf.docinfo[Name.Title] = heading.order
        self._pdf.docinfo[Name.CreationDate] = f"D:{heading.issued_on:%Y%m%d}"

    def add_page(self, labels: list[Label], number: int) -> None:
        """Add the page `number` (from 1) with these labels, at most a page's worth of them."""
        images = {
            f"/{symbol_name(place)}": _stencil(self._pdf, self._design.dark_modules(label.symbol))
            for place, label in enumerate(labels)
        }
        if self._logo is not None:
            images[f"/{LOGO_NAME}"] = self._logo
        page = self._pdf.add_blank_page(page_size=(PAGE_WIDTH_MM / POINT_MM, PAGE_HEIGHT_MM / POINT_MM))
        page.obj.Resources = Dictionary(Font=self._faces, XObject=Dictionary(images))
        operators = page_operators(self._design, self._geometry, self._heading, labels, number)
        page.obj.Contents = _deflated(self._pdf, operators)

    def save(self, path: Path) -> None:
        """Write the file; through memory, so that a full disk is an `OSError` and no error of the PDF library."""
        buffer = io.BytesIO()
        self._pdf.save(
            buffer,
            min_version=_PDF_VERSION,
            compress_streams=False,  # what shrinks is deflated already; symbols do not
            object_stream_mode=pikepdf.ObjectStreamMode.disable,  # older print software reads no object streams
            deterministic_id=True,
        )
        self._pdf.close()
        path.write_bytes(buffer.getvalue())


class _TierSheets:
    """The run of sheets of one tier: labels fill pages, pages fill files."""

    def __init__(self, stem: Path, labels_per_page: int, new_file: Callable[[], _SheetFile]) -> None:
        self._stem, self._labels_per_page, self._new_file = stem, labels_per_page, new_file
        self._pages_per_file = max(1, CODES_PER_FILE // labels_per_page)
        self._pending: list[Label] = []
        self._file: _SheetFile | None = None
        self._pages = self._files = 0

    def write(self, label: Label) -> None:
        """Take a label; a full page is written at once, so that memory holds one page."""
        self._pending.append(label)
        if len(self._pending) == self._labels_per_page:
            self._finish_page()

    def _finish_page(self) -> None:
        self._file = self._file or self._new_file()
        self._pages += 1
        self._file.add_page(self._pending, self._pages)
        self._pending = []
        if self._pages % self._pages_per_file == 0:
            self._finish_file()

    def _finish_file(self) -> None:
        if self._file:
            self._files += 1
            self._file.save(self._stem.with_name(f"{self._stem.name}-{self._files:03d}.pdf"))
            self._file = None

    def close(self) -> None:
        """Write the last page, however full, and end the file."""
        if self._pending:
            self._finish_page()
        self._finish_file()


class SheetWriter(LabelWriter):
    """Writes `sheet-001.pdf`, ... into a folder; for pairs `sheet-outer-001.pdf` and `sheet-inner-001.pdf`, ...

    The two tiers of a pair go onto different parts of a pack, so each has sheets of its own.
    """

    def __init__(self, directory: Path, design: Design, geometry: SheetGeometry, heading: SheetHeading) -> None:
        """Make the folder."""
        super().__init__(directory, design)
        self._labels_per_page = geometry.labels_per_page
        self._new_file = partial(_SheetFile, design, geometry, heading)
        self._tiers: dict[str | None, _TierSheets] = {}

    def write(self, label: Label) -> None:
        """Add one label to its tier's sheets; a full file is written at once."""
        if label.tier not in self._tiers:
            stem = self._directory / (f"sheet-{label.tier}" if label.tier else "sheet")
            self._tiers[label.tier] = _TierSheets(stem, self._labels_per_page, self._new_file)
        self._tiers[label.tier].write(label)

    def close(self) -> None:
        """Write the last, perhaps partly filled sheets. Closing again writes nothing."""
        for sheets in self._tiers.values():
            sheets.close()
        self._tiers = {}
