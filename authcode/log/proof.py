"""Proofs of the log as files: inclusion in the form of C2SP tlog-proof, consistency in the form that witnesses take.

An entry is a 16-byte salt and a record, a JSON object. The leaf is the hash of both: alone it reveals nothing, and
nothing can be guessed from it once salt and record were erased (docs/protocol.md §3).
"""

import json
from dataclasses import dataclass
from typing import Final

from authcode.log.checkpoint import (
    MAX_DOCUMENT_BYTES,
    Head,
    LogDocumentInvalid,
    LogKey,
    decimal,
    decode,
    encode,
    open_head,
)
from authcode.log.merkle import HASH_BYTES, LogProofRefused, check_consistency, check_inclusion, leaf_hash

SALT_BYTES: Final = 16
INCLUSION_LINE: Final = "c2sp.org/tlog-proof@v1"
_EXTRA: Final = "extra "
_INDEX: Final = "index "
_OLD: Final = "old "
_MAX_PATH: Final = 63  # what tlog-witness allows as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The content of a leaf: 16 random bytes, and the exact text of a record."""

    salt: bytes
    record: str

    @property
    def data(self) -> bytes:
        """Salt and record, as they are hashed."""
        return self.salt + self.record.encode()

    @property
    def leaf(self) -> bytes:
        """The leaf's hash: SHA-256(0x00, salt, record)."""
        return leaf_hash(self.data)

    @property
    def facts(self) -> dict[str, object]:
        """The record read as JSON.

        Raises:
            LogDocumentInvalid: it is no JSON object.
        """
        try:
            facts = json.loads(self.record)
        except (ValueError, RecursionError):
            raise LogDocumentInvalid("its record is not JSON") from None
        if not isinstance(facts, dict):
            raise LogDocumentInvalid("its record is no JSON object")
        return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """That an entry is in the tree of a head. `entry` is None where it is not shown, or was erased."""

    index: int
    path: tuple[bytes, ...]
    note: str
    entry: Entry | None = None

    @property
    def text(self) -> str:
        """The file: C2SP tlog-proof, the entry as its extra data."""
        extra = [] if self.entry is None else [_EXTRA + encode(self.entry.data)]
        return _joined([INCLUSION_LINE, *extra, f"{_INDEX}{self.index}"], self.path, self.note)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistencyProof:
    """That the tree of `old` leaves is the beginning of the tree of a head."""

    old: int
    path: tuple[bytes, ...]
    note: str

    @property
    def text(self) -> str:
        """The file: the body that C2SP tlog-witness takes in `add-checkpoint`."""
        return _joined([f"{_OLD}{self.old}"], self.path, self.note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """The result of an inclusion proof: the head, the leaf and its place, and the entry where the proof carried it."""

    head: Head
    index: int
    leaf: bytes
    entry: Entry | None


def _joined(lines: list[str], path: tuple[bytes, ...], note: str) -> str:
    return "\n".join([*lines, *map(encode, path), "", note])


def is_inclusion(text: str) -> bool:
    """Whether a text begins as an inclusion proof."""
    return text.startswith(INCLUSION_LINE + "\n")


def is_consistency(text: str) -> bool:
    """Whether a text begins as a consistency proof."""
    return text.startswith(_OLD)


def _opened(text: str) -> tuple[list[str], str]:
    """The lines before the first empty one, and the note behind it."""
    if len(text) > MAX_DOCUMENT_BYTES:
        raise LogDocumentInvalid("it is too long")
    first, blank, note = text.partition("\n\n")
    if not blank:
        raise LogDocumentInvalid("it ends before its head")
    return first.split("\n"), note


def _path(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > _MAX_PATH:
        raise LogDocumentInvalid("its path is longer than any tree is high")
    return tuple(decode(line, "a hash of the path", HASH_BYTES) for line in lines)


def _number(lines: list[str], word: str) -> int:
    if not lines or not lines[0].startswith(word):
        raise LogDocumentInvalid(f"it has no line {word.strip()!r}")
    return decimal(lines[0].removeprefix(word), word.strip())


def read_inclusion(text: str) -> InclusionProof:
    """An inclusion proof, nothing of it checked yet.

    Raises:
        LogDocumentInvalid: it is none.
    """
    lines, note = _opened(text)
    if lines.pop(0) != INCLUSION_LINE:
        raise LogDocumentInvalid("it does not begin as an inclusion proof")
    entry = None
    if lines and lines[0].startswith(_EXTRA):
        entry = read_entry(decode(lines.pop(0).removeprefix(_EXTRA), "the entry"))
    return InclusionProof(index=_number(lines, _INDEX), path=_path(lines[1:]), note=note, entry=entry)


def read_entry(data: bytes) -> Entry:
    """Salt and record of an entry.

    Raises:
        LogDocumentInvalid: it is too short, or its record is no text.
    """
    if len(data) <= SALT_BYTES:
        raise LogDocumentInvalid("its entry is too short")
    try:
        return Entry(salt=data[:SALT_BYTES], record=data[SALT_BYTES:].decode())
    except UnicodeDecodeError:
        raise LogDocumentInvalid("its record is no text") from None


def read_consistency(text: str) -> ConsistencyProof:
    """A consistency proof, nothing of it checked yet.

    Raises:
        LogDocumentInvalid: it is none.
    """
    lines, note = _opened(text)
    return ConsistencyProof(old=_number(lines, _OLD), path=_path(lines[1:]), note=note)


def open_inclusion(text: str, key: LogKey, *, leaf: bytes | None = None) -> Included:
    """Check an inclusion proof under the log's key; `leaf` where the proof does not carry the entry.

    1. Read it. 2. Open its head. 3. Take the leaf from the entry, or as it was named. 4. Follow the path to the root.

    Raises:
        LogDocumentInvalid: it cannot be read, or neither it nor the caller names the leaf.
        LogProofRefused: it does not hold.
    """
    proof = read_inclusion(text)  # (1)
    head = open_head(proof.note, key)  # (2)
    named = leaf if proof.entry is None else proof.entry.leaf  # (3)
    if named is None:
        raise LogDocumentInvalid("it carries no entry, so the leaf's hash must be named separately")
    if leaf is not None and leaf != named:
        raise LogProofRefused("it is about another leaf than the one that was named")
    check_inclusion(named, proof.index, head.size, proof.path, head.root)  # (4)
    return Included(head=head, index=proof.index, leaf=named, entry=proof.entry)


def open_consistency(text: str, key: LogKey, *, kept: Head) -> Head:
    """The head of a consistency proof, once it was shown to continue the head that the caller kept.

    Raises:
        LogDocumentInvalid: it cannot be read.
        LogProofRefused: it does not hold, or starts from another size than the kept head's.
    """
    proof = read_consistency(text)
    head = open_head(proof.note, key)
    if proof.old != kept.size:
        raise LogProofRefused(f"it starts from {proof.old} leaves, the head that was kept has {kept.size}")
    check_consistency(kept.size, head.size, kept.root, head.root, proof.path)
    return head
