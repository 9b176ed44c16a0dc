"""What staff do with alerts, how often each place asked, a brand's own settings, and an audit that can be searched."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ALERT = (
    ("owner", sa.BigInteger()),
    ("snoozed_until", sa.BigInteger()),
    ("closed_at", sa.BigInteger()),
    ("cause", sa.String(length=12)),
)


def upgrade() -> None:
    """Add columns and tables, then count the places of the alerts that are there."""
    op.add_column("brand", sa.Column("alert_budget", sa.Integer(), nullable=False, server_default="20"))
    op.add_column("brand", sa.Column("accent", sa.String(length=7), nullable=True))
    op.add_column("brand", sa.Column("support", sa.Text(), nullable=True))
    for name, kind in _ALERT:
        op.add_column("alert", sa.Column(name, kind, nullable=True))
    op.create_table(
        "alert_event",
        sa.Column("id", _ID, nullable=False),
        sa.Column("alert", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("detail", sa.String(length=254), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["alert"], ["alert.id"], name=op.f("fk_alert_event_alert")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_event")),
    )
    op.create_index(op.f("ix_alert_event_alert_id"), "alert_event", ["alert", "id"], unique=False)
    op.create_table(
        "alert_mute",
        sa.Column("batch_row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_row", "rule", name=op.f("pk_alert_mute")),
    )
    op.create_index(op.f("ix_audit_actor_id"), "audit", ["actor", "id"], unique=False)
    op.create_index(op.f("ix_audit_action_id"), "audit", ["action", "id"], unique=False)
    _count_places()


def downgrade() -> None:
    """Drop them again; alerts stay, what was said of them does not."""
    op.drop_column("alert_place", "attempts")
    op.drop_index(op.f("ix_audit_action_id"), table_name="audit")
    op.drop_index(op.f("ix_audit_actor_id"), table_name="audit")
    op.drop_table("alert_mute")
    op.drop_table("alert_event")
    for name, _kind in reversed(_ALERT):
        op.drop_column("alert", name)
    for name in ("support", "accent", "alert_budget"):
        op.drop_column("brand", name)


def _count_places() -> None:
    op.add_column("alert_place", sa.Column("attempts", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        """
        CREATE TEMPORARY TABLE counted_places AS
        SELECT alert_scan.alert AS alert,
            CASE WHEN scan.country IS NULL THEN 'unknown' WHEN scan.region IS NULL THEN scan.country
                ELSE scan.country || '-' || scan.region END AS place,
            count(*) AS attempts
        FROM alert_scan JOIN scan ON scan.id = alert_scan.scan GROUP BY 1, 2
        """
    )
    op.execute("CREATE INDEX counted_places_by_alert ON counted_places (alert, place)")
    op.execute(
        """
        UPDATE alert_place SET attempts = (
            SELECT c.attempts FROM counted_places c WHERE c.alert = alert_place.alert AND c.place = alert_place.place
        ) WHERE EXISTS (
            SELECT 1 FROM counted_places c WHERE c.alert = alert_place.alert AND c.place = alert_place.place
        )
        """
    )
    op.execute("DROP TABLE counted_places")
