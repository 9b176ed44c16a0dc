"""FF1 against NIST's samples and against libffx's string form, a second implementation."""

import json
from pathlib import Path
from typing import Any

import pytest
from ffx import FF1
from hypothesis import given
from hypothesis import strategies as st

from keys.ff1 import Ff1

SAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors/ff1_nist.json").read_text())["vectors"]
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _digits(text: str) -> list[int]:
    return [DIGITS.index(character) for character in text]


def _text(digits: list[int]) -> str:
    return "".join(DIGITS[digit] for digit in digits)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"sample {sample['sample']}")
def test_nists_samples_are_reproduced_in_both_directions(sample: dict[str, Any]) -> None:
    cipher, tweak = Ff1(bytes.fromhex(sample["key"]), sample["radix"]), bytes.fromhex(sample["tweak"])
    assert _text(cipher.encrypt(_digits(sample["plain"]), tweak)) == sample["cipher"]
    assert _text(cipher.decrypt(_digits(sample["cipher"]), tweak)) == sample["plain"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"sample {sample['sample']}")
def test_the_second_implementation_agrees_with_nist_too(sample: dict[str, Any]) -> None:
    second = FF1(bytes.fromhex(sample["key"]), radix=sample["radix"])
    assert second.encrypt(sample["plain"], tweak=bytes.fromhex(sample["tweak"])) == sample["cipher"]


@given(
    st.binary(min_size=32, max_size=32),
    st.lists(st.integers(0, 31), min_size=13, max_size=13),
    st.binary(min_size=16, max_size=16),
)
def test_a_serial_is_what_the_second_implementation_makes_of_it(key: bytes, digits: list[int], tweak: bytes) -> None:
    cipher = Ff1(key, 32)
    sealed = cipher.encrypt(digits, tweak)
    assert _text(sealed) == FF1(key, radix=32).encrypt(_text(digits), tweak=tweak)
    assert cipher.decrypt(sealed, tweak) == digits


@given(st.integers(2, 36), st.data())
def test_any_radix_length_and_tweak_agree_with_the_second_implementation(radix: int, data: st.DataObject) -> None:
    digits = data.draw(st.lists(st.integers(0, radix - 1), min_size=20, max_size=120))
    tweak = data.draw(st.binary(max_size=40))
    key = data.draw(st.sampled_from([16, 24, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
    cipher = Ff1(key, radix)
    sealed = cipher.encrypt(digits, tweak)
    assert _text(sealed) == FF1(key, radix=radix).encrypt(_text(digits), tweak=tweak)
    assert cipher.decrypt(sealed, tweak) == digits


def test_another_tweak_gives_another_serial() -> None:
    cipher = Ff1(bytes(32), 32)
    assert cipher.encrypt([1] * 13, bytes(16)) != cipher.encrypt([1] * 13, b"\x01" + bytes(15))


def test_many_tweaks_are_served_without_keeping_them_all() -> None:
    cipher = Ff1(bytes(32), 32)
    first = cipher.encrypt([1] * 13, bytes(16))
    for number in range(200):
        cipher.encrypt([1] * 13, number.to_bytes(16, "big"))
    assert cipher.encrypt([1] * 13, bytes(16)) == first


@pytest.mark.parametrize("digits", [[], [1], [31] * 3, [0] * 12 + [32], [0] * 12 + [-1], [0] * 5000])
def test_digits_out_of_range_or_number_are_refused(digits: list[int]) -> None:
    with pytest.raises(ValueError, match="digit"):
        Ff1(bytes(32), 32).encrypt(digits, bytes(16))


@pytest.mark.parametrize(("key_bytes", "radix"), [(31, 32), (0, 32), (32, 1), (32, 65537)])
def test_another_key_length_or_radix_is_refused(key_bytes: int, radix: int) -> None:
    with pytest.raises(ValueError, match=r"radix|key"):
        Ff1(bytes(key_bytes), radix)
