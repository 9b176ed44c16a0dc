"""What staff change of a product: its texts, how to recognise the genuine pack, its picture. Each change is audited."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from authcode.order.products import Product
from keys.base.errors import AuthcodeError
from server.runtime.context import Context
from server.services.brands.fact_previews import facts_about
from server.services.codes.facts import CodeFacts
from server.services.staff.accounts import Staff
from server.storage import audit, products
from server.storage.brands import brand_by_id
from server.storage.engine import Connection, Database

PICTURE_SIDE_PX: Final = 1200
"""Longest side of a kept picture: three times what a phone shows, and far below the limit in bytes."""


class NoSuchProduct(AuthcodeError):
    """No product has this number."""

    code = "product_not_here"
    http_status = 404
    sentence = "There is no such product; the list of products shows those that brands have published here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What a product says, as a form sends it; an empty text is none."""

    name: str
    description: str = ""
    features: Sequence[str] = ()
    support: str = ""
    placement_hint: str = ""
    more_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEdit:
    """What a form changes of a product: its texts, and its picture where one was sent or is to be dropped."""

    texts: Texts
    picture: bytes | None = None
    drop_picture: bool = False


def product_to_edit(db: Database, number: int) -> products.KeptProduct:
    """One product.

    Raises:
        NoSuchProduct: there is none.
    """
    with db.read() as connection:
        return _kept(connection, number)


def _kept(connection: Connection, number: int) -> products.KeptProduct:
    found = products.product_by_number(connection, number)
    if found is None:
        raise NoSuchProduct
    return found


def edit_product(ctx: Context, number: int, edit: ProductEdit, *, staff: Staff) -> tuple[str, ...]:
    """Change a product; a picture is encoded again from its pixels. The names of what changed.

    Raises:
        NoSuchProduct: there is none.
        ProductInvalid: a text that cannot be shown.
        PhotoError: a picture that cannot be read.
    """
    drawn = small_picture(ctx, edit.picture) if edit.picture else None
    now = ctx.clock()
    with ctx.db.write() as connection:
        kept = _kept(connection, number)
        wanted = _checked(kept, edit.texts, drawn)
        before = {name: getattr(kept.product, name) for name in products.EDITABLE}
        after = {name: getattr(wanted, name) for name in products.EDITABLE}
        changed = [name for name in products.EDITABLE if before[name] != after[name]]
        had_picture = kept.product.picture_type is not None
        if drawn is not None or (edit.drop_picture and had_picture):
            changed.append("picture")
            products.set_picture(connection, number, picture=drawn, media_type=wanted.picture_type)
        if changed:
            products.set_texts(connection, number, after, at=now)
            audit.append(
                connection,
                at=now,
                actor=staff.email,
                action="product.edit",
                subject=f"{kept.product.sku}: {', '.join(changed)}",
                details={"brand": kept.brand_id.hex(), "sku": kept.product.sku, "changed": changed},
            )
    return tuple(changed)


def preview_of(ctx: Context, number: int) -> CodeFacts:
    """What a look page shows of a product, apart from lot and date.

    Raises:
        NoSuchProduct: there is none.
    """
    with ctx.db.read() as connection:
        kept = _kept(connection, number)
        brand = brand_by_id(connection, kept.brand)
    return facts_about(ctx, brand, replace(kept.product, support=kept.product.support or brand.support))


def small_picture(ctx: Context, data: bytes) -> bytes:
    """Draw a picture again in a confined reader, one at a time for all staff: a bounded JPEG and nothing else.

    Raises:
        PhotoError: it cannot be read, is too large, or another one is being drawn (`PhotosBusy`).
    """
    return ctx.photos.redraw(data, side_px=PICTURE_SIDE_PX, sender="products")


def _checked(kept: products.KeptProduct, texts: Texts, picture: bytes | None) -> Product:
    return Product(
        sku=kept.product.sku,
        name=texts.name.strip(),
        gtin=kept.product.gtin,
        description=_text(texts.description),
        features=tuple(feature.strip() for feature in texts.features if feature.strip()),
        picture=picture,
        support=_text(texts.support),
        placement_hint=_text(texts.placement_hint),
        more_url=_text(texts.more_url),
    )


def _text(text: str) -> str | None:
    return text.replace("\r\n", "\n").strip() or None
