"""Stage 1, batch: registering what was issued, by its signed manifest (docs/format.md §4)."""

import hashlib
from datetime import datetime

from authcode.order.manifest import Manifest, ManifestInvalid, ManifestSignatureInvalid, open_manifest
from keys.base.errors import AuthcodeError, DocumentInvalid
from keys.format.document import read_document
from keys.format.keyring import open_keyring
from keys.primitives import LABEL_MANIFEST
from server.domain.codes.unit import ROW_BITS
from server.services.staff.api_tokens import Station, TokenForOtherBrand
from server.storage import audit
from server.storage.batches import BatchRecord, add_batch, batch_by_row, registered_manifests
from server.storage.brands import BrandRecord, all_brands
from server.storage.engine import Connection, Database
from server.storage.products import product_of

_OF_MANIFEST = ("count", "tiers", "profile", "form", "gtin", "key_id", "placement", "drawn_by", "issued_at")


class BatchConflict(AuthcodeError):
    """The order name or the batch number is registered with other contents."""

    code = "batch_conflict"
    http_status = 409
    sentence = (
        "Order {order!r} was registered {registered_at:%Y-%m-%d %H:%M} UTC with other contents. Nothing was changed; "
        "issue the new order under another name."
    )
    order: str
    registered_at: datetime


class ManifestForOtherServer(AuthcodeError):
    """A manifest that names another server than the brand's keyring was published to here."""

    code = "manifest_for_other_server"
    http_status = 409
    sentence = "This manifest names another server; register the batch there."


def register_batch(db: Database, document: bytes, *, now: datetime, station: Station | None = None) -> BatchRecord:
    """Register a batch, inactive. The same bytes again change nothing and give the same answer.

    1. An office key of a known brand signed the document, and of no other brand than the `station` that sent it.
    2. It names this server.   3. Order and number are free.

    Raises:
        TokenForOtherBrand: the station is another brand's.
        ManifestInvalid, ManifestSignatureInvalid: it is no manifest of a brand known here.
        ManifestForOtherServer: it names another server.
        BatchConflict: the order or the number is taken by other bytes.
    """
    with db.write() as connection:
        brand, manifest = _open(connection, document)  # (1)
        if station is not None and station.brand.id != brand.id:
            raise TokenForOtherBrand
        if brand.server_id is not None and brand.server_id != manifest.server_id:  # (2)
            raise ManifestForOtherServer
        taken = registered_manifests(
            connection, brand.id, number=manifest.batch_number, order_name=manifest.order
        )  # (3)
        for record, registered in taken:
            if registered == document:
                return record
            raise BatchConflict(record.order_name, record.registered_at)
        actor = station.actor if station else f"office of {brand.name}"
        record = _add(connection, brand, manifest, document, now)
        details = {
            "batch": manifest.batch_number,
            "brand": brand.brand_id.hex(),
            "count": manifest.count,
            "manifest_sha256": hashlib.sha256(document).hexdigest(),
        }
        audit.append(connection, at=now, actor=actor, action="batch.register", subject=manifest.order, details=details)
        return record


def knows_product(db: Database, batch: BatchRecord) -> bool:
    """Whether the product that a batch names, if any, is published here."""
    with db.read() as connection:
        return batch.product_sku is None or product_of(connection, batch.brand, batch.product_sku) is not None


def _open(connection: Connection, document: bytes) -> tuple[BrandRecord, Manifest]:
    try:
        signer = read_document(LABEL_MANIFEST, document).signer
    except DocumentInvalid as problem:
        raise ManifestInvalid(problem.reason) from None
    for brand in all_brands(connection):
        keyring = open_keyring(brand.keyring, root_fingerprint=brand.root_fingerprint).keyring
        if any(office.fingerprint == signer for office in keyring.office_keys):
            return brand, open_manifest(document, keyring)
    raise ManifestSignatureInvalid


def _add(connection: Connection, brand: BrandRecord, manifest: Manifest, document: bytes, now: datetime) -> BatchRecord:
    row = add_batch(
        connection,
        manifest=document,
        brand=brand.id,
        number=manifest.batch_number,
        order_name=manifest.order,
        product_sku=manifest.product,
        registered_at=now,
        **{name: getattr(manifest, name) for name in _OF_MANIFEST},
    )
    if row >> ROW_BITS:
        raise ManifestInvalid(f"this server has room for {1 << ROW_BITS} batches and is full")
    record = batch_by_row(connection, row)
    assert record is not None  # noqa: S101 - it was added in this transaction
    return record
