"""Stage 5, verify: check one authcode offline, with nothing but Python and the brand's published key list.

    python3 authcode_verify.py --keyring authcode-keys.json --root sha256:1f0c... 'HTTPS://V.EXAMPLE.COM/K1...'

This one file needs no other package and no network: for customs, a journalist, a court. It follows docs/format.md
(sections 1 to 3; the numbers in it are that page's rules) and answers as `authcode verify --offline` does. It says
whether a code was signed by the brand, never whether it is unused: only the brand's server knows that.

Exit codes: 0 the signature is valid and the key list in date, 1 the answer is no, 2 it could not be checked.
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
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a field stands there twice")
        return dict(pairs)

    def refuse(_number: str) -> None:
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
    hidden = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"}
    if any(mark != " " and unicodedata.category(mark) in hidden for mark in text_in(values, "brand", 100)):
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


def check_addresses(prefixes: list[str], domains: list[str]) -> None:
    """Check the code prefixes, and the look-alike and partner domains."""
    if not 1 <= len(set(prefixes)) == len(prefixes):
        raise ValueError("it has 1 to 64 code prefixes, each once")
    for prefix in prefixes:
        check_prefix(prefix)
    if not all(domain.isascii() and domain == domain.lower() and is_host(domain.upper()) for domain in domains):
        raise ValueError("a look-alike or partner domain is no lower-case domain name")


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


# --- The command ----------------------------------------------------------------------------------------------------


def options() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(description="Check the signature of one authcode offline.")
    parser.add_argument("code", help="the exact text of the symbol, or - to read it from standard input")
    named = os.environ.get("AUTHCODE_KEYRING", "authcode-keys.json")
    parser.add_argument("--keyring", default=named, help="the brand's published key list [%(default)s]")
    parser.add_argument("--root", help="fingerprint of the brand's root key, learnt in another way than the key list")
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
    if asked.root is None:
        named = fingerprint(bytes.fromhex(keyring["root"]))
        sys.stderr.write(f"Note: the key list names the root {named}; compare it, and give it with --root.\n")
    text = asked.code
    if text == "-":
        text = sys.stdin.buffer.read(MAX_CODE_BYTES + 3).removesuffix(b"\n").removesuffix(b"\r")
    return verify_offline(text, keyring, asked.at or datetime.now(timezone.utc))  # noqa: UP017 - any Python


def main() -> int:
    """Answer on standard output; give the exit code."""
    asked = options().parse_args()
    try:
        facts = answer(asked)
    except NotOurs:
        facts = {"state": "not_ours"}
    except Refused as error:
        if asked.as_json:
            sys.stdout.write(json.dumps({"error": {"code": error.code, "message": str(error)}}) + "\n")
        else:
            sys.stderr.write(f"Error: {error} [{error.code}]\n")
        return 2
    if asked.as_json:
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        sentence = NOT_OURS if facts["state"] == "not_ours" else SAID[facts["state"]]
        named = f"{facts['brand']}, serial {facts['serial']}: " if "brand" in facts else ""
        sys.stdout.buffer.write(f"{named}{sentence}\n".encode())
    return 0 if facts["state"] == "signature_valid" else 1


if __name__ == "__main__":
    sys.exit(main())
