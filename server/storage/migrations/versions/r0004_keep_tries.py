"""Wrong keep-codes, so that tries are limited across workers and restarts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "keep_try",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("network_day", sa.LargeBinary(length=8), nullable=True),
        sa.Column("network_unit", sa.LargeBinary(length=8), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keep_try")),
    )
    op.create_index(op.f("ix_keep_try_unit_at"), "keep_try", ["unit", "at"], unique=False)
    op.create_index(op.f("ix_keep_try_network_day_at"), "keep_try", ["network_day", "at"], unique=False)


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("keep_try")
