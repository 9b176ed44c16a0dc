"""Stage 5, verify: check authcodes, receipts and proofs of the log offline, with nothing but Python and public keys.

    python3 authcode_verify.py --keyring authcode-keys.json --root sha256:1f0c... 'HTTPS://V.EXAMPLE.COM/K1...'
    python3 authcode_verify.py log --key log.key --kept head-in-march.txt head.txt entry.txt growth.txt
    python3 authcode_verify.py receipt --keys authcode-proof-keys.json receipt.txt --key log.key growth.txt entry.txt

This one file needs no other package and no network: for customs, a journalist, a court. It follows docs/format.md
(sections 1 to 3; the numbers in it are that page's rules) and docs/protocol.md, and answers as `authcode verify
--offline` and `authcode log check` do. It says whether a code was signed by the brand, never whether it is unused:
only the brand's server knows that.

Exit codes: 0 the signature is valid and the key list in date (everything holds), 1 the answer is no, 2 it could not be
checked.
"""

import argparse
import base64
import hashlib
import ipaddress
import json
import os
import re
import sys
import unicodedata
from datetime import datetime, timedelta, timezone
from typing import Any

MAX_CODE_BYTES = 512
MAX_DOCUMENT_BYTES = 1 << 20
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SAID = {
    "signature_valid": "signature valid, use not checked",
    "key_list_out_of_date": "signature valid, key list out of date: fetch the keyring again, or ask online",
    "key_withdrawn": "the key was withdrawn: ask online",
}
NOT_OURS = "this is not a code of ours; scan it once more, closer, flat and in even light"


class Refused(Exception):
    """It could not be checked: the key list cannot be used, or the code needs the server."""

    def __init__(self, code: str, message: str) -> None:
        """Take the stable code and a sentence."""
        super().__init__(message)
        self.code = code


class NotOurs(Exception):
    """The text is no code of this brand; there is one sentence for every reason."""


# --- Ed25519 (RFC 8032), strict: section 1, Roles -------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
IDENTITY: Point = (0, 1, 1, 0)


def point_of(data: bytes) -> Point:
    """Decode 32 bytes to a point; ValueError where they are not the one spelling of a point of the curve."""
    number = int.from_bytes(data, "little")
    y, odd = number & (1 << 255) - 1, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT_OF_MINUS_ONE % P
    if len(data) != 32 or y >= P or (x * x - square) % P or (x == 0 and odd):  # noqa: PLR2004 - bytes of a point
        raise ValueError("no point of the curve")
    return (x if x & 1 == odd else P - x, y, 1, (x if x & 1 == odd else P - x) * y % P)


def add(one: Point, other: Point) -> Point:
    """Add two points (extended coordinates, RFC 8032 section 5.1.4)."""
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number: int, point: Point) -> Point:
    """Multiply a point; not in constant time, since nothing here is secret."""
    result = IDENTITY
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def bytes_of(point: Point) -> bytes:
    """Encode a point in its one spelling."""
    x, y = (coordinate * pow(point[2], -1, P) % P for coordinate in point[:2])
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_identity(point: Point) -> bool:
    """Whether a point is the neutral one."""
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0


def is_valid_key(public_key: bytes) -> bool:
    """Whether a key may stand in a keyring: a canonical point of the prime-order subgroup, not the identity."""
    try:
        point = point_of(public_key)
    except ValueError:
        return False
    return not is_identity(times(8, point)) and is_identity(times(ORDER, point))


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is valid as libsodium sees it, without multiplying by the cofactor.

    1. S is below the order.   2. The key is canonical and not of small order.   3. S B - k A, written out, is R byte
    for byte.   4. R is not of small order.
    """
    s = int.from_bytes(signature[32:], "little")
    try:
        key = point_of(public_key)
    except ValueError:
        return False
    if len(signature) != 64 or s >= ORDER or is_identity(times(8, key)):  # noqa: PLR2004 - (1), (2); bytes of a signature
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    x, y, z, xy = times(k, key)
    r = add(times(s, BASE), (-x % P, y, z, -xy % P))
    return bytes_of(r) == signature[:32] and not is_identity(times(8, r))  # (3), (4)


def fingerprint(public_key: bytes) -> str:
    """Name a key."""
    return "sha256:" + hashlib.sha256(public_key).hexdigest()


# --- Reading JSON strictly: section 1, Signed documents ------------------------------------------------------------


def parse_object(text: str | bytes) -> dict[str, Any]:
    """Read a JSON object: no field twice, whole numbers, at most 16 levels; ValueError for anything else."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """An object whose fields all have different names."""
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a field stands there twice")
        return dict(pairs)

    def refuse(_number: str) -> None:
        """No number but a whole one stands in a document of ours."""
        raise ValueError("not a whole number")

    decoded = text.decode("utf-8") if isinstance(text, bytes) else text
    decoded.encode("utf-8")
    try:
        value = json.loads(decoded, object_pairs_hook=once, parse_constant=refuse, parse_float=refuse)
        check_values(value, 1)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    found: dict[str, Any] = need(value, dict)
    return found


def check_values(value: object, depth: int) -> None:
    """Refuse (ValueError) more than 16 levels, and halves of a surrogate pair."""
    if depth > 16:  # noqa: PLR2004 - the page's number
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, (dict, list)):
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            check_values(inner, depth + 1)


def need(value: Any, kind: type) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Give a value of exactly this type (so that true is no number); else ValueError."""
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} expected")
    return value


def text_in(values: dict[str, Any], name: str, longest: int) -> str:
    """Read a text of 1 to `longest` characters."""
    value: str = need(values.get(name), str)
    value.encode("utf-8")
    if not 1 <= len(value) <= longest:
        raise ValueError(name)
    return value


def list_in(values: dict[str, Any], name: str, kind: type, most: int) -> list[Any]:
    """Read a list of at most `most` items of one type."""
    items: list[Any] = need(values.get(name), list)
    if len(items) > most:
        raise ValueError(name)
    return [need(item, kind) for item in items]


def binary_in(values: dict[str, Any], name: str, size: int) -> bytes:
    """Read `size` bytes in lower-case hexadecimal."""
    value = text_in(values, name, 2 * size)
    if not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", value):
        raise ValueError(name)
    return bytes.fromhex(value)


def number_in(values: dict[str, Any], name: str, low: int, high: int) -> int:
    """Read a whole number from `low` to `high`."""
    value: int = need(values.get(name), int)
    if not low <= value <= high:
        raise ValueError(name)
    return value


def time_in(values: dict[str, Any], name: str) -> datetime:
    """Read a time, written as `2026-03-01T08:30:00Z` and in no other way."""
    return time_of(text_in(values, name, 20))


def time_of(text: str) -> datetime:
    """Read a time; ValueError where it is written in another way."""
    if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z", text, re.ASCII):
        raise ValueError("a time is written as 2026-03-01T08:30:00Z")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)  # noqa: UP017 - any Python


# --- The keyring: section 1, Keyring and Succession ----------------------------------------------------------------


def open_keyring(document: bytes, root: str | None = None) -> dict[str, Any]:
    """Open a published keyring under the root that is trusted, or an heir of it; None takes whatever root signed it.

    Raises Refused with the same codes as `authcode verify`.
    """
    envelope, signature = read_envelope(document)
    try:
        payload = parse_object(envelope["payload"])
        key = binary_in(payload, "root", 32)
    except ValueError:
        raise Refused("document_invalid", "the key list cannot be read: its content is no keyring") from None
    signer = envelope["signer"]
    check_key(key)
    message = b"authcode-keys-v1" + envelope["payload"].encode("utf-8")
    if fingerprint(key) != signer or not is_signed(key, message, signature):
        sentence = "the key list is not signed by the root that it names; do not use it"
        raise Refused("keyring_signature_invalid", sentence)
    try:
        check_keyring(payload)
    except ValueError as error:
        raise Refused("keyring_invalid", f"the keyring cannot be used: {error}") from None
    roots = earlier_roots(envelope["succession"], binary_in(payload, "brand_id", 16), key)
    if root is not None and root not in {signer, *roots}:
        raise Refused("keyring_signature_invalid", "the key list is not signed by the trusted root key; do not use it")
    return payload


def read_envelope(document: bytes) -> tuple[dict[str, Any], bytes]:
    """Read a signed document in its one written form."""
    refused = Refused("document_invalid", "the key list cannot be read; take it again from where it was published")
    try:
        if len(document) > MAX_DOCUMENT_BYTES:
            raise refused
        envelope = parse_object(document)
        text_in(envelope, "payload", MAX_DOCUMENT_BYTES)
        list_in(envelope, "succession", dict, 16)
        signature = base64.urlsafe_b64decode(text_in(envelope, "signature", 86) + "==")
        spelled = base64.urlsafe_b64encode(signature).decode("ascii").rstrip("=")
        names = ("format", "payload", "signer", "signature", "succession")
        written = json.dumps({name: envelope[name] for name in names}, indent=1, ensure_ascii=False) + "\n"
        same = written.encode("utf-8") == document and spelled == envelope["signature"]
        signer = text_in(envelope, "signer", 71)
    except (ValueError, KeyError, RecursionError):
        raise refused from None
    known = envelope["format"] == "authcode-keyring-1" and re.fullmatch("sha256:[0-9a-f]{64}", signer)
    if not same or not known or len(signature) != 64:  # noqa: PLR2004 - bytes of a signature
        raise refused
    return envelope, signature


def earlier_roots(steps: list[dict[str, Any]], brand_id: bytes, root: bytes) -> list[str]:
    """Give the fingerprints of the roots that vouched, each for the next and the last for `root`."""
    roots: list[bytes] = []
    try:
        for step in steps:
            old, new = binary_in(step, "old", 32), binary_in(step, "new", 32)
            statement = b"authcode-root-v1" + brand_id + old + new
            fine = set(step) == {"old", "new", "signature"} and (not roots or roots[-1] == old) and is_valid_key(old)
            if not fine or not is_signed(old, statement, binary_in(step, "signature", 64)):
                raise ValueError("a step that does not hold")  # noqa: TRY301 - all of this ends in the one error below
            roots += [new] if roots else [old, new]
        if roots and (roots[-1] != root or len(set(roots)) != len(roots)):
            raise ValueError("a chain that does not hold")  # noqa: TRY301 - the same
    except ValueError:
        message = "the succession of root keys does not hold; do not use this keyring"
        raise Refused("succession_invalid", message) from None
    return [fingerprint(one) for one in roots[:-1]]


def check_keyring(values: dict[str, Any]) -> None:
    """Check every rule of a keyring (ValueError, or Refused where the rule has a code of its own)."""
    binary_in(values, "brand_id", 16)
    if not all(map(is_seen, text_in(values, "brand", 100))):
        raise ValueError("the brand's name has 1 to 100 characters that can be seen")
    number_in(values, "version", 1, 2**31 - 1)
    if not timedelta(0) < time_in(values, "expires") - time_in(values, "issued") <= timedelta(days=30):
        raise ValueError("it must expire within 30 days of being issued")
    prefixes, domains = list_in(values, "prefixes", str, 64), []
    for name in ("lookalike_domains", "partner_domains"):
        domains += list_in(values, name, str, 1000)
    codes = [check_code_key(key) for key in list_in(values, "code_keys", dict, 1024)]
    offices = [check_office_key(key) for key in list_in(values, "office_keys", dict, 64)]
    check_addresses(prefixes, domains)
    if len({key_id for key_id, _ in codes}) != len(codes):
        raise Refused("key_id_taken", "a key id stands for two keys, and ids are never used again")
    if any(prefix not in prefixes for _, prefix in codes):
        raise ValueError("a key belongs to a prefix that the keyring does not have")
    for key in (*values["code_keys"], *values["office_keys"]):
        if key.get("public_key") is not None:
            check_key(bytes.fromhex(key["public_key"]))
    if len(set(offices)) != len(offices):
        raise ValueError("an office key stands there twice")


def is_seen(mark: str) -> bool:
    """Whether a character may stand in a name: it is neither hidden nor one of those that draw nothing."""
    blank = [(0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2060, 0x206F), (0x2800, 0x2800)]
    blank += [(0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3)]
    blank += [(0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)]
    hidden = unicodedata.category(mark) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"}
    return mark == " " or not (hidden or any(first <= ord(mark) <= last for first, last in blank))


def is_domain(domain: str) -> bool:
    """Whether this is a domain in lower case, of two labels or more."""
    return domain.isascii() and domain == domain.lower() and "." in domain and is_host(domain.upper())


def check_addresses(prefixes: list[str], domains: list[str]) -> None:
    """Check the code prefixes, and the look-alike and partner domains."""
    if not 1 <= len(set(prefixes)) == len(prefixes):
        raise ValueError("it has 1 to 64 code prefixes, each once")
    for prefix in prefixes:
        check_prefix(prefix)
    if not all(map(is_domain, domains)):
        raise ValueError("a look-alike or partner domain is no lower-case domain name of several labels")


def check_code_key(key: dict[str, Any]) -> tuple[str, str]:
    """Check one record of a code key; give its id and prefix."""
    state, compact = text_in(key, "state", 9), text_in(key, "profile", 7) == "compact"
    shape = (re.fullmatch(f"[{CROCKFORD}]{{2}}", text_in(key, "key_id", 2)), key["profile"] in {"signed", "compact"})
    if not all(shape) or text_in(key, "form", 5) not in {"short", "gs1"} or (compact and key["form"] != "short"):
        raise ValueError("a key record has another id, profile or form than there are")
    number_in(key, "serial_key", 1, 255)
    time_in(key, "since")
    if state not in {"active", "retired", "withdrawn"} or (key.get("reason") is not None) != (state == "withdrawn"):
        raise ValueError("a withdrawn key has a reason, and no other key has one")
    if key.get("reason") is not None:
        text_in(key, "reason", 200)
    if compact != (key.get("public_key") is None):
        raise ValueError("a signed key has a public key, and a compact key has none")
    if not compact:
        binary_in(key, "public_key", 32)
    return key["key_id"], text_in(key, "prefix", 255)


def check_office_key(key: dict[str, Any]) -> str:
    """Check one record of an office key; give its fingerprint."""
    time_in(key, "since")
    named = text_in(key, "fingerprint", 71) == fingerprint(binary_in(key, "public_key", 32))
    if not named or text_in(key, "state", 9) not in {"active", "retired", "withdrawn"}:
        raise ValueError("an office key's fingerprint or state is wrong")
    return str(key["fingerprint"])


def check_key(public_key: bytes) -> None:
    """Refuse what is no key."""
    if not is_valid_key(public_key):
        raise Refused("public_key_invalid", "the key list holds something that is no Ed25519 key; do not use it")


def check_prefix(prefix: str) -> None:
    """Refuse what is no code prefix in its one spelling."""
    match = re.fullmatch(r"(HTTPS?)://([A-Z0-9.-]+)(?::([0-9]{1,5}))?/?", prefix.upper(), re.ASCII)
    port = match[3] if match else None
    fine = port is None or (port == str(int(port)) and 1 <= int(port) <= 65535)  # noqa: PLR2004 - the last port
    if match is None or not prefix.isascii() or len(prefix) > 255 or not fine or not is_host(match[2]):  # noqa: PLR2004 - section 1
        raise Refused("prefix_invalid", "a code prefix of the key list is no plain scheme, host and port")
    if port == {"HTTP": "80", "HTTPS": "443"}[match[1]] or prefix != prefix.upper() or not prefix.endswith("/"):
        raise ValueError("a prefix is not in its one spelling")


def is_host(host: str) -> bool:
    """Whether this is a host name in upper case, or a plain dotted IPv4 address."""
    labels = host.split(".")
    label = "[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?"
    if len(host) > 235 or not all(re.fullmatch(label, one, re.ASCII) for one in labels):  # noqa: PLR2004 - section 1
        return False
    if not re.fullmatch("[0-9]+|0X[0-9A-F]*", labels[-1], re.ASCII):
        return True
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


# --- The code: section 3 --------------------------------------------------------------------------------------------

KEY_ID, SERIAL = f"([{CROCKFORD}]{{2}})", f"([{CROCKFORD}]{{13}})"
SHORT = re.compile(f"{KEY_ID}{SERIAL}([{CROCKFORD}]{{102}}[08GR]|[{CROCKFORD}]{{16}})")
LINK = re.compile(f"01/([0-9]{{14}})/21/{SERIAL}")
VALUE = re.compile(f"{KEY_ID}([A-Za-z0-9_-]{{85}}[AQgw])")


def verify_offline(text: str | bytes, keyring: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Judge a text by an opened keyring: signature and key state, never use.

    Raises NotOurs, or Refused (`online_only`) for a compact code.
    """
    shown = text.decode("latin-1") if isinstance(text, bytes) else text
    if len(shown) > MAX_CODE_BYTES or not re.fullmatch("[!-~]+", shown) or set("%+;#\\") & set(shown):  # rule 1
        raise NotOurs
    match = re.match(r"HTTPS?://[A-Z0-9.-]+(?::[0-9]+)?/", shown.upper())  # rule 2
    if match is None or match.group() not in keyring["prefixes"]:
        raise NotOurs
    prefix, rest = match.group(), shown[match.end() :]
    form = "gs1" if rest.startswith("01/") else "short"
    key_id, serial, gtin, tag = split_link(rest) if form == "gs1" else split_short(rest.upper())
    found = [key for key in keyring["code_keys"] if (key["prefix"], key["key_id"]) == (prefix, key_id)]  # rule 5
    if not found or found[0]["form"] != form:
        raise NotOurs
    key = found[0]
    if (len(tag) == 16) != (key["profile"] == "compact"):  # noqa: PLR2004 - characters of a compact tag
        raise NotOurs
    if key["profile"] == "compact":
        raise Refused("online_only", f"codes of key {key_id} are checked by the brand's server only; ask it")
    message = b"authcode-code-v1" + (b"L" if form == "gs1" else b"S") + b"\x01" + bytes.fromhex(keyring["brand_id"])
    message += (key_id + serial + gtin).encode("ascii") + bytes([len(prefix)]) + prefix.encode("ascii")
    if not is_signed(bytes.fromhex(key["public_key"]), message, decode_tag(tag, form)):  # rule 6
        raise NotOurs
    withdrawn, late = key["state"] == "withdrawn", now >= time_in(keyring, "expires")
    return {
        "state": "key_withdrawn" if withdrawn else "key_list_out_of_date" if late else "signature_valid",
        "use_checked": False,
        "brand": keyring["brand"],
        "brand_id": keyring["brand_id"],
        "key_id": key_id,
        "key_state": key["state"],
        "form": form,
        "serial": serial,
        "gtin": gtin if gtin.strip("0") else None,
        "keyring_version": keyring["version"],
        "keyring_expires": keyring["expires"],
    }


def split_short(rest: str) -> tuple[str, str, str, str]:
    """Split a short code (rule 3) into key id, serial, GTIN and tag."""
    match = SHORT.fullmatch(rest)
    if match is None:
        raise NotOurs
    return match[1], match[2], "0" * 14, match[3]


def split_link(rest: str) -> tuple[str, str, str, str]:
    """Split a link code (rule 4) into key id, serial, GTIN and tag."""
    path, _, query = rest.partition("?")
    items = [item.partition("=") for item in query.split("&")]
    values = [value for name, _, value in items if name == "8030"]
    match, signed = LINK.fullmatch(path), VALUE.fullmatch(values[0]) if len(values) == 1 else None
    if match is None or signed is None:
        raise NotOurs
    if sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(match[1])) % 10:
        raise NotOurs
    return signed[1], match[2], match[1], signed[2]


def decode_tag(text: str, form: str) -> bytes:
    """Decode a signature; the patterns have refused spare bits that are not zero."""
    alphabet, bits, spare = (BASE64URL, 6, 4) if form == "gs1" else (CROCKFORD, 5, 3)
    number = 0
    for character in text:
        number = number << bits | alphabet.index(character)
    return (number >> spare).to_bytes(64, "big")


# --- The log: docs/protocol.md, section 3 ----------------------------------------------------------------------------

LOG_NAME = r"[^\s+\x00-\x1f\x7f]{1,200}"
MAX_NOTE_BYTES = 128 * 1024
MAX_TREE = 1 << 62
Head = tuple[str, int, bytes]


def not_a_log_document(reason: str) -> Refused:
    """Make the error for a text that is no head or proof of a log."""
    return Refused("log_document_invalid", f"this is no log head or proof as the log wrote it: {reason}")


def does_not_hold(reason: str) -> Refused:
    """Make the error for a head or proof that does not hold: the answer is no."""
    return Refused("log_proof_refused", f"this does not hold: {reason}; keep it, and ask the log's operator")


def decode64(text: str, what: str, size: int | None = None) -> bytes:
    """Decode base 64 in its one spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise not_a_log_document(f"{what} is not base 64") from None
    if base64.b64encode(data).decode("ascii") != text or (size is not None and len(data) != size):
        raise not_a_log_document(f"{what} has another length")
    return data


def decimal(text: str, what: str) -> int:
    """Read a size or an index in its one spelling."""
    if not re.fullmatch("0|[1-9][0-9]{0,18}", text, re.ASCII) or int(text) > MAX_TREE:
        raise not_a_log_document(f"{what} is no number")
    return int(text)


def log_key_of(text: str) -> tuple[str, bytes, bytes]:
    """Read a log's public key, `name+hash+key`; give name, key id and the 32 bytes."""
    name, _, rest = text.strip().partition("+")
    named, _, encoded = rest.partition("+")
    try:
        data = decode64(encoded, "the key", 33)
    except Refused:
        data = b""
    key_id = hashlib.sha256(name.encode("utf-8", "surrogatepass") + b"\n" + data).digest()[:4]
    fine = data[:1] == b"\x01" and is_valid_key(data[1:]) and re.fullmatch(LOG_NAME, name) and named == key_id.hex()
    if not fine:
        raise Refused("log_key_invalid", "this is no log key; the log prints it as name+hash+key on one line")
    return name, key_id, data[1:]


def signatures_of(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Split a signed note into what is signed, and name, key id and signature of each line."""
    if len(note.encode("utf-8", "surrogatepass")) > MAX_NOTE_BYTES:
        raise not_a_log_document("it is too long")
    if any((one < " " and one != "\n") or "\ud800" <= one <= "\udfff" for one in note):
        raise not_a_log_document("it has characters that a note cannot have")
    text, blank, block = note.rpartition("\n\n")
    lines, signed = block.split("\n"), []
    if not blank or lines.pop() or not 1 <= len(lines) <= 64:  # noqa: PLR2004 - signature lines of a note
        raise not_a_log_document("it needs 1 to 64 signature lines")
    for line in lines:
        match = re.fullmatch(f"\N{EM DASH} ({LOG_NAME}) (.*)", line)
        data = decode64(match[2], "a signature") if match else b""
        if match is None or len(data) <= 4:  # noqa: PLR2004 - bytes of a key id
            raise not_a_log_document("a signature line has another form")
        signed.append((match[1], data[:4], data[4:]))
    return text + "\n", signed


def open_head(note: str, key: tuple[str, bytes, bytes]) -> Head:
    """Give origin, size and root of a head that the log's key signed."""
    text, signed = signatures_of(note)
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or "" in lines or not re.fullmatch(LOG_NAME, lines[0]):  # noqa: PLR2004 - lines of a head
        raise not_a_log_document("a head has an origin, a size and a root, each on a line")
    head = (lines[0], decimal(lines[1], "the size"), decode64(lines[2], "the root", 32))
    name, key_id, public_key = key
    if head[0] != name:
        raise does_not_hold(f"the head is of the log {head[0]!r}, the key of {name!r}")
    ours = [signature for named, one, signature in signed if (named, one) == (name, key_id)]
    if not ours or not all(is_signed(public_key, text.encode("utf-8"), signature) for signature in ours):
        raise does_not_hold("the head is not signed by this key")
    return head


def named_head(text: str) -> Head:
    """Read the head that a receipt names: origin, size and root."""
    parts = text.split(" ")
    if len(parts) != 3 or not re.fullmatch(LOG_NAME, parts[0]):  # noqa: PLR2004 - as above
        raise not_a_log_document("a head is named by its origin, size and root")
    return parts[0], decimal(parts[1], "the size"), decode64(parts[2], "the root", 32)


def node(left: bytes, right: bytes) -> bytes:
    """Hash two children (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def check_inclusion(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> None:
    """Follow a leaf's path to the root (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        raise does_not_hold(f"a tree of {size} leaves has no leaf {index}")
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise does_not_hold("the path is too long for this tree")
        if place & 1 or place == last:
            found = node(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node(found, sibling)
        place, last = place >> 1, last >> 1
    if last or found != root:
        raise does_not_hold("the path does not lead from this entry to the signed root")


def check_growth(old: int, size: int, roots: tuple[bytes, bytes], path: list[bytes]) -> None:
    """Check that the tree of `old` leaves is the beginning of that of `size` (RFC 9162 section 2.1.4.2)."""
    if old > size:
        raise does_not_hold(f"a tree of {size} leaves did not grow from one of {old}")
    if old in {0, size}:
        check_without_path(old, roots, path)
        return
    known = [roots[0], *path] if old & (old - 1) == 0 else path
    if not path:
        raise does_not_hold("the path is empty")
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = known[0]
    for sibling in known[1:]:
        if last == 0:
            raise does_not_hold("the path is too long for these trees")
        if place & 1 or place == last:
            first, second = node(sibling, first), node(sibling, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node(second, sibling)
        place, last = place >> 1, last >> 1
    if last or (first, second) != roots:
        raise does_not_hold("the path does not lead from the older root to the newer one: the history was rewritten")


def check_without_path(old: int, roots: tuple[bytes, bytes], path: list[bytes]) -> None:
    """Check a growth from nothing, or none at all."""
    if path or roots[0] != (roots[1] if old else hashlib.sha256(b"").digest()):
        raise does_not_hold(f"there are two roots for {old} leaves, or a path that is too long")


def split_proof(text: str) -> tuple[list[str], str]:
    """Split a proof into its lines and the head behind them."""
    first, blank, note = text.partition("\n\n")
    if len(text) > MAX_NOTE_BYTES or not blank:
        raise not_a_log_document("it is too long, or ends before its head")
    return first.split("\n"), note


def number_line(lines: list[str], word: str) -> int:
    """Take the line `word number` off the front."""
    if not lines or not lines[0].startswith(word):
        raise not_a_log_document(f"it has no line {word.strip()!r}")
    return decimal(lines.pop(0).removeprefix(word), word.strip())


def path_in(lines: list[str]) -> list[bytes]:
    """Read the hashes of a path."""
    if len(lines) > 63:  # noqa: PLR2004 - higher than any tree
        raise not_a_log_document("its path is longer than any tree is high")
    return [decode64(line, "a hash of the path", 32) for line in lines]


def record_of(data: bytes) -> dict[str, Any]:
    """Read the record behind an entry's 16 bytes of salt."""
    try:
        value = json.loads(data[16:].decode("utf-8"))
    except (ValueError, RecursionError):
        raise not_a_log_document("its record is not JSON") from None
    if len(data) <= 16 or not isinstance(value, dict):  # noqa: PLR2004 - bytes of salt
        raise not_a_log_document("its entry is too short, or its record is no JSON object")
    return value


def check_log_file(
    text: str, key: tuple[str, bytes, bytes], kept: Head | None, leaf: bytes | None = None
) -> tuple[Head, dict[str, Any]]:
    """Check a head, a proof of inclusion or a proof of growth; give the head it stands on, and what it shows."""
    if text.startswith("c2sp.org/tlog-proof@v1\n"):
        lines, note = split_proof(text)
        lines.pop(0)
        extra = (
            decode64(lines.pop(0).removeprefix("extra "), "the entry")
            if lines[:1] and lines[0][:6] == "extra "
            else None
        )
        index = number_line(lines, "index ")
        path, head = path_in(lines), open_head(note, key)
        if extra is None and leaf is None:
            raise not_a_log_document("it carries no entry, so the leaf's hash must be named beside it")
        found = leaf if extra is None else hashlib.sha256(b"\x00" + extra).digest()
        if leaf not in {None, found}:
            raise does_not_hold("it is about another leaf than the one that was named")
        record = None if extra is None else record_of(extra)
        check_inclusion(found or b"", index, head[1], path, head[2])
        return head, {"kind": "inclusion", "index": index, "leaf": (found or b"").hex(), "record": record}
    if text.startswith("old "):
        lines, note = split_proof(text)
        old = number_line(lines, "old ")
        path, head = path_in(lines), open_head(note, key)
        if kept is None:
            raise Refused("usage", "name the head that you kept with --kept: a proof of growth starts from it")
        if old != kept[1]:
            raise does_not_hold("it starts from another size than the head that was kept")
        check_growth(old, head[1], (kept[2], head[2]), path)
        return head, {"kind": "consistency", "old": old}
    return open_head(text, key), {"kind": "head"}


# --- Receipts: docs/protocol.md, section 2 rule 11 -------------------------------------------------------------------

CLAIMS = ("iss", "jti", "iat", "brand", "gtin", "serial", "life", "hop", "log")
NEEDED = {"iss", "jti", "iat", "brand", "serial", "life", "hop"}


def decode_url(text: str) -> bytes:
    """Decode base64url without padding; ValueError for anything else."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def proof_keys_of(document: dict[str, Any]) -> dict[str, bytes]:
    """Give the Ed25519 keys of a published key set by name."""
    found: dict[str, bytes] = {}
    for entry in list_in(document, "keys", dict, 1024):
        if entry.get("kty") == "OKP" and entry.get("crv") == "Ed25519" and isinstance(entry.get("kid"), str):
            found[entry["kid"]] = decode_url(str(entry.get("x", "")))
            check_key(found[entry["kid"]])
    return found


def open_receipt(text: str, public_keys: dict[str, bytes]) -> dict[str, Any]:
    """Give the claims of a receipt (a JWS with Ed25519) that one of these keys signed."""
    altered = Refused("proof_altered", "the signature does not belong to this receipt; something in it was changed")
    unreadable = Refused("proof_unreadable", "this text is no receipt; copy it whole")
    if len(text) > 2048 or not re.fullmatch("[A-Za-z0-9_.-]+", text, re.ASCII):  # noqa: PLR2004 - characters of a proof
        raise unreadable
    parts = text.split(".")
    try:
        header = json.loads(decode_url(parts[0]))
    except (ValueError, RecursionError):
        raise unreadable from None
    if not isinstance(header, dict) or "alg" not in header:
        raise unreadable
    if header["alg"] != "Ed25519":
        raise Refused("proof_algorithm_refused", "receipts are signed with Ed25519 and nothing else")
    named = header.get("kid")
    if set(header) != {"alg", "kid", "typ"} or header["typ"] != "authcode-proof+jwt" or not isinstance(named, str):
        raise unreadable
    if len(parts) != 3 or len(parts[2]) != 86:  # noqa: PLR2004 - parts of a JWS, characters of a signature
        raise Refused("proof_incomplete", "the end of this receipt is missing or doubled; copy it exactly once")
    if named not in public_keys:
        raise Refused("proof_from_elsewhere", "another server signed this receipt; only its keys can check it")
    try:
        payload, signature = decode_url(parts[1]), decode_url(parts[2])
        spelled = all(base64.urlsafe_b64encode(decode_url(one)).decode("ascii").rstrip("=") == one for one in parts)
        signed = is_signed(public_keys[named], f"{parts[0]}.{parts[1]}".encode("ascii"), signature)
        claims = json.loads(payload)
        known = {name: claims[name] for name in CLAIMS if name in NEEDED or claims.get(name) is not None}
        iat = int(datetime.fromtimestamp(claims["iat"], timezone.utc).timestamp())  # noqa: UP017 - any Python
        written = json.dumps({**known, "iat": iat}, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
        raise altered from None
    if not spelled or not signed or written != payload:
        raise altered
    return known


def head_before(claims: dict[str, Any]) -> Head:
    """Give the head that a receipt names."""
    if "log" not in claims:
        raise does_not_hold("the receipt names no head of a log, so that nothing here can date it")
    return named_head(claims["log"])


def check_own_entry(claims: dict[str, Any], head: Head, shown: dict[str, Any]) -> None:
    """Check that an included entry is a receipt's own, and stands behind the head that the receipt names."""
    before = head_before(claims)
    at = datetime.fromtimestamp(claims["iat"], timezone.utc)  # noqa: UP017 - any Python
    wanted = {"kind": "redemption", "at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    wanted |= {name: claims[name] for name in ("brand", "serial", "life")}
    if shown["record"] is None or {name: shown["record"].get(name) for name in wanted} != wanted:
        raise does_not_hold("the entry is not shown, or tells of another verification than the receipt")
    if before[0] != head[0] or shown["index"] < before[1]:
        raise does_not_hold("the entry stands before the head that the receipt names, or in another log")


# --- What a person reads ---------------------------------------------------------------------------------------------

MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905 - legible
)
HAPPENED = {
    "redemption": "the code with serial {serial} was verified for the first time",
    "undo": "the code with serial {serial} was returned to unused, by {by}",
    "handover": "the code with serial {serial} was handed on to its next holder, number {hop}",
    "erasure": "what was kept about the holders of the code with serial {serial} was erased",
    "staff": "{actor} of the staff did this: {action}, to {subject}",
}
CLOSING = (
    "Keep these files as they are, check that the key is the one this log publishes, and ask whoever runs the log."
)


def plain(value: object) -> str:
    """Give a value for a terminal: what cannot be seen is escaped."""
    return repr(str(value))[1:-1]


def in_words(moment: datetime) -> str:
    """Give a moment (UTC) as people write it."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year} at {moment:%H:%M:%S} UTC"


def record_in_words(record: dict[str, Any]) -> str:
    """Say what an entry of the log tells of; one of a kind that is not known is shown field by field."""
    template, facts = HAPPENED.get(str(record.get("kind"))), {name: plain(value) for name, value in record.items()}
    try:
        at = in_words(datetime.strptime(str(record["at"]), "%Y-%m-%dT%H:%M:%SZ"))  # noqa: DTZ007 - it is UTC
        told = str(template).format(**facts)
    except (KeyError, ValueError):
        template = None
    if template is None:
        return "a record that reads " + ", ".join(f"{name} {value}" for name, value in facts.items())
    country = f", in the country {facts['country']}" if record.get("country") else ""
    unknown = ", country not known" if record.get("kind") == "redemption" and not country else ""
    return f"on {at}{country}{unknown} {told}"


def file_in_words(one: dict[str, Any]) -> str:
    """Say what one file shows."""
    name = plain(one["file"])
    if not one["holds"]:
        reason = str(one["reason"]).removeprefix("this does not hold: ").partition("; keep it, and ask")[0]
        return f"{name}: does NOT hold: {plain(reason)}."
    if one["kind"] == "receipt":
        at = in_words(datetime.fromtimestamp(one["iat"], timezone.utc))  # noqa: UP017 - any Python
        times = "once" if one["hop"] == 1 else f"{one['hop']} times"
        since = f", and was handed on {times} before this receipt" if one["hop"] else ""
        told = f"the server of {plain(one['iss'])} signed that the code with serial {plain(one['serial'])}"
        return f"{name}: holds: {told} was verified for the first time on {at}{since}."
    log = f"the log {plain(one['origin'])}"
    if one["kind"] == "inclusion":
        record = one["record"]
        told = "its content is not shown" if record is None else f"it says that {record_in_words(record)}"
        return f"{name}: holds: this is entry {one['index']} (counted from 0) of the {one['size']} in {log}; {told}."
    if one["kind"] == "consistency":
        return f"{name}: holds: {log} only grew from {one['old']} to {one['size']} entries; nothing before was changed."
    return f"{name}: holds: {log} signed this head when it had {one['size']} entries."


def conclusion(answers: list[dict[str, Any]], *, receipt: bool) -> list[str]:
    """Sum up the answers: what they show together, and what was not checked."""
    if not all(one["holds"] for one in answers):
        return ["Conclusion: NO, not everything holds. " + CLOSING]
    kinds = {one["kind"] for one in answers}
    shown = ["the receipt is genuine"] if receipt else []
    shown += ["the entry stands in the log"] if "inclusion" in kinds else []
    grown = "since the head that the receipt names" if receipt else "since the head that was kept"
    shown += [f"the log has only grown {grown}"] if "consistency" in kinds else []
    lines = ["Conclusion: " + (", and ".join(shown) or "each head is signed by the log's key") + "."]
    missing = []
    if receipt and "inclusion" not in kinds:
        missing.append("whether this verification stands in the log (give its entry, and the log's key with --key)")
    if "consistency" not in kinds:
        kept = "the head that the receipt names" if receipt else "a head that somebody kept (--kept)"
        missing.append(f"whether the log was rewritten (give a proof of growth from {kept})")
    elif receipt:
        missing.append("whether it was written later than it says (needs a head that somebody kept from soon after)")
    missing.append("whether what the log was told is true, and how the code stands now (only its server knows)")
    return [*lines, "Not checked:", *(f"  - {one};" for one in missing[:-1]), f"  - {missing[-1]}."]


# --- The command ----------------------------------------------------------------------------------------------------


def root_of(text: str) -> str:
    """Read a fingerprint; argparse's own error for anything else."""
    if re.fullmatch("sha256:[0-9a-f]{64}", text, re.ASCII) is None:
        raise argparse.ArgumentTypeError("a fingerprint is sha256: and 64 digits of 0-9a-f")
    return text


def options() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(description="Check the signature of one authcode offline.")
    parser.add_argument("code", help="the exact text of the symbol, or - to read it from standard input")
    named = os.environ.get("AUTHCODE_KEYRING", "authcode-keys.json")
    parser.add_argument("--keyring", default=named, help="the brand's published key list [%(default)s]")
    parser.add_argument(
        "--root", type=root_of, help="fingerprint of the brand's root key, learnt in another way than the key list"
    )
    parser.add_argument("--newest", type=int, default=0, metavar="N", help="refuse a key list older than version N")
    parser.add_argument("--at", type=time_of, metavar="TIME", help="judge as of 2026-03-01T08:30:00Z [now]")
    parser.add_argument("--json", action="store_true", dest="as_json", help="answer in JSON")
    return parser


def answer(asked: argparse.Namespace) -> dict[str, Any]:
    """Do what was asked."""
    try:
        with open(asked.keyring, "rb") as file:  # noqa: PTH123 - no more imports than needed
            document = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise Refused("keyring_missing", f"the key list {asked.keyring} cannot be read ({error.strerror})") from None
    keyring = open_keyring(document, asked.root)
    if keyring["version"] < asked.newest:
        message = f"keyring version {keyring['version']} is refused: version {asked.newest} was seen before"
        raise Refused("keyring_rollback", message)
    named = fingerprint(bytes.fromhex(keyring["root"]))
    if asked.root is None:
        sys.stderr.write(f"Note: the key list names the root {named}; compare it, and give it with --root.\n")
    text = asked.code
    if text == "-":
        text = sys.stdin.buffer.read(MAX_CODE_BYTES + 3).removesuffix(b"\n").removesuffix(b"\r")
        if not text:
            raise Refused("usage", "there was no input: nothing to check")
    try:
        facts = verify_offline(text, keyring, asked.at or datetime.now(timezone.utc))  # noqa: UP017 - any Python
    except NotOurs:
        facts = {"state": "not_ours"}
    return {**facts, "root": named}


def file_options(words: list[str]) -> argparse.Namespace:
    """Describe the command line of `log` and `receipt`."""
    receipt = words[0] == "receipt"
    parser = argparse.ArgumentParser(prog=f"authcode_verify.py {words[0]}", description="Check files of a log.")
    parser.add_argument("--key", required=not receipt, help="the log's public key, or a file with it")
    if receipt:
        parser.add_argument("receipt", help="a file with the receipt's text")
        parser.add_argument("--keys", required=True, help="the published keys that check receipts")
    else:
        parser.add_argument("--kept", help="a head that you kept: proofs of growth start from it")
        parser.add_argument("--leaf", type=bytes.fromhex, help="the leaf of a proof that carries no entry")
    parser.add_argument("files", nargs="*" if receipt else "+", help="heads and proofs of the log")
    parser.add_argument("--json", action="store_true", dest="as_json", help="answer in JSON, a line a file")
    return parser.parse_intermixed_args(words[1:])


def text_of(path: str) -> str:
    """Read a small text file."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - no more imports than needed
            return file.read(MAX_NOTE_BYTES + 1).decode("utf-8")
    except (OSError, ValueError):
        raise Refused("log_document_invalid", f"{path} cannot be read as text") from None


def start_of(
    asked: argparse.Namespace, key: tuple[str, bytes, bytes] | None
) -> tuple[dict[str, Any] | None, Head | None]:
    """Give the claims of the receipt, if one is asked about, and the head to start from."""
    if "receipt" not in asked:
        return None, open_head(text_of(asked.kept), key) if key is not None and asked.kept else None
    try:
        keys = proof_keys_of(parse_object(text_of(asked.keys)))
    except ValueError:
        raise Refused("log_document_invalid", f"{asked.keys} is no key set") from None
    claims = open_receipt(text_of(asked.receipt).strip(), keys)
    return claims, head_before(claims) if asked.files else None


def answer_files(asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Check what was named; an answer for each file."""
    text = asked.key or ""
    key = log_key_of(text_of(text) if os.path.isfile(text) else text) if text else None  # noqa: PTH113 - as above
    claims, kept = start_of(asked, key)
    answers = [] if claims is None else [{"file": asked.receipt, "holds": True, "kind": "receipt", **claims}]
    roots = {} if kept is None else {kept[1]: kept[2]}
    for file in asked.files:
        if key is None:
            raise Refused("log_key_invalid", "name the log's public key with --key")
        try:
            head, shown = check_log_file(text_of(file), key, kept, getattr(asked, "leaf", None))
            if claims is not None and shown["kind"] == "inclusion":
                check_own_entry(claims, head, shown)
            if roots.setdefault(head[1], head[2]) != head[2]:
                raise does_not_hold(f"two heads of {head[1]} leaves have two roots: history was rewritten")
            answers.append({"file": file, "holds": True, **shown, "origin": head[0], "size": head[1]})
        except Refused as error:
            if error.code != "log_proof_refused":
                raise
            answers.append({"file": file, "holds": False, "reason": str(error)})
    return answers


def main_files(words: list[str]) -> int:
    """Answer for receipts and files of a log; give the exit code."""
    asked = file_options(words)
    try:
        answers = answer_files(asked)
    except Refused as error:
        return tell_refused(error, as_json=asked.as_json, code=1 if error.code == "log_proof_refused" else 2)
    said = [json.dumps(one) for one in answers] if asked.as_json else [file_in_words(one) for one in answers]
    said += [] if asked.as_json else conclusion(answers, receipt="receipt" in asked)
    sys.stdout.buffer.write("".join(f"{line}\n" for line in said).encode("utf-8", "backslashreplace"))
    return 0 if all(one["holds"] for one in answers) else 1


def tell_refused(error: Refused, *, as_json: bool, code: int = 2) -> int:
    """Tell why it could not be checked."""
    if as_json:
        sys.stdout.write(json.dumps({"error": {"code": error.code, "message": str(error)}}) + "\n")
    else:
        sys.stderr.write(f"Error: {error} [{error.code}]\n")
    return code


def main() -> int:
    """Answer on standard output; give the exit code."""
    if sys.argv[1:2] in (["log"], ["receipt"]):
        return main_files(sys.argv[1:])
    asked = options().parse_args()
    try:
        facts = answer(asked)
    except Refused as error:
        return tell_refused(error, as_json=asked.as_json)
    if asked.as_json:
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        sentence = NOT_OURS if facts["state"] == "not_ours" else SAID[facts["state"]]
        named = f"{facts['brand']}, serial {facts['serial']}: " if "brand" in facts else ""
        sys.stdout.buffer.write(f"{named}{sentence}\n".encode())
    return 0 if facts["state"] == "signature_valid" else 1


if __name__ == "__main__":
    sys.exit(main())
