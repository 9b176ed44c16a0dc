"""Names that look alike, and words that mix scripts: what is refused, and the honest names that are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.base.errors import NameMixesScripts
from keys.format.lookalike import (
    appearances,
    host_appearance,
    refuse_mixed_host,
    refuse_mixed_scripts,
    skeleton,
)

HONEST = [
    "Łódź",
    "L'Oréal",
    "L\u2019Oréal",
    "日本コーヒー 2",
    "한국 K-Beauty",
    "한국K뷰티",
    "Μέλι",
    "Кофе",
    "Кофе Aurel",
    "Кофе-House",
    "O2",
    "3M",
    "AT&T",
    "7-Eleven",
    "Müller & Söhne",
    "Smith's (1850)",
    "Nestlé+",
    "東京Coffeeラボ",
    "ㄅㄆ漢字",
    "β-Carotin",
    "Đà Nẵng",
    "Ångström",
    "İstanbul",
    "Æther",
    "ÞÓR",
    "शुद्ध चाय",
    "ชาไทย",
    "قهوة 24",
    "קפה הבית",
    "ქართული ღვინო",
    "Հայ",
    "Γάλα ΦΑΓΕ",
    "Ünlü",
    "naïve",
    "e\u0301clair",
    "Col·lecció",
    "☕ Café",
    "No. 5",
]
"""Names as brands have them: one script a word, or scripts that are written together."""


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_name_is_one_script_a_word(name: str) -> None:
    refuse_mixed_scripts(name)


def test_no_two_honest_names_look_alike_but_the_two_spellings_of_one() -> None:
    looks = {name: appearances(name) for name in HONEST}
    alike = [(one, two) for one in HONEST for two in HONEST if one < two and looks[one] & looks[two]]
    assert alike == [("L'Oréal", "L\u2019Oréal")]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("MALI", "Mall"),
        ("MALI", "MALL"),
        ("Ion", "Lon"),
        ("Lodz", "Łódź"),
        ("Oreal", "Oréal"),
        ("Nora", "Hora"),
        ("Іва", "Лва"),
        ("Aurel", "Aurelia"),
        ("Blue Stars", "Bluestars"),
    ],
)
def test_names_that_differ_to_the_eye_are_two_names(one: str, two: str) -> None:
    assert not appearances(one) & appearances(two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Aurel", "\u0410urel"),
        ("Aurel", "AUREL"),
        ("Aurel", "AureI"),
        ("AUREL", "AureI"),
        ("Aurel", "Aure1"),
        ("Coco", "\u0421\u043e\u0441\u043e"),
        ("Bot", "\u0412\u041e\u0422"),
        ("Google", "G00GLE"),
        ("Mars", "Rnars"),
        ("Ion", "lon"),
        ("K-Beauty", "K\u2010Beauty"),
        ("\u05d5\u05d5", "ll"),
        ("caf\u00e9", "cafe\u0301"),
    ],
)
def test_names_that_look_alike_are_one_name(one: str, two: str) -> None:
    assert appearances(one) & appearances(two)


@pytest.mark.parametrize(
    ("name", "word", "scripts"),
    [
        ("\u0410urel", "\u0410urel", ("Cyrillic", "Latin")),
        ("Tea by \u0410urel", "\u0410urel", ("Cyrillic", "Latin")),
        ("\u0410\u0301urel", "\u0410\u0301urel", ("Cyrillic", "Latin")),
        ("\u0391qua", "\u0391qua", ("Greek", "Latin")),
        ("\u30b3\ud55c", "\u30b3\ud55c", ("Hangul", "Katakana")),
    ],
)
def test_a_word_of_two_scripts_is_refused_with_the_word_and_the_scripts(
    name: str, word: str, scripts: tuple[str, ...]
) -> None:
    with pytest.raises(NameMixesScripts, match="write each word in the letters of one script") as caught:
        refuse_mixed_scripts(name)
    assert (caught.value.code, caught.value.word, caught.value.scripts) == ("name_mixes_scripts", word, scripts)


def test_a_host_is_compared_and_judged_in_its_own_script() -> None:
    forged = "v.xn--urel-43d.example"
    assert host_appearance(forged) == host_appearance("v.aurel.example")
    assert host_appearance("v.exarnple.com") == host_appearance("v.example.com")
    assert host_appearance("v.goog1e.example") == host_appearance("v.google.example")
    assert host_appearance("v.aurelia.example") != host_appearance("v.aurel.example")
    with pytest.raises(NameMixesScripts):
        refuse_mixed_host(forged)
    for honest in ("xn--bcher-kva.example", "xn--80ak6aa92e.example", "xn--zckzah.example", "a-1.example", "xn--\xe9"):
        refuse_mixed_host(honest)


@given(st.text(max_size=40))
def test_a_skeleton_is_stable_and_any_text_has_one(name: str) -> None:
    assert appearances(name)
    assert skeleton(skeleton(name)) == skeleton(name)
    host_appearance(name)
