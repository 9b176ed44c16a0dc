"""Print stations' tokens as rows; the token itself is in none of them."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from server.storage.schema import api_token, day_number, day_text


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """A token. `brand` is a stored reference, `hash` its SHA-256, `scopes` names with spaces between them."""

    id: int
    prefix: str
    hash: bytes
    brand: int
    label: str
    scopes: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_day: int | None
    revoked_at: datetime | None


_COLUMNS = [api_token.c[name] for name in TokenRecord.__slots__]


def token_by_prefix(connection: sa.Connection, prefix: str) -> TokenRecord | None:
    """The token with this public part."""
    row = connection.execute(sa.select(*_COLUMNS).where(api_token.c.prefix == prefix)).mappings().first()
    return None if row is None else TokenRecord(**row)


def all_tokens(connection: sa.Connection) -> list[TokenRecord]:
    """Every token, the latest made first, those that are over included."""
    rows = connection.execute(sa.select(*_COLUMNS).order_by(api_token.c.id.desc())).mappings()
    return [TokenRecord(**row) for row in rows]


def add_token(connection: sa.Connection, **values: object) -> None:
    """A new token; its prefix must be free."""
    connection.execute(api_token.insert().values(**values))


def set_last_use(connection: sa.Connection, record: TokenRecord, *, at: datetime) -> None:
    """Remember the day on which a token was last used."""
    connection.execute(api_token.update().where(api_token.c.id == record.id).values(last_used_day=day_number(at)))


def last_use(record: TokenRecord) -> str | None:
    """The day on which a token was last used, None where it never was."""
    return None if record.last_used_day is None else day_text(record.last_used_day)


def is_used_on_day_of(record: TokenRecord, moment: datetime) -> bool:
    """Whether a use at that moment is remembered already."""
    return record.last_used_day == day_number(moment)


def revoke(connection: sa.Connection, number: int, *, at: datetime) -> None:
    """End a token for good."""
    connection.execute(api_token.update().where(api_token.c.id == number).values(revoked_at=at))
