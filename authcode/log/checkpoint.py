"""Heads of the log as signed notes: the text forms of C2SP signed-note and tlog-checkpoint (docs/protocol.md §3).

A head is three lines, origin, size and root, signed by the log's own key. Witnesses add their signature lines;
lines of other keys are ignored, as the format demands.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from authcode.log.merkle import HASH_BYTES, MAX_SIZE, LogProofRefused
from keys.base.errors import AuthcodeError, PublicKeyInvalid, SignatureInvalid
from keys.primitives import PUBLIC_KEY_BYTES, SigningKey, check_public_key, verify_bytes

MAX_DOCUMENT_BYTES: Final = 128 * 1024
"""A head or proof with sixteen witnesses, post-quantum ones among them, stays below this."""
MAX_SIGNATURES: Final = 64

_ED25519: Final = b"\x01"  # the signature type of C2SP signed-note
_KEY_ID_BYTES: Final = 4
_HEAD_LINES: Final = 3
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,200}")
_DASH: Final = "\N{EM DASH} "


class LogDocumentInvalid(AuthcodeError):
    """A file or text that is neither a head nor a proof of a log."""

    code = "log_document_invalid"
    sentence = "This is no log head or proof as the log wrote it: {reason}. Fetch it again, unchanged."
    reason: str


class LogKeyInvalid(AuthcodeError):
    """A text that is no public key of a log."""

    code = "log_key_invalid"
    sentence = "This is no log key; `authcode log key` prints it as name+hash+key on one line."


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """A log's name and its 32 public bytes. Its text is what a verifier is configured with (`name+hash+key`)."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that name the key in a signature line."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public_key
        return hashlib.sha256(named).digest()[:_KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key on one line, as Go's sumdb and the witnesses of C2SP write it."""
        return f"{self.name}+{self.key_id.hex()}+{encode(_ED25519 + self.public_key)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The commitment of a log: its name, its number of leaves, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"

    @property
    def named(self) -> str:
        """The same on one line, as a proof of a verification names the head before it: origin, size and root."""
        return f"{self.origin} {self.size} {encode(self.root)}"


def encode(data: bytes) -> str:
    """Base 64 of RFC 4648 §4, padded."""
    return base64.b64encode(data).decode("ascii")


def decode(text: str, what: str, n_bytes: int | None = None) -> bytes:
    """The bytes of a base 64 text in its one spelling.

    Raises:
        LogDocumentInvalid: anything else, or not `n_bytes` long.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise LogDocumentInvalid(f"{what} is not base 64") from None
    if encode(data) != text or (n_bytes is not None and len(data) != n_bytes):
        raise LogDocumentInvalid(f"{what} has another length")
    return data


def decimal(text: str, what: str) -> int:
    """A size or an index in its one spelling.

    Raises:
        LogDocumentInvalid: anything else.
    """
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_SIZE:
        raise LogDocumentInvalid(f"{what} is no number")
    return int(text)


def read_log_key(text: str) -> LogKey:
    """The key that `LogKey.text` wrote.

    Raises:
        LogKeyInvalid: anything else; also a name that does not fit its hash, or a point that is no key.
    """
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        data = decode(encoded, "the key", 1 + PUBLIC_KEY_BYTES)
        check_public_key(data[1:])
    except (LogDocumentInvalid, PublicKeyInvalid):
        raise LogKeyInvalid from None
    key = LogKey(name=name, public_key=data[1:])
    if _NAME.fullmatch(name) is None or data[:1] != _ED25519 or key_id != key.key_id.hex():
        raise LogKeyInvalid
    return key


def sign_head(head: Head, key: SigningKey) -> str:
    """The head as a signed note; the same head gives the same bytes."""
    name = LogKey(name=head.origin, public_key=key.public_key)
    signature = key.sign(head.text.encode())
    return f"{head.text}\n{_DASH}{head.origin} {encode(name.key_id + signature)}\n"


def _signatures(block: str) -> list[tuple[str, bytes, bytes]]:
    """Name, key id and signature of each signature line."""
    lines = block.split("\n")
    if lines.pop() or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise LogDocumentInvalid(f"it needs 1 to {MAX_SIGNATURES} signature lines")
    found = []
    for line in lines:
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or _NAME.fullmatch(name) is None:
            raise LogDocumentInvalid("a signature line has another form")
        data = decode(encoded, "a signature")
        if len(data) <= _KEY_ID_BYTES:
            raise LogDocumentInvalid("a signature is too short")
        found.append((name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:]))
    return found


def _parts(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    if len(note.encode("utf-8", "surrogatepass")) > MAX_DOCUMENT_BYTES:
        raise LogDocumentInvalid("it is too long")
    if any((character < " " and character != "\n") or "\ud800" <= character <= "\udfff" for character in note):
        raise LogDocumentInvalid("it has characters that a note cannot have")
    text, blank, block = note.rpartition("\n\n")
    if not blank:
        raise LogDocumentInvalid("it has no signature")
    return text + "\n", _signatures(block)


def read_head(note: str) -> Head:
    """The head of a note, its signatures not checked.

    Raises:
        LogDocumentInvalid: it is no checkpoint.
    """
    lines = _parts(note)[0].removesuffix("\n").split("\n")
    if len(lines) < _HEAD_LINES or "" in lines or _NAME.fullmatch(lines[0]) is None:
        raise LogDocumentInvalid("a head has an origin, a size and a root, each on a line")
    return _head_of(*lines[:_HEAD_LINES])  # what follows are extensions, which we have none of and pass over


def read_named_head(text: str) -> Head:
    """The head that `Head.named` wrote; only the text around it vouches for it.

    Raises:
        LogDocumentInvalid: anything else.
    """
    parts = text.split(" ")
    if len(parts) != _HEAD_LINES or _NAME.fullmatch(parts[0]) is None:
        raise LogDocumentInvalid("a head is named by its origin, size and root")
    return _head_of(*parts)


def _head_of(origin: str, size: str, root: str) -> Head:
    return Head(origin=origin, size=decimal(size, "the size"), root=decode(root, "the root", HASH_BYTES))


@lru_cache(maxsize=64)
def named_head(note: str) -> str:
    """How a proof names the head of a note of our own; every verification until the next head names the same."""
    return read_head(note).named


def open_head(note: str, key: LogKey) -> Head:
    """The head of a note that the log's key signed.

    Raises:
        LogDocumentInvalid: it is no checkpoint.
        LogProofRefused: it is of another log, or this key did not sign it.
    """
    text, signed = _parts(note)
    head = read_head(note)
    if head.origin != key.name:
        raise LogProofRefused(f"the head is of the log {head.origin!r}, the key of {key.name!r}")
    ours = [signature for name, key_id, signature in signed if (name, key_id) == (key.name, key.key_id)]
    if not ours:
        raise LogProofRefused("the head is not signed by this key")
    for signature in ours:
        try:
            verify_bytes(key.public_key, text.encode(), signature)
        except SignatureInvalid:
            raise LogProofRefused("the head's signature is not of this key") from None
    return head
