"""The log of redemptions and keyrings: entries that wait, the tree, and its signed heads."""

import sqlalchemy as sa

from server.storage.schema.columns import Id, Instant, metadata

log_tree = sa.Table(
    "log_tree",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("origin", sa.String(100), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
)
"""One row: the log's name and how many leaves it has. It is locked while leaves are added."""

log_pending = sa.Table(
    "log_pending",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("subject", sa.BigInteger, nullable=False),
    sa.Column("leaf", sa.LargeBinary(32), nullable=False),
    sa.Column("salt", sa.LargeBinary(16), nullable=False),
    sa.Column("record", sa.Text, nullable=False),
)
"""Entries that are durable and have no place in the tree yet: a redemption writes here, and waits for no lock."""

log_leaf = sa.Table(
    "log_leaf",
    metadata,
    sa.Column("number", Id, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("subject", sa.BigInteger, nullable=False),
    sa.Column("leaf", sa.LargeBinary(32), nullable=False),
    sa.Column("salt", sa.LargeBinary(16)),
    sa.Column("record", sa.Text),
    sa.Index(None, "kind", "subject"),
    sa.Index(None, "leaf"),
)
"""The tree's leaves, numbered from 0 without a gap. Erasure empties salt and record; the leaf stays."""

log_node = sa.Table(
    "log_node",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
)
"""Roots of perfect subtrees at every eighth level: one row for 256 below it."""

log_head = sa.Table(
    "log_head",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)
"""Every head that was signed, exactly as it left."""
