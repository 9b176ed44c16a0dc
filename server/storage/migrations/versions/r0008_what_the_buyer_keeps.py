"""The log head that a redemption refers to, and what becomes of redemptions: undone, handed on, forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make columns and tables. Redemptions of before refer to no head: their proofs stay as they were given."""
    op.add_column("redemption", sa.Column("log_size", sa.BigInteger(), nullable=True))
    op.add_column("redemption", sa.Column("erased_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "undo",
        sa.Column("unit", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_undo")),
    )
    op.create_table(
        "handover",
        sa.Column("unit", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hop", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("claim_hash", sa.LargeBinary(length=16), nullable=True),
        sa.Column("holder_hash", sa.LargeBinary(length=16), nullable=True),
        sa.PrimaryKeyConstraint("unit", "hop", name=op.f("pk_handover")),
    )


def downgrade() -> None:
    """Drop them again; who undid or handed on something is forgotten with them."""
    op.drop_table("handover")
    op.drop_table("undo")
    op.drop_column("redemption", "erased_at")
    op.drop_column("redemption", "log_size")
