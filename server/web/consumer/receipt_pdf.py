"""A receipt as a PDF page: a proof as a QR code, to show; below a dashed line the keep-code, to keep.

The symbol has the address of the proof's page with the whole proof in it, and is a link for those who read the file on
a screen; in print there is the end of its text, to compare. Every script is printed for which this machine has a font;
a word without one is left out, and the line below names its script.
"""

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name
from qrcode.util import MODE_8BIT_BYTE, QRData

from authcode.design.type import POINT_MM, Face
from authcode.print.embed import Fonts
from authcode.print.text import Run, set_text
from authcode.qr.codewords import QUIET_ZONE_MODULES, Level
from authcode.qr.symbol import Symbol, draw_symbol
from keys.format.lookalike import ANY_SCRIPT

_WIDTH_MM: Final = 210.0
_HEIGHT_MM: Final = 297.0
_MARGIN_MM: Final = 24.0
_TEXT_MM: Final = _WIDTH_MM - 2 * _MARGIN_MM
_QR_MM: Final = 72.0
"""A proof needs some 97 modules: three quarters of a millimetre each, which any phone reads from a screen or paper."""
_MASK: Final = 3
"""Any mask can be read (ISO/IEC 18004 clause 7.8); weighing all eight takes longer than the rest of the page."""
_LAST_CUT_MM: Final = 232.0
"""Where the dashed line leaves room for what is below it."""
_LABEL_MM: Final = 42.0
_GAP_MM: Final = 4.0
_SMALL_PT: Final = 9.0
_TEXT_PT: Final = 11.0
_KEEP_CODE_PT: Final = 24.0
_LEADING: Final = 1.35
"""Height of a line, in sizes of its type: enough for letters that reach further up and down than Latin ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSheet:
    """The contents of the page. Only the holder's own copy has `keep_code` and `keep_lines`.

    `proof_end` is the end of the proof's text. `no_letters` is the sentence about words that cannot be printed, with
    `{scripts}` in it, and `symbols` the word for what belongs to no script.
    """

    heading: str
    lines: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    link: str
    proof_label: str
    proof_end: str
    no_letters: str
    symbols: str
    log_label: str = ""
    log_head: str | None = None
    keep_heading: str = ""
    keep_code: str | None = None
    keep_lines: tuple[str, ...] = ()


@lru_cache(maxsize=64)
def proof_symbol(link: str) -> Symbol:
    """The QR symbol of the address of a proof or a gift: one segment of bytes, level M."""
    return draw_symbol([QRData(link, mode=MODE_8BIT_BYTE)], Level.M, mask=_MASK)


def symbol_path(symbol: Symbol) -> tuple[int, str]:
    """A symbol as an SVG path in units of a module, and its width with the quiet zone."""
    size = len(symbol.modules) + 2 * QUIET_ZONE_MODULES
    runs = (
        f"M{start + QUIET_ZONE_MODULES} {row + QUIET_ZONE_MODULES}h{length}v1h-{length}z"
        for row, start, length in _runs(symbol)
    )
    return size, "".join(runs)


def receipt_pdf(sheet: ReceiptSheet) -> bytes:
    """An A4 page, or two where names are long; the same sheet gives the same bytes on the same machine."""
    drawing = _Drawing(sheet)
    drawing.head()
    drawing.symbol(proof_symbol(sheet.link))
    drawing.paragraph(sheet.proof_label, Face.SANS_BOLD, _SMALL_PT)
    drawing.paragraph(sheet.proof_end, Face.MONO_BOLD, _SMALL_PT)
    if sheet.log_head is not None:
        drawing.paragraph(sheet.log_label, Face.SANS_BOLD, _SMALL_PT)
        drawing.paragraph(sheet.log_head, Face.MONO_BOLD, _SMALL_PT)
    if sheet.keep_code is not None:
        drawing.cut_line()
        drawing.paragraph(sheet.keep_heading, Face.SANS_BOLD, 15)
        drawing.paragraph(sheet.keep_code, Face.MONO_BOLD, _KEEP_CODE_PT)
        for line in sheet.keep_lines:
            drawing.paragraph(line, Face.SANS, _TEXT_PT)
    return drawing.saved()


@dataclass(frozen=True, slots=True)
class _Placed:
    """A run at its place in points, from the bottom left."""

    run: Run
    x: float
    y: float
    size: float


class _Drawing:
    """A page from its top downwards; lengths in millimetres from its top left."""

    def __init__(self, sheet: ReceiptSheet) -> None:
        self._sheet = sheet
        self._pages: list[list[str | _Placed]] = [["0 g 0 G"]]
        self._links: list[Dictionary] = []
        self._y_mm = _MARGIN_MM

    def head(self) -> None:
        """Heading, sentences, and a row for each fact."""
        self.paragraph(self._sheet.heading, Face.SANS_BOLD, 24)
        for line in self._sheet.lines:
            self.paragraph(line, Face.SANS, _TEXT_PT)
        self._y_mm += 4
        for label, value in self._sheet.rows:
            top = self._y_mm
            self._y_mm += 1
            self._text(label, Face.SANS, _TEXT_PT, _MARGIN_MM, _LABEL_MM - _GAP_MM)
            below, self._y_mm = self._y_mm, top + 1
            self._text(value, Face.SANS_BOLD, _TEXT_PT, _MARGIN_MM + _LABEL_MM, _TEXT_MM - _LABEL_MM)
            self._y_mm = max(self._y_mm, below)

    def paragraph(self, text: str, face: Face, size_pt: float) -> None:
        """A text in as many lines as it needs."""
        self._y_mm += 0.4 * size_pt * POINT_MM
        self._text(text, face, size_pt, _MARGIN_MM, _TEXT_MM)

    def symbol(self, symbol: Symbol) -> None:
        """The symbol that leads to the proof, with its quiet zone (ISO/IEC 18004, four modules)."""
        module = _QR_MM / len(symbol.modules) / POINT_MM
        quiet_mm = QUIET_ZONE_MODULES * _QR_MM / len(symbol.modules)
        self._y_mm += quiet_mm + _GAP_MM
        top = (_HEIGHT_MM - self._y_mm) / POINT_MM
        left, side = _MARGIN_MM / POINT_MM, _QR_MM / POINT_MM
        self._pages[-1] += [
            f"{left + start * module:.3f} {top - (row + 1) * module:.3f} {length * module:.3f} {module:.3f} re"
            for row, start, length in _runs(symbol)
        ]
        self._pages[-1].append("f")
        self._links.append(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Link,
                Rect=Array([round(edge, 3) for edge in (left, top - side, left + side, top)]),
                Border=Array([0, 0, 0]),
                A=Dictionary(S=Name.URI, URI=pikepdf.String(self._sheet.link)),
            )
        )
        self._y_mm += _QR_MM + quiet_mm

    def cut_line(self) -> None:
        """A dashed line across the page, or another page if this one is full: what follows is for the holder alone."""
        if self._y_mm > _LAST_CUT_MM:
            self._pages.append(["0 g 0 G"])
            self._y_mm = _MARGIN_MM
        self._y_mm += 10
        y = (_HEIGHT_MM - self._y_mm) / POINT_MM
        self._pages[-1].append(f"q 0.75 w [5 4] 0 d 0 {y:.3f} m {_WIDTH_MM / POINT_MM:.3f} {y:.3f} l S Q")
        self._y_mm += 5

    def saved(self) -> bytes:
        """The file."""
        fonts = Fonts(part.run for parts in self._pages for part in parts if isinstance(part, _Placed))
        pdf = pikepdf.new()
        faces = pdf.make_indirect(fonts.resources(pdf))
        for parts in self._pages:
            page = pdf.add_blank_page(page_size=(_WIDTH_MM / POINT_MM, _HEIGHT_MM / POINT_MM))
            page.obj.Resources = Dictionary(Font=faces)
            operators = (
                part if isinstance(part, str) else fonts.operators(part.run, part.x, part.y, part.size)
                for part in parts
            )
            page.obj.Contents = pdf.make_stream("\n".join(operators).encode("ascii"))
        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(link) for link in self._links])
        pdf.docinfo[Name.Title] = self._sheet.heading
        buffer = io.BytesIO()
        pdf.save(buffer, deterministic_id=True)
        pdf.close()
        return buffer.getvalue()

    def _text(self, text: str, face: Face, size_pt: float, left_mm: float, width_mm: float) -> None:
        found = set_text(text, face, size_pt, width_mm)
        for line in found.lines:
            self._y_mm += _LEADING * size_pt * POINT_MM
            x, y = left_mm / POINT_MM, (_HEIGHT_MM - self._y_mm) / POINT_MM
            for run in line:
                self._pages[-1].append(_Placed(run, x, y, size_pt))
                x += run.width * size_pt / 1000
        if found.missing:
            named = ", ".join(self._named(script) for script in found.missing)
            self._text(self._sheet.no_letters.format(scripts=named), Face.SANS, size_pt, left_mm, width_mm)

    def _named(self, script: str) -> str:
        return self._sheet.symbols if script in ANY_SCRIPT else script.replace("_", " ").title()


def _runs(symbol: Symbol) -> list[tuple[int, int, int]]:
    """The dark modules as (row, first column, length) of neighbours in a row."""
    runs: list[tuple[int, int, int]] = []
    for row, modules in enumerate(symbol.modules):
        start = None
        for column, dark in enumerate([*modules, False]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                runs.append((row, start, column - start))
                start = None
    return runs
