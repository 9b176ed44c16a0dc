"""Stage 2, print: the segments of a code's text, exactly as docs/format.md §2 lays them down.

Nothing is optimised here: another split of the same text is another symbol, and readers that check how a symbol was
drawn would refuse it.
"""

import re
from typing import Final

from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, QRData

from keys.base.errors import AuthcodeError
from keys.format.records import Form

# ISO/IEC 18004 table 5: the 45 characters of the alphanumeric mode.
_ALPHANUMERIC: Final = re.compile(r"[0-9A-Z $%*+\-./:]+")


class CodeNotDrawable(AuthcodeError):
    """A text does not have the shape from which the segments of its form are cut."""

    code = "code_not_drawable"
    sentence = "this text cannot be drawn as a {form} code: {reason}"
    form: Form
    reason: str


def segments_of(code: str, form: Form) -> list[QRData]:
    """Cut a code's text into QR segments (docs/format.md §2).

    The short form is one alphanumeric segment. The link form is exactly two: everything up to and with the serial in
    alphanumeric mode, the rest (from the question mark on) in byte mode.

    Raises:
        CodeNotDrawable: a character is outside the alphanumeric mode, or a link has no query.
    """
    if form is Form.SHORT:
        return [_alphanumeric(code, form)]
    path, mark, query = code.partition("?")
    if not query or not query.isascii():
        raise CodeNotDrawable(form, "its ASCII query is missing")
    return [_alphanumeric(path, form), QRData(mark + query, mode=MODE_8BIT_BYTE)]


def _alphanumeric(text: str, form: Form) -> QRData:
    if not _ALPHANUMERIC.fullmatch(text):
        raise CodeNotDrawable(form, "only digits, capital letters and $ % * + - . / : fit its first segment")
    return QRData(text, mode=MODE_ALPHA_NUM)
