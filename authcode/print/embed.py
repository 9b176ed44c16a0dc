"""Stage 2, print: fonts in a PDF file, each with the glyphs that are used and no more (ISO 32000-1 clause 9.7).

HarfBuzz makes the subset, holds a variable font at its weight, and gives outlines as PDF takes them. Standard faces
are named and not embedded.
"""

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name

from authcode.design.type import Face
from authcode.print.fonts import Font
from authcode.print.text import Run

_UNUSED: Final = (
    "GSUB",
    "GPOS",
    "GDEF",
    "BASE",
    "STAT",
    "name",
    "OS/2",
    "post",
    "cmap",
    "gasp",
    "VORG",
    "vhea",
    "vmtx",
)
"""Tables that a PDF reader does not read: text is shaped already."""
_HEAD_BOX: Final = 36
"""Offset of the bounding box in the table `head` (OpenType)."""
_SYMBOLIC: Final = 4
_NEAR: Final = 0.5
"""Thousandths of the type size within which a glyph is where the one before it ends."""
_BLOCK: Final = 100
"""Entries of a block in a map of characters (Adobe technical note 5014)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """Some glyphs of a font: its program, the number of each glyph in it, and their widths in thousandths."""

    name: str
    program: bytes
    is_cff: bool
    numbers: Mapping[int, int]
    widths: tuple[int, ...]
    box: tuple[int, int, int, int]


class Fonts:
    """The fonts of one PDF file: collect the runs, then write each of them."""

    def __init__(self, runs: Iterable[Run]) -> None:
        """Subset the fonts of all runs of the file."""
        texts: dict[Font, dict[int, str]] = {}
        for run in runs:
            if isinstance(run.font, Font):
                found = texts.setdefault(run.font, {})
                for glyph in run.glyphs:
                    found[glyph.number] = found.get(glyph.number) or glyph.text
        self._texts = texts
        self._subsets = {font: _subset(font, frozenset(found)) for font, found in texts.items()}
        self._names: dict[Font | Face, str] = {face: f"F{number}" for number, face in enumerate(Face)}
        self._names |= {font: f"E{number}" for number, font in enumerate(texts)}

    def resources(self, pdf: pikepdf.Pdf) -> Dictionary:
        """The fonts for a page's resources."""
        standard = {
            f"/{self._names[face]}": Dictionary(
                Type=Name.Font, Subtype=Name.Type1, BaseFont=Name(f"/{face}"), Encoding=Name.WinAnsiEncoding
            )
            for face in Face
        }
        found = {f"/{self._names[font]}": self._embedded(pdf, font) for font in self._subsets}
        return Dictionary(standard | found)

    def operators(self, run: Run, x_pt: float, y_pt: float, size_pt: float) -> str:
        """Text operators (clause 9.4) for a run at a place in points; strings in hexadecimal, so nothing is escaped.

        Glyphs are not letters: the text that a reader copies is given whole (clause 14.9.4).
        """
        begin = f"BT /{self._names[run.font]} {size_pt:g} Tf"
        if not isinstance(run.font, Font):
            return f"{begin} {x_pt:.3f} {y_pt:.3f} Td <{run.text.encode('cp1252').hex()}> Tj ET"
        subset, unit = self._subsets[run.font], size_pt / 1000
        copied = run.text.encode("utf-16-be").hex()
        parts, pen = [f"/Span <</ActualText <feff{copied}>>> BDC", begin], (float("-inf"), 0.0)
        for glyph in run.glyphs:
            number = subset.numbers[glyph.number]
            if max(abs(glyph.x - pen[0]), abs(glyph.y - pen[1])) > _NEAR:
                parts.append(f"1 0 0 1 {x_pt + glyph.x * unit:.3f} {y_pt + glyph.y * unit:.3f} Tm")
            parts.append(f"<{number:04x}> Tj")
            pen = (glyph.x + subset.widths[number], glyph.y)
        return " ".join((*parts, "ET EMC"))

    def _embedded(self, pdf: pikepdf.Pdf, font: Font) -> pikepdf.Object:
        subset = self._subsets[font]
        program = pdf.make_stream(subset.program)
        if subset.is_cff:
            program.Subtype = Name.CIDFontType0C
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name(f"/{subset.name}"),
            Flags=_SYMBOLIC,
            FontBBox=Array(subset.box),
            ItalicAngle=0,
            Ascent=subset.box[3],
            Descent=subset.box[1],
            CapHeight=subset.box[3],
            StemV=80,
        )
        descriptor[Name.FontFile3 if subset.is_cff else Name.FontFile2] = program
        descendant = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType0 if subset.is_cff else Name.CIDFontType2,
            BaseFont=Name(f"/{subset.name}"),
            CIDSystemInfo=Dictionary(
                Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Identity"), Supplement=0
            ),
            FontDescriptor=pdf.make_indirect(descriptor),
            W=Array([0, Array(subset.widths)]),
        )
        if not subset.is_cff:
            descendant.CIDToGIDMap = Name.Identity
        texts = {subset.numbers[number]: text for number, text in self._texts[font].items() if text}
        return pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type0,
                BaseFont=Name(f"/{subset.name}"),
                Encoding=Name("/Identity-H"),
                DescendantFonts=Array([pdf.make_indirect(descendant)]),
                ToUnicode=pdf.make_stream(_to_unicode(texts)),
            )
        )


@lru_cache(maxsize=64)
def _subset(font: Font, glyphs: frozenset[int]) -> Subset:
    import uharfbuzz

    wanted: Any = uharfbuzz.SubsetInput()
    flags: Any = uharfbuzz.SubsetFlags
    wanted.glyph_set.update(glyphs)
    wanted.drop_table_tag_set.update(int.from_bytes(tag.encode("ascii")) for tag in _UNUSED)
    wanted.flags = flags.NO_LAYOUT_CLOSURE | flags.NO_HINTING | flags.DOWNGRADE_CFF2 | flags.CFF_IDENTITY_CHARSET
    for tag, value in font.axes.items():
        wanted.pin_axis_location(font.face, tag, value)
    plan: Any = uharfbuzz.SubsetPlan(font.face, wanted)
    face: Any = plan.execute()
    numbers = dict(plan.old_to_new_glyph_mapping)
    old = {new: number for number, new in numbers.items()}
    is_cff = "CFF " in face.table_tags
    tag = hashlib.sha256(repr(sorted(glyphs)).encode()).hexdigest().translate(str.maketrans("0123456789", "GHIJKLMNOP"))
    stem = "".join(filter(str.isalnum, font.file.path.stem))
    box = struct.unpack(">4h", face.reference_table("head").data[_HEAD_BOX : _HEAD_BOX + 8])
    left, bottom, right, top = (round(edge * 1000 / font.face.upem) for edge in box)
    return Subset(
        name=f"{tag[:6].upper()}+{stem}{'Bold' if font.file.bold else ''}",
        program=face.reference_table("CFF ").data if is_cff else face.blob.data,
        is_cff=is_cff,
        numbers=numbers,
        widths=tuple(font.scaled.get_glyph_h_advance(old.get(new, 0)) for new in range(max(old) + 1)),
        box=(left, bottom, right, top),
    )


def _to_unicode(texts: Mapping[int, str]) -> bytes:
    """The map from glyphs to text, with which a reader copies and searches (clause 9.10.3)."""
    lines = [f"<{number:04x}> <{text.encode('utf-16-be').hex()}>" for number, text in sorted(texts.items())]
    blocks = [lines[start : start + _BLOCK] for start in range(0, len(lines), _BLOCK)]
    entries = [f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks]
    return "\n".join(
        (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange",
            *entries,
            "endcmap CMapName currentdict /CMap defineresource pop end end",
        )
    ).encode("ascii")
