"""What is counted by key in fixed room, so that no flood of keys makes a worker grow.

A key has one of eight places. Where all of them are taken it gets the place of the least weight, the first of several:
what counts most is forgotten last, and a flood of new keys pushes out itself. Who is forgotten gains the smallest count
there is, so that nobody can have a used-up limit forgotten. Keys are hashed with a key of their process, Python's own,
so that nobody can choose where one falls; no address and no cookie is kept.
"""

from array import array
from collections.abc import Callable
from typing import Final

PLACES: Final = 8
"""Places that a key may have: with half of the room in use, every fiftieth new key finds all eight taken."""

_BITS: Final = (1 << 64) - 1


def key_of(name: str, number: int = 0) -> int:
    """The key of what name and number name together, 64 bits and never 0; only the hash of the name has a secret."""
    return hash((name, number)) & _BITS or 1


class KeyTable:
    """Places of keys, as numbers below `room`. Room is taken with the first key. The caller has a lock."""

    def __init__(self, room: int) -> None:
        """Have room for so many keys, a multiple of `PLACES`."""
        self.room = room
        self._keys = array("Q")

    def place_of(self, key: int) -> int | None:
        """The place of a key, None for one that has none."""
        begin, row = self._row(key)
        return begin + row.index(key) if key in row else None

    def take_place(self, key: int, weight: Callable[[int], int]) -> tuple[int, bool]:
        """The place of a key, and whether it is new there, in place of what had the least `weight` (by place)."""
        self._keys = self._keys or array("Q", [0]) * self.room
        begin, row = self._row(key)
        if key in row:
            return begin + row.index(key), False
        place = begin + row.index(0) if 0 in row else min(range(begin, begin + PLACES), key=weight)
        self._keys[place] = key
        return place, True

    def clear(self) -> None:
        """Forget every key."""
        self._keys = array("Q")

    def _row(self, key: int) -> "tuple[int, array[int]]":
        begin = key % (self.room // PLACES) * PLACES
        return begin, self._keys[begin : begin + PLACES]


class CountTable:
    """How often each key was added: 12 bytes for a key. The caller has a lock."""

    def __init__(self, room: int) -> None:
        """Have room for so many keys, a multiple of `PLACES`."""
        self._places = KeyTable(room)
        self._counts = array("I")

    def count_of(self, key: int) -> int:
        """How often a key was added; 0 for one that was forgotten."""
        place = self._places.place_of(key)
        return 0 if place is None else self._counts[place]

    def add(self, key: int) -> int:
        """Count a key once more: how often now."""
        self._counts = self._counts or array("I", [0]) * self._places.room
        place, new = self._places.take_place(key, self._counts.__getitem__)
        self._counts[place] = 1 if new else self._counts[place] + 1
        return self._counts[place]

    def clear(self) -> None:
        """Forget every key."""
        self._places.clear()
        self._counts = array("I")
