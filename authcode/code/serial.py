"""Stage 1, batch: the serial, an encrypted unit number, and its printed form (docs/format.md §2 and §5).

A serial is the FF1 encryption (NIST SP 800-38G) of batch, index and tier in 13 base-32 digits under the brand's id as
tweak. It reveals neither volume nor order, and is turned back without having been stored.
"""

from dataclasses import dataclass
from enum import IntEnum

from authcode.code.payload import SERIAL_CHARACTERS, NotOurs
from keys.base.crockford import ALPHABET, decode_int, encode_int
from keys.base.errors import AuthcodeError
from keys.base.typed_text import typed_characters
from keys.ff1 import Ff1

RADIX = 32
MAX_BATCHES = RADIX**5
"""Batch numbers of a brand: 0 to 33,554,431."""
MAX_COUNT = RADIX**7
"""Units of a batch that a serial can name: 34,359,738,368."""
MAX_TYPED_CHARACTERS = 64
"""A typed serial has 14 characters; the rest leaves room for separators."""

_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_ALIASES = str.maketrans({"O": "0", "I": "1", "L": "1"})  # Crockford's, for typed text only
_REDUCTION = 0b100101  # x^5 + x^2 + 1, primitive: alpha has order 31


class TypedSerialInvalid(AuthcodeError):
    """A typed serial that has the wrong length, a foreign character or another check character."""

    code = "typed_serial_invalid"
    sentence = "this serial cannot be right; compare each character and type all fourteen again"


class Tier(IntEnum):
    """The use of a code: single, or one of a pair on the same unit (outer: a look; inner: the burn)."""

    SINGLE = 0
    OUTER = 1
    INNER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialUnit:
    """One unit of a brand: batch number (25 bits), index in the batch (35 bits, from 0), tier."""

    batch: int
    index: int
    tier: Tier

    def __post_init__(self) -> None:
        """Refuse numbers that a serial cannot hold."""
        if not 0 <= self.batch < MAX_BATCHES or not 0 <= self.index < MAX_COUNT:
            raise ValueError(f"batch {self.batch} or index {self.index} is beyond what a serial holds")


class SerialCipher:
    """Turns units into serials and back under one serial key and one brand id."""

    def __init__(self, key: bytes, brand_id: bytes) -> None:
        """Prepare FF1 with a 32-byte AES key; the 16 bytes of the brand id are the tweak."""
        self._ff1 = Ff1(key, RADIX)
        self._tweak = brand_id

    def serial(self, unit: SerialUnit) -> str:
        """Encrypt a unit to 13 characters."""
        number = (unit.batch * MAX_COUNT + unit.index) * RADIX + unit.tier
        digits = [_VALUE[digit] for digit in encode_int(number, SERIAL_CHARACTERS)]
        return "".join(ALPHABET[digit] for digit in self._ff1.encrypt(digits, self._tweak))

    def unit(self, serial: str) -> SerialUnit:
        """Decrypt 13 characters.

        Raises:
            NotOurs: another tier than 0, 1, 2, or no serial at all.
        """
        if len(serial) != SERIAL_CHARACTERS or any(character not in _VALUE for character in serial):
            raise NotOurs
        digits = self._ff1.decrypt([_VALUE[character] for character in serial], self._tweak)
        if digits[-1] not in tuple(Tier):
            raise NotOurs
        batch, index = divmod(decode_int("".join(ALPHABET[digit] for digit in digits[:-1])), MAX_COUNT)
        return SerialUnit(batch=batch, index=index, tier=Tier(digits[-1]))


def check_character(serial: str) -> str:
    """Give the printed check character: sum of alpha^i d_i, i = 1 for the first digit, over GF(32) (docs/format.md §5).

    Counting from 1 keeps the weight of the check character itself, alpha^0, apart from every digit's, so that an
    exchange of a digit with the check character shows too.
    """
    total = 0
    for character in reversed(serial):  # Horner's rule
        total = (total ^ _VALUE[character]) << 1
        total ^= _REDUCTION if total & RADIX else 0
    return ALPHABET[total]


def printed_serial(serial: str) -> str:
    """Write a serial as it is printed next to the symbol: `7Q4K M2XD 9FA1 C·N`."""
    return f"{serial[:4]} {serial[4:8]} {serial[8:12]} {serial[12:]}\N{MIDDLE DOT}{check_character(serial)}"


def read_typed_serial(text: str) -> str:
    """Read a serial as a person types it: any case, with Crockford's aliases, as any input method writes it.

    Raises:
        TypedSerialInvalid: not fourteen characters of the alphabet, or another check character.
    """
    plain = _plain(text)
    serial, check = plain[:-1], plain[-1:]
    if len(serial) != SERIAL_CHARACTERS or check_character(serial) != check:
        raise TypedSerialInvalid
    return serial


def read_copied_serial(text: str) -> str:
    """Read a serial as staff copy it from a file, where it has no check character; with one it is checked.

    Raises:
        TypedSerialInvalid: neither thirteen nor fourteen characters of the alphabet, or another check character.
    """
    plain = _plain(text)
    return plain if len(plain) == SERIAL_CHARACTERS else read_typed_serial(text)


def _plain(text: str) -> str:
    """Typed characters without separators, in the alphabet's own spelling."""
    if len(text) > MAX_TYPED_CHARACTERS:
        raise TypedSerialInvalid
    typed = typed_characters(text)
    plain = typed.upper().translate(_ALIASES) if typed.isascii() else ""
    if any(character not in _VALUE for character in plain):
        raise TypedSerialInvalid
    return plain
