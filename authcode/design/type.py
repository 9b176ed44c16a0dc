"""Stage 2, print: widths of the standard PDF typefaces that labels are set in.

Every PDF reader has these faces, so a sheet embeds no font; to centre a line its width must be known here.
"""

from enum import StrEnum
from typing import Final

POINT_MM: Final = 25.4 / 72
"""One typographic point in millimetres (ISO 32000-1 clause 8.3.2.3)."""


class Face(StrEnum):
    """The faces in use, each by its PostScript name (ISO 32000-1 clause 9.6.2.2)."""

    SANS = "Helvetica"
    SANS_BOLD = "Helvetica-Bold"
    MONO_BOLD = "Courier-Bold"


_COURIER_WIDTH: Final = 600
_WIDEST: Final = 1015  # the widest printable ASCII character; taken for what is not in the table, so nothing overflows

# Adobe's core font metrics, thousandths of the type size, characters 32 to 126.
_WIDTHS: Final[dict[Face, tuple[int, ...]]] = {
    Face.SANS: (
        *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
        *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
        *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
        *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
        *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
        *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
    ),
    Face.SANS_BOLD: (
        *(278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278),
        *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611),
        *(975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778),
        *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556),
        *(333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611),
        *(611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584),
    ),
}
_ALSO: Final = {"·": 278, "\N{EN DASH}": 556, "…": 1000}


def _width(character: str, face: Face) -> int:
    table = _WIDTHS[face]
    place = ord(character) - ord(" ")
    return table[place] if 0 <= place < len(table) else _ALSO.get(character, _WIDEST)


def line_width_mm(text: str, face: Face, size_pt: float) -> float:
    """Width of a line of text in millimetres at a type size in points; an unknown character counts as the widest."""
    if face is Face.MONO_BOLD:
        thousandths = _COURIER_WIDTH * len(text)
    else:
        thousandths = sum(_width(character, face) for character in text)
    return thousandths / 1000 * size_pt * POINT_MM


def shortened(text: str, face: Face, size_pt: float, width_mm: float) -> str:
    """The text, or as much of its beginning as fits a width in millimetres, with an ellipsis."""
    if line_width_mm(text, face, size_pt) <= width_mm:
        return text
    kept = text
    while kept and line_width_mm(f"{kept}…", face, size_pt) > width_mm:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"
