"""The first tables: brands, products, batches, range acts, redemptions, history, alerts, looks, staff, audit.

A revision is never changed once it is released: it stands for itself and imports nothing of the present schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, those that others point to first."""
    _audit()
    _brand()
    _look_count()
    _redemption()
    _staff()
    _alert()
    _batch()
    _product()
    _scan()
    _alert_claim()
    _alert_place()
    _alert_scan()
    _range_act()


def downgrade() -> None:
    """Drop them again."""
    for name in reversed(_TABLES):
        op.drop_table(name)


_TABLES = (
    "audit",
    "brand",
    "look_count",
    "redemption",
    "staff",
    "alert",
    "batch",
    "product",
    "scan",
    "alert_claim",
    "alert_place",
    "alert_scan",
    "range_act",
)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=254), nullable=False),
        sa.Column("log_salt", sa.LargeBinary(length=16), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )


def _brand() -> None:
    op.create_table(
        "brand",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("root_fingerprint", sa.String(length=80), nullable=False),
        sa.Column("keyring_version", sa.Integer(), nullable=False),
        sa.Column("keyring", sa.LargeBinary(), nullable=False),
        sa.Column("keyring_at", sa.BigInteger(), nullable=False),
        sa.Column("server_id", sa.String(length=32), nullable=True),
        sa.Column("alert_from", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
        sa.UniqueConstraint("brand_id", name=op.f("uq_brand_brand_id")),
    )


def _look_count() -> None:
    op.create_table(
        "look_count",
        sa.Column("unit", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.String(length=10), nullable=False),
        sa.Column("said", sa.String(length=20), nullable=False),
        sa.Column("looks", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "hour", "place", "said", name=op.f("pk_look_count")),
    )


def _redemption() -> None:
    op.create_table(
        "redemption",
        sa.Column("unit", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("region", sa.String(length=3), nullable=True),
        sa.Column("claim_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("holder_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("hop", sa.Integer(), nullable=False),
        sa.Column("log_salt", sa.LargeBinary(length=16), nullable=True),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_redemption")),
    )


def _staff() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_login_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
    )


def _alert() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("batch_row", sa.BigInteger(), nullable=True),
        sa.Column("unit", sa.BigInteger(), nullable=True),
        sa.Column("serial", sa.String(length=13), nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("claims", sa.BigInteger(), nullable=False),
        sa.Column("places", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["brand"], ["brand.id"], name=op.f("fk_alert_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("brand", "rule", "subject", name=op.f("uq_alert_brand_rule_subject")),
    )
    op.create_index(op.f("ix_alert_batch_row"), "alert", ["batch_row"], unique=False)
    op.create_index(op.f("ix_alert_last_at"), "alert", ["last_at"], unique=False)
    op.create_index(op.f("ix_alert_unit"), "alert", ["unit"], unique=False)


def _batch() -> None:
    op.create_table(
        "batch",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("order_name", sa.String(length=200), nullable=False),
        sa.Column("product_sku", sa.String(length=64), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("tiers", sa.String(length=8), nullable=False),
        sa.Column("profile", sa.String(length=8), nullable=False),
        sa.Column("form", sa.String(length=8), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=True),
        sa.Column("key_id", sa.String(length=2), nullable=False),
        sa.Column("placement", sa.String(length=8), nullable=False),
        sa.Column("drawn_by", sa.String(length=8), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["brand"], ["brand.id"], name=op.f("fk_batch_brand")),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_batch")),
        sa.UniqueConstraint("brand", "number", name=op.f("uq_batch_brand_number")),
        sa.UniqueConstraint("brand", "order_name", name=op.f("uq_batch_brand_order_name")),
        sqlite_autoincrement=True,
    )


def _product() -> None:
    op.create_table(
        "product",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=True),
        sa.Column("picture_type", sa.String(length=40), nullable=True),
        sa.Column("support", sa.Text(), nullable=True),
        sa.Column("placement_hint", sa.Text(), nullable=True),
        sa.Column("more_url", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["brand"], ["brand.id"], name=op.f("fk_product_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("brand", "sku", name=op.f("uq_product_brand_sku")),
    )


def _scan() -> None:
    op.create_table(
        "scan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("brand", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit", sa.BigInteger(), nullable=True),
        sa.Column("batch_row", sa.BigInteger(), nullable=True),
        sa.Column("batch_number", sa.Integer(), nullable=False),
        sa.Column("unit_index", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=2), nullable=False),
        sa.Column("serial", sa.String(length=13), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("said", sa.String(length=20), nullable=False),
        sa.Column("burned", sa.Boolean(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("staff", sa.Boolean(), nullable=False),
        sa.Column("mark", sa.LargeBinary(length=16), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("region", sa.String(length=3), nullable=True),
        sa.Column("network_day", sa.LargeBinary(length=8), nullable=True),
        sa.Column("network_unit", sa.LargeBinary(length=8), nullable=True),
        sa.Column("log_salt", sa.LargeBinary(length=16), nullable=True),
        sa.ForeignKeyConstraint(["brand"], ["brand.id"], name=op.f("fk_scan_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
    )
    op.create_index(op.f("ix_scan_batch_row_at"), "scan", ["batch_row", "at"], unique=False)
    op.create_index(op.f("ix_scan_unit_at"), "scan", ["unit", "at"], unique=False)


def _alert_claim() -> None:
    op.create_table(
        "alert_claim",
        sa.Column("alert", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mark", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["alert"], ["alert.id"], name=op.f("fk_alert_claim_alert")),
        sa.PrimaryKeyConstraint("alert", "mark", name=op.f("pk_alert_claim")),
    )


def _alert_place() -> None:
    op.create_table(
        "alert_place",
        sa.Column("alert", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["alert"], ["alert.id"], name=op.f("fk_alert_place_alert")),
        sa.PrimaryKeyConstraint("alert", "place", name=op.f("pk_alert_place")),
    )


def _alert_scan() -> None:
    op.create_table(
        "alert_scan",
        sa.Column("alert", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scan", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["alert"], ["alert.id"], name=op.f("fk_alert_scan_alert")),
        sa.ForeignKeyConstraint(["scan"], ["scan.id"], name=op.f("fk_alert_scan_scan")),
        sa.PrimaryKeyConstraint("alert", "scan", name=op.f("pk_alert_scan")),
    )


def _range_act() -> None:
    op.create_table(
        "range_act",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("lot", sa.String(length=200), nullable=True),
        sa.Column("expires", sa.Date(), nullable=True),
        sa.Column("markets", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("link", sa.String(length=200), nullable=True),
        sa.Column("log_salt", sa.LargeBinary(length=16), nullable=True),
        sa.ForeignKeyConstraint(["batch_row"], ["batch.row"], name=op.f("fk_range_act_batch_row")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_range_act")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_range_act_batch_row_first_last"), "range_act", ["batch_row", "first", "last"], unique=False
    )
