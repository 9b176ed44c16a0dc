"""Products: kept as they were given, refused where they could not be shown."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcode.code.payload import GtinInvalid
from authcode.order.products import (
    MAX_PICTURE_BYTES,
    Product,
    ProductInvalid,
    ProductUnknown,
    load_product,
    load_products,
    save_product,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
TEA = Product(
    sku="tea-100",
    name="Grüner Tee, 100 g",
    gtin="09506000134352",
    description="First flush.\nFrom the hills.",
    features=("The seal is embossed", "The lid is matt"),
    picture=PNG,
    support="+49 30 1234",
    placement_hint="under the lid",
    more_url="https://acme.example/tea",
)


def test_a_product_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    save_product(tmp_path, TEA)
    save_product(tmp_path, Product(sku="plain", name="Plain"))
    assert load_product(tmp_path, "tea-100") == TEA
    assert [product.sku for product in load_products(tmp_path)] == ["plain", "tea-100"]


def test_a_product_kept_again_replaces_the_earlier_one(tmp_path: Path) -> None:
    save_product(tmp_path, TEA)
    save_product(tmp_path, Product(sku="tea-100", name="New"))
    assert load_product(tmp_path, "tea-100").name == "New"
    assert len(load_products(tmp_path)) == 1


@pytest.mark.parametrize(
    ("picture", "kind"),
    [(PNG, "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"), (None, None)],
)
def test_the_kind_of_a_picture_is_read_from_its_bytes(picture: bytes | None, kind: str | None) -> None:
    assert Product(sku="a", name="A", picture=picture).picture_type == kind


@pytest.mark.parametrize(
    "changes",
    [
        {"sku": ""},
        {"sku": "../x"},
        {"sku": "a\n"},
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 121},
        {"name": "a\x1bb"},
        {"description": ""},
        {"description": "x" * 2001},
        {"support": "a\u202eb"},
        {"features": ("",)},
        {"features": tuple("abcdefghijklm")},
        {"gtin": "9506000134352"},
        {"more_url": "javascript:alert(1)"},
        {"more_url": "https://a b"},
        {"picture": b"GIF89a"},
        {"picture": b""},
        {"picture": PNG + bytes(MAX_PICTURE_BYTES)},
    ],
)
def test_a_product_that_could_not_be_shown_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ProductInvalid):
        Product(**{"sku": "a", "name": "A", **changes})


def test_a_wrong_gtin_is_named() -> None:
    with pytest.raises(GtinInvalid):
        Product(sku="a", name="A", gtin="09506000134353")


@pytest.mark.parametrize("sku", ["tea", "", "../brand", "a/b", "é"])
def test_an_unknown_product_is_named(tmp_path: Path, sku: str) -> None:
    with pytest.raises(ProductUnknown) as caught:
        load_product(tmp_path, sku)
    assert caught.value.sku == sku


@pytest.mark.parametrize("change", [{"format": "x"}, {"name": 1}, {"features": "x"}, {"picture": "*"}, {"gtin": "1"}])
def test_a_file_that_was_changed_into_something_else_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = save_product(tmp_path, TEA)
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises((ProductInvalid, GtinInvalid)):
        load_product(tmp_path, "tea-100")


@given(st.text(min_size=1, max_size=60))
def test_any_name_is_kept_or_refused(name: str) -> None:
    try:
        product = Product(sku="a", name=name)
    except ProductInvalid:
        assert not name.strip() or not all(mark.isprintable() or mark == "\n" for mark in name)
    else:
        assert product.name == name
