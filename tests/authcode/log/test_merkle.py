"""The tree against published vectors, and against a second implementation written from the definitions alone."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcode.log import merkle

# The eight leaves, nine roots and the paths that the Certificate Transparency projects test with
# (transparency-dev/merkle, testonly).
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A, B, C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
D, E = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
)
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = {
    (0, 1): [],
    (0, 2): [A],
    (1, 2): [ROOTS[1]],
    (2, 3): [ROOTS[2]],
    (1, 5): [ROOTS[1], B, D],
    (0, 8): [A, B, C],
    (5, 8): [D, E, ROOTS[4]],
}
CONSISTENCY = {(1, 1): [], (1, 8): [A, B, C], (2, 5): [B, D], (6, 8): [F, E, ROOTS[4]]}
MANY = 300


class Naive:
    """RFC 9162 §2.1.1, §2.1.3.1 and §2.1.4.1 word for word, on lists of entries."""

    def root(self, entries: list[bytes]) -> bytes:
        if not entries:
            return hashlib.sha256().digest()
        if len(entries) == 1:
            return hashlib.sha256(b"\0" + entries[0]).digest()
        k = self.k(len(entries))
        return hashlib.sha256(b"\1" + self.root(entries[:k]) + self.root(entries[k:])).digest()

    def k(self, n: int) -> int:
        return max(1 << power for power in range(n.bit_length()) if 1 << power < n)

    def path(self, m: int, entries: list[bytes]) -> list[bytes]:
        if len(entries) == 1:
            return []
        k = self.k(len(entries))
        if m < k:
            return [*self.path(m, entries[:k]), self.root(entries[k:])]
        return [*self.path(m - k, entries[k:]), self.root(entries[:k])]

    def proof(self, m: int, entries: list[bytes], b: bool = True) -> list[bytes]:  # noqa: FBT001, FBT002 - RFC's name
        if m == len(entries):
            return [] if b else [self.root(entries)]
        k = self.k(len(entries))
        if m <= k:
            return [*self.proof(m, entries[:k], b), self.root(entries[k:])]
        return [*self.proof(m - k, entries[k:], False), self.root(entries[:k])]  # noqa: FBT003 - RFC's argument


def subtree_of(entries: list[bytes]) -> merkle.Subtree:
    known: dict[tuple[int, int], bytes] = {}

    def subtree(level: int, number: int) -> bytes:
        if (level, number) not in known:
            first = number << level
            assert first + (1 << level) <= len(entries)
            hashes = [merkle.leaf_hash(entry) for entry in entries[first : first + (1 << level)]]
            known[level, number] = merkle.perfect_root(hashes)
        return known[level, number]

    return subtree


def entries_of(size: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(size)]


ENTRIES = entries_of(MANY)
SUBTREE = subtree_of(ENTRIES)


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots_come_out(size: int) -> None:
    assert merkle.root_hash(size, subtree_of(LEAVES)).hex() == ROOTS[size]
    assert Naive().root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_the_published_inclusion_paths_come_out_and_hold(index: int, size: int) -> None:
    path = merkle.inclusion_path(index, size, subtree_of(LEAVES))
    assert [node.hex() for node in path] == INCLUSION[index, size]
    merkle.check_inclusion(merkle.leaf_hash(LEAVES[index]), index, size, path, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "size"), CONSISTENCY)
def test_the_published_consistency_paths_come_out_and_hold(old: int, size: int) -> None:
    path = merkle.consistency_path(old, size, subtree_of(LEAVES))
    assert [node.hex() for node in path] == CONSISTENCY[old, size]
    merkle.check_consistency(old, size, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[size]), path)


def test_every_inclusion_path_up_to_seventy_leaves_is_that_of_the_definition_and_holds() -> None:
    naive = Naive()
    for size in range(1, 71):
        root = merkle.root_hash(size, SUBTREE)
        assert root == naive.root(ENTRIES[:size])
        for index in range(size):
            path = merkle.inclusion_path(index, size, SUBTREE)
            assert list(path) == naive.path(index, ENTRIES[:size])
            merkle.check_inclusion(merkle.leaf_hash(ENTRIES[index]), index, size, path, root)


def test_every_consistency_path_up_to_seventy_leaves_is_that_of_the_definition_and_holds() -> None:
    naive = Naive()
    roots = [merkle.root_hash(size, SUBTREE) for size in range(71)]
    for size in range(71):
        for old in range(size + 1):
            path = merkle.consistency_path(old, size, SUBTREE)
            assert list(path) == (naive.proof(old, ENTRIES[:size]) if old else [])
            merkle.check_consistency(old, size, roots[old], roots[size], path)


sizes = st.integers(1, MANY).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size)))


@given(sizes)
def test_paths_in_larger_trees_are_those_of_the_definition_and_hold(place: tuple[int, int]) -> None:
    index, size = place
    naive = Naive()
    root = naive.root(ENTRIES[:size])
    path = merkle.inclusion_path(index, size, SUBTREE)
    assert list(path) == naive.path(index, ENTRIES[:size])
    merkle.check_inclusion(merkle.leaf_hash(ENTRIES[index]), index, size, path, root)
    grown = merkle.consistency_path(index + 1, size, SUBTREE)
    assert list(grown) == naive.proof(index + 1, ENTRIES[:size])
    merkle.check_consistency(index + 1, size, naive.root(ENTRIES[: index + 1]), root, grown)


def altered(path: tuple[bytes, ...], data: st.DataObject) -> tuple[bytes, ...]:
    """Another path: a bit changed, a hash more, a hash less, or two of them exchanged."""
    changes = [(*path, bytes(32)), (bytes(32), *path)]
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        bit = data.draw(st.integers(0, 255))
        flipped = (int.from_bytes(path[place], "big") ^ (1 << bit)).to_bytes(32, "big")
        changes += [(*path[:place], flipped, *path[place + 1 :]), path[:-1], path[1:], (*path, path[-1])]
    if len(path) > 1:
        changes.append(tuple(reversed(path)))
    return data.draw(st.sampled_from(changes))


@given(place=sizes, data=st.data())
def test_an_altered_inclusion_proof_is_refused(place: tuple[int, int], data: st.DataObject) -> None:
    index, size = place
    leaf, root = merkle.leaf_hash(ENTRIES[index]), merkle.root_hash(size, SUBTREE)
    path = merkle.inclusion_path(index, size, SUBTREE)
    other = data.draw(st.integers(0, size + 3).filter(lambda number: number != index))
    for wrong in (
        (leaf, index, size, altered(path, data), root),
        (leaf, other, size, path, root),
        (merkle.leaf_hash(b"another entry"), index, size, path, root),
        (leaf, index, size, path, bytes(32)),
        (leaf, -1, size, path, root),
        (leaf, index, index, path, root),
    ):
        with pytest.raises(merkle.LogProofRefused):
            merkle.check_inclusion(*wrong)


@given(place=sizes, data=st.data())
def test_an_altered_consistency_proof_is_refused(place: tuple[int, int], data: st.DataObject) -> None:
    old, size = place[0] + 1, place[1]
    before, root = merkle.root_hash(old, SUBTREE), merkle.root_hash(size, SUBTREE)
    path = merkle.consistency_path(old, size, SUBTREE)
    for wrong in (
        (old, size, before, root, altered(path, data)),
        (old, size, bytes(32), root, path),
        (old, size, before, bytes(32), path),
        (old - 1, size, before, root, path),
        (size + 1, size, before, root, path),
        (-1, size, before, root, path),
    ):
        with pytest.raises(merkle.LogProofRefused):
            merkle.check_consistency(*wrong)


@given(st.integers(1, MANY), st.integers(0, 1 << 61), st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_no_invented_path_is_taken_and_none_does_anything_but_refuse(index: int, size: int, path: list[bytes]) -> None:
    with pytest.raises(merkle.LogProofRefused):
        merkle.check_inclusion(bytes(32), index, size, path, b"\xff" * 32)
    with pytest.raises(merkle.LogProofRefused):
        merkle.check_consistency(index, size, bytes(32), b"\xff" * 32, path)


def test_nothing_is_proved_of_a_tree_that_has_not_grown_so_far() -> None:
    with pytest.raises(ValueError, match="no leaf 3"):
        merkle.inclusion_path(3, 3, SUBTREE)
    with pytest.raises(ValueError, match="did not grow"):
        merkle.consistency_path(4, 3, SUBTREE)
