"""Products, as their brands publish them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from server.storage.schema import product


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRecord:
    """A product without its picture's bytes; `picture_type` is None where there is no picture."""

    sku: str
    name: str
    gtin: str | None
    description: str | None
    features: tuple[str, ...]
    picture_type: str | None
    support: str | None
    placement_hint: str | None
    more_url: str | None


_COLUMNS = [product.c[name] for name in ProductRecord.__slots__]


def put_product(
    connection: sa.Connection, brand: int, record: ProductRecord, *, picture: bytes | None, at: datetime
) -> None:
    """Keep a product; one of the same SKU is replaced."""
    values = {name: getattr(record, name) for name in ProductRecord.__slots__}
    values.update(features=list(record.features), picture=picture, updated_at=at)
    same = (product.c.brand == brand) & (product.c.sku == record.sku)
    if connection.execute(product.update().where(same).values(**values)).rowcount == 0:
        connection.execute(product.insert().values(brand=brand, **values))


def product_of(connection: sa.Connection, brand: int, sku: str) -> ProductRecord | None:
    """The product of a brand with this SKU."""
    row = (
        connection.execute(sa.select(*_COLUMNS).where((product.c.brand == brand) & (product.c.sku == sku)))
        .mappings()
        .first()
    )
    return None if row is None else ProductRecord(**{**row, "features": tuple(row["features"])})


def product_names(connection: sa.Connection, wanted: Collection[tuple[int, str]]) -> Mapping[tuple[int, str], str]:
    """The names of these products, by brand and SKU."""
    brands, skus = {number for number, _ in wanted}, {sku for _, sku in wanted}
    query = sa.select(product.c.brand, product.c.sku, product.c.name)
    rows = connection.execute(query.where(product.c.brand.in_(brands) & product.c.sku.in_(skus)))
    return {(row.brand, row.sku): row.name for row in rows}


def picture_of(connection: sa.Connection, brand: int, sku: str) -> tuple[bytes, str] | None:
    """A product's picture and its media type."""
    row = connection.execute(
        sa.select(product.c.picture, product.c.picture_type).where(
            (product.c.brand == brand) & (product.c.sku == sku) & product.c.picture.is_not(None)
        )
    ).first()
    return None if row is None else (row.picture, row.picture_type)
