"""One strict spelling for every value."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.base.crockford import ALPHABET, decode_bits, decode_int, encode_bits, encode_int


def test_the_alphabet_is_crockfords() -> None:
    assert ALPHABET == "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    assert not set("ILOU") & set(ALPHABET)


@given(st.integers(min_value=0, max_value=32**13 - 1))
def test_a_number_comes_back_from_its_digits(value: int) -> None:
    text = encode_int(value, 13)
    assert len(text) == 13
    assert decode_int(text) == value


def test_digits_stand_most_significant_first() -> None:
    assert encode_int(32 * 2 + 31, 4) == "002Z"


@pytest.mark.parametrize("value", [-1, 32**3])
def test_a_number_that_does_not_fit_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="fit"):
        encode_int(value, 3)


@given(st.binary(max_size=80))
def test_bytes_come_back_from_their_digits(data: bytes) -> None:
    assert decode_bits(encode_bits(data), len(data)) == data


@given(st.binary(min_size=1, max_size=70))
def test_bits_are_written_most_significant_first_with_zeros_at_the_end(data: bytes) -> None:
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    assert encode_bits(data) == "".join(ALPHABET[int(bits[i : i + 5], 2)] for i in range(0, len(bits), 5))


def test_a_signature_has_103_digits_of_which_the_last_is_one_of_four() -> None:
    last = {encode_bits(b"\x00" * 63 + bytes((byte,)))[-1] for byte in range(256)}
    assert last == set("08GR")
    assert len(encode_bits(b"\xff" * 64)) == 103


def test_a_compact_tag_has_16_digits() -> None:
    assert len(encode_bits(b"\xff" * 10)) == 16


@given(st.binary(min_size=1, max_size=64), st.data())
def test_every_other_text_of_the_same_length_is_other_bytes_or_refused(data: bytes, draw: st.DataObject) -> None:
    text = encode_bits(data)
    place = draw.draw(st.integers(min_value=0, max_value=len(text) - 1))
    other = draw.draw(st.characters(exclude_characters=text[place]))
    with contextlib.suppress(ValueError):
        assert decode_bits(text[:place] + other + text[place + 1 :], len(data)) != data


@pytest.mark.parametrize("last", [c for c in ALPHABET if c not in "08GR"])
def test_spare_bits_that_are_not_zero_are_refused(last: str) -> None:
    with pytest.raises(ValueError, match="spare"):
        decode_bits("0" * 102 + last, 64)


@pytest.mark.parametrize("foreign", [*"OILUoilu-_= +*~$k", "\n", "\u0661", "\uff10", "\u212a"])
def test_aliases_and_foreign_characters_are_refused(foreign: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        decode_bits(foreign + "0" * 15, 10)
    with pytest.raises(ValueError, match="digits"):
        decode_int("1" + foreign)


@pytest.mark.parametrize("text", ["", "0" * 15, "0" * 17])
def test_another_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        decode_bits(text, 10)


def test_no_digits_are_no_number() -> None:
    with pytest.raises(ValueError, match="digits"):
        decode_int("")
