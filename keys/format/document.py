"""Signed documents: an exact text, and a signature over its bytes behind a label (docs/format.md §1, §4).

    {"format": "authcode-keyring-1", "payload": "<the text that was signed>", "signer": "sha256:...",
     "signature": "<base64url>", "succession": []}

The envelope has one written form, so that one signed text is one sequence of bytes; whatever differs is refused. The
signature covers the label (16 bytes) and the payload's UTF-8 bytes. `succession` carries the steps by which an old root
vouches for a new one (`keys.format.succession` judges them); only keyrings have any.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from keys.base.errors import DocumentInvalid, UnknownKey
from keys.base.fields import Fields
from keys.primitives import LABEL_KEYRING, LABEL_MANIFEST, LABEL_SHARED_KEYS, SIGNATURE_BYTES, SigningKey, verify_bytes

MAX_DOCUMENT_BYTES: Final = 1 << 20
"""A keyring of a thousand keys stays below half of it; whatever is longer is not ours."""
MAX_SUCCESSION_STEPS: Final = 16
FINGERPRINT_CHARS: Final = 71

_FORMATS: Final[Mapping[bytes, str]] = {
    LABEL_KEYRING: "authcode-keyring-1",
    LABEL_MANIFEST: "authcode-manifest-1",
    LABEL_SHARED_KEYS: "authcode-shared-keys-1",
}
_FINGERPRINT = re.compile("sha256:[0-9a-f]{64}")
_SIGNATURE_CHARS = 86


@dataclass(frozen=True, slots=True, kw_only=True)
class UncheckedDocument:
    """A document that was only read: do not trust it before `verify` returned."""

    label: bytes
    payload: str
    signer: str
    signature: bytes
    succession: tuple[Mapping[str, object], ...] = ()

    def content(self) -> bytes:
        """The document without its succession: the same for all copies, however many steps one still carries."""
        return _write(_format_of(self.label), self.payload, self.signer, self.signature, ())

    def verify(self, public_key: bytes) -> str:
        """Check the signature over label and payload with `public_key` (32 bytes); gives the payload.

        Raises:
            SignatureInvalid: it does not belong to this content and key.
        """
        verify_bytes(public_key, self.label + self.payload.encode(), self.signature)
        return self.payload


def sign_document(
    label: bytes, payload: str, key: SigningKey, *, succession: Sequence[Mapping[str, object]] = ()
) -> bytes:
    """The document that carries `payload`, signed by `key` under `label` (one of `keys.primitives`).

    `succession` is for keyrings: the steps that lead to `key`, oldest first; it is carried and not signed.

    Raises:
        ValueError: no document is signed under `label`, or the document would be too long.
    """
    signature = key.sign(label + payload.encode())
    document = _write(_format_of(label), payload, key.fingerprint, signature, succession)
    if len(document) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"a signed document has at most {MAX_DOCUMENT_BYTES} bytes")
    return document


def open_document(label: bytes, document: bytes, *, public_keys: Mapping[str, bytes]) -> str:
    """Check that one of `public_keys` (by fingerprint) signed `document` under `label`, and return its payload.

    Raises:
        DocumentInvalid: it is no document of this kind.
        UnknownKey: its signer is none of `public_keys`.
        SignatureInvalid: the signature is not valid.
    """
    unchecked = read_document(label, document)
    public_key = public_keys.get(unchecked.signer)
    if public_key is None:
        raise UnknownKey(unchecked.signer)
    return unchecked.verify(public_key)


def read_document(label: bytes, document: bytes) -> UncheckedDocument:
    """Read a document without trusting it, where the signer's key must first be found.

    1. Size.   2. JSON with the right fields.   3. The format that belongs to the label; steps of a succession in
    keyrings only.   4. The one written form.

    Raises:
        DocumentInvalid: one of these fails.
        ValueError: no document is signed under `label`.
    """
    kind = _format_of(label)
    if len(document) > MAX_DOCUMENT_BYTES:  # (1)
        raise DocumentInvalid(f"it is longer than {MAX_DOCUMENT_BYTES} bytes")
    try:
        fields = Fields.parse(document)  # (2)
        found = fields.text("format", longest=64)
        payload = fields.text("payload", longest=MAX_DOCUMENT_BYTES)
        signer = fields.text("signer", longest=FINGERPRINT_CHARS)
        signature = _decode_signature(fields.text("signature", longest=_SIGNATURE_CHARS))
        succession = [step.values() for step in fields.objects("succession", most=MAX_SUCCESSION_STEPS)]
        written = _write(found, payload, signer, signature, succession)
    except (ValueError, RecursionError):
        raise DocumentInvalid("it is not a signed document") from None
    if found != kind or (succession and label != LABEL_KEYRING):  # (3)
        raise DocumentInvalid(f"it is not of the format {kind}")
    if written != document or _FINGERPRINT.fullmatch(signer) is None:  # (4)
        raise DocumentInvalid("it was reformatted or edited")
    return UncheckedDocument(
        label=label, payload=payload, signer=signer, signature=signature, succession=tuple(succession)
    )


def _format_of(label: bytes) -> str:
    kind = _FORMATS.get(label)
    if kind is None:
        raise ValueError("no document is signed under this label")
    return kind


def _write(kind: str, payload: str, signer: str, signature: bytes, succession: Sequence[Mapping[str, object]]) -> bytes:
    envelope = {
        "format": kind,
        "payload": payload,
        "signer": signer,
        "signature": base64.urlsafe_b64encode(signature).decode("ascii").rstrip("="),
        "succession": [dict(step) for step in succession],
    }
    return (json.dumps(envelope, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _decode_signature(text: str) -> bytes:
    """Decode base64url; aliases do not matter here, since the whole document is compared with its written form."""
    signature = base64.urlsafe_b64decode(text + "==")
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError("not a signature")
    return signature
