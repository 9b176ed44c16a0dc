"""Alerts, what they are made of, and what staff did with them."""

import sqlalchemy as sa

from server.storage.schema.columns import Id, Instant, metadata

alert = sa.Table(
    "alert",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("brand", sa.ForeignKey("brand.id"), nullable=False),
    sa.Column("rule", sa.String(20), nullable=False),
    sa.Column("subject", sa.String(60), nullable=False),
    sa.Column("severity", sa.Integer, nullable=False),
    sa.Column("batch_row", sa.BigInteger),
    sa.Column("unit", sa.BigInteger),
    sa.Column("serial", sa.String(13)),
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("claims", sa.BigInteger, nullable=False),
    sa.Column("places", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.BigInteger),
    sa.Column("snoozed_until", Instant),
    sa.Column("closed_at", Instant),
    sa.Column("cause", sa.String(12)),
    sa.Column("loud_at", Instant),
    sa.UniqueConstraint("brand", "rule", "subject"),
    sa.Index(None, "loud_at"),
    sa.Index(None, "last_at"),
    sa.Index(None, "batch_row"),
    sa.Index(None, "unit"),
)
"""One growing row for each thing that happened. Distinct claims and places have rows of their own below.

`owner` is an account's number. `closed_at` and `cause` are set together, and emptied when a closed alert grows.
`loud_at` is when it last became news: raised, louder, or open again by itself.
"""

alert_event = sa.Table(
    "alert_event",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("alert", sa.ForeignKey("alert.id"), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", sa.String(254)),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("detail", sa.String(254)),
    sa.Column("comment", sa.Text),
    sa.Index(None, "alert", "id"),
)
"""What was done with an alert, and comments on it, appended. Without an actor it happened by itself."""

alert_mute = sa.Table(
    "alert_mute",
    metadata,
    sa.Column("batch_row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("rule", sa.String(20), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", sa.String(254), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
"""Rules that are quiet for a batch: its alerts go on growing, and are listed apart."""

alert_claim = sa.Table(
    "alert_claim",
    metadata,
    sa.Column("alert", sa.ForeignKey("alert.id"), primary_key=True),
    sa.Column("mark", sa.LargeBinary(16), primary_key=True),
)

alert_place = sa.Table(
    "alert_place",
    metadata,
    sa.Column("alert", sa.ForeignKey("alert.id"), primary_key=True),
    sa.Column("place", sa.String(10), primary_key=True),
    sa.Column("attempts", sa.BigInteger, nullable=False, server_default="0"),
)

alert_scan = sa.Table(
    "alert_scan",
    metadata,
    sa.Column("alert", sa.ForeignKey("alert.id"), primary_key=True),
    sa.Column("scan", sa.ForeignKey("scan.id"), primary_key=True),
)

alert_day = sa.Table(
    "alert_day",
    metadata,
    sa.Column("alert", sa.ForeignKey("alert.id"), primary_key=True),
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("said", sa.String(20), primary_key=True),
    sa.Column("attempts", sa.BigInteger, nullable=False),
)
"""The verdicts of the attempts behind an alert on each day; written with each attempt, in its transaction."""
