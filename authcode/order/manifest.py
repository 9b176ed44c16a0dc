"""Stage 1, batch: the signed manifest, from which a server learns what was issued (docs/format.md §4).

It carries no key and no code: only how many units a batch has, and of which kind.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from authcode.code.payload import GtinInvalid
from authcode.code.serial import MAX_BATCHES
from authcode.order.order import MAX_ORDER_COUNT, DrawnBy, Order, OrderInvalid, Placement, Tiers
from keys.base.errors import AuthcodeError, DocumentInvalid, SignatureInvalid, UnknownKey
from keys.base.fields import Fields
from keys.base.instants import format_instant
from keys.format.document import open_document, sign_document
from keys.format.keyring import Keyring
from keys.format.records import BRAND_ID_BYTES, Form, KeyState, Profile
from keys.primitives import LABEL_MANIFEST, SigningKey
from keys.store.foundation import SERVER_ID_BYTES

MAX_CHECKSUMS: Final = 16
"""One a file that the manifest vouches for; today that is `codes.csv`."""

OF_ORDER: Final = ("product", "count", "tiers", "profile", "form", "gtin", "placement", "drawn_by")
"""Fields of an order that its manifest repeats under the same names."""

_SERVER_ID = re.compile(f"[0-9a-f]{{{2 * SERVER_ID_BYTES}}}")
_SHA256 = re.compile("[0-9a-f]{64}")


class ManifestInvalid(AuthcodeError):
    """A document that is no manifest, or one that no issuer could have issued."""

    code = "manifest_invalid"
    sentence = "the manifest cannot be used: {reason}; take it again from the issuer"
    reason: str


class ManifestSignatureInvalid(AuthcodeError):
    """A manifest that no office key of the keyring vouches for."""

    code = "manifest_signature_invalid"
    http_status = 403
    sentence = "no office key in the keyring signed this manifest; publish the keyring first, or refuse it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An issued order. `count` is units from index 0 on; `gtin` is None in the short form; times are aware UTC.

    `server_id` is 16 bytes in hexadecimal, `brand_id` 16 bytes; `checksums` maps a file name to its SHA-256,
    in hexadecimal too. A manifest that no order could have given raises OrderInvalid or ValueError.
    """

    server_id: str
    brand_id: bytes
    batch_number: int
    order: str
    product: str | None
    count: int
    tiers: Tiers
    profile: Profile
    form: Form
    gtin: str | None
    key_id: str
    placement: Placement
    drawn_by: DrawnBy
    issued_at: datetime
    checksums: Mapping[str, str]

    def __post_init__(self) -> None:
        """Check it by the rules of an order and of the serial."""
        Order(name=self.order, **{name: getattr(self, name) for name in OF_ORDER})
        if not _SERVER_ID.fullmatch(self.server_id) or len(self.brand_id) != BRAND_ID_BYTES:
            raise ValueError("server id and brand id have 16 bytes")
        if not 0 <= self.batch_number < MAX_BATCHES or self.issued_at.utcoffset() != timedelta(0):
            raise ValueError("the batch number or the time is out of range")
        if not all(_SHA256.fullmatch(checksum) for checksum in self.checksums.values()):
            raise ValueError("a checksum is not a SHA-256 in hexadecimal")


def sign_manifest(manifest: Manifest, office: SigningKey) -> bytes:
    """Give the document that is registered: the same manifest and key give the same bytes."""
    fields = asdict(manifest) | {
        "brand_id": manifest.brand_id.hex(),
        "issued_at": format_instant(manifest.issued_at),
        "checksums": [{"file": name, "sha256": digest} for name, digest in sorted(manifest.checksums.items())],
    }
    return sign_document(LABEL_MANIFEST, json.dumps(fields, indent=1, ensure_ascii=False), office)


def open_manifest(document: bytes, keyring: Keyring) -> Manifest:
    """Check that an office key of the keyring signed the manifest, and that it fits that keyring.

    1. An office key that is not withdrawn signed it.   2. It reads as a manifest.   3. It is of this brand, and its
    key id has this profile and form.

    Raises:
        ManifestSignatureInvalid: unknown or withdrawn signer, or a wrong signature.
        ManifestInvalid: anything else is wrong with it.
    """
    offices = {key.fingerprint: key.public_key for key in keyring.office_keys if key.state is not KeyState.WITHDRAWN}
    try:
        payload = open_document(LABEL_MANIFEST, document, public_keys=offices)  # (1)
        manifest = _read_manifest(Fields.parse(payload))  # (2)
    except (SignatureInvalid, UnknownKey):
        raise ManifestSignatureInvalid from None
    except (DocumentInvalid, OrderInvalid, GtinInvalid, ValueError) as error:
        raise ManifestInvalid(getattr(error, "reason", str(error))) from None
    known = {key.key_id: (key.profile, key.form) for key in keyring.code_keys}
    if manifest.brand_id != keyring.brand_id or known.get(manifest.key_id) != (manifest.profile, manifest.form):  # (3)
        raise ManifestInvalid("its brand, key id, profile or form is not the keyring's")
    return manifest


def _read_manifest(fields: Fields) -> Manifest:
    checksums = fields.objects("checksums", most=MAX_CHECKSUMS)
    return Manifest(
        server_id=fields.binary("server_id", n_bytes=SERVER_ID_BYTES).hex(),
        brand_id=fields.binary("brand_id", n_bytes=BRAND_ID_BYTES),
        batch_number=fields.number("batch_number", low=0, high=MAX_BATCHES - 1),
        order=fields.text("order", longest=64),
        product=fields.text_or_none("product", longest=64),
        count=fields.number("count", low=1, high=MAX_ORDER_COUNT),
        tiers=fields.choice("tiers", Tiers),
        profile=fields.choice("profile", Profile),
        form=fields.choice("form", Form),
        gtin=fields.text_or_none("gtin", longest=14),
        key_id=fields.text("key_id", longest=2),
        placement=fields.choice("placement", Placement),
        drawn_by=fields.choice("drawn_by", DrawnBy),
        issued_at=fields.instant("issued_at"),
        checksums={file.text("file", longest=64): file.text("sha256", longest=64) for file in checksums},
    )
