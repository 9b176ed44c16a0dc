"""When an alert last became news, and the time zone that each member of staff reads in."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns; whoever has not chosen reads UTC, and alerts that are there are no news."""
    op.add_column("staff", sa.Column("zone", sa.String(length=64), nullable=True))
    op.add_column("alert", sa.Column("loud_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_alert_loud_at", "alert", ["loud_at"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_index("ix_alert_loud_at", "alert")
    op.drop_column("alert", "loud_at")
    op.drop_column("staff", "zone")
