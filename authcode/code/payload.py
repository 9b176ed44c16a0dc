"""Stage 1, batch: the text of a code, what its tag signs, and the strict parser (docs/format.md §2 and §3).

One text per unit, form and tier parses. Every refusal is the same `NotOurs` with the same sentence: trying texts shows
nothing of which step refused them.
"""

import base64
import re
from dataclasses import dataclass
from typing import NamedTuple

from keys.base.crockford import decode_bits, encode_bits
from keys.base.errors import AuthcodeError
from keys.format.keyring import Keyring, KeyringSet
from keys.format.records import CodeKey, Form, Profile
from keys.primitives import LABEL_CODE

MAX_CODE_BYTES = 512
"""A link code is about 150 bytes; the rest leaves room for query keys that others append."""

GTIN_NONE = "0" * 14
"""The GTIN in the signed message of a short code, which carries none."""

SERIAL_CHARACTERS = 13
KEY_ID_CHARACTERS = 2
TAG_BYTES = {Profile.SIGNED: 64, Profile.COMPACT: 10}
"""Length of the tag in bytes: an Ed25519 signature, or HMAC-SHA-256 cut to 80 bits."""

_C = "0-9A-HJKMNP-TV-Z"
# Printable ASCII without what readers, servers and browsers disagree about: % + ; start or end an encoding,
# \ is a slash to some, # starts what is never sent (docs/format.md §3, rule 1).
_CLEAN = re.compile(r"[!-~]+", re.ASCII)
_UNWANTED = frozenset("%+;#\\")
_PREFIX = re.compile(r"HTTPS?://[A-Z0-9.-]+(?::[0-9]+)?/", re.ASCII)
_SHORT = re.compile(rf"([{_C}]{{2}})([{_C}]{{13}})([{_C}]{{102}}[08GR]|[{_C}]{{16}})", re.ASCII)
_LINK_PATH = re.compile(rf"01/([0-9]{{14}})/21/([{_C}]{{13}})", re.ASCII)
_LINK_VALUE = re.compile(rf"([{_C}]{{2}})([A-Za-z0-9_-]{{85}}[AQgw])", re.ASCII)


class NotOurs(AuthcodeError):
    """The text is not a code that a known key issued; one sentence for every reason."""

    code = "not_ours"
    sentence = "this is not a code of ours; scan it once more, closer, flat and in even light"


class GtinInvalid(AuthcodeError):
    """A trade item number whose length or check digit is wrong."""

    code = "gtin_invalid"
    sentence = (
        "{shown!r} is no GTIN: its length or its last digit, the check digit, is wrong; "
        "give the 8, 12, 13 or 14 digits below the bar code, as in 09506000134352"
    )
    text: str

    @property
    def shown(self) -> str:
        """The number as it was given, shortened."""
        return self.text[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedCode:
    """The parts of a well-formed code, before its tag is checked. `gtin` is `GTIN_NONE` in the short form."""

    form: Form
    prefix: str
    key_id: str
    serial: str
    gtin: str
    tag: bytes


def gtin_check_digit(body: str) -> int:
    """Check digit of the digits before it (GS1 General Specifications §7.9: weights 3 and 1 from the right)."""
    return -sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))) % 10


def check_gtin(text: str) -> str:
    """Give a GTIN-8, -12, -13 or -14 as fourteen digits.

    Raises:
        GtinInvalid: another length, a wrong check digit, or nothing but zeros.
    """
    well_formed = re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", text, re.ASCII) and text.strip("0")
    if not well_formed or gtin_check_digit(text[:-1]) != int(text[-1]):
        raise GtinInvalid(text)
    return text.zfill(14)


def shown_host(prefix: str) -> str:
    """Give the host (and port) of a keyring prefix as shoppers read it: `v.example.com`."""
    return prefix.partition("//")[2].rstrip("/").lower()


def signed_message(key: CodeKey, brand_id: bytes, *, serial: str, gtin: str) -> bytes:
    """Lay out the 64 + n bytes that a tag of `key` covers (docs/format.md §2).

    Raises:
        ValueError: a field has another length than its place in the layout.
    """
    fields = (
        (LABEL_CODE, 16),
        (key.form.letter.encode("ascii"), 1),
        (bytes([key.profile.number]), 1),
        (brand_id, 16),
        (key.key_id.encode("ascii"), KEY_ID_CHARACTERS),
        (serial.encode("ascii"), SERIAL_CHARACTERS),
        (gtin.encode("ascii"), 14),
        (bytes([len(key.prefix)]), 1),
    )
    if any(len(field) != length for field, length in fields):
        raise ValueError("a field of the signed message has the wrong length")
    return b"".join(field for field, _ in fields) + key.prefix.encode("ascii")


def format_code(parsed: ParsedCode) -> str:
    """Write the exact text of the symbol (docs/format.md §2)."""
    if parsed.form is Form.SHORT:
        return f"{parsed.prefix}{parsed.key_id}{parsed.serial}{encode_bits(parsed.tag)}"
    tag = base64.urlsafe_b64encode(parsed.tag).decode("ascii").rstrip("=")
    return f"{parsed.prefix}01/{parsed.gtin}/21/{parsed.serial}?8030={parsed.key_id}{tag}"


def parse_code(text: str | bytes, keyrings: KeyringSet) -> tuple[Keyring, CodeKey, ParsedCode]:
    """Split a scanned text and find its key record; the tag is not checked yet (docs/format.md §3, rules 1 to 5).

    1. Clean, bounded ASCII.   2. A prefix of a keyring, byte for byte.   3. Short form, full match.
    4. Link form, full match.   5. The record of (prefix, key id), and its form and tag length.

    Raises:
        NotOurs: whatever the reason.
    """
    clean = _clean_text(text)  # (1)
    match = _PREFIX.match(clean.upper())  # (2)
    if match is None or match.group() not in keyrings.prefixes:
        raise NotOurs
    prefix = match.group()
    rest = clean[len(prefix) :]
    form = Form.GS1 if rest.startswith("01/") else Form.SHORT
    key_id, serial, gtin, tag_text = (
        _split_short(rest.upper()) if form is Form.SHORT else _split_link(rest)  # (3), (4)
    )
    found = keyrings.lookup(prefix, key_id)  # (5)
    if found is None or found[1].form is not form:
        raise NotOurs
    keyring, key = found
    tag = _decode_tag(tag_text, form, TAG_BYTES[key.profile])
    return keyring, key, ParsedCode(form=form, prefix=prefix, key_id=key_id, serial=serial, gtin=gtin, tag=tag)


def code_from_path(raw_path: str, query: str, keyrings: KeyringSet) -> str:
    """Rebuild a code's text from the raw, undecoded path and query of a page request (docs/format.md §3, rule 1).

    The key id selects the prefix, so host and port of the request take no part. Of the query only `8030` is used,
    since in-app browsers append keys of their own. The text still has to pass `parse_code`.

    Raises:
        NotOurs: the path cannot be a code's, or names no key.
    """
    if len(raw_path) > MAX_CODE_BYTES or not raw_path.isascii() or not raw_path.startswith("/"):
        raise NotOurs
    values = _values_8030(query)
    if _SHORT.fullmatch(raw_path[1:].upper()) and not values:
        key_id, tail = raw_path[1:3].upper(), ""
    elif _LINK_PATH.fullmatch(raw_path[1:]) and len(values) == 1:
        key_id, tail = values[0][:KEY_ID_CHARACTERS], f"?8030={values[0]}"
    else:
        raise NotOurs
    found = keyrings.by_key_id(key_id)
    if found is None:
        raise NotOurs
    return f"{found[1].prefix}{raw_path[1:]}{tail}"


def has_code_form(raw_path: str) -> bool:
    """Whether a raw, undecoded path has the form of a code's, with any key id; of a link the 8030 is not looked at."""
    patterns = (_SHORT, raw_path[1:].upper()), (_LINK_PATH, raw_path[1:])
    return raw_path.startswith("/") and raw_path.isascii() and any(one.fullmatch(text) for one, text in patterns)


class DroppedLink(NamedTuple):
    """The rest of a link code whose 8030 was dropped on the way. No signature vouches for it: it is a look only."""

    gtin: str
    serial: str


def dropped_link(raw_path: str, query: str) -> DroppedLink | None:
    """Find GTIN and serial in a link code's raw path whose query has no 8030.

    One with a wrong 8030 is no such link: it is a forgery like any other.
    """
    match = _LINK_PATH.fullmatch(raw_path[1:]) if raw_path.startswith("/") else None
    if match is None or any(item.startswith("8030") for item in query.split("&")):
        return None
    return DroppedLink(match.group(1), match.group(2))


def _clean_text(text: str | bytes) -> str:
    if len(text) > MAX_CODE_BYTES:
        raise NotOurs
    shown = text.decode("latin-1") if isinstance(text, bytes) else text
    if not _CLEAN.fullmatch(shown) or not _UNWANTED.isdisjoint(shown):
        raise NotOurs
    return shown


def _split_short(rest: str) -> tuple[str, str, str, str]:
    match = _SHORT.fullmatch(rest)
    if match is None:
        raise NotOurs
    return match.group(1), match.group(2), GTIN_NONE, match.group(3)


def _split_link(rest: str) -> tuple[str, str, str, str]:
    path, _, query = rest.partition("?")
    match = _LINK_PATH.fullmatch(path)
    values = _values_8030(query)
    value = _LINK_VALUE.fullmatch(values[0]) if len(values) == 1 else None
    if match is None or value is None or gtin_check_digit(match.group(1)[:-1]) != int(match.group(1)[-1]):
        raise NotOurs
    return value.group(1), match.group(2), match.group(1), value.group(2)


def _values_8030(query: str) -> list[str]:
    pairs = (item.partition("=") for item in query.split("&"))
    return [value for key, _, value in pairs if key == "8030"]


def _decode_tag(text: str, form: Form, length: int) -> bytes:
    if form is Form.GS1:  # `_LINK_VALUE` has refused other characters, and spare bits that are not zero
        return base64.urlsafe_b64decode(f"{text}==")
    try:
        return decode_bits(text, length)
    except ValueError:
        raise NotOurs from None
