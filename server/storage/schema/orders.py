"""Brands, their products, the orders that were registered, and what was done with ranges of them."""

import sqlalchemy as sa

from server.storage.schema.columns import Id, Instant, metadata

brand = sa.Table(
    "brand",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("brand_id", sa.LargeBinary(16), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("root_fingerprint", sa.String(80), nullable=False),
    sa.Column("keyring_version", sa.Integer, nullable=False),
    sa.Column("keyring", sa.LargeBinary, nullable=False),
    sa.Column("server_id", sa.String(32)),
    sa.Column("alert_from", sa.Integer, nullable=False),
    sa.Column("alert_budget", sa.Integer, nullable=False, server_default="20"),
    sa.Column("accent", sa.String(7)),
    sa.Column("support", sa.Text),
    sa.Column("withdrawn_keys", sa.String(8), nullable=False, server_default="lock"),
    sa.Column("cookie_on_look", sa.Boolean, nullable=False, server_default=sa.true()),
)

product = sa.Table(
    "product",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("brand", sa.ForeignKey("brand.id"), nullable=False),
    sa.Column("sku", sa.String(64), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("gtin", sa.String(14)),
    sa.Column("description", sa.Text),
    sa.Column("features", sa.JSON, nullable=False),
    sa.Column("picture", sa.LargeBinary),
    sa.Column("picture_type", sa.String(40)),
    sa.Column("support", sa.Text),
    sa.Column("placement_hint", sa.Text),
    sa.Column("more_url", sa.Text),
    sa.Column("updated_at", Instant, nullable=False),
    sa.UniqueConstraint("brand", "sku"),
)

batch = sa.Table(
    "batch",
    metadata,
    sa.Column("row", Id, primary_key=True),
    sa.Column("brand", sa.ForeignKey("brand.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("order_name", sa.String(200), nullable=False),
    sa.Column("product_sku", sa.String(64)),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("tiers", sa.String(8), nullable=False),
    sa.Column("profile", sa.String(8), nullable=False),
    sa.Column("form", sa.String(8), nullable=False),
    sa.Column("gtin", sa.String(14)),
    sa.Column("key_id", sa.String(2), nullable=False),
    sa.Column("placement", sa.String(8), nullable=False),
    sa.Column("drawn_by", sa.String(8), nullable=False),
    sa.Column("issued_at", Instant, nullable=False),
    sa.Column("registered_at", Instant, nullable=False),
    sa.Column("manifest", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("brand", "number"),
    sa.UniqueConstraint("brand", "order_name"),
    sqlite_autoincrement=True,
)
"""`row` is part of every unit id and is therefore never used again, not even after the batch is gone."""

range_act = sa.Table(
    "range_act",
    metadata,
    sa.Column("number", Id, primary_key=True),
    sa.Column("batch_row", sa.ForeignKey("batch.row"), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("first", sa.BigInteger, nullable=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("lot", sa.String(200)),
    sa.Column("expires", sa.Date),
    sa.Column("markets", sa.JSON, nullable=False),
    sa.Column("reason", sa.String(200)),
    sa.Column("link", sa.String(200)),
    sa.Index(None, "batch_row", "first", "last"),
    sqlite_autoincrement=True,
)
