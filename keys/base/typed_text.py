"""What people type or paste, in plain characters; scanned text is never changed (docs/format.md §5).

Input methods, smart punctuation, mail programs and spreadsheets exchange characters for others that look alike or
cannot be seen. Nothing here decides what is right: a check character or a signature does, of the text that results.
"""

import re
import string
import unicodedata
from typing import Final

MAX_PLAIN_CHARACTERS: Final = 8_192
"""Characters that are read of a text, before and after NFKC (one becomes 18 at most): more than any proof has."""

_SUBSTITUTES = {
    "\N{EM DASH}": "--",  # what smart punctuation makes of two hyphens
    **dict.fromkeys("\N{MINUS SIGN}\N{HYPHEN BULLET}\N{MODIFIER LETTER MINUS SIGN}", "-"),
    "\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}": "-",  # the hyphen key of a Japanese input method
    **dict.fromkeys(map(chr, range(0xFE00, 0xFE10)), ""),  # variation selectors, which draw nothing
}
_BY_CATEGORY = {"Pd": "-", "Zs": " ", "Zl": "\n", "Zp": "\n", "Cf": ""}
_QUOTE_MARKS = re.compile(r"^[\s>|]+", re.MULTILINE)
_OF_TOKENS = frozenset(string.ascii_letters + string.digits + "-_")


def plain_text(text: str) -> str:
    """Text in its compatibility form (NFKC), with ASCII digits, spaces and hyphens, and without format characters.

    Text beyond `MAX_PLAIN_CHARACTERS` is left out.
    """
    normal = unicodedata.normalize("NFKC", text[:MAX_PLAIN_CHARACTERS])
    return "".join(map(_plain_character, normal[:MAX_PLAIN_CHARACTERS]))


def typed_characters(text: str) -> str:
    """Letters and digits of a short text that a person typed: spaces, punctuation and symbols are left out."""
    kept = (mark for mark in plain_text(text) if not mark.isspace() and unicodedata.category(mark)[0] not in "PS")
    return "".join(kept)


def pasted_token(text: str) -> str:
    """One unbroken text, such as a code or a proof, out of what was pasted with it.

    1. Plain characters.   2. No quote marks at the start of lines (`> `).   3. No white space: lines were wrapped.
    4. Nothing at either end but ASCII letters, digits, `-` and `_`: no quotes, brackets or full stop.
    """
    unquoted = _QUOTE_MARKS.sub("", plain_text(text))  # (1), (2)
    joined = "".join(unquoted.split())  # (3)
    of_token = [mark in _OF_TOKENS for mark in joined]
    if True not in of_token:
        return ""
    return joined[of_token.index(True) : len(joined) - of_token[::-1].index(True)]  # (4)


def password_text(text: str) -> str:
    """A password as it is hashed and compared: the mapping rules of OpaqueString (RFC 8265 §4.2.2).

    Spaces beyond ASCII become U+0020, and the whole is brought to NFC. Case, width and everything else stay.
    """
    spaced = "".join(" " if unicodedata.category(mark) == "Zs" else mark for mark in text)
    return unicodedata.normalize("NFC", spaced)


def is_password_text(text: str) -> bool:
    """Whether a new password may have these characters: no control, format, private or unassigned one."""
    return not any(unicodedata.category(mark)[0] == "C" for mark in text)


def _plain_character(mark: str) -> str:
    category = unicodedata.category(mark)
    if category == "Nd":  # digits of any script: some keyboards write no others
        return str(unicodedata.decimal(mark))
    return _SUBSTITUTES.get(mark, _BY_CATEGORY.get(category, mark))
