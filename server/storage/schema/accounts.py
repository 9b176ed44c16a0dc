"""Who may act: staff, print stations' tokens, logins that were refused, and what everybody did."""

import sqlalchemy as sa

from server.storage.schema.columns import Id, Instant, metadata

staff = sa.Table(
    "staff",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("email", sa.String(254), nullable=False, unique=True),
    sa.Column("password_hash", sa.String(200), nullable=False),
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("session", sa.String(32), nullable=False),
    sa.Column("last_login_at", Instant),
    sa.Column("zone", sa.String(64)),
)
"""Accounts. `zone` is the IANA name of the time zone that its owner reads in; null for UTC."""

api_token = sa.Table(
    "api_token",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("prefix", sa.String(8), nullable=False, unique=True),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
    sa.Column("brand", sa.ForeignKey("brand.id"), nullable=False),
    sa.Column("label", sa.String(64), nullable=False),
    sa.Column("scopes", sa.String(200), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("created_by", sa.String(254), nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("last_used_day", sa.Integer),
    sa.Column("revoked_at", Instant),
)
"""Tokens of print stations: only the hash of a token is kept. Rows are never removed."""

login_try = sa.Table(
    "login_try",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("account", sa.LargeBinary(16), nullable=False),
    sa.Column("network", sa.LargeBinary(8)),
    sa.Column("at", Instant, nullable=False),
    sa.Index(None, "network", "at"),
    sa.Index(None, "at"),
)
"""Logins that were refused within the last hour, by a hash of the typed address and the pseudonym of the network."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", sa.String(254), nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(254), nullable=False),
    sa.Index(None, "actor", "id"),
    sa.Index(None, "action", "id"),
)
"""What staff did, appended and never changed."""
