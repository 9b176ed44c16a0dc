"""A brand's products: texts, features of the genuine pack, and one picture."""

import base64
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from authcode.code.payload import check_gtin
from keys.base.errors import AuthcodeError
from keys.base.fields import Fields
from keys.base.files import make_private_dir, write_atomic
from keys.base.home import issuer_dir

MAX_PICTURE_BYTES: Final = 2 * 1024 * 1024
"""A shopper's phone loads it in a shop; a product picture 1,200 px wide stays far below."""
MAX_FEATURES: Final = 12
MAX_NAME_CHARACTERS: Final = 120
_MAX_SHOWN: Final = 80
MAX_TEXT_CHARACTERS: Final = 2_000
PRODUCT_FORMAT: Final = "authcode-product-1"

_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_URL = re.compile(r"https?://[!-~]{1,500}", re.ASCII)
MAX_PRODUCT_BYTES: Final = 2 * MAX_PICTURE_BYTES
"""A product as a document: its picture in base64, and room for its texts."""


class ProductInvalid(AuthcodeError):
    """A product that cannot be kept as it is."""

    code = "product_invalid"
    sentence = "this product cannot be kept: {reason}"
    reason: str


class ProductUnknown(AuthcodeError):
    """No product of this name is kept here."""

    code = "product_unknown"
    http_status = 404
    sentence = "no product {sku!r} is known here; add it with `authcode product add`, or see `product list`"
    sku: str


def is_sku(text: str) -> bool:
    """Whether a text can name a product: 1 to 64 letters, digits, dots, hyphens and underscores."""
    return _SKU.fullmatch(text) is not None


def product_unknown(sku: str, *, server: str | None = None) -> str:
    """The warning that an order's product was never published at the server of its codes."""
    at = f" --server {server}" if server else ""
    return (
        f"product {sku!r} is not published there, so shoppers would read nothing of it; "
        f"before you activate codes: authcode product add {sku} --name NAME{at}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product. `sku` names it in orders; `features` describe how to recognise the genuine pack, one sentence each.

    `gtin` is fourteen digits. The picture is PNG, JPEG or WebP, at most 2 MiB. `placement_hint` describes where the
    code is ("under the cap"), `support` is a contact, `more_url` a page with more. Else ProductInvalid or GtinInvalid.
    """

    sku: str
    name: str
    gtin: str | None = None
    description: str | None = None
    features: tuple[str, ...] = ()
    picture: bytes | None = None
    support: str | None = None
    placement_hint: str | None = None
    more_url: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be shown."""
        if not is_sku(self.sku):
            raise ProductInvalid(
                f"its sku {self.sku[:_MAX_SHOWN]!r} takes 1 to 64 letters, digits, dots, hyphens and underscores, "
                "as in tea-100"
            )
        self._check_texts()
        if self.gtin is not None and check_gtin(self.gtin) != self.gtin:
            raise ProductInvalid("its GTIN is kept as fourteen digits")
        if self.more_url is not None and not _URL.fullmatch(self.more_url):
            raise ProductInvalid(
                "its page with more starts with https:// or http:// and has no spaces, as in https://example.com/tea"
            )
        if self.picture is not None and self.picture_type is None:
            raise ProductInvalid(f"its picture is a PNG, JPEG or WebP file of at most {MAX_PICTURE_BYTES >> 20} MiB")

    def _check_texts(self) -> None:
        if not 1 <= len(self.name.strip()) <= MAX_NAME_CHARACTERS:
            raise ProductInvalid(f"its name takes 1 to {MAX_NAME_CHARACTERS} characters")
        if len(self.features) > MAX_FEATURES:
            raise ProductInvalid(f"{len(self.features)} features; people compare {MAX_FEATURES} at most")
        texts = {name: getattr(self, name) for name in ("name", "description", "support", "placement_hint")}
        for name, text in [*texts.items(), *(("feature", feature) for feature in self.features)]:
            if text is not None and not _showable(text):
                raise ProductInvalid(
                    f"its {name.replace('_', ' ')} is empty, has control characters, or more than "
                    f"{MAX_TEXT_CHARACTERS} characters"
                )

    @property
    def picture_type(self) -> str | None:
        """Media type of the picture by its first bytes, None without a picture that may be shown."""
        picture = self.picture
        if picture is None or len(picture) > MAX_PICTURE_BYTES:
            return None
        if picture.startswith(b"\x89PNG\r\n\x1a\n"):
            return "image/png"
        if picture.startswith(b"\xff\xd8\xff"):
            return "image/jpeg"
        if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
            return "image/webp"
        return None


def save_product(home: Path, product: Product) -> Path:
    """Keep a product in the issuer's part, in place of an earlier one of the same sku; gives its file."""
    path = _path(home, product.sku)
    make_private_dir(path.parent)
    write_atomic(path, product_document(product))
    return path


def product_document(product: Product) -> bytes:
    """Give a product as it is kept and sent; the same product gives the same bytes."""
    picture = base64.b64encode(product.picture).decode("ascii") if product.picture else None
    fields = {"format": PRODUCT_FORMAT, **asdict(product), "picture": picture}
    return (json.dumps(fields, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def load_product(home: Path, sku: str) -> Product:
    """Find a product by its sku.

    Raises:
        ProductUnknown: none of that name.
        ProductInvalid: its file was changed into something else.
    """
    path = _path(home, sku)
    if not is_sku(sku) or not path.is_file():
        raise ProductUnknown(sku)
    return _read(path)


def load_products(home: Path) -> tuple[Product, ...]:
    """Give all products, by sku."""
    return tuple(_read(path) for path in sorted((issuer_dir(home) / "products").glob("*.json")))


def _path(home: Path, sku: str) -> Path:
    return issuer_dir(home) / "products" / f"{sku.lower()}.json"


def _read(path: Path) -> Product:
    try:
        return read_product(path.read_bytes())
    except ProductInvalid as error:
        raise ProductInvalid(f"{path.name}: {error.reason}") from None


def read_product(document: bytes) -> Product:
    """Read what `product_document` gave.

    Raises:
        ProductInvalid: it is none, or its content cannot be shown.
        GtinInvalid: its GTIN is none.
    """
    if len(document) > MAX_PRODUCT_BYTES:
        raise ProductInvalid(f"it is longer than {MAX_PRODUCT_BYTES} bytes")
    try:
        fields = Fields.parse(document)
        if fields.text("format") != PRODUCT_FORMAT:
            raise ValueError("another format")  # noqa: TRY301 - all of this ends in the one error below
        picture = fields.text_or_none("picture", longest=MAX_PRODUCT_BYTES)
        return Product(
            sku=fields.text("sku"),
            name=fields.text("name"),
            gtin=fields.text_or_none("gtin"),
            description=fields.text_or_none("description"),
            features=fields.texts("features", most=MAX_FEATURES, longest=MAX_TEXT_CHARACTERS),
            picture=base64.b64decode(picture, validate=True) if picture else None,
            support=fields.text_or_none("support"),
            placement_hint=fields.text_or_none("placement_hint"),
            more_url=fields.text_or_none("more_url"),
        )
    except ValueError as error:
        raise ProductInvalid(f"this is not a product document ({error})") from None


def _showable(text: str) -> bool:
    return 0 < len(text) <= MAX_TEXT_CHARACTERS and all(mark.isprintable() or mark == "\n" for mark in text)
