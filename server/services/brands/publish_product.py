"""The products of a brand, as the look page shows them."""

from datetime import datetime

from authcode.order.products import Product
from server.storage import audit
from server.storage.brands import BrandUnknown, brand_by_brand_id
from server.storage.engine import Database
from server.storage.products import ProductRecord, picture_of, put_product


def publish_product(
    db: Database, brand_id: bytes, product: Product, *, now: datetime, actor: str | None = None
) -> None:
    """Keep a product of a brand; one of the same SKU is replaced. It enters the history where an `actor` is named.

    Raises:
        BrandUnknown: no keyring of the brand was published here.
    """
    record = ProductRecord(**{name: getattr(product, name) for name in ProductRecord.__slots__})
    with db.write() as connection:
        brand = brand_by_brand_id(connection, brand_id)
        if brand is None:
            raise BrandUnknown
        put_product(connection, brand.id, record, picture=product.picture, at=now)
        if actor is not None:
            details = {"brand": brand_id.hex()}
            audit.append(
                connection, at=now, actor=actor, action="product.publish", subject=product.sku, details=details
            )


def product_picture(db: Database, brand_id: str, sku: str) -> tuple[bytes, str] | None:
    """A product's picture with its media type, by the brand's id in hexadecimal; None where there is none."""
    try:
        wanted = bytes.fromhex(brand_id)
    except ValueError:
        return None
    with db.read() as connection:
        brand = brand_by_brand_id(connection, wanted)
        return None if brand is None else picture_of(connection, brand.id, sku)
