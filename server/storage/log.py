"""Stage 6, redeem: the log's entries, leaves, nodes and heads (docs/protocol.md §3).

An entry is written in the transaction of what it records, and waits in `log_pending`. `integrate` gives entries their
places in the tree, in a short transaction of its own, one process at a time.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from authcode.log.merkle import consistency_path, inclusion_path, perfect_root, root_hash
from authcode.log.proof import SALT_BYTES, Entry
from server.storage.engine import insert_or_nothing
from server.storage.schema import log_head, log_leaf, log_node, log_pending, log_tree

BATCH: Final = 256
"""Entries that one integration takes: SQLite's other writers wait for some milliseconds, not longer."""

_TILE_LEVELS: Final = 8
_TILE: Final = 1 << _TILE_LEVELS
"""One node is kept for 256 below it: 0.4 % more rows, and a path reads at most two such rows of 256 a level."""

_CARRIED: Final = ("kind", "subject", "leaf", "salt", "record")
_APPEND: Final = log_pending.insert()


class EntryKind(StrEnum):
    """What an entry's subject is: a line of `audit`, or else the id of a unit that was used."""

    REDEMPTION = "redemption"
    UNDO = "undo"
    HANDOVER = "handover"
    ERASURE = "erasure"
    AUDIT = "audit"


_OF_HOLDERS: Final = (EntryKind.REDEMPTION.value, EntryKind.HANDOVER.value)
"""Entries with hashes of a unit's holders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafRecord:
    """A leaf of the tree and its place. `entry` is None once it was erased."""

    number: int
    kind: EntryKind
    leaf: bytes
    entry: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRecord:
    """A signed head, exactly as it left."""

    size: int
    at: datetime
    note: str


def is_up_to_date(connection: sa.Connection, head: HeadRecord) -> bool:
    """Whether a head covers the whole tree, and no entry waits for its place."""
    size = sa.select(log_tree.c.size).where(log_tree.c.id == 1).scalar_subquery()
    row = connection.execute(sa.select(size, sa.exists(sa.select(log_pending.c.id)))).one()
    return tuple(row) == (head.size, False)


def append(connection: sa.Connection, kind: EntryKind, subject: int, record: str) -> None:
    """Add an entry in the transaction of what it records. Its salt is new: leaves must not reveal records."""
    entry = Entry(salt=secrets.token_bytes(SALT_BYTES), record=record)
    values = {"kind": kind.value, "subject": subject, "leaf": entry.leaf, "salt": entry.salt, "record": record}
    connection.execute(_APPEND, values)


def integrate(connection: sa.Connection) -> int:
    """Give up to `BATCH` waiting entries their places; how many there were.

    On PostgreSQL the tree's row is locked, so that places are given by one process at a time and never twice; in SQLite
    a writer is alone in any case. An entry whose transaction ends later is taken the next time, in any order of ids.
    """
    return _place(connection, sa.select(log_pending.c.id).order_by(log_pending.c.id).limit(BATCH))


def _place(connection: sa.Connection, chosen: sa.Select[tuple[int]]) -> int:
    held = sa.select(log_tree.c.size).where(log_tree.c.id == 1).with_for_update()
    size = int(connection.execute(held).scalar_one())
    waiting = connection.execute(chosen).scalars().all()
    if not waiting:
        return 0
    # By their ids, not by "all below": the next statement may see entries that were not there a moment ago.
    taken = log_pending.c.id.in_(waiting)
    place = sa.func.row_number().over(order_by=log_pending.c.id) + sa.literal(size - 1, sa.BigInteger)
    placed = sa.select(place, *(log_pending.c[name] for name in _CARRIED)).where(taken)
    connection.execute(log_leaf.insert().from_select(["number", *_CARRIED], placed, include_defaults=False))
    connection.execute(log_pending.delete().where(taken))
    _add_nodes(connection, size, size + len(waiting))
    connection.execute(log_tree.update().where(log_tree.c.id == 1).values(size=size + len(waiting)))
    return len(waiting)


def _add_nodes(connection: sa.Connection, before: int, after: int) -> None:
    """Keep the roots of the perfect subtrees that were completed."""
    level = 0
    while after >> (level + _TILE_LEVELS):
        above = level + _TILE_LEVELS
        for number in range(before >> above, after >> above):
            root = perfect_root(_tile(connection, level, number))
            connection.execute(log_node.insert().values(level=above, number=number, hash=root))
        level = above


def _tile(connection: sa.Connection, level: int, number: int) -> list[bytes]:
    """The hashes of a level from `256 * number` on, as many as there are, at most 256."""
    first = number << _TILE_LEVELS
    table, query = log_leaf, sa.select(log_leaf.c.leaf)
    if level:
        table, query = log_node, sa.select(log_node.c.hash).where(log_node.c.level == level)
    query = query.where(table.c.number.between(first, first + _TILE - 1)).order_by(table.c.number)
    return [bytes(row[0]) for row in connection.execute(query)]


class Tree:
    """The tree, read tile by tile: a root or a path reads some hundreds of rows, however large it is."""

    def __init__(self, connection: sa.Connection) -> None:
        """Read nothing before it is needed; the tree is as of the connection's transaction."""
        self._connection = connection
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def subtree(self, level: int, number: int) -> bytes:
        """The hash of a perfect subtree, all of whose leaves are in the tree."""
        below = level % _TILE_LEVELS
        kept = level - below
        first = number << below
        tile = self._tiles.get((kept, first >> _TILE_LEVELS))
        if tile is None:
            tile = self._tiles[kept, first >> _TILE_LEVELS] = _tile(self._connection, kept, first >> _TILE_LEVELS)
        start = first % _TILE
        return perfect_root(tile[start : start + (1 << below)])

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves."""
        return root_hash(size, self.subtree)

    def inclusion(self, number: int, size: int) -> tuple[bytes, ...]:
        """The path of a leaf in the tree of the first `size` leaves (ValueError where there is no such leaf)."""
        return inclusion_path(number, size, self.subtree)

    def consistency(self, old: int, size: int) -> tuple[bytes, ...]:
        """The path from the tree of `old` leaves to that of `size` (ValueError where it cannot have grown so)."""
        return consistency_path(old, size, self.subtree)


def tree_name_and_size(connection: sa.Connection) -> tuple[str, int]:
    """The log's name, and how many leaves its tree has."""
    row = connection.execute(sa.select(log_tree.c.origin, log_tree.c.size).where(log_tree.c.id == 1)).one()
    return row.origin, int(row.size)


def _leaf(row: sa.Row[tuple[object, ...]] | None) -> LeafRecord | None:
    if row is None:
        return None
    entry = None if row.salt is None else Entry(salt=bytes(row.salt), record=row.record)
    return LeafRecord(number=int(row.number), kind=EntryKind(row.kind), leaf=bytes(row.leaf), entry=entry)


def leaf_at(connection: sa.Connection, number: int) -> LeafRecord | None:
    """The leaf at a place."""
    return _leaf(connection.execute(sa.select(log_leaf).where(log_leaf.c.number == number)).first())


def leaf_by_hash(connection: sa.Connection, leaf: bytes) -> LeafRecord | None:
    """The leaf of this hash."""
    return _leaf(connection.execute(sa.select(log_leaf).where(log_leaf.c.leaf == leaf)).first())


def leaf_of(connection: sa.Connection, kind: EntryKind, subject: int) -> LeafRecord | None:
    """The leaf of a redemption or a line of the audit, once it has its place."""
    wanted = (log_leaf.c.kind == kind) & (log_leaf.c.subject == subject)
    return _leaf(connection.execute(sa.select(log_leaf).where(wanted).order_by(log_leaf.c.number)).first())


def latest_leaves(connection: sa.Connection, *, limit: int) -> list[LeafRecord]:
    """The last leaves of the tree, oldest first."""
    rows = connection.execute(sa.select(log_leaf).order_by(log_leaf.c.number.desc()).limit(limit)).all()
    return [found for row in reversed(rows) if (found := _leaf(row)) is not None]


def erase(connection: sa.Connection, number: int) -> bool:
    """Erase salt and record of a leaf: False when there are none. The leaf and every proof stay."""
    there = (log_leaf.c.number == number) & log_leaf.c.salt.is_not(None)
    return connection.execute(log_leaf.update().where(there).values(salt=None, record=None)).rowcount > 0


def erase_holders(connection: sa.Connection, subject: int) -> None:
    """Erase salts and records of a unit's verification and handovers; those that wait are placed first."""
    waiting = log_pending.c.kind.in_(_OF_HOLDERS) & (log_pending.c.subject == subject)
    _place(connection, sa.select(log_pending.c.id).where(waiting).order_by(log_pending.c.id))
    placed = log_leaf.c.kind.in_(_OF_HOLDERS) & (log_leaf.c.subject == subject) & log_leaf.c.salt.is_not(None)
    connection.execute(log_leaf.update().where(placed).values(salt=None, record=None))


def keep_head(connection: sa.Connection, head: HeadRecord) -> None:
    """Keep a signed head; the same one again changes nothing."""
    insert_or_nothing(connection, log_head, size=head.size, at=head.at, note=head.note)


def last_head(connection: sa.Connection) -> HeadRecord | None:
    """The newest signed head."""
    row = connection.execute(sa.select(log_head).order_by(log_head.c.size.desc()).limit(1)).first()
    return None if row is None else HeadRecord(size=int(row.size), at=row.at, note=row.note)
