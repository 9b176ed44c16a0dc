"""Brands and their published keyrings."""

from dataclasses import dataclass

import sqlalchemy as sa

from keys.base.errors import AuthcodeError
from server.domain.alerts.alert import DEFAULT_ALERT_FROM
from server.domain.alerts.triage import DEFAULT_ALERT_BUDGET
from server.storage.schema import brand


class BrandUnknown(AuthcodeError):
    """A brand whose keyring was never published to this server."""

    code = "brand_unknown"
    http_status = 404
    sentence = (
        "This server does not know the brand yet; take in its keys first: `authcode keys publish` where its issuer's "
        "part is in the same home, else `authcode keys receive FILE`."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandRecord:
    """A brand as the server knows it: the pinned root and the highest keyring version seen.

    `alert_from` is the number of other claims on one code from which on a duplicate is an alert, `alert_budget` about
    how many alerts a week its staff can open. `accent` is a colour (#rrggbb), `support` a line for shoppers.
    `withdrawn_keys` is a value of `WithdrawnKeys`; `cookie_on_look` is whether a look sets the holder cookie.
    """

    id: int
    brand_id: bytes
    name: str
    root_fingerprint: str
    keyring_version: int
    keyring: bytes
    server_id: str | None
    alert_from: int
    alert_budget: int
    accent: str | None
    support: str | None
    withdrawn_keys: str
    cookie_on_look: bool


def _record(row: sa.RowMapping) -> BrandRecord:
    return BrandRecord(**{name: row[name] for name in BrandRecord.__slots__})


def all_brands(connection: sa.Connection) -> list[BrandRecord]:
    """Every brand, in the order of their arrival."""
    return [_record(row) for row in connection.execute(sa.select(brand).order_by(brand.c.id)).mappings()]


def brand_by_brand_id(connection: sa.Connection, brand_id: bytes) -> BrandRecord | None:
    """The brand with this id of 16 bytes."""
    row = connection.execute(sa.select(brand).where(brand.c.brand_id == brand_id)).mappings().first()
    return None if row is None else _record(row)


def brand_by_id(connection: sa.Connection, number: int) -> BrandRecord:
    """The brand of a stored reference."""
    return _record(connection.execute(sa.select(brand).where(brand.c.id == number)).mappings().one())


def add_brand(connection: sa.Connection, **values: object) -> None:
    """Add a brand with its first keyring, whose root is pinned by it."""
    settings = {"alert_from": DEFAULT_ALERT_FROM, "alert_budget": DEFAULT_ALERT_BUDGET}
    connection.execute(brand.insert().values(**settings, **values))


def set_brand(connection: sa.Connection, number: int, **values: object) -> None:
    """Change columns of a brand: those of its keyring and root, or its settings."""
    connection.execute(brand.update().where(brand.c.id == number).values(**values))
