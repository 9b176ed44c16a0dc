"""Stage 6, redeem: the keep-code, with which a buyer is known in any browser (docs/protocol.md §2 rule 12).

Twelve characters: 55 bits of an HMAC over unit with life, hop and claim hash, and a check character. Nothing of it is
stored; a visitor with the code and its keep-code is its holder. Tries are limited, and every use is counted.
"""

import hashlib
import hmac

from authcode.code.serial import check_character
from keys.base.crockford import ALPHABET, encode_int
from keys.base.errors import AuthcodeError
from keys.base.typed_text import typed_characters
from server.domain.codes.redemption import Redemption
from server.domain.codes.unit import Unit

KEEP_CODE_CHARACTERS = 12
_SECRET_CHARACTERS = KEEP_CODE_CHARACTERS - 1
_SECRET_BITS = 5 * _SECRET_CHARACTERS
_MAX_TYPED_CHARACTERS = 64
_LABEL = b"authcode-keep-code-v1"
_ALIASES = str.maketrans({"O": "0", "I": "1", "L": "1"})


class KeepCodeInvalid(AuthcodeError):
    """A typed keep-code that has the wrong length, a foreign character or another check character."""

    code = "keep_code_invalid"
    http_status = 400
    sentence = "This keep-code cannot be right; compare each of its twelve characters and type it again."


class KeepCodeTriesSpent(AuthcodeError):
    """Too many wrong keep-codes were tried on this unit or from this network; right ones wait with them."""

    code = "keep_code_tries_spent"
    http_status = 429
    sentence = "Too many keep-codes were tried here today; try again tomorrow."


def keep_code_of(unit: Unit, first: Redemption, *, key: bytes) -> str:
    """The keep-code of a redemption: twelve characters, the same each time."""
    message = _LABEL + unit.id.to_bytes(8, "big") + bytes([first.hop]) + first.claim_hash
    number = int.from_bytes(hmac.digest(key, message, hashlib.sha256), "big") >> (256 - _SECRET_BITS)
    secret = encode_int(number, _SECRET_CHARACTERS)
    return secret + check_character(secret)


def is_keep_code_of(typed: str, unit: Unit, first: Redemption, *, key: bytes) -> bool:
    """Whether a keep-code, as `read_keep_code` gives it, belongs to a redemption; takes the same time either way."""
    return hmac.compare_digest(typed, keep_code_of(unit, first, key=key))


def printed_keep_code(keep_code: str) -> str:
    """A keep-code as people copy it: `7Q4K-M2XD-9FA1`."""
    return "-".join(keep_code[start : start + 4] for start in range(0, KEEP_CODE_CHARACTERS, 4))


def read_keep_code(text: object) -> str:
    """Read a keep-code as a person types it: any case, with Crockford's aliases, as any input method writes it.

    Raises:
        KeepCodeInvalid: not twelve characters of the alphabet, or another check character.
    """
    if not isinstance(text, str) or len(text) > _MAX_TYPED_CHARACTERS:
        raise KeepCodeInvalid
    joined = typed_characters(text)
    plain = joined.upper().translate(_ALIASES) if joined.isascii() else ""
    if len(plain) != KEEP_CODE_CHARACTERS or not set(plain) <= set(ALPHABET):
        raise KeepCodeInvalid
    if check_character(plain[:-1]) != plain[-1]:
        raise KeepCodeInvalid
    return plain
