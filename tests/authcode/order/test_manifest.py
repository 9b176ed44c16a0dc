# ruff: noqa: ANN401 - fixtures' classes live in conftest, which tests cannot import
"""The signed manifest: the same facts give the same bytes, and anything else is refused."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcode.order.manifest import Manifest, ManifestInvalid, ManifestSignatureInvalid, open_manifest, sign_manifest
from authcode.order.order import DrawnBy, OrderInvalid, Placement, Tiers
from keys.format.document import sign_document
from keys.format.records import Form, KeyState, Profile
from keys.primitives import LABEL_KEYRING, LABEL_MANIFEST, SigningKey


@pytest.fixture
def manifest(brand: Any, now: datetime) -> Manifest:
    return Manifest(
        server_id="ab" * 16,
        brand_id=brand.keyring.brand_id,
        batch_number=7,
        order="spring",
        product="tea",
        count=24,
        tiers=Tiers.PAIR,
        profile=Profile.SIGNED,
        form=Form.GS1,
        gtin="09506000134352",
        key_id="K2",
        placement=Placement.SCRATCH,
        drawn_by=DrawnBy.PRESS,
        issued_at=now,
        checksums={"codes.csv": "0" * 64},
    )


def test_a_manifest_comes_back_as_it_was_signed(brand: Any, manifest: Manifest) -> None:
    document = sign_manifest(manifest, brand.office)
    assert open_manifest(document, brand.keyring) == manifest
    assert sign_manifest(manifest, brand.office) == document
    short = replace(manifest, form=Form.SHORT, gtin=None, key_id="K1", product=None)
    assert open_manifest(sign_manifest(short, brand.office), brand.keyring) == short


def test_only_an_office_key_of_the_keyring_may_sign(brand: Any, manifest: Manifest) -> None:
    for stranger in (SigningKey(b"\x77" * 32), brand.root, SigningKey(b"\x01" * 32)):
        with pytest.raises(ManifestSignatureInvalid):
            open_manifest(sign_manifest(manifest, stranger), brand.keyring)


def test_a_withdrawn_office_key_signs_nothing_any_more(brand: Any, manifest: Manifest) -> None:
    document = sign_manifest(manifest, brand.office)
    (office,) = brand.keyring.office_keys
    withdrawn = replace(brand.keyring, office_keys=(replace(office, state=KeyState.WITHDRAWN),))
    with pytest.raises(ManifestSignatureInvalid):
        open_manifest(document, withdrawn)
    retired = replace(brand.keyring, office_keys=(replace(office, state=KeyState.RETIRED),))
    assert open_manifest(document, retired) == manifest


def test_a_changed_number_breaks_the_signature(brand: Any, manifest: Manifest) -> None:
    document = sign_manifest(manifest, brand.office)
    with pytest.raises(ManifestSignatureInvalid):
        open_manifest(document.replace(b'\\"count\\": 24', b'\\"count\\": 25'), brand.keyring)


def test_a_document_of_another_kind_is_no_manifest(brand: Any, manifest: Manifest) -> None:
    payload = json.loads(sign_manifest(manifest, brand.office))["payload"]
    with pytest.raises(ManifestInvalid):
        open_manifest(sign_document(LABEL_KEYRING, payload, brand.office), brand.keyring)
    with pytest.raises(ManifestInvalid):
        open_manifest(sign_document(LABEL_MANIFEST, "[]", brand.office), brand.keyring)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("server_id", "zz"),
        ("brand_id", "00"),
        ("batch_number", 1 << 25),
        ("batch_number", -1),
        ("batch_number", True),
        ("order", "../x"),
        ("count", 0),
        ("count", "24"),
        ("tiers", "triple"),
        ("profile", "compact"),
        ("form", "short"),
        ("gtin", "09506000134353"),
        ("gtin", None),
        ("key_id", "K1"),
        ("key_id", "Z9"),
        ("placement", "visible"),
        ("drawn_by", "nobody"),
        ("issued_at", "2026-03-01 08:30"),
        ("checksums", [{"file": "codes.csv", "sha256": "X" * 64}]),
        ("checksums", {}),
        ("checksums", [{"file": f"{n}", "sha256": "0" * 64} for n in range(17)]),
    ],
)
def test_a_well_signed_manifest_that_no_issuer_could_have_written_is_refused(
    brand: Any, manifest: Manifest, field: str, value: object
) -> None:
    payload = json.loads(json.loads(sign_manifest(manifest, brand.office))["payload"])
    payload[field] = value
    with pytest.raises(ManifestInvalid):
        open_manifest(sign_document(LABEL_MANIFEST, json.dumps(payload), brand.office), brand.keyring)


def test_a_manifest_of_another_brand_is_refused(brand: Any, manifest: Manifest) -> None:
    document = sign_manifest(replace(manifest, brand_id=b"\x01" * 16), brand.office)
    with pytest.raises(ManifestInvalid, match="its brand"):
        open_manifest(document, brand.keyring)


@given(st.binary(max_size=300))
def test_hostile_bytes_raise_only_our_errors(brand: Any, document: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        open_manifest(document, brand.keyring)


def test_one_that_cannot_be_right_is_not_built(manifest: Manifest, now: datetime) -> None:
    with pytest.raises(OrderInvalid):
        replace(manifest, count=0)
    for changes in ({"server_id": "x"}, {"batch_number": -1}, {"issued_at": now.replace(tzinfo=None)}):
        with pytest.raises(ValueError, match=r"16 bytes|out of range"):
            replace(manifest, **changes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="SHA-256"):
        replace(manifest, checksums={"codes.csv": "x"})
