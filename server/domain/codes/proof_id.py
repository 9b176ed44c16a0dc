"""Stage 6, redeem: the number of a proof, which leads to its live state (docs/protocol.md §2 rule 11).

It is the unit with its life and hop, encrypted (FF1) with digits that must be zero, so that nothing is stored of it, it
shows neither volume nor order, and one in a thousand million random numbers is a number at all.
"""

from keys.base.crockford import ALPHABET
from keys.base.errors import AuthcodeError
from keys.ff1 import Ff1
from server.domain.codes.unit import Unit

_RADIX = 32
_UNIT_DIGITS = 13  # 65 bits for the 62 of a unit with its life
_HOP_DIGITS = 2
_ZERO_DIGITS = 6
PROOF_ID_CHARACTERS = _UNIT_DIGITS + _HOP_DIGITS + _ZERO_DIGITS
_TWEAK = b"authcode-proof-i"
_VALUE = {character: value for value, character in enumerate(ALPHABET)}


class ProofUnknown(AuthcodeError):
    """No verification on record has a proof of this number."""

    code = "proof_unknown"
    http_status = 404
    sentence = "No verification on record has a proof of this number; check the whole proof instead."


def proof_id(unit: Unit, hop: int, *, key: bytes) -> str:
    """The number of a proof: 21 characters."""
    number = unit.id << 5 * _HOP_DIGITS | hop
    length = _UNIT_DIGITS + _HOP_DIGITS
    digits = [number >> 5 * place & _RADIX - 1 for place in reversed(range(length))] + [0] * _ZERO_DIGITS
    return "".join(ALPHABET[digit] for digit in Ff1(key, _RADIX).encrypt(digits, _TWEAK))


def read_proof_id(text: str, *, key: bytes) -> tuple[Unit, int]:
    """The unit with its life, and the hop, that a proof's number names.

    Raises:
        ProofUnknown: we never made this number.
    """
    if len(text) != PROOF_ID_CHARACTERS or any(character not in _VALUE for character in text):
        raise ProofUnknown
    digits = Ff1(key, _RADIX).decrypt([_VALUE[character] for character in text], _TWEAK)
    if any(digits[-_ZERO_DIGITS:]):
        raise ProofUnknown
    number = 0
    for digit in digits[:-_ZERO_DIGITS]:
        number = number << 5 | digit
    try:
        return Unit.of_id(number >> 5 * _HOP_DIGITS), number & (1 << 5 * _HOP_DIGITS) - 1
    except ValueError:
        raise ProofUnknown from None
