"""A receipt as a PDF page: a proof with its own QR code, to show; below a dashed line the keep-code, to keep.

Drawn with the faces that every PDF reader has, so nothing is embedded. They write Western European letters only: a line
that needs others (a product's name, say) is left out whole, and the page on the screen has it.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name
from qrcode.util import MODE_8BIT_BYTE, QRData

from authcode.design.type import POINT_MM, Face, line_width_mm
from authcode.qr.codewords import QUIET_ZONE_MODULES, Level
from authcode.qr.symbol import Symbol, draw_symbol

_WIDTH_MM: Final = 210.0
_HEIGHT_MM: Final = 297.0
_MARGIN_MM: Final = 24.0
_TEXT_MM: Final = _WIDTH_MM - 2 * _MARGIN_MM
_QR_MM: Final = 72.0
"""A proof needs some 97 modules: three quarters of a millimetre each, which any phone reads from a screen or paper."""
_MASK: Final = 3
"""Any mask can be read (ISO/IEC 18004 clause 7.8); weighing all eight takes longer than the rest of the page."""
_LABEL_MM: Final = 42.0
_GAP_MM: Final = 4.0
_PROOF_PT: Final = 6.5
_KEEP_CODE_PT: Final = 24.0
_FACES: Final = {Face.SANS: "F0", Face.SANS_BOLD: "F1", Face.MONO_BOLD: "F2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSheet:
    """The contents of the page. Only the holder's own copy has `keep_code` and `keep_lines`."""

    heading: str
    lines: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    link: str
    proof_label: str
    proof: str
    log_label: str = ""
    log_head: str | None = None
    keep_heading: str = ""
    keep_code: str | None = None
    keep_lines: tuple[str, ...] = ()


@lru_cache(maxsize=64)
def proof_symbol(link: str) -> Symbol:
    """The QR symbol of a proof's address: one segment of bytes, level M."""
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
    """One A4 page; the same sheet gives the same bytes."""
    drawing = _Drawing()
    drawing.head(sheet)
    drawing.symbol(proof_symbol(sheet.link))
    drawing.paragraph(sheet.proof_label, Face.SANS_BOLD, 9)
    drawing.paragraph(_broken(sheet.proof), Face.MONO_BOLD, _PROOF_PT)
    if sheet.log_head is not None:
        drawing.paragraph(sheet.log_label, Face.SANS_BOLD, 9)
        drawing.paragraph(sheet.log_head, Face.MONO_BOLD, _PROOF_PT)
    if sheet.keep_code is not None:
        drawing.cut_line()
        drawing.paragraph(sheet.keep_heading, Face.SANS_BOLD, 15)
        drawing.paragraph(sheet.keep_code, Face.MONO_BOLD, _KEEP_CODE_PT)
        for line in sheet.keep_lines:
            drawing.paragraph(line, Face.SANS, 11)
    return _saved(drawing.operators, sheet.heading)


class _Drawing:
    """Operators from the top of the page downwards; lengths in millimetres from its top left."""

    def __init__(self) -> None:
        self.operators: list[str] = ["0 g 0 G"]
        self._y_mm = _MARGIN_MM

    def head(self, sheet: ReceiptSheet) -> None:
        """Heading, sentences, and a row for each fact."""
        self.paragraph(sheet.heading, Face.SANS_BOLD, 24)
        for line in sheet.lines:
            self.paragraph(line, Face.SANS, 11)
        self._y_mm += 4
        for label, value in sheet.rows:
            if _is_writable(label + value):
                self._y_mm += 6
                self._text(_MARGIN_MM, label, Face.SANS, 11)
                self._text(_MARGIN_MM + _LABEL_MM, value, Face.SANS_BOLD, 11)

    def paragraph(self, text: str, face: Face, size_pt: float) -> None:
        """A text in as many lines as it needs; one that the fonts cannot write is left out."""
        if not _is_writable(text):
            return
        self._y_mm += 0.4 * size_pt * POINT_MM
        for line in _wrapped(text, face, size_pt):
            self._y_mm += 1.3 * size_pt * POINT_MM
            self._text(_MARGIN_MM, line, face, size_pt)

    def symbol(self, symbol: Symbol) -> None:
        """The symbol that leads to the proof, with its quiet zone (ISO/IEC 18004, four modules)."""
        module = _QR_MM / len(symbol.modules) / POINT_MM
        quiet_mm = QUIET_ZONE_MODULES * _QR_MM / len(symbol.modules)
        self._y_mm += quiet_mm + _GAP_MM
        top = (_HEIGHT_MM - self._y_mm) / POINT_MM
        left = _MARGIN_MM / POINT_MM
        self.operators += [
            f"{left + start * module:.3f} {top - (row + 1) * module:.3f} {length * module:.3f} {module:.3f} re"
            for row, start, length in _runs(symbol)
        ]
        self.operators.append("f")
        self._y_mm += _QR_MM + quiet_mm

    def cut_line(self) -> None:
        """A dashed line across the page: below it is what only the holder may see."""
        self._y_mm += 10
        y = (_HEIGHT_MM - self._y_mm) / POINT_MM
        self.operators.append(f"q 0.75 w [5 4] 0 d 0 {y:.3f} m {_WIDTH_MM / POINT_MM:.3f} {y:.3f} l S Q")
        self._y_mm += 5

    def _text(self, x_mm: float, text: str, face: Face, size_pt: float) -> None:
        """Text operators (ISO 32000-1 clause 9.4), the string as hexadecimal digits so that nothing needs escaping."""
        place = f"{x_mm / POINT_MM:.3f} {(_HEIGHT_MM - self._y_mm) / POINT_MM:.3f}"
        self.operators.append(f"BT /{_FACES[face]} {size_pt:g} Tf {place} Td <{text.encode('cp1252').hex()}> Tj ET")


def _runs(symbol: Symbol) -> list[tuple[int, int, int]]:
    """The dark modules as (row, first column, length) of each run."""
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


def _is_writable(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _broken(text: str) -> str:
    """A long text without spaces in pieces that fill a line."""
    characters = int(_TEXT_MM / line_width_mm("0", Face.MONO_BOLD, _PROOF_PT))
    return " ".join(text[start : start + characters] for start in range(0, len(text), characters))


def _wrapped(text: str, face: Face, size_pt: float) -> Sequence[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and line_width_mm(f"{lines[-1]} {word}", face, size_pt) <= _TEXT_MM:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _saved(operators: Sequence[str], title: str) -> bytes:
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(_WIDTH_MM / POINT_MM, _HEIGHT_MM / POINT_MM))
    faces = {
        f"/{name}": Dictionary(
            Type=Name.Font, Subtype=Name.Type1, BaseFont=Name(f"/{face}"), Encoding=Name.WinAnsiEncoding
        )
        for face, name in _FACES.items()
    }
    page.obj.Resources = Dictionary(Font=Dictionary(faces))
    page.obj.Contents = pdf.make_stream("\n".join(operators).encode("ascii"))
    pdf.docinfo[Name.Title] = title
    buffer = io.BytesIO()
    pdf.save(buffer, deterministic_id=True)
    pdf.close()
    return buffer.getvalue()
