# ruff: noqa: ANN401 - JSON; sizes are those of the page
"""Code format 1 written from docs/format.md alone, with OpenSSL instead of libsodium, integers instead of tables.

It imports nothing of ours. Where the page left a question open, the page was mended.
"""

import hashlib
import hmac
import ipaddress
import json
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Refused(Exception):
    """Refused, for whatever reason."""


class AskOnline(Exception):
    """A compact code, which an offline verifier does not judge."""


def check(fine: object) -> None:
    if not fine:
        raise Refused


# --- §1 Ed25519 by OpenSSL, which is lax: what the page asks beyond it is asked here, on affine points.

FIELD = 2**255 - 19
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE_D = -121665 * pow(121666, -1, FIELD) % FIELD


def _plus(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    product = CURVE_D * a[0] * b[0] * a[1] * b[1] % FIELD
    x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + product, -1, FIELD)
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, FIELD)
    return x % FIELD, y % FIELD


def _multiple(factor: int, point: tuple[int, int]) -> tuple[int, int]:
    total = (0, 1)
    for bit in f"{factor:b}":
        total = _plus(total, total)
        if bit == "1":
            total = _plus(total, point)
    return total


@lru_cache
def _point(data: bytes) -> tuple[int, int]:
    """A canonical point that is not of small order."""
    check(len(data) == 32)
    y = int.from_bytes(data, "little") % 2**255
    check(y < FIELD)
    u, v = (y * y - 1) % FIELD, (CURVE_D * y * y + 1) % FIELD
    x = u * pow(v, 3, FIELD) * pow(u * pow(v, 7, FIELD), (FIELD - 5) // 8, FIELD) % FIELD
    if (v * x * x + u) % FIELD == 0:
        x = x * pow(2, (FIELD - 1) // 4, FIELD) % FIELD
    check((v * x * x - u) % FIELD == 0)
    if x % 2 != data[31] >> 7:
        x = FIELD - x
    check(_multiple(8, (x, y)) != (0, 1))
    return x, y


@lru_cache
def check_key(key: bytes) -> None:
    check(_multiple(GROUP_ORDER, _point(key)) == (0, 1))


def check_signature(key: bytes, message: bytes, signature: bytes) -> None:
    check(len(signature) == 64)
    check(int.from_bytes(signature[32:], "little") < GROUP_ORDER)
    _point(key)
    _point(signature[:32])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Refused from None


def public_key(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def fingerprint(key: bytes) -> str:
    return "sha256:" + hashlib.sha256(key).hexdigest()


# --- §2 Serial: FF1 of NIST SP 800-38G, radix 32, 13 digits.


def _ff1_rounds(key: bytes, tweak: bytes) -> Any:
    """The round function for 6 and 7 digits: b = 5 bytes, d = 12 bytes."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - FF1 is built on single blocks
    head = bytes([1, 2, 1, 0, 0, 32, 10, 6]) + (13).to_bytes(4, "big") + len(tweak).to_bytes(4, "big")

    def function(number: int, half: int) -> int:
        block = tweak + bytes((-len(tweak) - 5 - 1) % 16) + bytes([number]) + half.to_bytes(5, "big")
        chained = bytes(16)
        for start in range(0, len(head + block), 16):
            piece = (head + block)[start : start + 16]
            chained = encryptor.update(bytes(one ^ other for one, other in zip(chained, piece, strict=True)))
        return int.from_bytes(chained[:12], "big")

    return function


def serial_of(key: bytes, brand_id: bytes, batch: int, index: int, tier: int) -> str:
    number, function = (batch * 32**7 + index) * 32 + tier, _ff1_rounds(key, brand_id)
    left, right = divmod(number, 32**7)
    for turn in range(10):
        modulus = 32**6 if turn % 2 == 0 else 32**7
        left, right = right, (left + function(turn, right)) % modulus
    return base32(left * 32**7 + right, 13)


def unit_of(key: bytes, brand_id: bytes, serial: str) -> tuple[int, int, int]:
    left, right = divmod(number_of(serial), 32**7)
    function = _ff1_rounds(key, brand_id)
    for turn in reversed(range(10)):
        modulus = 32**6 if turn % 2 == 0 else 32**7
        left, right = (right - function(turn, left)) % modulus, left
    rest, tier = divmod(left * 32**7 + right, 32)
    check(tier in {0, 1, 2})
    return (*divmod(rest, 32**7), tier)


def base32(number: int, places: int) -> str:
    return "".join(DIGITS[number // 32**place % 32] for place in reversed(range(places)))


def number_of(text: str) -> int:
    number = 0
    for digit in text:
        number = number * 32 + DIGITS.index(digit)
    return number


# --- §2 Message, tag and text.


def signed_message(record: dict[str, Any], brand_id: bytes, serial: str, gtin: str) -> bytes:
    form, profile = {"short": b"S", "gs1": b"L"}[record["form"]], {"signed": b"\1", "compact": b"\2"}[record["profile"]]
    prefix = record["prefix"].encode("ascii")
    text = (record["key_id"] + serial + gtin).encode("ascii")
    return b"authcode-code-v1" + form + profile + brand_id + text + bytes([len(prefix)]) + prefix


def make_tag(record: dict[str, Any], secret: bytes, message: bytes) -> bytes:
    if record["profile"] == "compact":
        return hmac.new(secret, message, hashlib.sha256).digest()[:10]
    return Ed25519PrivateKey.from_private_bytes(secret).sign(message)


def write_code(record: dict[str, Any], serial: str, gtin: str, tag: bytes) -> str:
    number = int.from_bytes(tag, "big")
    if record["form"] == "gs1":
        written = "".join(URL_SAFE[(number << 4) // 64**place % 64] for place in reversed(range(86)))
        return f"{record['prefix']}01/{gtin}/21/{serial}?8030={record['key_id']}{written}"
    places, spare = (16, 0) if len(tag) == 10 else (103, 3)
    return f"{record['prefix']}{record['key_id']}{serial}{base32(number << spare, places)}"


# --- §3 Parsing.


def judge(text: str, keyring: dict[str, Any], mac_keys: dict[str, bytes] | None = None) -> tuple[dict[str, Any], str]:
    """The key record and the serial of a genuine code. Without MAC keys a compact code raises AskOnline."""
    check(1 <= len(text) <= 512 and all("!" <= character <= "~" and character not in "%+;#\\" for character in text))
    scheme, slashes, after = text.partition("://")
    host, slash, rest = after.partition("/")
    prefix = f"{scheme}{slashes}{host}{slash}".upper()
    check(slash and prefix in keyring["prefixes"])
    link = rest.startswith("01/")
    key_id, serial, gtin, tag = _link(rest) if link else _short(rest.upper())
    record = next((key for key in keyring["code_keys"] if (key["prefix"], key["key_id"]) == (prefix, key_id)), None)
    check(record is not None and record["form"] == ("gs1" if link else "short"))
    assert record is not None
    check(len(tag) == {"signed": 64, "compact": 10}[record["profile"]])
    message = signed_message(record, bytes.fromhex(keyring["brand_id"]), serial, gtin)
    if record["profile"] == "signed":
        check_signature(bytes.fromhex(record["public_key"]), message, tag)
    elif mac_keys is None:
        raise AskOnline
    else:
        check(hmac.compare_digest(make_tag(record, mac_keys[key_id], message), tag))
    return record, serial


def _short(rest: str) -> tuple[str, str, str, bytes]:
    check(all(character in DIGITS for character in rest) and len(rest) in {2 + 13 + 103, 2 + 13 + 16})
    tag, spare = rest[15:], 3 if len(rest) == 118 else 0
    number = number_of(tag)
    check(number % 2**spare == 0)
    return rest[:2], rest[2:15], "0" * 14, (number >> spare).to_bytes(10 if spare == 0 else 64, "big")


def _link(rest: str) -> tuple[str, str, str, bytes]:
    path, _, query = rest.partition("?")
    values = [item[5:] for item in query.split("&") if item.startswith("8030=")]
    bare = [item for item in query.split("&") if item == "8030"]
    check(len(values) + len(bare) == 1 and values and len(values[0]) == 88)
    check(len(path) == 3 + 14 + 4 + 13 and path[:3] == "01/" and path[17:21] == "/21/")
    gtin, serial, key_id, tag = path[3:17], path[21:], values[0][:2], values[0][2:]
    check(all(digit in "0123456789" for digit in gtin) and all(digit in DIGITS for digit in serial + key_id))
    check(sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(gtin)) % 10 == 0)
    number = 0
    for character in tag:
        check(character in URL_SAFE)
        number = number * 64 + URL_SAFE.index(character)
    check(number % 16 == 0)
    return key_id, serial, gtin, (number >> 4).to_bytes(64, "big")


# --- §5 Printed serial.


def check_character(serial: str) -> str:
    total = 0
    for place, digit in enumerate(serial, start=1):
        value = DIGITS.index(digit)
        for _ in range(place):
            value = value << 1 ^ (0b100101 if value & 16 else 0)
        total ^= value
    return DIGITS[total]


def printed(serial: str) -> str:
    return f"{serial[:4]} {serial[4:8]} {serial[8:12]} {serial[12]}·{check_character(serial)}"


def read_typed(text: str) -> str:
    check(len(text) <= 64)
    kept = "".join(character for character in text.upper() if character not in " \N{NO-BREAK SPACE}-.·")
    kept = kept.replace("O", "0").replace("I", "1").replace("L", "1")
    check(len(kept) == 14 and all(character in DIGITS for character in kept))
    check(check_character(kept[:13]) == kept[13])
    return kept[:13]


# --- §1 Signed documents.


def _object(text: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        check(len(dict(pairs)) == len(pairs))
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=unique, parse_constant=lambda _name: check(False))  # noqa: FBT003
    except (ValueError, RecursionError):
        raise Refused from None
    check(isinstance(found, dict))
    return dict(found)


def _write(value: Any, depth: int = 0) -> str:
    """JSON in the one form of the page, written by hand."""
    if isinstance(value, str):
        named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
        named |= {chr(code): "\\u" + format(code, "04x") for code in range(32) if chr(code) not in named}
        return '"' + "".join(named.get(character, character) for character in value) + '"'
    if isinstance(value, (dict, list)) and value:
        within = "\n" + " " * (depth + 1)
        items = (
            [f"{_write(name)}: {_write(one, depth + 1)}" for name, one in value.items()]
            if isinstance(value, dict)
            else [_write(one, depth + 1) for one in value]
        )
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        return opening + within + ("," + within).join(items) + "\n" + " " * depth + closing
    return json.dumps(value)


def open_document(document: bytes, kind: str, label: bytes, key_of: Any) -> tuple[dict[str, Any], list[Any]]:
    """The payload and the steps of a document; `key_of(signer, payload)` finds the key that must have signed."""
    check(len(document) <= 1048576)
    try:
        envelope = _object(document.decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused from None
    check(list(envelope) == ["format", "payload", "signer", "signature", "succession"] and envelope["format"] == kind)
    check(all(isinstance(envelope[name], str) for name in ("payload", "signer", "signature")))
    check(isinstance(envelope["succession"], list) and len(envelope["succession"]) <= 16)
    check((_write(envelope) + "\n").encode("utf-8") == document)
    check(re.fullmatch("[A-Za-z0-9_-]{85}[AQgw]", envelope["signature"]))
    number = 0
    for character in envelope["signature"]:
        number = number * 64 + URL_SAFE.index(character)
    payload = _object(envelope["payload"])
    key = key_of(envelope["signer"], payload)
    check(fingerprint(key) == envelope["signer"])
    check_signature(key, label + envelope["payload"].encode("utf-8"), (number >> 4).to_bytes(64, "big"))
    return payload, envelope["succession"]


def _hex(value: Any, size: int) -> bytes:
    check(isinstance(value, str) and re.fullmatch("[0-9a-f]*", value) and len(value) == 2 * size)
    return bytes.fromhex(value)


def _time(value: Any) -> datetime:
    check(isinstance(value, str) and re.fullmatch(r"[0-9-]{10}T[0-9:]{8}Z", value))
    try:
        found = datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused from None
    check(found.strftime("%Y-%m-%dT%H:%M:%SZ") == value)
    return found


def _host(host: str, letters: str) -> None:
    labels = host.split(".")
    check(len(host) <= 235 and all(re.fullmatch(f"[{letters}0-9-]{{1,63}}", label) for label in labels))
    check(not any(label[0] == "-" or label[-1] == "-" for label in labels))
    if re.fullmatch("[0-9]+|0[Xx][0-9A-Fa-f]*", labels[-1]):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise Refused from None


def _prefix(prefix: Any) -> None:
    match = re.fullmatch("(HTTPS?)://([^/:]+)(:[1-9][0-9]*)?/", prefix) if isinstance(prefix, str) else None
    check(match is not None and len(prefix) <= 255)
    assert match is not None
    _host(match[2], "A-Z")
    port = int(match[3][1:]) if match[3] else None
    check(port is None or (port <= 65535 and port != {"HTTP": 80, "HTTPS": 443}[match[1]]))


def open_keyring(document: bytes, trusted: str | None) -> dict[str, Any]:
    """The payload of a keyring whose rules all hold; `trusted` is a fingerprint, or None for whatever root signed."""

    def root_of(_signer: str, payload: dict[str, Any]) -> bytes:
        root = _hex(payload.get("root"), 32)
        check_key(root)
        return root

    keyring, steps = open_document(document, "authcode-keyring-1", b"authcode-keys-v1", root_of)
    brand_id, root = _hex(keyring.get("brand_id"), 16), bytes.fromhex(keyring["root"])
    _check_heading(keyring)
    for key in keyring["code_keys"]:
        _check_code_key(key, keyring["prefixes"])
    for key in keyring["office_keys"]:
        check_key(_hex(key.get("public_key"), 32))
        check(key.get("fingerprint") == fingerprint(bytes.fromhex(key["public_key"])))
        check(key.get("state") in {"active", "retired", "withdrawn"})
        _time(key.get("since"))
    for name, field in (("code_keys", "key_id"), ("office_keys", "fingerprint")):
        check(len({key[field] for key in keyring[name]}) == len(keyring[name]))
    roots = [*_roots_before(steps, brand_id, root), fingerprint(root)]
    check(trusted is None or trusted in roots)
    return keyring


def _check_heading(keyring: dict[str, Any]) -> None:
    brand = keyring.get("brand")
    check(isinstance(brand, str) and 1 <= len(brand) <= 100)
    check(all(character == " " or unicodedata.category(character)[0] not in "CZ" for character in str(brand)))
    check(type(keyring.get("version")) is int and 1 <= keyring["version"] <= 2**31 - 1)
    issued, expires = _time(keyring.get("issued")), _time(keyring.get("expires"))
    check(issued < expires <= issued + timedelta(days=30))
    limits = {"prefixes": 64, "lookalike_domains": 1000, "partner_domains": 1000, "code_keys": 1024, "office_keys": 64}
    for name, most in limits.items():
        check(isinstance(keyring.get(name), list) and len(keyring[name]) <= most)
    for name in ("code_keys", "office_keys"):
        check(all(isinstance(key, dict) for key in keyring[name]))
    for prefix in keyring["prefixes"]:
        _prefix(prefix)
    check(len(set(keyring["prefixes"])) == len(keyring["prefixes"]) >= 1)
    for domain in (*keyring["lookalike_domains"], *keyring["partner_domains"]):
        check(isinstance(domain, str))
        _host(domain, "a-z")


def _check_code_key(key: dict[str, Any], prefixes: list[str]) -> None:
    key_id, reason, public = key.get("key_id"), key.get("reason"), key.get("public_key")
    check(isinstance(key_id, str) and len(key_id) == 2 and all(digit in DIGITS for digit in key_id))
    check((key.get("profile"), key.get("form")) in {("signed", "short"), ("signed", "gs1"), ("compact", "short")})
    check(key.get("prefix") in prefixes)
    check(type(key.get("serial_key")) is int and 1 <= key["serial_key"] <= 255)
    check(key.get("state") in {"active", "retired", "withdrawn"})
    check((reason is None) == (key["state"] != "withdrawn"))
    check(reason is None or (isinstance(reason, str) and 1 <= len(reason) <= 200))
    _time(key.get("since"))
    check((public is None) == (key["profile"] == "compact"))
    if public is not None:
        check_key(_hex(public, 32))


def _roots_before(steps: list[Any], brand_id: bytes, root: bytes) -> list[str]:
    chain: list[bytes] = []
    for step in steps:
        check(isinstance(step, dict) and sorted(step) == ["new", "old", "signature"])
        old, new, signature = _hex(step["old"], 32), _hex(step["new"], 32), _hex(step["signature"], 64)
        check(not chain or chain[-1] == old)
        check_key(old)
        check_signature(old, b"authcode-root-v1" + brand_id + old + new, signature)
        chain = [*(chain or [old]), new]
    check(not chain or chain[-1] == root)
    check(len(set(chain)) == len(chain))
    return [fingerprint(one) for one in chain[:-1]]


def open_manifest(document: bytes, keyring: dict[str, Any]) -> dict[str, Any]:
    offices = {key["fingerprint"]: key for key in keyring["office_keys"] if key["state"] != "withdrawn"}

    def office(signer: str, _payload: dict[str, Any]) -> bytes:
        check(signer in offices)
        return bytes.fromhex(offices[signer]["public_key"])

    manifest, steps = open_document(document, "authcode-manifest-1", b"authcode-manf-v1", office)
    key = next((one for one in keyring["code_keys"] if one["key_id"] == manifest["key_id"]), None)
    check(not steps and key is not None and manifest["brand_id"] == keyring["brand_id"])
    assert key is not None
    check((key["profile"], key["form"]) == (manifest["profile"], manifest["form"]))
    return manifest


def answer_offline(document: bytes, trusted: str | None, at: str, text: str) -> str:
    """What an offline verifier says: a state, `online_only`, or `refused` where the keyring is no use."""
    try:
        keyring = open_keyring(document, trusted)
    except Refused:
        return "refused"
    try:
        record, _serial = judge(text, keyring)
    except Refused:
        return "not_ours"
    except AskOnline:
        return "online_only"
    if record["state"] == "withdrawn":
        return "key_withdrawn"
    return "key_list_out_of_date" if _time(at) >= _time(keyring["expires"]) else "signature_valid"
