"""Stage 5, verify: the code in an address that was damaged on its way, or in a link that a person pasted.

Mails, chats and shells attach punctuation to a link, encode what needs no encoding, and cut off its end. A code that is
found here is a candidate for `verify_code` and nothing more: no page uses it before a key vouches for it.
"""

import re
from collections.abc import Iterator
from itertools import islice, product
from urllib.parse import unquote

from authcode.code.payload import KEY_ID_CHARACTERS, SERIAL_CHARACTERS, TAG_BYTES, gtin_check_digit
from keys.base.crockford import ALPHABET, BITS_PER_DIGIT
from keys.base.typed_text import plain_text
from keys.format.keyring import KeyringSet
from keys.format.records import CodeKey, Form

MAX_ADDRESS_CHARACTERS = 2048
"""A link code has about 150 characters; this leaves room for encodings and for the query keys of others."""

_MAX_CANDIDATES = 4  # of each form: a signature costs 60 microseconds to check
_MAX_ENCODINGS = 3
_START_CHARACTERS = KEY_ID_CHARACTERS + SERIAL_CHARACTERS
_C = rf"[{ALPHABET}]"
_FLAGS = re.ASCII | re.IGNORECASE
_SHORT = re.compile(rf"(?<![A-Z0-9])(?=({_C}{{{_START_CHARACTERS},}}))", _FLAGS)
_LINK = re.compile(rf"01/+([0-9]{{14}})/+21/+({_C}{{13}})", _FLAGS)
_VALUE = re.compile(rf"[?&;]8030=((?i:{_C}){{2}})([A-Za-z0-9_-]{{85}}[AQgw])", re.ASCII)
_CUT_SHORT = re.compile(rf"(?<![A-Z0-9])({_C}{{{_START_CHARACTERS},}})[^A-Z0-9]*", _FLAGS)
_CUT_LINK = re.compile(rf"/*+01/++([0-9]{{14}})(?:/++(?:21(?:/++{_C}{{0,12}}+)?)?)?[^A-Z0-9]*+", _FLAGS)
_CUT_VALUE = re.compile(rf"[?&;]8030=?({_C}{{0,2}})([A-Z0-9_-]{{0,85}})[^A-Z0-9_-]*$", _FLAGS)


def codes_in(text: str, keyrings: KeyringSet) -> Iterator[str]:
    """Texts of codes that an address, or a pasted link, may have held: at most eight, their tags not checked.

    Each is a prefix of a keyring, chosen by the key id, and what has the form of that key's codes behind it.
    """
    plain = _plain_address(text)
    for match in islice(_SHORT.finditer(plain), _MAX_CANDIDATES):
        start = match.group(1).upper()
        key = _key(keyrings, start, Form.SHORT)
        if key is not None and len(start) >= _length(key):
            yield f"{key.prefix}{start[: _length(key)]}"
    pairs = product(islice(_LINK.finditer(plain), 2), islice(_VALUE.finditer(plain), 2))
    for path, value in islice(pairs, _MAX_CANDIDATES):
        key = _key(keyrings, value.group(1).upper(), Form.GS1)
        if key is not None:
            serial = path.group(2).upper()
            yield f"{key.prefix}01/{path.group(1)}/21/{serial}?8030={key.key_id}{value.group(2)}"


def is_cut(raw_path: str, query: str, keyrings: KeyringSet) -> bool:
    """Whether an address is the beginning of one of a code, by its form alone: its end was lost.

    Of the short form there must be a known key id and the serial, of the link form a GTIN with its check digit; where
    the 8030 was cut, it must name a known key, or end before it does.
    """
    plain = _plain_address(f"{raw_path}?{query}" if query else raw_path)
    path = plain.partition("?")[0]
    short = _CUT_SHORT.fullmatch(path.lstrip("/"))
    if short is not None:
        key = _key(keyrings, short.group(1).upper(), Form.SHORT)
        return key is not None and len(short.group(1)) < _length(key)
    link = _CUT_LINK.fullmatch(path)
    if link is not None:
        return gtin_check_digit(link.group(1)[:-1]) == int(link.group(1)[-1])
    return _LINK.search(path) is not None and _is_cut_8030(plain, keyrings)


def _is_cut_8030(plain: str, keyrings: KeyringSet) -> bool:
    value = _CUT_VALUE.search(plain)
    if value is None:
        return False
    key_id, rest = value.groups()
    return not rest if len(key_id) < KEY_ID_CHARACTERS else _key(keyrings, key_id.upper(), Form.GS1) is not None


def _plain_address(text: str) -> str:
    """An address without its encodings, without white space, in plain characters; empty where it is too long."""
    if len(text) > MAX_ADDRESS_CHARACTERS:
        return ""
    for _ in range(_MAX_ENCODINGS):
        text = unquote(text, errors="replace")
    return "".join(plain_text(text).split())


def _key(keyrings: KeyringSet, start: str, form: Form) -> CodeKey | None:
    found = keyrings.by_key_id(start[:KEY_ID_CHARACTERS])
    return found[1] if found is not None and found[1].form is form else None


def _length(key: CodeKey) -> int:
    """Characters of a short code of this key, behind the prefix."""
    return _START_CHARACTERS + -(-8 * TAG_BYTES[key.profile] // BITS_PER_DIGIT)
