"""Counters of attempts, looks and alerts by day, numbers for a unit's askers, and a place for offline scans.

Filled from the history that is there, so that every page says the same before and after.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_DAY_US = 86_400_000_000
_SLOTS = 8


def upgrade() -> None:
    """Make columns and tables, then count what is there."""
    op.add_column("scan", sa.Column("person", sa.Integer(), nullable=True))
    op.add_column("scan", sa.Column("arrived_at", sa.BigInteger(), nullable=True))
    op.add_column("scan", sa.Column("device", sa.String(length=32), nullable=True))
    op.create_index(op.f("ix_scan_unit_mark"), "scan", ["unit", "mark"], unique=False)
    _number_askers()
    op.create_index(op.f("ix_scan_unit_person"), "scan", ["unit", "person"], unique=False)
    _attempt_day()
    _attempt_place()
    _alert_day()
    _look_day()


def downgrade() -> None:
    """Drop them again; the history itself is untouched."""
    for table in ("look_day", "alert_day", "attempt_place", "attempt_day"):
        op.drop_table(table)
    op.drop_index(op.f("ix_scan_unit_person"), table_name="scan")
    op.drop_index(op.f("ix_scan_unit_mark"), table_name="scan")
    for column in ("device", "arrived_at", "person"):
        op.drop_column("scan", column)


def _number_askers() -> None:
    op.execute(
        """
        CREATE TEMPORARY TABLE numbered_askers AS
        SELECT unit, mark, row_number() OVER (PARTITION BY unit ORDER BY min(id)) AS person
        FROM scan WHERE unit IS NOT NULL GROUP BY unit, mark
        """
    )
    op.execute("CREATE INDEX numbered_askers_by_mark ON numbered_askers (unit, mark)")
    op.execute(
        """
        UPDATE scan SET person = (
            SELECT a.person FROM numbered_askers a WHERE a.unit = scan.unit AND a.mark = scan.mark
        ) WHERE unit IS NOT NULL
        """
    )
    op.execute("DROP TABLE numbered_askers")


def _attempt_day() -> None:
    op.create_table(
        "attempt_day",
        sa.Column("batch_row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("said", sa.String(length=20), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("burned", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("batch_row", "day", "said", "slot", name=op.f("pk_attempt_day")),
    )
    op.execute(
        f"""
        INSERT INTO attempt_day (batch_row, day, said, slot, attempts, burned)
        SELECT batch_row, at / {_DAY_US}, said, unit_index % {_SLOTS}, count(*), sum(CASE WHEN burned THEN 1 ELSE 0 END)
        FROM scan WHERE batch_row IS NOT NULL GROUP BY 1, 2, 3, 4
        """  # noqa: S608 - two whole numbers of ours
    )


def _attempt_place() -> None:
    op.create_table(
        "attempt_place",
        sa.Column("batch_row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("said", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=7), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("burned", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("batch_row", "said", "country", "slot", name=op.f("pk_attempt_place")),
    )
    op.execute(
        f"""
        INSERT INTO attempt_place (batch_row, said, country, slot, attempts, burned)
        SELECT batch_row, said, coalesce(country, 'unknown'), unit_index % {_SLOTS}, count(*),
            sum(CASE WHEN burned THEN 1 ELSE 0 END)
        FROM scan WHERE batch_row IS NOT NULL GROUP BY 1, 2, 3, 4
        """  # noqa: S608 - a whole number of ours
    )


def _alert_day() -> None:
    op.create_table(
        "alert_day",
        sa.Column("alert", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("said", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["alert"], ["alert.id"], name=op.f("fk_alert_day_alert")),
        sa.PrimaryKeyConstraint("alert", "day", "said", name=op.f("pk_alert_day")),
    )
    op.execute(
        f"""
        INSERT INTO alert_day (alert, day, said, attempts)
        SELECT alert_scan.alert, scan.at / {_DAY_US}, scan.said, count(*)
        FROM alert_scan JOIN scan ON scan.id = alert_scan.scan GROUP BY 1, 2, 3
        """  # noqa: S608 - a whole number of ours
    )


def _look_day() -> None:
    op.create_table(
        "look_day",
        sa.Column("batch_row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("said", sa.String(length=20), nullable=False),
        sa.Column("looks", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("batch_row", "day", "said", name=op.f("pk_look_day")),
    )
    op.execute(
        f"""
        INSERT INTO look_day (batch_row, day, said, looks)
        SELECT (unit >> 35) & 33554431, hour / {_DAY_US}, said, sum(looks)
        FROM look_count GROUP BY 1, 2, 3
        """  # noqa: S608 - a whole number of ours
    )
