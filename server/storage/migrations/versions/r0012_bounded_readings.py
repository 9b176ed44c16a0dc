"""Indices for the few attempts that are read beside very many, and for wrong tries that count no more."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_index(
        "ix_scan_stranger",
        "scan",
        ["unit", "at"],
        sqlite_where=sa.text("staff = 0 AND own = 0"),
        postgresql_where=sa.text("NOT staff AND NOT own"),
    )
    op.create_index(
        "ix_scan_keep_code",
        "scan",
        ["unit", "at"],
        sqlite_where=sa.text("channel = 'keep' AND staff = 0"),
        postgresql_where=sa.text("channel = 'keep' AND NOT staff"),
    )
    op.create_index("ix_keep_try_at", "keep_try", ["at"])
    op.drop_index("ix_keep_try_network_day_at", "keep_try")
    op.create_index(
        "ix_keep_try_network_day_at",
        "keep_try",
        ["network_day", "at"],
        sqlite_where=sa.text("claim = 0"),
        postgresql_where=sa.text("NOT claim"),
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_index("ix_keep_try_network_day_at", "keep_try")
    op.create_index("ix_keep_try_network_day_at", "keep_try", ["network_day", "at"])
    op.drop_index("ix_keep_try_at", "keep_try")
    op.drop_index("ix_scan_keep_code", "scan")
    op.drop_index("ix_scan_stranger", "scan")
