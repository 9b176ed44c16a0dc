"""Stage 2, print: the fonts of this machine, and which of them has the letters of a text.

Fonts are found, not shipped: first in the packages of the extra `fonts`, then in the system's folders. Files are
mapped, not read: a font of 30 MB costs the pages that are used.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

_PACKAGES: Final = ("manimgx_fonts", "manimgx_fonts_cjk")
"""What the extra `fonts` installs: Noto Sans for the world's scripts, Noto Emoji, Noto Sans CJK."""
_SUFFIXES: Final = frozenset({".ttf", ".otf", ".ttc", ".otc"})
_OUTLINES: Final = frozenset({"glyf", "CFF ", "CFF2"})
"""Tables with outlines; a font of pictures (most coloured emoji) has none, and PDF takes none."""
_WEIGHTS: Final = {False: 400, True: 700}
_OTHER_CUTS: Final = ("italic", "oblique", "condensed", "mono", "serif", "display", "light", "thin", "black", "medium")
_MAX_OPEN: Final = 64
_MAX_FILES: Final = 5000


@dataclass(frozen=True, slots=True)
class FontFile:
    """A file with one or several fonts, of which the first is used: where, and whether it is the bold cut wanted."""

    path: Path
    bold: bool


class Font:
    """An open font at one weight. Lengths are in thousandths of the type size."""

    def __init__(self, file: FontFile) -> None:
        """Open the file.

        Raises:
            ValueError: it cannot be read, or is no font with outlines.
        """
        import uharfbuzz

        self.file = file
        try:
            self.face: Any = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(file.path)), 0)
        except uharfbuzz.HarfBuzzError:
            raise ValueError("a file that cannot be read") from None
        if not _OUTLINES & set(self.face.table_tags):
            raise ValueError("a font without outlines")
        self.scaled: Any = uharfbuzz.Font(self.face)
        self.scaled.scale = (1000, 1000)
        if self.axes:
            self.scaled.set_variations(self.axes)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same file at the same weight: one that is opened again is no other font."""
        return isinstance(other, Font) and self.file == other.file

    def __hash__(self) -> int:
        """The hash of its file."""
        return hash(self.file)

    @cached_property
    def axes(self) -> dict[str, float]:
        """Where a variable font is held on each axis."""
        weight = _WEIGHTS[self.file.bold]
        return {
            axis.tag: min(max(weight, axis.min_value), axis.max_value) if axis.tag == "wght" else axis.default_value
            for axis in self.face.axis_infos
        }

    def has(self, character: str) -> bool:
        """Whether it has a letter for the character."""
        return bool(self.scaled.get_nominal_glyph(ord(character)))


def font_for(word: str, *, bold: bool) -> Font | None:
    """The first font that has every character of a word, or None."""
    needed = "".join(dict.fromkeys(word))
    return _font_for(needed, bold)


@lru_cache(maxsize=2048)
def _font_for(characters: str, bold: bool) -> Font | None:  # noqa: FBT001 - the cache's key
    for file in font_files(bold=bold):
        font = _opened(file)
        if font is not None and all(map(font.has, characters)):
            return font
    return None


@lru_cache(maxsize=2)
def font_files(*, bold: bool) -> Sequence[FontFile]:
    """Every font file of this machine, those first that suit a page of plain sans-serif text."""
    found = [path for folder in _folders() for path in sorted(_files_below(folder))]
    ranked = sorted(found[:_MAX_FILES], key=lambda path: _unsuited(path.stem.lower(), bold=bold))
    return tuple(FontFile(path, bold) for path in ranked)


def _unsuited(stem: str, *, bold: bool) -> tuple[bool, bool, bool, bool]:
    """How little a file suits, by its name: not Noto Sans, another cut, another weight (a variable font has all)."""
    variable = "[" in stem or "-vf" in stem
    other_cut = any(cut in stem for cut in _OTHER_CUTS)
    other_weight = not variable and ("bold" in stem) != bold
    return "notosans" not in stem, other_cut, other_weight, "semibold" in stem or "extrabold" in stem


def _files_below(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names if Path(name).suffix.lower() in _SUFFIXES)


def _folders() -> list[Path]:
    """The packages' folders, then those where this system's programs look for fonts."""
    specs = map(find_spec, _PACKAGES)
    packaged = [place for spec in specs if spec is not None for place in spec.submodule_search_locations or ()]
    system = {
        "darwin": [Path("/Library/Fonts"), Path("/System/Library/Fonts")],
        "win32": [Path(os.environ.get("WINDIR", r"C:\Windows"), "Fonts")],
    }.get(sys.platform, [Path("/usr/local/share/fonts"), Path("/usr/share/fonts")])
    return [*map(Path, packaged), *system]


@lru_cache(maxsize=_MAX_OPEN)
def _opened(file: FontFile) -> Font | None:
    """The open font, or None where the file is none that can be used."""
    try:
        return Font(file)
    except ValueError:
        return None
