"""What a brand wants for units that were in the world before their key was withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; until a brand chooses otherwise such units stay locked, as they were."""
    op.add_column("brand", sa.Column("withdrawn_keys", sa.String(length=8), server_default="lock", nullable=False))


def downgrade() -> None:
    """Drop it again: such units are locked."""
    op.drop_column("brand", "withdrawn_keys")
