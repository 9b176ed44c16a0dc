"""Typed and pasted text becomes plain; what a check character or a signature decides is tried where it is used."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.base.typed_text import (
    MAX_PLAIN_CHARACTERS,
    is_password_text,
    password_text,
    pasted_token,
    plain_text,
    typed_characters,
)

FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
SERIAL = "7Q4KM2XD9FA1CN"
TOKEN = "eyJhbGciOiJF.eyJpc3MiOi-_--.c2ln-_AQ"


@pytest.mark.parametrize(
    "typed",
    [
        "7Q4K M2XD 9FA1 C\N{MIDDLE DOT}N".translate(FULL_WIDTH),
        "7Q4K\u3000M2XD\u30009FA1\u3000C\u30fbN",
        "7Q4K\u2013M2XD\u20149FA1\u2212C\u30fcN",
        "7Q4K\u00a0M2XD\u20099FA1\u202fC\u00b7N",
        "\ufeff7Q4K\u200bM2XD\u00ad9FA1\u2060CN\u200f",
        "\u201c7Q4K M2XD 9FA1 C\u00b7N\u201d.",
        "\u0667Q\u0664KM\u0662XD\u0669FA\u0661CN",
        "\U0001d7d5Q\U0001d7d2K M2XD 9FA1 C N",
        "7Q4K\tM2XD\n9FA1\r\nC.N",
        "(7Q4K) M2XD/9FA1_C:N \N{GRINNING FACE}",
        "7\ufe0fQ4\ufe0fKM2XD9FA1CN",
    ],
)
def test_a_typed_text_is_its_letters_and_digits(typed: str) -> None:
    assert typed_characters(typed) == SERIAL


@pytest.mark.parametrize(
    "pasted",
    [
        TOKEN.translate(FULL_WIDTH),
        f"\ufeff{TOKEN}\n",
        f"<{TOKEN}>",
        f"\u201e{TOKEN}\u201c.",
        "\n".join(f"> {TOKEN[start : start + 9]}" for start in range(0, len(TOKEN), 9)),
        "\r\n".join(f">> | {TOKEN[start : start + 5]} " for start in range(0, len(TOKEN), 5)),
        TOKEN.replace("--", "\u2014"),
        TOKEN.replace("-", "\u2011"),
        f"**`{TOKEN}`**,",
        f"\u300c{TOKEN}\u300d\u3002",
        "\u200b".join(TOKEN),
    ],
)
def test_a_pasted_text_loses_what_was_around_and_between(pasted: str) -> None:
    assert pasted_token(pasted) == TOKEN


@given(st.text(alphabet=st.characters(max_codepoint=0x7F)))
def test_plain_ascii_is_not_changed(text: str) -> None:
    assert plain_text(text) == text
    assert password_text(text) == text


@given(st.text())
def test_a_password_is_the_same_in_every_form_that_a_keyboard_may_write(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert password_text(unicodedata.normalize(form, text)) == password_text(text)
    assert password_text(text.replace(" ", "\u00a0")) == password_text(text)


def test_a_password_keeps_case_width_and_blanks() -> None:
    for one, other in (("A", "a"), ("\uff21", "A"), ("a ", "a"), ("\u00b2", "2"), ("\ufb01", "fi")):
        assert password_text(one) != password_text(other)


def test_a_new_password_has_characters_that_can_be_typed_again() -> None:
    assert is_password_text("Pr\u00e9nom \u691c\u7d22 \N{GRINNING FACE}")
    for mark in ("\0", "\t", "\u200b", "\ud800", "\ue000", "\U000e0001"):
        assert not is_password_text(f"correct horse{mark}")


def test_text_that_grows_when_it_is_made_plain_is_read_to_a_limit() -> None:
    """One character of it becomes 18; with punctuation between letters a search from both ends would be quadratic."""
    hostile = "a" + "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 100_000 + "!" * 100_000 + "a"
    assert len(plain_text(hostile)) <= MAX_PLAIN_CHARACTERS
    assert len(pasted_token(hostile)) <= MAX_PLAIN_CHARACTERS
    assert pasted_token("." * MAX_PLAIN_CHARACTERS) == ""
    assert pasted_token(f"<{'.' * 4000}K1{'!' * 4000}>") == "K1"
