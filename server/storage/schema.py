"""The tables, portable between SQLite and PostgreSQL.

A batch of a million codes is one row; a code gets a row only when somebody tries to verify it.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(sa.types.TypeDecorator[datetime]):
    """A moment, stored as microseconds since 1970 in UTC: compact, sortable, and alike in both databases."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        """The stored number; only aware moments are accepted."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment must know its zone")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """The moment, aware, in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


def day_number(moment: datetime) -> int:
    """The day (UTC) a counter belongs to, counted from 1970-01-01."""
    return (moment - _EPOCH).days


def day_text(number: int) -> str:
    """The ISO date of a counter's day."""
    return (_EPOCH + timedelta(days=number)).date().isoformat()


COUNTER_SLOTS = 8
"""Rows that one counter is spread over, by unit: PostgreSQL makes those who add to the same row wait for each other."""


Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A 64-bit number; in SQLite this spelling makes it the row's own key, without a second index."""

brand = sa.Table(
    "brand",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("brand_id", sa.LargeBinary(16), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("root_fingerprint", sa.String(80), nullable=False),
    sa.Column("keyring_version", sa.Integer, nullable=False),
    sa.Column("keyring", sa.LargeBinary, nullable=False),
    sa.Column("keyring_at", Instant, nullable=False),
    sa.Column("server_id", sa.String(32)),
    sa.Column("alert_from", sa.Integer, nullable=False),
    sa.Column("alert_budget", sa.Integer, nullable=False, server_default="20"),
    sa.Column("accent", sa.String(7)),
    sa.Column("support", sa.Text),
    sa.Column("withdrawn_keys", sa.String(8), nullable=False, server_default="lock"),
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
(`erased_at`) they are nobody's.
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
)
"""Each time a unit was handed on: its new hop, and the hashes of who handed it on, until they are erased."""

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
    sa.Column("arrived_at", Instant),
    sa.Column("device", sa.String(32)),
    sa.Index(None, "unit", "at"),
    sa.Index(None, "batch_row", "at"),
    sa.Index(None, "unit", "mark"),
    sa.Index(None, "unit", "person"),
)
"""Every attempt to verify, appended and never changed. `unit` is null where the server knows no such unit.

`person` numbers a unit's askers from 1 in the order they first came. An offline scan happened at `at` and reached the
server at `arrived_at`, from `device`; both are null for an attempt that was answered at once.
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
"""The same attempts by country (`unknown` where none is known), whatever their day: the totals of a batch."""

keep_try = sa.Table(
    "keep_try",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("unit", sa.BigInteger, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("network_day", sa.LargeBinary(8)),
    sa.Column("network_unit", sa.LargeBinary(8)),
    sa.Index(None, "unit", "at"),
    sa.Index(None, "network_day", "at"),
)
"""Keep-codes that were wrong. Those that were right are attempts like others, in the history."""

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
"""What was done with an alert and said of it, appended. Without an actor it happened by itself."""

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
"""What the attempts behind an alert were told on each day; written with each attempt, in its transaction."""

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
"""Looks are telemetry: counts by unit, hour, region and what was said."""

staff = sa.Table(
    "staff",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("email", sa.String(254), nullable=False, unique=True),
    sa.Column("password_hash", sa.String(200), nullable=False),
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("session", sa.String(32), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
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
"""Tokens of print stations: what is presented is hashed and compared, and stands nowhere. Rows are never removed."""

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

log_tree = sa.Table(
    "log_tree",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("origin", sa.String(100), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
)
"""One row: the log's name and how many leaves it has. Whoever adds leaves holds this row."""

log_pending = sa.Table(
    "log_pending",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("subject", sa.BigInteger, nullable=False),
    sa.Column("leaf", sa.LargeBinary(32), nullable=False),
    sa.Column("salt", sa.LargeBinary(16), nullable=False),
    sa.Column("record", sa.Text, nullable=False),
)
"""Entries that are durable and have no place in the tree yet: a redemption writes here, and waits for nobody."""

log_leaf = sa.Table(
    "log_leaf",
    metadata,
    sa.Column("number", Id, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("subject", sa.BigInteger, nullable=False),
    sa.Column("leaf", sa.LargeBinary(32), nullable=False),
    sa.Column("salt", sa.LargeBinary(16)),
    sa.Column("record", sa.Text),
    sa.Index(None, "kind", "subject"),
    sa.Index(None, "leaf"),
)
"""The tree's leaves, numbered from 0 without a gap. Erasure empties salt and record; the leaf stays."""

log_node = sa.Table(
    "log_node",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
)
"""Roots of perfect subtrees at every eighth level: one row for 256 below it."""

log_head = sa.Table(
    "log_head",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)
"""Every head that was signed, exactly as it left."""
