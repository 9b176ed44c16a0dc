"""The log and the receipts, written from docs/protocol.md (§2 rule 11, §3 rule 7), RFC 9162 and C2SP's pages alone.

It imports nothing of ours but the signatures of the second implementation beside it. Paths are followed by the
recursive definitions of RFC 9162 §2.1, from which its algorithms are derived: the definitions are what must hold.
"""

import base64
import binascii
import hashlib
import importlib.util
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

_SPEC = importlib.util.spec_from_file_location("format_one", Path(__file__).with_name("format_one.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
format_one = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(format_one)

CLAIMS = ("iss", "jti", "iat", "brand", "gtin", "serial", "life", "hop", "log")
ED25519 = b"\x01"
SIGNATURE_CHARACTERS = 86


class Refused(Exception):
    """What the pages refuse, with the stable code of docs/errors.md."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Head(NamedTuple):
    """Origin, size and root of a tree."""

    origin: str
    size: int
    root: bytes


def _readable(holds: object) -> None:
    if not holds:
        raise Refused("log_document_invalid")


def _holds(holds: object) -> None:
    if not holds:
        raise Refused("log_proof_refused")


def _decoded(text: str, size: int | None = None) -> bytes:
    """Base64 with its padding, in its one spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("log_document_invalid") from None
    _readable(base64.b64encode(data).decode() == text and size in {None, len(data)})
    return data


def _number(text: str) -> int:
    _readable(re.fullmatch("0|[1-9][0-9]{0,18}", text, re.ASCII))
    return int(text)


# --- Trees: RFC 9162 §2.1 --------------------------------------------------------------------------------------------


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """§2.1.1: the largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def root_of(leaves: list[bytes]) -> bytes:
    """§2.1.1: the tree head of leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = _split(len(leaves))
    return _node(root_of(leaves[:k]), root_of(leaves[k:]))


def inclusion_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """§2.1.3.1: PATH(m, D_n)."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*inclusion_path(index, leaves[:k]), root_of(leaves[k:])]
    return [*inclusion_path(index - k, leaves[k:]), root_of(leaves[:k])]


def growth_path(old: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """§2.1.4.1: SUBPROOF(m, D_n, b)."""
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    k = _split(len(leaves))
    if old <= k:
        return [*growth_path(old, leaves[:k], whole=whole), root_of(leaves[k:])]
    return [*growth_path(old - k, leaves[k:], whole=False), root_of(leaves[:k])]


def _root_above(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that PATH leads to: its last step is the sibling under the root."""
    if size == 1:
        _holds(not path)
        return leaf
    _holds(path)
    k, sibling = _split(size), path[-1]
    if index < k:
        return _node(_root_above(leaf, index, k, path[:-1]), sibling)
    return _node(sibling, _root_above(leaf, index - k, size - k, path[:-1]))


def _roots_above(old: int, size: int, path: list[bytes], kept: bytes | None) -> tuple[bytes, bytes]:
    """The older and the newer root that SUBPROOF leads to; `kept` is the older one as long as b is true."""
    if old == size:
        _holds(len(path) == (1 if kept is None else 0))
        known = path[0] if kept is None else kept
        return known, known
    _holds(path)
    k, sibling = _split(size), path[-1]
    if old <= k:
        before, after = _roots_above(old, k, path[:-1], kept)
        return before, _node(after, sibling)
    before, after = _roots_above(old - k, size - k, path[:-1], None)
    return _node(sibling, before), _node(sibling, after)


def check_place(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> None:
    """Refuse a path that does not lead from this leaf's place to the root."""
    _holds(0 <= index < size and _root_above(leaf, index, size, path) == root)


def check_growth(old: int, size: int, roots: tuple[bytes, bytes], path: list[bytes]) -> None:
    """Refuse a path that does not show the older of two trees (their `roots`) to be the beginning of the newer."""
    if old == 0:
        _holds(not path and roots[0] == root_of([]))
    else:
        _holds(old <= size and _roots_above(old, size, path, roots[0]) == roots)


# --- Heads: signed notes and checkpoints of C2SP ---------------------------------------------------------------------


def _log_key(text: str) -> tuple[str, bytes, bytes]:
    """The name, the key's id (4 bytes) and the public key of a verifier key."""
    name, key_id, data = text.split("+", 2)
    key = _decoded(data, 33)
    digest = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    _readable(key[:1] == ED25519 and digest.hex() == key_id)
    return name, digest, key[1:]


def _signed(line: str) -> tuple[str, bytes]:
    """A signature line: who signed, and the key's id with the signature."""
    parts = line.split(" ")
    _readable(len(parts) == 3 and parts[0] == "\N{EM DASH}" and parts[1])
    return parts[1], _decoded(parts[2])


def read_head(text: str, key: str) -> Head:
    """A head that the log's key signed."""
    body, empty, signatures = text.partition("\n\n")
    lines, signed = body.split("\n"), signatures.split("\n")
    _readable(empty and len(lines) == 3 and len(signed) > 1 and not signed.pop())
    head = Head(lines[0], _number(lines[1]), _decoded(lines[2], 32))
    _readable(head.origin and all(character.isprintable() for character in text if character != "\n"))
    name, key_id, public = _log_key(key)
    ours = [data[4:] for who, data in map(_signed, signed) if who == name and data[:4] == key_id]
    _holds(head.origin == name and len(ours) == 1 and len(ours[0]) == 64)
    try:
        format_one.check_signature(public, f"{body}\n".encode(), ours[0])
    except format_one.Refused:
        raise Refused("log_proof_refused") from None
    return head


def read_named_head(text: str) -> Head:
    """§3 rule 7.9: origin, size and root with single spaces between."""
    parts = text.split(" ")
    _readable(len(parts) == 3)
    return Head(parts[0], _number(parts[1]), _decoded(parts[2], 32))


# --- Files -----------------------------------------------------------------------------------------------------------


def _cut(text: str) -> tuple[list[str], str]:
    """What stands before the first empty line, and the head after it."""
    before, empty, head = text.partition("\n\n")
    _readable(empty)
    return before.split("\n"), head


def _record(entry: bytes) -> dict[str, Any]:
    _readable(len(entry) > 16)
    try:
        text = entry[16:].decode("ascii")
        record = json.loads(text)
    except ValueError:
        raise Refused("log_document_invalid") from None
    _readable(isinstance(record, dict))
    _readable(json.dumps(record, sort_keys=True, separators=(",", ":")) == text)
    return dict(record)


def _inclusion(text: str, key: str, leaf: bytes | None) -> tuple[dict[str, Any], Head]:
    lines, signed = _cut(text)
    lines, entry = lines[1:], None
    if lines and lines[0].startswith("extra "):
        entry = _decoded(lines.pop(0).removeprefix("extra "))
    _readable(lines and lines[0].startswith("index "))
    index, path = _number(lines[0].removeprefix("index ")), [_decoded(line, 32) for line in lines[1:]]
    record = None if entry is None else _record(entry)
    shown = None if entry is None else hashlib.sha256(b"\x00" + entry).digest()
    _readable(shown or leaf)
    head = read_head(signed, key)
    _holds(shown in {None, leaf} or leaf is None)
    found = leaf or shown or b""
    check_place(found, index, head.size, path, head.root)
    said = {"kind": "inclusion", "index": index, "leaf": found.hex(), "record": record, "size": head.size}
    return said, head


def _growth(text: str, key: str, kept: Head) -> dict[str, Any]:
    lines, signed = _cut(text)
    old, path = _number(lines[0].removeprefix("old ")), [_decoded(line, 32) for line in lines[1:]]
    head = read_head(signed, key)
    _holds(kept.origin == head.origin and kept.size == old)
    check_growth(old, head.size, (kept.root, head.root), path)
    return {"kind": "consistency", "old": old, "size": head.size}


def judge(text: str, key: str, *, kept: str | None = None, leaf: str | None = None) -> dict[str, Any]:
    """What a file of the log shows, or the code for which it is refused."""
    try:
        if text.startswith("c2sp.org/tlog-proof@v1\n"):
            return _inclusion(text, key, bytes.fromhex(leaf) if leaf else None)[0]
        if text.startswith("old "):
            _readable(kept)
            return _growth(text, key, read_named_head(kept or ""))
        return {"kind": "head", "size": read_head(text, key).size}
    except Refused as refused:
        return {"error": refused.code}


def judge_heads(one: str, other: str, key: str) -> str | None:
    """§3 rule 7.8: two heads of one size with different roots prove the rewriting; the code, or None."""
    try:
        first, second = read_head(one, key), read_head(other, key)
        _holds(first.size != second.size or first.root == second.root)
    except Refused as refused:
        return refused.code
    return None


# --- Receipts: §2 rule 11 --------------------------------------------------------------------------------------------


def _spelt(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _part(text: str) -> dict[str, Any]:
    try:
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        raise Refused("proof_unreadable") from None
    if not isinstance(value, dict):
        raise Refused("proof_unreadable")
    return value


def _written(value: dict[str, Any]) -> str:
    return _spelt(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def read_receipt(proof: str, keys: dict[str, Any]) -> dict[str, Any]:
    """The claims of a receipt that a key of this server signed."""
    parts = proof.split(".")
    if not re.fullmatch("[A-Za-z0-9_.-]+", proof, re.ASCII) or len(parts) < 2:
        raise Refused("proof_unreadable")
    header = _part(parts[0])
    if header.get("alg") != "Ed25519":
        raise Refused("proof_algorithm_refused")
    if set(header) != {"alg", "typ", "kid"} or header["typ"] != "authcode-proof+jwt":
        raise Refused("proof_unreadable")
    if len(parts) != 3 or len(parts[2]) != SIGNATURE_CHARACTERS:
        raise Refused("proof_incomplete")
    named = [key for key in keys["keys"] if key["kid"] == header["kid"]]
    if not named:
        raise Refused("proof_from_elsewhere")
    public, signature = (base64.urlsafe_b64decode(one + "==") for one in (named[0]["x"] + "=", parts[2]))
    try:
        format_one.check_signature(public, f"{parts[0]}.{parts[1]}".encode(), signature)
    except format_one.Refused:
        raise Refused("proof_altered") from None
    claims = _part(parts[1])
    ordered = {name: claims[name] for name in CLAIMS if name in claims}
    if proof != f"{_written(header)}.{_written(ordered)}.{_spelt(signature)}":
        raise Refused("proof_altered")
    return claims


def judge_receipt(proof: str, keys: dict[str, Any], *, entry: str | None, log_key: str) -> dict[str, Any]:
    """The claims of a receipt, checked with its entry of the log where one is given; or a code."""
    try:
        claims = read_receipt(proof, keys)
        if entry is not None:
            _check_entry(claims, entry, log_key)
    except Refused as refused:
        return {"error": refused.code}
    return claims


def _check_entry(claims: dict[str, Any], entry: str, log_key: str) -> None:
    """§3 rule 7.9: at, brand, serial and life are the receipt's, at a number not below the size of its head."""
    said, head = _inclusion(entry, log_key, None) if "\nextra " in entry else ({"record": None}, None)
    record = said["record"]
    _holds(record is not None and record["kind"] == "redemption" and "log" in claims)
    at = datetime.fromtimestamp(claims["iat"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    _holds(record["at"] == at and all(record[name] == claims[name] for name in ("brand", "serial", "life")))
    named = read_named_head(claims["log"])
    _holds(head is not None and named.origin == head.origin and said["index"] >= named.size)
