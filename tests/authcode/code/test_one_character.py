# ruff: noqa: ANN401, RUF001 - fixtures' classes live in conftest, which tests cannot import; look-alikes are the point
"""Exactly one text per unit: every one-character change is refused, or is the same unit by a rule that says so."""

from collections.abc import Iterator
from typing import Any

import pytest

from authcode.code.payload import NotOurs
from authcode.code.verify import VerifiedCode, verify_code

PRINTABLE = [chr(value) for value in range(0x20, 0x7F)]
BEYOND = ["\n", "\r", "\t", "\x00", "\x7f", "\x80", "é", "ſ", "\N{KELVIN SIGN}", "０", "\u200b", "\ud800", "😀"]


def _replaced(text: str) -> Iterator[str]:
    for place, old in enumerate(text):
        for new in (*PRINTABLE, *BEYOND):
            if new != old:
                yield text[:place] + new + text[place + 1 :]


def _inserted(text: str) -> Iterator[str]:
    for place in range(len(text) + 1):
        for new in (*PRINTABLE, *BEYOND):
            yield text[:place] + new + text[place:]


def _deleted(text: str) -> Iterator[str]:
    for place in range(len(text)):
        yield text[:place] + text[place + 1 :]


def _answer(text: str, brand: Any, keyrings: Any) -> VerifiedCode | None:
    try:
        return verify_code(text, keyrings, mac_keys=brand.mac_keys)
    except NotOurs:
        return None


@pytest.mark.parametrize("key_id", ["K1", "K2", "K3"])
def test_every_replaced_character_is_refused_or_only_another_case_of_the_same_text(brand: Any, key_id: str) -> None:
    text, keyrings = brand.code(key_id), brand.keyrings
    unit = _answer(text, brand, keyrings)
    assert unit is not None
    folded = len("HTTPS://V.EXAMPLE.COM/") if key_id == "K2" else len(text)
    accepted = 0
    for changed in _replaced(text):
        answer = _answer(changed, brand, keyrings)
        same_by_rule_2 = changed.isascii() and changed[:folded].upper() + changed[folded:] == text
        assert (answer == unit) if same_by_rule_2 else (answer is None), changed
        accepted += answer is not None
    letters = sum(character.isalpha() for character in text[:folded])
    assert accepted == letters


@pytest.mark.parametrize("key_id", ["K1", "K2", "K3"])
def test_every_inserted_or_deleted_character_is_refused_or_an_empty_query_key(brand: Any, key_id: str) -> None:
    text, keyrings = brand.code(key_id), brand.keyrings
    unit = _answer(text, brand, keyrings)
    same_by_rule_4 = {text + "&", text.replace("?", "?&")} if key_id == "K2" else set()
    for changed in (*_inserted(text), *_deleted(text)):
        answer = _answer(changed, brand, keyrings)
        assert (answer == unit) if changed in same_by_rule_4 else (answer is None), changed
