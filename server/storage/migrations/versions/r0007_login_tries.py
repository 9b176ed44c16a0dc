"""Refused logins, so that guessing is slowed down across workers and restarts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "login_try",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.LargeBinary(length=16), nullable=False),
        sa.Column("network", sa.LargeBinary(length=8), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_try")),
    )
    op.create_index(op.f("ix_login_try_network_at"), "login_try", ["network", "at"], unique=False)
    op.create_index(op.f("ix_login_try_at"), "login_try", ["at"], unique=False)


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("login_try")
