"""Every attempt to verify, and the counters over attempts and looks."""

import sqlalchemy as sa

from server.storage.schema.columns import Id, Instant, metadata

scan = sa.Table(
    "scan",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("brand", sa.ForeignKey("brand.id"), nullable=False),
    sa.Column("unit", sa.BigInteger),
    sa.Column("batch_row", sa.BigInteger),
    sa.Column("batch_number", sa.Integer, nullable=False),
    sa.Column("unit_index", sa.BigInteger, nullable=False),
    sa.Column("tier", sa.Integer, nullable=False),
    sa.Column("key_id", sa.String(2), nullable=False),
    sa.Column("serial", sa.String(13), nullable=False),
    sa.Column("channel", sa.String(8), nullable=False),
    sa.Column("said", sa.String(20), nullable=False),
    sa.Column("burned", sa.Boolean, nullable=False),
    sa.Column("own", sa.Boolean, nullable=False),
    sa.Column("staff", sa.Boolean, nullable=False),
    sa.Column("mark", sa.LargeBinary(16), nullable=False),
    sa.Column("country", sa.String(2)),
    sa.Column("region", sa.String(3)),
    sa.Column("network_day", sa.LargeBinary(8)),
    sa.Column("network_unit", sa.LargeBinary(8)),
    sa.Column("person", sa.Integer),
    sa.Index(None, "unit", "at"),
    sa.Index(None, "batch_row", "at"),
    sa.Index(None, "unit", "mark"),
    sa.Index(None, "unit", "person"),
    sa.Index(
        "ix_scan_stranger",
        "unit",
        "at",
        sqlite_where=sa.text("staff = 0 AND own = 0"),
        postgresql_where=sa.text("NOT staff AND NOT own"),
    ),
    sa.Index(
        "ix_scan_keep_code",
        "unit",
        "at",
        sqlite_where=sa.text("channel = 'keep' AND staff = 0"),
        postgresql_where=sa.text("channel = 'keep' AND NOT staff"),
    ),
)
"""Every attempt to verify, appended and never changed. `unit` is null where the server knows no such unit.

`person` numbers a unit's askers from 1 in the order they first came.

Two indices have some attempts only, so that the many of one kind are not read for the few of another:
`ix_scan_stranger` those of neither holder nor staff, which no first verification is among, `ix_scan_keep_code` the uses
of keep-codes.
"""

attempt_day = sa.Table(
    "attempt_day",
    metadata,
    sa.Column("batch_row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("said", sa.String(20), primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("attempts", sa.BigInteger, nullable=False),
    sa.Column("burned", sa.BigInteger, nullable=False),
)
"""How many attempts of a batch were answered how on each day; written with each attempt, in its transaction."""

attempt_place = sa.Table(
    "attempt_place",
    metadata,
    sa.Column("batch_row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("said", sa.String(20), primary_key=True),
    sa.Column("country", sa.String(7), primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("attempts", sa.BigInteger, nullable=False),
    sa.Column("burned", sa.BigInteger, nullable=False),
)
"""The same attempts by country (`unknown` where none is known), over all days: the totals of a batch."""

look_day = sa.Table(
    "look_day",
    metadata,
    sa.Column("batch_row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("said", sa.String(20), primary_key=True),
    sa.Column("looks", sa.BigInteger, nullable=False),
)
"""Looks at a batch's units by day; written with the counts below, in their transaction."""

look_count = sa.Table(
    "look_count",
    metadata,
    sa.Column("unit", sa.BigInteger, primary_key=True),
    sa.Column("hour", Instant, primary_key=True),
    sa.Column("place", sa.String(10), primary_key=True),
    sa.Column("said", sa.String(20), primary_key=True),
    sa.Column("looks", sa.BigInteger, nullable=False),
)
"""Looks are telemetry: counts by unit, hour, region and verdict."""
