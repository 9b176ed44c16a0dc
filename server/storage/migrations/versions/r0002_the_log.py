"""The log: leaves that wait, the tree's leaves and nodes, signed heads.

Salts lie with their entries now; the columns that were kept free for them elsewhere go.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SALTED = ("redemption", "range_act", "scan", "audit")
_TABLES = ("log_tree", "log_pending", "log_leaf", "log_node", "log_head")


def upgrade() -> None:
    """Make the tables, and give this server's log its name."""
    tree = op.create_table(
        "log_tree",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("origin", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_tree")),
    )
    op.bulk_insert(tree, [{"id": 1, "origin": f"authcode-log/{secrets.token_hex(8)}", "size": 0}])
    op.create_table(
        "log_pending",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_pending")),
    )
    op.create_table(
        "log_leaf",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=True),
        sa.Column("record", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_leaf")),
    )
    op.create_index(op.f("ix_log_leaf_kind_subject"), "log_leaf", ["kind", "subject"], unique=False)
    op.create_index(op.f("ix_log_leaf_leaf"), "log_leaf", ["leaf"], unique=False)
    op.create_table(
        "log_node",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_log_node")),
    )
    op.create_table(
        "log_head",
        sa.Column("size", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_head")),
    )
    for table in _SALTED:
        op.drop_column(table, "log_salt")


def downgrade() -> None:
    """Drop them again; what the log said is lost."""
    for table in _SALTED:
        op.add_column(table, sa.Column("log_salt", sa.LargeBinary(length=16), nullable=True))
    for table in reversed(_TABLES):
        op.drop_table(table)
