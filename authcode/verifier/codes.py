"""Is this text a code that a key of this keyring signed (docs/format.md §3, rules 1 to 6): a second implementation."""

import base64
import re
from datetime import datetime
from typing import Any, NamedTuple

from authcode.verifier.documents import Refused
from authcode.verifier.ed25519 import verify_bytes
from keys.base.crockford import ALPHABET, decode_bits
from keys.base.errors import SignatureInvalid
from keys.base.instants import parse_instant

MAX_CODE_BYTES = 512
COMPACT_TAG_CHARS = 16
KEY_ID, SERIAL = f"([{ALPHABET}]{{2}})", f"([{ALPHABET}]{{13}})"
SHORT = re.compile(f"{KEY_ID}{SERIAL}([{ALPHABET}]{{102}}[08GR]|[{ALPHABET}]{{16}})")
LINK = re.compile(f"01/([0-9]{{14}})/21/{SERIAL}")
VALUE = re.compile(f"{KEY_ID}([A-Za-z0-9_-]{{85}}[AQgw])")


STATE_TEXTS = {
    "signature_valid": "signature valid, use not checked",
    "key_list_out_of_date": "signature valid, key list out of date: fetch the keyring again, or ask online",
    "key_withdrawn": "the key was withdrawn: ask online",
    "not_ours": "this is not a code of ours; scan it once more, closer, flat and in even light",
}
"""The answers of an offline verification as sentences, by their state."""


class NotOurs(Exception):
    """The text is no code of this brand; there is one sentence for every reason."""


class Parts(NamedTuple):
    """The parts of a well-formed code, its tag as text; `gtin` is fourteen zeros in the short form."""

    prefix: str
    form: str
    key_id: str
    serial: str
    gtin: str
    tag: str


def verify_offline(text: str | bytes, keyring: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Judge a text by an opened keyring: signature and key state, never use.

    Raises:
        NotOurs: it is no code of this brand.
        Refused: a compact code (`online_only`).
    """
    code = parse(text.decode("latin-1") if isinstance(text, bytes) else text, keyring["prefixes"])
    found = [key for key in keyring["code_keys"] if (key["prefix"], key["key_id"]) == (code.prefix, code.key_id)]
    wanted = (code.form, "compact" if len(code.tag) == COMPACT_TAG_CHARS else "signed")
    if not found or (found[0]["form"], found[0]["profile"]) != wanted:  # rule 5
        raise NotOurs
    if wanted[1] == "compact":
        raise Refused("online_only", f"codes of key {code.key_id} are checked by the brand's server only; ask it")
    check_signature(code, found[0], keyring)
    state = "key_list_out_of_date" if now >= parse_instant(keyring["expires"]) else "signature_valid"
    return {
        "state": "key_withdrawn" if found[0]["state"] == "withdrawn" else state,
        "use_checked": False,
        "brand": keyring["brand"],
        "brand_id": keyring["brand_id"],
        "key_id": code.key_id,
        "key_state": found[0]["state"],
        "form": code.form,
        "serial": code.serial,
        "gtin": code.gtin if code.gtin.strip("0") else None,
        "keyring_version": keyring["version"],
        "keyring_expires": keyring["expires"],
    }


def parse(text: str, prefixes: list[str]) -> Parts:
    """Split a text by rules 1 to 4."""
    if len(text) > MAX_CODE_BYTES or not re.fullmatch("[!-~]+", text) or set("%+;#\\") & set(text):  # rule 1
        raise NotOurs
    match = re.match(r"HTTPS?://[A-Z0-9.-]+(?::[0-9]+)?/", text.upper())  # rule 2
    if match is None or match.group() not in prefixes:
        raise NotOurs
    rest = text[match.end() :]
    return split_link(match.group(), rest) if rest.startswith("01/") else split_short(match.group(), rest.upper())


def split_short(prefix: str, rest: str) -> Parts:
    """Split a short code (rule 3)."""
    match = SHORT.fullmatch(rest)
    if match is None:
        raise NotOurs
    return Parts(prefix, "short", match[1], match[2], "0" * 14, match[3])


def split_link(prefix: str, rest: str) -> Parts:
    """Split a link code (rule 4)."""
    path, _, query = rest.partition("?")
    values = [value for name, _, value in (item.partition("=") for item in query.split("&")) if name == "8030"]
    match, signed = LINK.fullmatch(path), VALUE.fullmatch(values[0]) if len(values) == 1 else None
    if match is None or signed is None:
        raise NotOurs
    if sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(match[1])) % 10:
        raise NotOurs
    return Parts(prefix, "gs1", signed[1], match[2], match[1], signed[2])


def check_signature(code: Parts, key: dict[str, Any], keyring: dict[str, Any]) -> None:
    """Check the tag (rule 6); the patterns have refused spare bits of base64url that are not zero."""
    prefix = code.prefix.encode("ascii")
    message = (
        b"authcode-code-v1" + (b"L" if code.form == "gs1" else b"S") + b"\x01" + bytes.fromhex(keyring["brand_id"])
    )
    message += (code.key_id + code.serial + code.gtin).encode("ascii") + bytes([len(prefix)]) + prefix
    tag = base64.urlsafe_b64decode(code.tag + "==") if code.form == "gs1" else decode_bits(code.tag, 64)
    try:
        verify_bytes(bytes.fromhex(key["public_key"]), message, tag)
    except SignatureInvalid:
        raise NotOurs from None
