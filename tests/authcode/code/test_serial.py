# ruff: noqa: ANN401, RUF001 - fixtures' classes live in conftest, which tests cannot import; look-alikes are the point
"""Serials: FF1 against a second implementation, and the printed form with its check character."""

import itertools
from contextlib import suppress
from typing import Any

import ffx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authcode.code.payload import NotOurs
from authcode.code.serial import (
    MAX_BATCHES,
    MAX_COUNT,
    SerialCipher,
    SerialUnit,
    Tier,
    TypedSerialInvalid,
    check_character,
    printed_serial,
    read_typed_serial,
)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SERIALS = st.text(alphabet=ALPHABET, min_size=13, max_size=13)
UNITS = st.builds(
    SerialUnit,
    batch=st.integers(0, MAX_BATCHES - 1),
    index=st.integers(0, MAX_COUNT - 1),
    tier=st.sampled_from(Tier),
)


@given(UNITS)
@example(SerialUnit(batch=0, index=0, tier=Tier.SINGLE))
@example(SerialUnit(batch=MAX_BATCHES - 1, index=MAX_COUNT - 1, tier=Tier.INNER))
def test_a_unit_comes_back_from_its_serial(unit: SerialUnit) -> None:
    cipher = SerialCipher(b"\x04" * 32, bytes(16))
    assert cipher.unit(cipher.serial(unit)) == unit


@given(UNITS, st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16))
def test_a_second_implementation_makes_the_same_serial(unit: SerialUnit, key: bytes, brand_id: bytes) -> None:
    number = (unit.batch << 40) | (unit.index << 5) | unit.tier
    plain = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(13)))
    expected = ffx.FF1(key, alphabet=ALPHABET).encrypt(plain, tweak=brand_id)
    assert SerialCipher(key, brand_id).serial(unit) == expected


def test_neighbours_share_nothing_that_shows(brand: Any) -> None:
    serials = [brand.cipher.serial(SerialUnit(batch=1, index=index, tier=Tier.SINGLE)) for index in range(200)]
    assert len(set(serials)) == 200
    assert len({serial[:2] for serial in serials}) > 100


def test_a_serial_of_another_tier_is_not_ours() -> None:
    cipher = SerialCipher(b"\x04" * 32, bytes(16))
    tiers = []
    for number in range(400):
        serial = ALPHABET[number // 32 % 32] + ALPHABET[number % 32] + "0" * 11
        try:
            tiers.append(cipher.unit(serial).tier)
        except NotOurs:
            tiers.append(None)
    assert {*tiers} == {None, Tier.SINGLE, Tier.OUTER, Tier.INNER}
    assert tiers.count(None) > 300  # 29 of 32 last digits name no tier


@pytest.mark.parametrize("text", ["", "0" * 12, "0" * 14, "O" * 13, "é" * 13, "0" * 12 + "\n"])
def test_a_text_that_is_no_serial_is_not_ours(text: str) -> None:
    with pytest.raises(NotOurs):
        SerialCipher(b"\x04" * 32, bytes(16)).unit(text)


@pytest.mark.parametrize(("batch", "index"), [(-1, 0), (MAX_BATCHES, 0), (0, -1), (0, MAX_COUNT)])
def test_a_unit_beyond_the_digits_cannot_be_made(batch: int, index: int) -> None:
    with pytest.raises(ValueError, match="beyond what a serial holds"):
        SerialUnit(batch=batch, index=index, tier=Tier.SINGLE)


def _check_by_table(serial: str) -> str:
    """The check character by a table of powers of alpha, made by another way than the code's."""
    powers = [1]
    while len(powers) < 31:
        doubled = powers[-1] * 2
        powers.append(doubled - 32 ^ 0b00101 if doubled >= 32 else doubled)
    logarithm = {value: exponent for exponent, value in enumerate(powers)}
    total = 0
    for weight, character in enumerate(serial, start=1):
        value = ALPHABET.index(character)
        total ^= powers[(weight + logarithm[value]) % 31] if value else 0
    return ALPHABET[total]


@given(SERIALS)
def test_the_check_character_agrees_with_a_table_of_logarithms(serial: str) -> None:
    assert check_character(serial) == _check_by_table(serial)


@pytest.mark.parametrize("serial", ["7Q4KM2XD9FA1C", "0000000000000", "ZZZZZZZZZZZZZ", "0123456789ABC"])
def test_every_single_error_and_every_transposition_shows(serial: str) -> None:
    right = serial + check_character(serial)
    assert read_typed_serial(right) == serial
    for place, new in itertools.product(range(14), ALPHABET):
        if new != right[place]:
            _refused(right[:place] + new + right[place + 1 :])
    for left, other in itertools.combinations(range(14), 2):
        if right[left] != right[other]:
            swapped = list(right)
            swapped[left], swapped[other] = swapped[other], swapped[left]
            _refused("".join(swapped))


@given(SERIALS, st.integers(0, 13), st.integers(0, 13))
def test_transpositions_show_in_any_serial(serial: str, left: int, other: int) -> None:
    swapped = list(serial + check_character(serial))
    swapped[left], swapped[other] = swapped[other], swapped[left]
    if "".join(swapped) != serial + check_character(serial):
        _refused("".join(swapped))


@given(SERIALS)
def test_a_serial_is_read_as_it_is_printed_and_as_people_type_it(serial: str) -> None:
    printed = printed_serial(serial)
    groups = [len(group) for group in printed.split(" ")]
    assert groups == [4, 4, 4, 3]
    assert printed[-2] == "·"
    typed = printed.lower().replace("0", "o").replace("1", "l").replace("·", "-")
    for text in (
        printed,
        printed.replace(" ", ""),
        typed,
        f"  {typed}\n",
        printed.replace("1", "I"),
        printed.replace(" ", "\u00a0"),
        printed.replace(" ", "\u3000"),
        printed.replace(" ", "\u2013"),
        printed.translate(FULL_WIDTH),
        f"\ufeff\u201c{typed}\u201d.",
    ):
        assert read_typed_serial(text) == serial


@pytest.mark.parametrize(
    "text", ["", "7Q4K M2XD 9FA1 C", "7Q4K M2XD 9FA1 C·", "U" * 14, "é" * 14, "0" * 15, " " * 65, "７" * 14]
)
def test_a_typed_text_that_cannot_be_a_serial_is_refused_without_echo(text: str) -> None:
    error = _refused(text)
    assert not text.strip() or text not in str(error)


@given(st.text())
def test_hostile_typing_raises_only_our_error(text: str) -> None:
    with suppress(TypedSerialInvalid):
        assert len(read_typed_serial(text)) == 13


FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


def _refused(text: str) -> TypedSerialInvalid:
    with pytest.raises(TypedSerialInvalid) as caught:
        read_typed_serial(text)
    return caught.value
