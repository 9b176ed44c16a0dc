"""Stage 2, print: a text of any scripts as lines of glyphs, in the order in which they are drawn.

Letters of Western Europe keep the faces that every PDF reader has. A text with others is taken word by word: each gets
a font that has all of its letters, or one for each part. Shaping is HarfBuzz's.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

from authcode.design.type import POINT_MM, Face, line_width_mm
from authcode.print.bidi import is_control, levels, visual_order
from authcode.print.fonts import Font, font_for
from keys.format.lookalike import ANY_SCRIPT, script_of
from keys.format.names import is_visible

_MIRRORED: Final = str.maketrans("()<>[]{}\u00ab\u00bb\u2039\u203a", ")(><][}{\u00bb\u00ab\u203a\u2039")
_LANGUAGES: Final = (("HIRAGANA", "ja"), ("KATAKANA", "ja"), ("HANGUL", "ko"), ("HAN", "zh-hans"))
"""The language that a text with a script is set in, first found: Han characters have different forms in each."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """A glyph of a font, where it is, in thousandths of the type size from its run's origin, and the text it draws."""

    number: int
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Neighbours in one font: glyphs from left to right for a found font, `text` alone for a standard face.

    `width` is in thousandths of the type size.
    """

    font: Font | Face
    text: str
    glyphs: tuple[Glyph, ...] = ()
    width: float


@dataclass(frozen=True, slots=True)
class SetText:
    """A text in lines of runs, and the scripts of the words that are not in it, since no font has their letters."""

    lines: tuple[tuple[Run, ...], ...]
    missing: tuple[str, ...]


def set_text(text: str, face: Face, size_pt: float, width_mm: float) -> SetText:
    """Set a text in lines of at most a width in millimetres; what no font can write is left out and named.

    Scripts are named as Unicode does (`HANGUL`); `COMMON` is what belongs to none, such as emoji.
    """
    plain = unicodedata.normalize("NFC", "".join(one for one in text if not is_control(one)))
    words = [_dressed(word, face, plain) for word in plain.split()]
    missing = dict.fromkeys(script for _, scripts in words for script in scripts)
    paragraph = _Paragraph([letters for letters, scripts in words if not scripts], face)
    lines = tuple(paragraph.lines(width_mm / (size_pt * POINT_MM) * 1000))
    return SetText(lines, tuple(missing))


Letters = Sequence[tuple[str, Font | Face]]
"""Characters, each with its font."""


def _is_western(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _dressed(word: str, face: Face, whole: str) -> tuple[Letters, tuple[str, ...]]:
    """A word with a font for each character, and the scripts of the characters for which there is none."""
    if word.isascii() or _is_western(whole):
        return [(character, face) for character in word], ()
    bold = face is not Face.SANS
    font: Font | Face | None = font_for("".join(filter(is_visible, word)), bold=bold)
    letters: list[tuple[str, Font | Face]] = []
    missing = ""
    for character in word:
        font = _font_of(character, font, face, bold=bold)
        if font is None:
            missing += character
        elif isinstance(font, Font) or _is_western(character):  # the rest is a joiner, which a standard face has not
            letters.append((character, font))
    return letters, _named(missing)


def _named(characters: str) -> tuple[str, ...]:
    """The scripts of characters; `COMMON` where they are of no script, such as emoji."""
    scripts = dict.fromkeys(map(script_of, characters))
    named = tuple(script for script in scripts if script not in ANY_SCRIPT)
    return ("COMMON",) if scripts and not named else named


def _font_of(character: str, before: Font | Face | None, face: Face, *, bold: bool) -> Font | Face | None:
    """The font of a character: that of the one before it where it has it, or where nothing of it is seen."""
    if not is_visible(character) or (isinstance(before, Font) and before.has(character)):
        return before
    return font_for(character, bold=bold) or (face if _is_western(character) else None)


class _Paragraph:
    """Words of a text with their fonts, to be broken into lines."""

    def __init__(self, words: Sequence[Letters], face: Face) -> None:
        space: Letters = [(" ", face)]
        letters = [letter for word in words for letter in (*space, *word)][1:]
        self._text = "".join(character for character, _ in letters)
        self._fonts = [font for _, font in letters]
        self._levels = levels(self._text)
        self._scripts = _scripts(self._text)
        self._language = _language(self._scripts)

    def lines(self, width: float) -> Iterator[tuple[Run, ...]]:
        """The lines, each with its runs from left to right; `width` in thousandths of the type size."""
        start = end = 0
        for word_start, word_end in self._words():
            if end > start and self._width(start, word_end) > width:
                yield self._line(start, end)
                start = word_start
            end = word_end
            while self._width(start, end) > width and (cut := self._cut(start, end, width)) < end:
                yield self._line(start, cut)
                start = cut
        if end > start:
            yield self._line(start, end)

    def _words(self) -> Iterator[tuple[int, int]]:
        start = 0
        for word in self._text.split(" "):
            if word:
                yield start, start + len(word)
            start += len(word) + 1

    def _cut(self, start: int, end: int, width: float) -> int:
        """Where a word that is too long is broken: before the first character too many; marks stay with theirs."""
        fitting = start + 1
        for place in range(start + 1, end):
            if not is_visible(self._text[place]) or unicodedata.category(self._text[place])[0] == "M":
                continue
            if self._width(start, place) > width:
                break
            fitting = place
        return fitting

    def _width(self, start: int, end: int) -> float:
        return sum(run.width for run in self._line(start, end))

    def _line(self, start: int, end: int) -> tuple[Run, ...]:
        places = range(start, end)
        keys = {place: (self._levels[place], id(self._fonts[place]), self._scripts[place]) for place in places}
        parts = [list(part) for _, part in groupby(places, keys.__getitem__)]
        order = visual_order([self._levels[part[0]] for part in parts])
        return tuple(self._run(parts[place][0], parts[place][-1] + 1) for place in order)

    def _run(self, start: int, end: int) -> Run:
        text, font, backwards = self._text[start:end], self._fonts[start], bool(self._levels[start] % 2)
        if isinstance(font, Font):
            return _shaped(text, font, self._language, backwards)
        shown = text[::-1].translate(_MIRRORED) if backwards else text
        return Run(font=font, text=shown, width=line_width_mm(shown, font, 1000 / POINT_MM))


def _scripts(text: str) -> list[str]:
    """The script of each character; what goes with every script has that of the character before, else after it."""
    found: list[str] = []
    current = next((script for script in map(script_of, text) if script not in ANY_SCRIPT), "COMMON")
    for character in text:
        script = script_of(character)
        current = current if script in ANY_SCRIPT else script
        found.append(current)
    return found


def _language(scripts: Sequence[str]) -> str:
    return next((language for script, language in _LANGUAGES if script in scripts), "und")


@lru_cache(maxsize=1024)
def _shaped(text: str, font: Font, language: str, backwards: bool) -> Run:  # noqa: FBT001 - the cache's key
    import uharfbuzz

    buffer: Any = uharfbuzz.Buffer()
    buffer.add_codepoints([ord(character) for character in text])
    buffer.direction = "rtl" if backwards else "ltr"
    buffer.language = language
    buffer.guess_segment_properties()
    uharfbuzz.shape(font.scaled, buffer)
    glyphs, pen = [], 0.0
    starts = sorted({info.cluster for info in buffer.glyph_infos})
    ends = dict(zip(starts, [*starts[1:], len(text)], strict=True))
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        drawn = text[info.cluster : ends.pop(info.cluster, info.cluster)]
        glyphs.append(Glyph(info.codepoint, pen + position.x_offset, float(position.y_offset), drawn))
        pen += position.x_advance
    return Run(font=font, text=text, glyphs=tuple(glyphs), width=pen)
