"""Code format 1, written from docs/format.md and its vectors alone, by somebody who had not seen our code.

It imports nothing of ours. Section names in docstrings are those of the page. Where the page left a question open, the
page was mended, and this after it.
"""

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
NO_GTIN = "0" * 14
TAG_BYTES = {"signed": 64, "compact": 10}

Record = dict[str, Any]
Point = tuple[int, int, int, int]


class Refused(Exception):
    """What the page says is refused: a key, a signature, a document, a typed serial, a text that is no code."""


class AskOnline(Exception):
    """A well-formed compact code, which an offline verifier does not judge."""


def _need(holds: object, why: str) -> None:
    if not holds:
        raise Refused(why)


# --- Bits and alphabets ----------------------------------------------------------------------------------------------


def _spell(data: bytes, alphabet: str) -> str:
    """Introduction: bits most significant first, the spare low bits of the last character zero."""
    width = len(alphabet).bit_length() - 1
    count = -(-len(data) * 8 // width)
    number = int.from_bytes(data, "big") << (count * width - len(data) * 8)
    return "".join(alphabet[number >> (i * width) & (len(alphabet) - 1)] for i in reversed(range(count)))


def _unspell(text: str, alphabet: str, size: int) -> bytes:
    """Section 3, rule 5: decoded by a table of its own alphabet; length right and spare bits zero, or refused."""
    width = len(alphabet).bit_length() - 1
    _need(len(text) == -(-size * 8 // width), "wrong length")
    number = 0
    for character in text:
        _need(character in alphabet, "a character outside the alphabet")
        number = number << width | alphabet.index(character)
    spare = len(text) * width - size * 8
    _need(number & ((1 << spare) - 1) == 0, "spare bits are not zero")
    return (number >> spare).to_bytes(size, "big")


# --- Ed25519, strict -------------------------------------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
IDENTITY: Point = (0, 1, 1, 0)


def _add(a: Point, b: Point) -> Point:
    """RFC 8032, 5.1.4: addition in extended coordinates; complete, so it doubles too."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    result = IDENTITY
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point, scalar = _add(point, point), scalar >> 1
    return result


def _is_identity(point: Point) -> bool:
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0


def _encode_point(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode_point(data: bytes) -> Point:
    """Section 1, Roles: a canonical point; y at or above p, or the sign of a zero x, is another spelling of one."""
    _need(len(data) == 32, "a point is 32 bytes")
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    _need(y < P, "not canonical: y is not below p")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    _need(x * x % P == square, "not a point of the curve")
    _need(x or not sign, "not canonical: sign of zero")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = _decode_point(bytes.fromhex("58" + "66" * 31))


def _large_order_point(data: bytes) -> Point:
    point = _decode_point(data)
    _need(not _is_identity(_times(8, point)), "a point of small order")
    return point


def public_key(seed: bytes) -> bytes:
    """Section 1, Roles: the Ed25519 public key of a seed (RFC 8032)."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def check_key(key: bytes) -> None:
    """Section 1, Roles: what enters a keyring is a canonical point of the prime-order subgroup, not the identity."""
    _need(_is_identity(_times(ORDER, _large_order_point(key))), "not in the prime-order subgroup")


def check_signature(key: bytes, message: bytes, signature: bytes) -> None:
    """Section 1, Roles: strict verification, without the cofactor; raises Refused."""
    _need(len(signature) == 64, "a signature is 64 bytes")
    point, r, s = _large_order_point(key), signature[:32], int.from_bytes(signature[32:], "little")
    _large_order_point(r)
    _need(s < ORDER, "S is not below the group order")
    k = int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % ORDER
    _need(_encode_point(_add(_times(s, BASE), _times(ORDER * 8 - k, point))) == r, "the signature is wrong")


def fingerprint(key: bytes) -> str:
    """Section 1, Roles: `sha256:` and the SHA-256 of the 32 bytes."""
    return "sha256:" + hashlib.sha256(key).hexdigest()


# --- Section 2, Serial -----------------------------------------------------------------------------------------------


def _number(digits: list[int]) -> int:
    value = 0
    for digit in digits:
        value = value * 32 + digit
    return value


def _digits(value: int, count: int) -> list[int]:
    return [value >> (5 * i) & 31 for i in reversed(range(count))]


def _ff1_round(key: bytes, tweak: bytes, number: int, half: list[int]) -> int:
    """SP 800-38G, FF1, steps 5 and 6i to 6iv: radix 32, 13 digits in halves of 6 and 7; b = 5 bytes, d = 12."""
    start = bytes([1, 2, 1, 0, 0, 32, 10, 6]) + (13).to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
    padding = bytes((-len(tweak) - 5 - 1) % 16)
    data = start + tweak + padding + bytes([number]) + _number(half).to_bytes(5, "big")
    cbc = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return int.from_bytes((cbc.update(data) + cbc.finalize())[-16:][:12], "big")


def _ff1(key: bytes, tweak: bytes, digits: list[int], *, decrypt: bool = False) -> list[int]:
    """SP 800-38G, FF1 of 13 digits of radix 32."""
    a, b = digits[:6], digits[6:]
    for i in range(9, -1, -1) if decrypt else range(10):
        size = 7 if i % 2 else 6
        if decrypt:
            a, b = _digits((_number(b) - _ff1_round(key, tweak, i, a)) % 32**size, size), a
        else:
            a, b = b, _digits((_number(a) + _ff1_round(key, tweak, i, b)) % 32**size, size)
    return a + b


def serial_of(serial_key: bytes, brand_id: bytes, batch: int, index: int, tier: int) -> str:
    """Section 2, Serial: 5 digits of batch, 7 of index, 1 of tier, through FF1, in Crockford's alphabet."""
    _need(0 <= batch < 2**25 and 0 <= index < 2**35 and tier in (0, 1, 2), "no such unit")
    plain = _digits(batch, 5) + _digits(index, 7) + [tier]
    return "".join(CROCKFORD[digit] for digit in _ff1(serial_key, brand_id, plain))


def unit_of(serial_key: bytes, brand_id: bytes, serial: str) -> tuple[int, int, int]:
    """Section 2, Serial: batch, index and tier; a serial that decrypts to another tier is refused."""
    _need(re.fullmatch(f"[{CROCKFORD}]{{13}}", serial), "no serial")
    plain = _ff1(serial_key, brand_id, [CROCKFORD.index(character) for character in serial], decrypt=True)
    _need(plain[12] <= 2, "no such tier")
    return _number(plain[:5]), _number(plain[5:12]), plain[12]


# --- Section 2, Signed message, Tag, Text ----------------------------------------------------------------------------


def signed_message(record: Record, brand_id: bytes, serial: str, gtin: str) -> bytes:
    """Section 2, Signed message: 64 + n bytes; all but serial and GTIN come from the keyring."""
    short = record["form"] == "short"
    prefix = record["prefix"].encode("ascii")
    head = b"authcode-code-v1" + (b"S" if short else b"L") + (b"\x01" if record["profile"] == "signed" else b"\x02")
    names = record["key_id"] + serial + (NO_GTIN if short else gtin)
    return head + brand_id + names.encode("ascii") + bytes([len(prefix)]) + prefix


def make_tag(record: Record, secret: bytes, message: bytes) -> bytes:
    """Section 2, Tag: an Ed25519 signature, or the first 10 bytes of HMAC-SHA-256."""
    if record["profile"] == "signed":
        return Ed25519PrivateKey.from_private_bytes(secret).sign(message)
    return hmac.digest(secret, message, "sha256")[:10]


def write_code(record: Record, serial: str, gtin: str, tag: bytes) -> str:
    """Section 2, Text: the short form or the link form, as the record says."""
    if record["form"] == "short":
        return record["prefix"] + record["key_id"] + serial + _spell(tag, CROCKFORD)
    return f"{record['prefix']}01/{gtin}/21/{serial}?8030={record['key_id']}{_spell(tag, BASE64URL)}"


def _is_gtin(gtin: str) -> bool:
    """Section 2, Text: weights 3, 1, 3, ... from the left; the sum is a multiple of ten."""
    return sum(int(digit) * (1 if i % 2 else 3) for i, digit in enumerate(gtin)) % 10 == 0


# --- Section 3, Parsing ----------------------------------------------------------------------------------------------

Parsed = tuple[str, str, str, str, str, str]  # form, prefix, key id, serial, GTIN, tag as text


def _parse(text: str) -> Parsed:
    """Section 3, rules 1 to 4; whether the prefix is a keyring's shows in rule 5, since every record's prefix is."""
    _need(re.fullmatch(r"[!-~]{1,512}", text) and not set(text) & set("%+;#\\"), "characters or length")
    match = re.fullmatch(r"([^/]*?://[^/]*/)(.*)", text)
    if match is None:
        raise Refused("no prefix")
    prefix, rest = match[1].upper(), match[2]
    if rest.startswith("01/"):
        return _parse_link(prefix, rest)
    short = re.fullmatch(rf"([{CROCKFORD}]{{2}})([{CROCKFORD}]{{13}})([{CROCKFORD}]{{102}}[08GR]|[{CROCKFORD}]{{16}})",
                         rest.upper())  # fmt: skip
    if short is None:
        raise Refused("not the short form")
    return "short", prefix, short[1], short[2], NO_GTIN, short[3]


def _parse_link(prefix: str, rest: str) -> Parsed:
    """Section 3, rule 4: the link form."""
    link = re.fullmatch(rf"01/([0-9]{{14}})/21/([{CROCKFORD}]{{13}})\?(.*)", rest)
    if link is None or not _is_gtin(link[1]):
        raise Refused("not the link form")
    values = [value for name, _, value in (item.partition("=") for item in link[3].split("&")) if name == "8030"]
    value = re.fullmatch(rf"([{CROCKFORD}]{{2}})([A-Za-z0-9_-]{{85}}[AQgw])", values[0]) if len(values) == 1 else None
    if value is None:
        raise Refused("not one good 8030")
    return "gs1", prefix, value[1], link[2], link[1], value[2]


def judge(text: str, keyring: dict[str, Any], mac_keys: dict[str, bytes] | None = None) -> tuple[Record, str]:
    """Section 3, rules 1 to 6 without FF1: the record of the key and the serial; raises Refused or AskOnline."""
    form, prefix, key_id, serial, gtin, tag_text = _parse(text)
    found = [key for key in keyring["code_keys"] if (key["prefix"], key["key_id"]) == (prefix, key_id)]
    _need(found and found[0]["form"] == form, "unknown key, or one of the other form")
    record = found[0]
    tag = _unspell(tag_text, CROCKFORD if form == "short" else BASE64URL, TAG_BYTES[record["profile"]])
    message = signed_message(record, bytes.fromhex(keyring["brand_id"]), serial, gtin)
    if record["profile"] == "signed":
        check_signature(bytes.fromhex(record["public_key"]), message, tag)
    elif mac_keys is None or key_id not in mac_keys:
        raise AskOnline(key_id)
    else:
        _need(hmac.compare_digest(make_tag(record, mac_keys[key_id], message), tag), "the tag is wrong")
    return record, serial


# --- Section 5, Printed serial ---------------------------------------------------------------------------------------

TYPED = {ord(lower): upper for lower, upper in zip(CROCKFORD.lower(), CROCKFORD, strict=True)}
TYPED |= {ord(alias): digit for digit, aliases in {"0": "oO", "1": "iIlL"}.items() for alias in aliases}
TYPED |= dict.fromkeys(map(ord, "\t \u00a0\u202f-\u2010\u2011.\u00b7"), "")


def _check_character(serial: str) -> str:
    """Section 5: the sum of alpha^i d_i over GF(32) = GF(2)[x] / (x^5 + x^2 + 1), by Horner's rule from the last."""
    total = 0
    for character in reversed(serial):
        total = (total ^ CROCKFORD.index(character)) << 1
        total ^= 0b100101 if total & 32 else 0
    return CROCKFORD[total]


def printed(serial: str) -> str:
    """Section 5: the serial as printed beside the symbol, in groups and with its check character."""
    return f"{serial[:4]} {serial[4:8]} {serial[8:12]} {serial[12]}\u00b7{_check_character(serial)}"


def read_typed(text: str) -> str:
    """Section 5: a typed serial; aliases and separators by a table, so that no other letter folds into one."""
    _need(len(text) <= 64, "too long")
    plain = text.strip().translate(TYPED)
    _need(re.fullmatch(f"[{CROCKFORD}]{{14}}", plain), "not fourteen characters of the alphabet")
    _need(plain[13] == _check_character(plain[:13]), "the check character is another")
    return plain[:13]


# --- Section 1, fields of documents and payloads ---------------------------------------------------------------------


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Section 1, Signed documents: a field that stands twice is refused."""
    _need(len(dict(pairs)) == len(pairs), "a field stands twice")
    return dict(pairs)


def _no_number(text: str) -> None:
    raise Refused(f"not a whole number: {text}")


def _read_json(text: str) -> dict[str, Any]:
    """Section 1, Signed documents: a JSON object, no field twice, whole numbers and characters, 16 levels."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_float=_no_number, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused("no JSON") from error
    _need(type(value) is dict, "not an object")
    _need(_levels(value) <= 16 and _encodable(json.dumps(value, ensure_ascii=False)), "too deep, or half a character")
    return value


def _levels(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (type(value) in (dict, list)) + max(map(_levels, inner), default=0)


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _text(value: object, pattern: str) -> str:
    if type(value) is not str or re.fullmatch(pattern, value, re.DOTALL) is None:
        raise Refused(f"not {pattern}: {value!r}")
    return value


def _bytes(value: object, size: int) -> bytes:
    return bytes.fromhex(_text(value, f"[0-9a-f]{{{2 * size}}}"))


def _whole(value: object, low: int, high: int) -> None:
    _need(type(value) is int and low <= value <= high, f"not a whole number of {low} to {high}: {value!r}")


def _list(value: object, low: int, high: int) -> list[Any]:
    if type(value) is not list or not low <= len(value) <= high:
        raise Refused(f"not a list of {low} to {high}")
    return value


def _time(value: object) -> datetime:
    """Introduction: UTC to the second, written in one way."""
    text = _text(value, r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refused(f"no such time: {text}") from error


def _public(value: object) -> bytes:
    key = _bytes(value, 32)
    check_key(key)
    return key


def _fields(value: object, names: str, nullable: str = "") -> dict[str, Any]:
    """An object of a payload that has these fields; more are ignored, and what may be null may be left out."""
    if type(value) is not dict or not set(names.split()) <= value.keys():
        raise Refused(f"an object with {names} is missing a field")
    return dict.fromkeys(nullable.split()) | value


def _check_host(host: str) -> None:
    """Section 1, Keyring, prefix: labels; one whose last label is a number is a plain dotted IPv4 address."""
    labels = host.split(".")
    _need(len(host) <= 235, "a host is too long")
    for label in labels:
        _text(label, r"[A-Z0-9]([A-Z0-9-]{0,61}[A-Z0-9])?")
    if re.fullmatch(r"[0-9]+|0X[0-9A-F]*", labels[-1]):
        byte = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
        _text(host, rf"{byte}(\.{byte}){{3}}")


def _check_prefix(prefix: object) -> None:
    """Section 1, Keyring, prefix: scheme, host, a port that is not the scheme's own."""
    match = re.fullmatch(r"(HTTPS?)://([^:/]+)(?::([1-9][0-9]{0,4}))?/", _text(prefix, r".{1,255}"))
    if match is None:
        raise Refused("no prefix")
    _check_host(match[2])
    _need(match[3] is None or int(match[3]) <= 65535, "no such port")
    _need(match[3] != {"HTTP": "80", "HTTPS": "443"}[match[1]], "the scheme's own port")


# --- Section 1, Signed documents and Succession ----------------------------------------------------------------------

Document = dict[str, Any]


def _open_document(document: bytes, kind: str) -> Document:
    """Section 1, Signed documents: the one written form; signature and signer are the caller's to check."""
    _need(len(document) <= 1_048_576, "too large")
    try:
        fields = _read_json(document.decode("utf-8"))
        written = json.dumps(fields, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"
    except (UnicodeError, RecursionError) as error:
        raise Refused("not UTF-8, or nested too deeply") from error
    _need(written == document, "not the written form")
    _need(list(fields) == ["format", "payload", "signer", "signature", "succession"], "other fields")
    _need(fields["format"] == kind, "another format")
    _text(fields["payload"], r".*")
    _text(fields["signer"], r"sha256:[0-9a-f]{64}")
    _list(fields["succession"], 0, 16 if kind == "authcode-keyring-1" else 0)
    return fields


def _check_document(fields: Document, label: bytes, key: bytes) -> None:
    signature = _unspell(_text(fields["signature"], r"[A-Za-z0-9_-]{86}"), BASE64URL, 64)
    _need(fields["signer"] == fingerprint(key), "another signer")
    check_signature(key, label + fields["payload"].encode("utf-8"), signature)


def _check_succession(steps: list[Any], brand_id: bytes, root: bytes) -> list[bytes]:
    """Section 1, Succession: every step holds; returns all roots of it, the present one last."""
    roots: list[bytes] = []
    expected: bytes | None = None
    for step in steps:
        _need(type(step) is dict and list(step) == ["old", "new", "signature"], "not a step")
        old, new = _public(step["old"]), _bytes(step["new"], 32)
        _need(expected in (None, old), "a step begins elsewhere")
        check_signature(old, b"authcode-root-v1" + brand_id + old + new, _bytes(step["signature"], 64))
        roots.append(old)
        expected = new
    _need(expected in (None, root), "the succession ends elsewhere")
    roots.append(root)
    _need(len(set(roots)) == len(roots), "a root comes twice")
    return roots


# --- Section 1, Keyring ----------------------------------------------------------------------------------------------

STATES = "active|retired|withdrawn"


def _check_code_key(key: object, prefixes: list[str]) -> None:
    """Section 1, Keyring: an entry of `code_keys`."""
    entry = _fields(key, "key_id profile form prefix serial_key state since", "reason public_key")
    _text(entry["key_id"], f"[{CROCKFORD}]{{2}}")
    _text(entry["profile"], "signed|compact")
    _text(entry["form"], "short|gs1")
    _need(entry["prefix"] in prefixes, "a key's prefix is not listed")
    _whole(entry["serial_key"], 1, 255)
    _text(entry["state"], STATES)
    _time(entry["since"])
    if entry["state"] == "withdrawn":
        _text(entry["reason"], r".{1,200}")
    else:
        _need(entry["reason"] is None, "a reason without a withdrawal")
    if entry["profile"] == "signed":
        _public(entry["public_key"])
    else:
        _need(entry["public_key"] is None and entry["form"] == "short", "compact: no public key, short form only")


def _check_office_key(key: object) -> None:
    """Section 1, Keyring: an entry of `office_keys`."""
    entry = _fields(key, "fingerprint public_key state since")
    _need(entry["fingerprint"] == fingerprint(_public(entry["public_key"])), "another fingerprint")
    _text(entry["state"], STATES)
    _time(entry["since"])


def _none_twice(values: list[Any]) -> None:
    _need(len(set(values)) == len(values), "something stands twice")


BLANK = (
    *((0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2060, 0x206F), (0x2800, 0x2800)),
    *((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3)),
    *((0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)


def _check_keyring(payload: dict[str, Any]) -> None:
    """Section 1, Keyring: the rules of the payload, without its root."""
    brand = _text(payload["brand"], r".{1,100}")
    hidden = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs")
    _need(all(c == " " or unicodedata.category(c) not in hidden for c in brand), "a character of the brand")
    _need(not any(low <= ord(c) <= high for c in brand for low, high in BLANK), "a blank character of the brand")
    _whole(payload["version"], 1, 2**31 - 1)
    issued, expires = _time(payload["issued"]), _time(payload["expires"])
    _need(timedelta(0) < expires - issued <= timedelta(days=30), "expires too early or too late")
    prefixes = _list(payload["prefixes"], 1, 64)
    for prefix in prefixes:
        _check_prefix(prefix)
    _none_twice(prefixes)
    for name in ("lookalike_domains", "partner_domains"):
        for host in _list(payload[name], 0, 1000):
            _check_host(_text(host, r"[a-z0-9.-]+\.[a-z0-9.-]+").upper())
    for key in _list(payload["code_keys"], 0, 1024):
        _check_code_key(key, prefixes)
    _none_twice([key["key_id"] for key in payload["code_keys"]])
    for key in _list(payload["office_keys"], 0, 64):
        _check_office_key(key)
    _none_twice([key["public_key"] for key in payload["office_keys"]])


def open_keyring(document: bytes, root_fingerprint: str | None) -> dict[str, Any]:
    """Section 1, Keyring: the payload, after all checks, under the given root, an heir of it, or (None) any root."""
    fields = _open_document(document, "authcode-keyring-1")
    names = "brand_id brand root version issued expires prefixes lookalike_domains partner_domains code_keys"
    payload = _fields(_read_json(fields["payload"]), names + " office_keys")
    brand_id, root = _bytes(payload["brand_id"], 16), _public(payload["root"])
    _check_document(fields, b"authcode-keys-v1", root)
    _check_keyring(payload)
    roots = _check_succession(fields["succession"], brand_id, root)
    trusted = root_fingerprint is None or root_fingerprint in map(fingerprint, roots)
    _need(trusted, "a root that the trusted one did not vouch for")
    return payload


# --- Section 4, Manifest ---------------------------------------------------------------------------------------------


def _check_manifest(payload: dict[str, Any]) -> None:
    """Section 4: the rules of the payload that need no keyring."""
    _bytes(payload["server_id"], 16)
    _whole(payload["batch_number"], 0, 2**25 - 1)
    _text(payload["order"], r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
    if payload["product"] is not None:
        _text(payload["product"], r".{1,64}")
    _whole(payload["count"], 1, 100_000_000)
    _text(payload["tiers"], "single|pair")
    _text(payload["placement"], "inside|scratch" if payload["tiers"] == "pair" else "visible|inside|scratch")
    _text(payload["drawn_by"], "authcode|press")
    _time(payload["issued_at"])
    for entry in _list(payload["checksums"], 0, 16):
        _text(_fields(entry, "file sha256")["file"], r".{1,64}")
        _bytes(entry["sha256"], 32)
    if payload["form"] == "gs1":
        gtin = _text(payload["gtin"], "[0-9]{14}")
        _need(_is_gtin(gtin) and gtin != NO_GTIN, "no GTIN")
    else:
        _need(payload["gtin"] is None, "a GTIN in the short form")


def open_manifest(document: bytes, keyring: dict[str, Any]) -> dict[str, Any]:
    """Section 4: the payload, signed by an office key of the keyring that is not withdrawn, and of its brand."""
    fields = _open_document(document, "authcode-manifest-1")
    signers = [key for key in keyring["office_keys"] if key["fingerprint"] == fields["signer"]]
    _need(signers and signers[0]["state"] != "withdrawn", "no office key signed, or a withdrawn one")
    _check_document(fields, b"authcode-manf-v1", bytes.fromhex(signers[0]["public_key"]))
    names = (
        "server_id brand_id batch_number order count tiers profile form key_id placement drawn_by issued_at checksums"
    )
    payload = _fields(_read_json(fields["payload"]), names, "product gtin")
    _need(payload["brand_id"] == keyring["brand_id"], "another brand")
    same = ("key_id", "profile", "form")
    known = [[key[name] for name in same] for key in keyring["code_keys"]]
    _need([payload[name] for name in same] in known, "key id, profile or form are not the keyring's")
    _check_manifest(payload)
    return payload


# --- Section 1, Verifying offline ------------------------------------------------------------------------------------


def _judgement(judged: Callable[[], tuple[Record, str]]) -> Record | str:
    try:
        return judged()[0]
    except Refused:
        return "not_ours"
    except AskOnline:
        return "online_only"


def answer_offline(document: bytes, trusted_root: str | None, at: str, text: str) -> str:
    """Section 1, Verifying offline: a state, `online_only`, or `refused` where nothing could be said."""
    try:
        keyring = open_keyring(document, trusted_root)
        moment = _time(at)
    except Refused:
        return "refused"
    record = _judgement(lambda: judge(text, keyring))
    if isinstance(record, str):
        return record
    if record["state"] == "withdrawn":
        return "key_withdrawn"
    return "key_list_out_of_date" if moment >= _time(keyring["expires"]) else "signature_valid"
