"""What became of single units: used, returned, handed on. A unit that was never tried has no row."""

import sqlalchemy as sa

from server.storage.schema.columns import Id, Instant, metadata

redemption = sa.Table(
    "redemption",
    metadata,
    sa.Column("unit", Id, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("country", sa.String(2)),
    sa.Column("region", sa.String(3)),
    sa.Column("claim_hash", sa.LargeBinary(16), nullable=False),
    sa.Column("holder_hash", sa.LargeBinary(16), nullable=False),
    sa.Column("hop", sa.Integer, nullable=False),
    sa.Column("log_size", sa.BigInteger),
    sa.Column("erased_at", Instant),
)
"""One row for each use of a unit. The unit with its life is the only unique constraint: it decides who was first.

`log_size` names the log's last head before it. The two hashes are the present holder's; once they were erased
(`erased_at`) they are random.
"""

undo = sa.Table(
    "undo",
    metadata,
    sa.Column("unit", Id, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.String(8), nullable=False),
    sa.Column("reason", sa.String(200)),
)
"""Redemptions that were taken back, by holder or staff. The unit goes on in its next life; the redemption stays."""

handover = sa.Table(
    "handover",
    metadata,
    sa.Column("unit", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hop", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("claim_hash", sa.LargeBinary(16)),
    sa.Column("holder_hash", sa.LargeBinary(16)),
    sa.Column("giver_hash", sa.LargeBinary(16)),
    sa.Column("by_gift", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""Each time a unit was handed on: its new hop, and the hashes of who handed it on, until they are erased.

`giver_hash` is the mark of the browser that did it, which may be another one than the holder's own. Of what was handed
on `by_gift` nothing is repeated to the giver.
"""

remembered = sa.Table(
    "remembered",
    metadata,
    sa.Column("unit", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("holder_hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("at", Instant, nullable=False),
)
"""Browsers that showed the present holder's keep-code and are remembered, by the mark of their cookie on this unit."""

gift = sa.Table(
    "gift",
    metadata,
    sa.Column("token_hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("unit", sa.BigInteger, nullable=False),
    sa.Column("hop", sa.Integer, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("giver_hash", sa.LargeBinary(16)),
    sa.Column("taken_at", Instant),
    sa.Column("withdrawn_at", Instant),
    sa.Index(None, "unit", "at"),
    sa.Index(
        "uq_gift_open",
        "unit",
        unique=True,
        sqlite_where=sa.text("taken_at IS NULL AND withdrawn_at IS NULL"),
        postgresql_where=sa.text("taken_at IS NULL AND withdrawn_at IS NULL"),
    ),
)
"""Links that give a unit away, each by the hash of its token; a unit has one open link at a time.

`hop` is that of the giver, `giver_hash` the mark of the giver's browser, until that is erased.
"""

keep_try = sa.Table(
    "keep_try",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("unit", sa.BigInteger, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("network_day", sa.LargeBinary(8)),
    sa.Column("network_unit", sa.LargeBinary(8)),
    sa.Column("claim", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(None, "unit", "at"),
    sa.Index(
        "ix_keep_try_network_day_at",
        "network_day",
        "at",
        sqlite_where=sa.text("claim = 0"),
        postgresql_where=sa.text("NOT claim"),
    ),
    sa.Index(None, "at"),
)
"""Wrong keep-codes and claims (`claim`); those that count nowhere any more are deleted when others come."""
