"""Text of any script as lines of glyphs, with the fonts of this machine or without any."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authcode.design.type import POINT_MM, Face
from authcode.print import fonts
from authcode.print.embed import Fonts
from authcode.print.fonts import Font, FontFile, font_files, font_for
from authcode.print.text import SetText, set_text

WIDTH_MM = 100.0
SIZE_PT = 10.0
PEOPLE = "\U0001f469\u200d\U0001f33e"


def setting(text: str, width_mm: float = WIDTH_MM) -> SetText:
    return set_text(text, Face.SANS, SIZE_PT, width_mm)


def drawn(found: SetText) -> str:
    return " ".join("".join(run.text for run in line) for line in found.lines)


@pytest.fixture
def fontless(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fonts._font_for.cache_clear()  # noqa: SLF001 - what another test found
    monkeypatch.setattr(fonts, "font_files", lambda *, bold: ())  # noqa: ARG005 - the keyword of the original
    yield
    fonts._font_for.cache_clear()  # noqa: SLF001 - what this test did not find


def test_letters_of_western_europe_need_no_font() -> None:
    (line,) = setting("Cr\u00e8me br\u00fbl\u00e9e \u20ac").lines
    assert [run.font for run in line] == [Face.SANS]


@pytest.mark.parametrize(
    "text",
    [
        "\uc11c\uc6b8 K-\ubdf0\ud2f0",
        "\u7eff\u8336",
        "\u0642\u0647\u0648\u0629 24",
        "\u05e7\u05e4\u05d4 (\u05d7\u05d3\u05e9)",
        "\u0939\u093f\u0928\u094d\u0926\u0940",
        "\u0e0a\u0e32\u0e44\u0e17\u0e22",
        "\u0141\u00f3d\u017a",
        "\u10e6\u10d5\u10d8\u10dc\u10dd",
        PEOPLE,
    ],
)
def test_every_script_finds_its_letters(text: str) -> None:
    found = setting(text)
    assert found.missing == ()
    glyphs = [glyph.number for line in found.lines for run in line for glyph in run.glyphs]
    assert glyphs
    assert 0 not in glyphs


def test_arabic_letters_are_joined_and_run_from_right_to_left() -> None:
    ((run,),) = setting("\u0642\u0647\u0648\u0629").lines
    assert isinstance(run.font, Font)
    apart = {run.font.scaled.get_nominal_glyph(ord(letter)) for letter in run.text}
    assert not {glyph.number for glyph in run.glyphs} & apart
    first = next(glyph for glyph in run.glyphs if glyph.text.startswith("\u0642"))
    assert first.x == max(glyph.x for glyph in run.glyphs if glyph.text)


def test_a_right_to_left_text_begins_at_the_right() -> None:
    (line,) = setting("\u05e7\u05e4\u05d4 Aurel").lines
    assert "Aurel" in line[0].text
    assert line[-1].text.strip() == "\u05e7\u05e4\u05d4"


def test_a_bracket_of_a_right_to_left_text_is_mirrored_in_a_standard_face() -> None:
    (line,) = setting("\u05e7\u05e4\u05d4 (+) \u05e7").lines
    assert "(+)" in "".join(run.text for run in line)


@pytest.mark.parametrize(
    "text", ["\u8d85\u957f" * 60, "W" * 90, "\u0e0a\u0e32" * 80, "tea " * 40, "\u05e7\u05e4 " * 60]
)
def test_no_line_is_wider_than_asked_and_nothing_is_lost(text: str) -> None:
    found = setting(text, 60.0)
    assert len(found.lines) > 1
    for line in found.lines:
        assert sum(run.width for run in line) * SIZE_PT / 1000 * POINT_MM <= 60.0
    assert sorted(drawn(found).replace(" ", "")) == sorted(text.replace(" ", ""))


@pytest.mark.usefixtures("fontless")
def test_without_a_font_the_word_is_left_out_and_its_script_named() -> None:
    found = setting("\uc11c\uc6b8 Cream \u7eff\u8336x")
    assert (drawn(found), found.missing) == ("Cream", ("HANGUL", "HAN"))
    assert setting("\uc11c").lines == ()
    assert setting("Tea \U0001f389\ufe0f \u2764").missing == ("COMMON",)
    assert setting("\u30b3\u30fc\u30d2\u30fc").missing == ("KATAKANA",)


def test_bold_text_is_set_in_a_bold_cut() -> None:
    font = font_for("\u0141", bold=True)
    assert font is not None
    assert font.axes.get("wght", 700) == 700
    assert font is font_for("\u0141", bold=True)
    light = font_for("\u0141", bold=False)
    assert light is not None
    assert light != font


def test_a_file_that_is_no_font_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "NotoSans-Broken.ttf"
    broken.write_bytes(b"no font")
    for path in (broken, tmp_path / "gone.ttf", tmp_path):
        assert fonts._opened(FontFile(path, bold=False)) is None  # noqa: SLF001 - what the search passes over


def test_fonts_of_the_packages_come_first_and_plain_ones_before_others() -> None:
    names = [file.path.name.lower() for file in font_files(bold=False)]
    assert names[0].startswith("notosans")
    assert not any(cut in names[0] for cut in ("italic", "condensed", "bold"))


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_is_set_and_written(text: str) -> None:
    found = setting(text, 20.0)
    runs = [run for line in found.lines for run in line]
    embedded = Fonts(runs)
    for run in runs:
        assert embedded.operators(run, 0.0, 0.0, SIZE_PT).isascii()
