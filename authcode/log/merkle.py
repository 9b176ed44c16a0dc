"""The Merkle tree of RFC 9162 §2.1 (the same as RFC 6962 §2.1): hashes, roots, paths, and what checks them.

A tree is known by its perfect subtrees: `subtree(level, number)` is the hash of the 2**level leaves from
`number * 2**level` on. The caller brings that function; nothing here stores anything.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from keys.base.errors import AuthcodeError

HASH_BYTES: Final = 32
MAX_SIZE: Final = 1 << 62
"""No tree is larger; a path then has at most 62 hashes, a consistency path one more."""

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The root of no leaves (RFC 9162 §2.1.1)."""

Subtree = Callable[[int, int], bytes]
"""`subtree(level, number)`: the hash of a perfect subtree."""


class LogProofRefused(AuthcodeError):
    """A head or proof of the log that does not hold: another key, another tree, or an altered path."""

    code = "log_proof_refused"
    http_status = 409
    sentence = "This does not hold: {reason}. Keep it, and ask the operator of the log to explain it."
    reason: str


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf (RFC 9162 §2.1.1): SHA-256 of 0x00 and the entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 9162 §2.1.1): SHA-256 of 0x01 and its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over 2**n hashes of one level."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def _split(width: int) -> int:
    """The largest power of two below a width of at least 2 (`k` of RFC 9162 §2.1.1)."""
    return 1 << ((width - 1).bit_length() - 1)


def _range_hash(first: int, last: int, subtree: Subtree) -> bytes:
    """The hash over the leaves from `first` to before `last`, a range of the recursion of §2.1.1."""
    width = last - first
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return subtree(level, first >> level)
    middle = first + _split(width)
    return node_hash(_range_hash(first, middle, subtree), _range_hash(middle, last, subtree))


def root_hash(size: int, subtree: Subtree) -> bytes:
    """The root of the tree's first `size` leaves (RFC 9162 §2.1.1)."""
    return _range_hash(0, size, subtree) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """The path of leaf `index` in the tree of `size` leaves (RFC 9162 §2.1.3.1), from the leaf's sibling up.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append(_range_hash(middle, last, subtree))
            last = middle
        else:
            path.append(_range_hash(first, middle, subtree))
            first = middle
    return tuple(reversed(path))


def consistency_path(old: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """The path that shows the tree of `old` leaves to be the beginning of that of `size` (RFC 9162 §2.1.4.1).

    Raises:
        ValueError: not 0 <= old <= size.
    """
    if not 0 <= old <= size <= MAX_SIZE:
        raise ValueError(f"a tree of {size} leaves did not grow from one of {old}")
    if old in (0, size):
        return ()
    path: list[bytes] = []
    first, last, whole = 0, size, True  # `whole`: the old tree's root is the subtree under hand, and known already
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            path.append(_range_hash(middle, last, subtree))
            last = middle
        else:
            path.append(_range_hash(first, middle, subtree))
            first, whole = middle, False
    if not whole:
        path.append(_range_hash(first, last, subtree))
    return tuple(reversed(path))


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf's hash is at `index` under `root` (RFC 9162 §2.1.3.2; the steps are its).

    Raises:
        LogProofRefused: it does not.
    """
    if not 0 <= index < size <= MAX_SIZE:  # (1)
        raise LogProofRefused(f"a tree of {size} leaves has no leaf {index}")
    sides = _sides(index, size - 1)  # (2) (3)
    if len(path) > len(sides):
        raise LogProofRefused("the path is too long for this tree")
    if len(path) < len(sides) or _climb(leaf, path, sides) != root:  # (4) (5)
        raise LogProofRefused("the path does not lead from this entry to the signed root")


def check_consistency(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> None:
    """Check that the tree of `old` leaves is the beginning of that of `size` (RFC 9162 §2.1.4.2; the steps are its).

    Raises:
        LogProofRefused: it is not, or the path does not show it.
    """
    if not 0 <= old <= size <= MAX_SIZE:
        raise LogProofRefused(f"a tree of {size} leaves did not grow from one of {old}")
    if old in (0, size):
        _check_without_path(old, old_root, root if old else EMPTY_ROOT, path)
        return
    if not path:  # (1)
        raise LogProofRefused("the path is empty")
    start, *siblings = [old_root, *path] if old & (old - 1) == 0 else path  # (2)
    level = (old & -old).bit_length() - 1  # (3) (4): the largest perfect subtree that the old tree ends with
    sides = _sides((old - 1) >> level, (size - 1) >> level)
    if len(siblings) > len(sides):
        raise LogProofRefused("the path is too long for these trees")
    older = [sibling for sibling, on_left in zip(siblings, sides, strict=False) if on_left]
    roots = _climb(start, older, [True] * len(older)), _climb(start, siblings, sides)  # (5) (6)
    if len(siblings) < len(sides) or roots != (old_root, root):  # (7)
        raise LogProofRefused("the path does not lead from the older root to the newer one: the history was rewritten")


def _sides(node: int, last: int) -> list[bool]:
    """For each step from a node up to the root, whether its sibling is on the left; `last` is the level's last node."""
    sides = []
    while last:
        on_left = bool(node & 1) or node == last
        while on_left and node and not node & 1:  # a node without a sibling on its right moves up as it is
            node, last = node >> 1, last >> 1
        sides.append(on_left)
        node, last = node >> 1, last >> 1
    return sides


def _climb(found: bytes, path: Sequence[bytes], sides: Sequence[bool]) -> bytes:
    """The hash that a path leads to from a node."""
    for sibling, on_left in zip(path, sides, strict=False):
        found = node_hash(sibling, found) if on_left else node_hash(found, sibling)
    return found


def _check_without_path(old: int, old_root: bytes, expected: bytes, path: Sequence[bytes]) -> None:
    if path:
        raise LogProofRefused("the path is too long for these trees")
    if old_root != expected:
        raise LogProofRefused(f"there are two roots for {old} leaves: the history was rewritten")
