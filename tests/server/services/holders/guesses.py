"""Keep-codes that are guessed."""

from authcode.code.serial import check_character
from keys.base.crockford import ALPHABET


def wrong(number: int) -> str:
    """A well-formed keep-code that is nobody's."""
    secret = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(11)))
    return secret + check_character(secret)
