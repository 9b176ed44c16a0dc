"""Wrong claims that can be guessed, counted beside wrong keep-codes."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; every try so far was one of a keep-code."""
    op.add_column("keep_try", sa.Column("claim", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop it again, and the tries that it names: without it they would count as keep-codes."""
    op.execute(sa.text("DELETE FROM keep_try WHERE claim"))
    op.drop_column("keep_try", "claim")
