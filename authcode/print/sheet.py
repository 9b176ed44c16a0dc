"""Stage 2, print: the A4 print sheet: where labels are, and what is printed on a page, as PDF drawing operators.

A sheet is a grid of equal cells on whole millimetres, cut along the crop marks. A cell holds a symbol with its quiet
zone as real white and below it two lines, the serial and where to check it. Lengths are millimetres from the page's
top left until they become operators; everything prints in black ink alone, but for a coloured logo.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from authcode.design.label import Label
from authcode.design.plan import Design, LabelTooLarge
from authcode.design.type import POINT_MM, Face, line_width_mm, shortened
from authcode.qr.codewords import QUIET_ZONE_MODULES

PAGE_WIDTH_MM: Final = 210.0
PAGE_HEIGHT_MM: Final = 297.0
_SIDE_MARGIN_MM: Final = 12.0
GRID_TOP_MM: Final = 25.0
_FOOT_MARGIN_MM: Final = 12.0

_HEAD_PT: Final = 9.0
_HEAD_BASELINE_MM: Final = 11.5
_HEAD_RULE_MM: Final = 13.5
_HEAD_GAP_MM: Final = 6.0

_HAIRLINE_PT: Final = 0.25
_BLEED_MM: Final = 3.0
"""Crop marks begin this far outside the cut, so that none is left on a label that is cut a little off."""
_MARK_MM: Final = 4.0

_CELL_PADDING_MM: Final = 1.0
"""White on each side of a cell, so that a cut a little off never reaches the quiet zone."""
_TEXT_PADDING_MM: Final = 2.0
"""White on each side of a line of text, so that neighbouring lines never read as one."""
_SERIAL_PT: Final = 6.0
_CHECK_PT: Final = 5.5
_LEADING_MM: Final = 2.4
_FIRST_BASELINE_MM: Final = 1.7
"""From the quiet zone's lower edge to the first baseline: the height of the capitals and a hair of air."""
_DESCENT_MM: Final = 0.6
_SAMPLE_SERIAL: Final = "0000 0000 0000 0·0"
_LONGEST_CHECK_LINE_MM: Final = 36.0
"""A host that makes the line longer gets a line of its own, instead of widening every cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetHeading:
    """The texts at the head of each page and next to each symbol."""

    order: str
    host: str
    """Where the code is to be checked, as shoppers read it: `v.example.com`."""
    issued_on: dt.date
    label_count: int
    """Labels of one tier in the whole order: makes the `m` of "sheet n of m"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetGeometry:
    """The grid of labels on an A4 page, in millimetres from the page's top left."""

    label_mm: float
    """Width of a symbol with its quiet zone."""
    pitch_x_mm: int
    pitch_y_mm: int
    columns: int
    rows: int
    check_lines: tuple[str, ...]
    """The lines below the serial."""

    @property
    def labels_per_page(self) -> int:
        """Cells on a page."""
        return self.columns * self.rows

    @property
    def left_mm(self) -> float:
        """The grid's left edge; it is centred on the page."""
        return (PAGE_WIDTH_MM - self.columns * self.pitch_x_mm) / 2

    def symbol_corner(self, place: int) -> tuple[float, float]:
        """Top left of a symbol's quiet zone; places count from 0, row by row."""
        row, column = divmod(place, self.columns)
        x = self.left_mm + column * self.pitch_x_mm + (self.pitch_x_mm - self.label_mm) / 2
        return x, GRID_TOP_MM + row * self.pitch_y_mm + _CELL_PADDING_MM

    def pages_for(self, label_count: int) -> int:
        """Pages that a number of labels fills, the last perhaps in part."""
        return math.ceil(label_count / self.labels_per_page)


def plan_sheet(design: Design, host: str) -> SheetGeometry:
    """Lay a design's labels out on A4, as many as fit.

    Raises:
        LabelTooLarge: not one label fits, because of the label's size or a host of extraordinary length.
    """
    one_line = f"Check only at {host}"
    fits = line_width_mm(one_line, Face.SANS, _CHECK_PT) <= max(_LONGEST_CHECK_LINE_MM, design.label_mm)
    check_lines = (one_line,) if fits else ("Check only at", host)
    text_mm = max(line_width_mm(line, Face.SANS, _CHECK_PT) for line in check_lines)
    text_mm = max(text_mm, line_width_mm(_SAMPLE_SERIAL, Face.MONO_BOLD, _SERIAL_PT))
    text_height_mm = _FIRST_BASELINE_MM + len(check_lines) * _LEADING_MM + _DESCENT_MM
    pitch_x = math.ceil(max(design.label_mm + 2 * _CELL_PADDING_MM, text_mm + 2 * _TEXT_PADDING_MM))
    pitch_y = math.ceil(design.label_mm + text_height_mm + 2 * _CELL_PADDING_MM)
    width, height = PAGE_WIDTH_MM - 2 * _SIDE_MARGIN_MM, PAGE_HEIGHT_MM - GRID_TOP_MM - _FOOT_MARGIN_MM
    columns, rows = int(width // pitch_x), int(height // pitch_y)
    if not columns or not rows:
        raise LabelTooLarge(max(pitch_x, pitch_y), min(width, height))
    return SheetGeometry(
        label_mm=design.label_mm,
        pitch_x_mm=pitch_x,
        pitch_y_mm=pitch_y,
        columns=columns,
        rows=rows,
        check_lines=check_lines,
    )


FACE_NAMES: Final[dict[Face, str]] = {Face.SANS: "F0", Face.SANS_BOLD: "F1", Face.MONO_BOLD: "F2"}
"""Resource names of the faces in page operators."""
LOGO_NAME: Final = "L"
"""Resource name of the logo."""


def symbol_name(place: int) -> str:
    """Resource name of the symbol at a place on its page."""
    return f"S{place}"


def _points(millimetres: float) -> str:
    """A length in points, to a thousandth, as PDF writes numbers."""
    return f"{millimetres / POINT_MM:.3f}".rstrip("0").rstrip(".")


def _text(x_mm: float, baseline_mm: float, text: str, face: Face, size_pt: float) -> str:
    """Text operators (ISO 32000-1 clause 9.4), the string as hexadecimal digits so that nothing needs escaping."""
    digits = text.encode("cp1252", errors="replace").hex()
    y_mm = PAGE_HEIGHT_MM - baseline_mm
    return f"BT /{FACE_NAMES[face]} {size_pt:g} Tf {_points(x_mm)} {_points(y_mm)} Td <{digits}> Tj ET"


def _line(x0_mm: float, y0_mm: float, x1_mm: float, y1_mm: float) -> str:
    starts = f"{_points(x0_mm)} {_points(PAGE_HEIGHT_MM - y0_mm)} m"
    return f"{starts} {_points(x1_mm)} {_points(PAGE_HEIGHT_MM - y1_mm)} l S"


def _image(name: str, x_mm: float, y_mm: float, width_mm: float, height_mm: float) -> str:
    """Paint an image object with its top left at (x, y)."""
    corner = f"{_points(x_mm)} {_points(PAGE_HEIGHT_MM - y_mm - height_mm)}"
    return f"q {_points(width_mm)} 0 0 {_points(height_mm)} {corner} cm /{name} Do Q"


def _head(heading: SheetHeading, tier: str | None, labels: Sequence[Label], page: int, pages: int) -> list[str]:
    """Order on the left, first and last serial in the middle, indices, page and date on the right; a hairline below.

    The indices are what `batch activate --range` and `batch void --range` take.
    """
    left, right = _SIDE_MARGIN_MM, PAGE_WIDTH_MM - _SIDE_MARGIN_MM
    serials = f"{labels[0].serial_text} \N{EN DASH} {labels[-1].serial_text}"
    indices = f"indices {labels[0].index}-{labels[-1].index}"
    sheet = f"{indices}  ·  sheet {page} of {pages}  ·  {heading.issued_on.isoformat()}"
    sheet_x = right - line_width_mm(sheet, Face.SANS, _HEAD_PT)
    serials_mm = line_width_mm(serials, Face.SANS, _HEAD_PT)
    serials_x = min((PAGE_WIDTH_MM - serials_mm) / 2, sheet_x - _HEAD_GAP_MM - serials_mm)
    order = heading.order if tier is None else f"{tier}: {heading.order}"
    order = shortened(order, Face.SANS_BOLD, _HEAD_PT, serials_x - left - _HEAD_GAP_MM)
    return [
        _text(left, _HEAD_BASELINE_MM, order, Face.SANS_BOLD, _HEAD_PT),
        _text(serials_x, _HEAD_BASELINE_MM, serials, Face.SANS, _HEAD_PT),
        _text(sheet_x, _HEAD_BASELINE_MM, sheet, Face.SANS, _HEAD_PT),
        _line(left, _HEAD_RULE_MM, right, _HEAD_RULE_MM),
    ]


def _crop_marks(geometry: SheetGeometry) -> list[str]:
    """Hairlines at each cut, on all four sides of the whole grid: every sheet is cut by one programme, full or not."""
    left, top = geometry.left_mm, GRID_TOP_MM
    right = left + geometry.columns * geometry.pitch_x_mm
    bottom = top + geometry.rows * geometry.pitch_y_mm
    marks = []
    for column in range(geometry.columns + 1):
        x = left + column * geometry.pitch_x_mm
        marks.append(_line(x, top - _BLEED_MM - _MARK_MM, x, top - _BLEED_MM))
        marks.append(_line(x, bottom + _BLEED_MM, x, bottom + _BLEED_MM + _MARK_MM))
    for row in range(geometry.rows + 1):
        y = top + row * geometry.pitch_y_mm
        marks.append(_line(left - _BLEED_MM - _MARK_MM, y, left - _BLEED_MM, y))
        marks.append(_line(right + _BLEED_MM, y, right + _BLEED_MM + _MARK_MM, y))
    return marks


def _label(design: Design, geometry: SheetGeometry, place: int, label: Label) -> list[str]:
    """One cell: symbol, logo, serial, where to check."""
    x, y = geometry.symbol_corner(place)
    module = design.module_mm
    inset = QUIET_ZONE_MODULES * module
    side = design.label_mm - 2 * inset
    operators = [_image(symbol_name(place), x + inset, y + inset, side, side)]
    if logo := design.placement:
        corner = (x + inset + logo.x0 * module, y + inset + logo.y0 * module)
        operators.append(_image(LOGO_NAME, *corner, logo.w * module, logo.h * module))
    middle, baseline = x + design.label_mm / 2, y + design.label_mm + _FIRST_BASELINE_MM
    lines = [(label.serial_text, Face.MONO_BOLD, _SERIAL_PT)]
    lines += [(line, Face.SANS, _CHECK_PT) for line in geometry.check_lines]
    for number, (text, face, size) in enumerate(lines):
        start = middle - line_width_mm(text, face, size) / 2
        operators.append(_text(start, baseline + number * _LEADING_MM, text, face, size))
    return operators


def page_operators(
    design: Design, geometry: SheetGeometry, heading: SheetHeading, labels: Sequence[Label], page: int
) -> bytes:
    """The content stream of page `page` of an order, from 1 (ISO 32000-1 clause 7.8.2).

    `labels` are one to `geometry.labels_per_page` labels of one tier, in order.
    """
    pages = geometry.pages_for(heading.label_count)
    operators = ["0 g 0 G", f"{_HAIRLINE_PT} w"]
    operators += _head(heading, labels[0].tier, labels, page, pages)
    operators += _crop_marks(geometry)
    for place, label in enumerate(labels):
        operators += _label(design, geometry, place, label)
    return "\n".join(operators).encode("ascii")
