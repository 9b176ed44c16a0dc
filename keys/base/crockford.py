"""Crockford's base 32 as codes use it: one strict spelling for every value (docs/format.md §2, §3).

Upper case only, without the aliases O, I and L, without hyphens and check characters: a scanned code has exactly one
text. Typed serials, which may use aliases, are converted to this spelling before.
"""

import base64
import re
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""The 32 digits, in the order of their values."""

BITS_PER_DIGIT: Final = 5

_DIGITS = re.compile(f"[{ALPHABET}]*")
_TO_PYTHON = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_FROM_RFC_4648 = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET, "=")


def encode_int(value: int, length: int) -> str:
    """`value` as exactly `length` digits, most significant first.

    Raises:
        ValueError: `value` is negative or needs more digits.
    """
    if value < 0 or value >> (BITS_PER_DIGIT * length):
        raise ValueError(f"the value does not fit into {length} base-32 digits")
    shifts = range(BITS_PER_DIGIT * (length - 1), -1, -BITS_PER_DIGIT)
    return "".join([ALPHABET[(value >> shift) & 31] for shift in shifts])


def decode_int(text: str) -> int:
    """The value of digits written most significant first; the inverse of `encode_int`.

    Raises:
        ValueError: `text` is empty or has a character that is no digit (aliases and lower case included).
    """
    if not text or _DIGITS.fullmatch(text) is None:
        raise ValueError("not base-32 digits")
    return int(text.translate(_TO_PYTHON), 32)


def encode_bits(data: bytes) -> str:
    """`data` as digits, most significant bit first, with the spare low bits of the last digit zero."""
    return base64.b32encode(data).decode("ascii").translate(_FROM_RFC_4648)


def decode_bits(text: str, n_bytes: int) -> bytes:
    """The `n_bytes` bytes that `encode_bits` wrote as `text`; every other spelling is refused (docs/format.md §3).

    Raises:
        ValueError: wrong length, a foreign character, or spare bits that are not zero.
    """
    n_digits = -(-8 * n_bytes // BITS_PER_DIGIT)
    if len(text) != n_digits:
        raise ValueError(f"{n_bytes} bytes are {n_digits} base-32 digits, not {len(text)}")
    if not text:
        return b""
    spare = BITS_PER_DIGIT * n_digits - 8 * n_bytes
    value = decode_int(text)
    if value & ((1 << spare) - 1):
        raise ValueError("the spare bits of the last digit are not zero")
    return (value >> spare).to_bytes(n_bytes, "big")
