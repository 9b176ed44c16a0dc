"""What all tables are made of: one metadata object, and column types that are alike in both databases."""

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

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's own signature
        """The stored number; only aware moments are accepted."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment must know its zone")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's own signature
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
