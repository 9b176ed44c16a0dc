"""Signed documents and the steps from root to root (docs/format.md §1): a second implementation."""

import base64
import json
import re
from typing import Any

from authcode.verifier.ed25519 import SIGNATURE_BYTES, check_public_key, fingerprint, verify_bytes
from keys.base.errors import PublicKeyInvalid, SignatureInvalid
from keys.base.fields import Fields

MAX_KEYRING_BYTES = 1 << 20
ENVELOPE = ("format", "payload", "signer", "signature", "succession")


class Refused(Exception):
    """It could not be checked: the key list cannot be used, or the code needs the server."""

    def __init__(self, code: str, message: str) -> None:
        """Take the stable code and a sentence."""
        super().__init__(message)
        self.code = code


def read_envelope(document: bytes) -> tuple[dict[str, Any], bytes]:
    """Give the fields of a keyring document in its one written form, and its signature; else Refused."""
    refused = Refused("document_invalid", "the key list cannot be read; take it again from where it was published")
    try:
        fields = Fields.parse(document if len(document) <= MAX_KEYRING_BYTES else b"")
        envelope = fields.values()
        fields.text("payload", longest=MAX_KEYRING_BYTES)
        fields.objects("succession", most=16)
        signature = base64.urlsafe_b64decode(fields.text("signature", longest=86) + "==")
        spelled = base64.urlsafe_b64encode(signature).decode("ascii").rstrip("=")
        ordered = {**{name: envelope[name] for name in ENVELOPE}, "signature": spelled}
        written = json.dumps(ordered, indent=1, ensure_ascii=False) + "\n"
        signer = fields.text("signer", longest=71)
    except (ValueError, KeyError, RecursionError):
        raise refused from None
    known = envelope["format"] == "authcode-keyring-1" and re.fullmatch("sha256:[0-9a-f]{64}", signer)
    if not known or written.encode("utf-8") != document or len(signature) != SIGNATURE_BYTES:
        raise refused
    return envelope, signature


def roots_before(steps: list[dict[str, Any]], brand_id: bytes, root: bytes) -> list[str]:
    """Give the fingerprints of the roots that vouched, each for the next and the last for `root`; else Refused."""
    try:
        verified = [verified_step(step, brand_id) for step in steps]
    except (ValueError, PublicKeyInvalid, SignatureInvalid):
        verified = [(b"", b"")]
    roots = [*(old for old, _ in verified), root]
    if [new for _, new in verified] != roots[1:] or len(set(roots)) != len(roots):
        message = "the succession of root keys does not hold; do not use this keyring"
        raise Refused("succession_invalid", message)
    return [fingerprint(one) for one in roots[:-1]]


def verified_step(step: dict[str, Any], brand_id: bytes) -> tuple[bytes, bytes]:
    """Give the old and the new root of a step that the old one signed."""
    fields = Fields(step)
    old, new, signature = (
        fields.binary(name, n_bytes=size) for name, size in (("old", 32), ("new", 32), ("signature", 64))
    )
    if list(step) != ["old", "new", "signature"]:
        raise ValueError("a step with other fields")
    check_public_key(old)
    verify_bytes(old, b"authcode-root-v1" + brand_id + old + new, signature)
    return old, new
