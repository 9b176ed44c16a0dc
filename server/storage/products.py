"""Products, as their brands publish them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from server.storage import schema
from server.storage.engine import count_rows
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
_BY_SKU = sa.select(*_COLUMNS).where(
    (product.c.brand == sa.bindparam("brand")) & (product.c.sku == sa.bindparam("sku"))
)


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
    row = connection.execute(_BY_SKU, {"brand": brand, "sku": sku}).mappings().first()
    return None if row is None else ProductRecord(**{**row, "features": tuple(row["features"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptProduct:
    """A product with its number, its brand (a stored reference, id and name) and its last change."""

    number: int
    brand: int
    brand_id: bytes
    brand_name: str
    updated_at: datetime
    product: ProductRecord


EDITABLE = ("name", "description", "features", "support", "placement_hint", "more_url")
"""What staff may change; SKU and GTIN are printed."""

_KEPT = (
    sa.select(
        product.c.id.label("number"),
        product.c.brand,
        product.c.updated_at,
        schema.brand.c.brand_id,
        schema.brand.c.name.label("brand_name"),
        *_COLUMNS,
    )
    .join(schema.brand, schema.brand.c.id == product.c.brand)
    .order_by(product.c.brand, product.c.name, product.c.id)
)


def _kept(row: sa.RowMapping) -> KeptProduct:
    values = {**row, "features": tuple(row["features"])}
    product_values = {name: values.pop(name) for name in ProductRecord.__slots__}
    return KeptProduct(**values, product=ProductRecord(**product_values))


def products_by_name(connection: sa.Connection, *, limit: int, offset: int) -> list[KeptProduct]:
    """A page of the products, by brand and name."""
    return [_kept(row) for row in connection.execute(_KEPT.limit(limit).offset(offset)).mappings()]


def count_products(connection: sa.Connection) -> int:
    """How many products there are."""
    return count_rows(connection, product)


def product_by_number(connection: sa.Connection, number: int) -> KeptProduct | None:
    """One product."""
    row = connection.execute(_KEPT.where(product.c.id == number)).mappings().first()
    return None if row is None else _kept(row)


def set_texts(connection: sa.Connection, number: int, texts: Mapping[str, object], *, at: datetime) -> None:
    """Change a product's texts: a value for each of `EDITABLE`."""
    values = {**texts, "features": list(cast("Sequence[str]", texts["features"])), "updated_at": at}
    connection.execute(product.update().where(product.c.id == number).values(**values))


def set_picture(connection: sa.Connection, number: int, *, picture: bytes | None, media_type: str | None) -> None:
    """Another picture of a product, or none."""
    connection.execute(product.update().where(product.c.id == number).values(picture=picture, picture_type=media_type))


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
