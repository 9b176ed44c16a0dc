"""The verifier's own Ed25519 decides as libsodium does, at the published edges and elsewhere."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import pytest

from authcode.verifier import ed25519
from keys.base.errors import PublicKeyInvalid, SignatureInvalid
from keys.primitives import SigningKey, check_public_key, verify_bytes

EDGES: Final = Path(__file__).parents[3] / "docs" / "vectors" / "ed25519-edges.json"
IDENTITY: Final = b"\x01" + bytes(31)


@pytest.mark.parametrize(
    "edge", json.loads(EDGES.read_text(encoding="ascii"))["vectors"], ids=lambda edge: edge["name"]
)
def test_every_edge_signature_is_refused(edge: dict[str, Any]) -> None:
    key, message, signature = (bytes.fromhex(edge[name]) for name in ("public_key", "message", "signature"))
    with pytest.raises(SignatureInvalid):
        ed25519.verify_bytes(key, message, signature)
    if edge["key_refused"]:
        with pytest.raises(PublicKeyInvalid):
            ed25519.check_public_key(key)
    else:
        ed25519.check_public_key(key)


def test_it_agrees_with_libsodium() -> None:
    for number in range(20):
        key, message = SigningKey(hashlib.sha256(bytes([number])).digest()), bytes(number)
        signature = key.sign(message)
        ed25519.verify_bytes(key.public_key, message, signature)
        ed25519.check_public_key(key.public_key)
        assert ed25519.fingerprint(key.public_key) == key.fingerprint
        for text, other in ((message + b"x", signature), (message, signature[:63]), (message, signature + b"\0")):
            with pytest.raises(SignatureInvalid):
                ed25519.verify_bytes(key.public_key, text, other)


def test_a_key_of_small_or_mixed_order_is_none() -> None:
    two_torsion = (0, ed25519.P - 1, 1, 0)
    mixed = ed25519.encode_point(ed25519.add(ed25519.multiply(12345, ed25519.BASE), two_torsion))
    for key in (IDENTITY, ed25519.encode_point(two_torsion), mixed, mixed[:31], b""):
        with pytest.raises(PublicKeyInvalid):
            ed25519.check_public_key(key)
        with pytest.raises(PublicKeyInvalid):
            check_public_key(key)


def test_the_identity_signs_nothing_as_a_key_and_as_r() -> None:
    """R and S of zero hold for every message under it, where small orders are not refused."""
    forged = IDENTITY + bytes(32)
    for verify in (ed25519.verify_bytes, verify_bytes):
        with pytest.raises(SignatureInvalid):
            verify(IDENTITY, b"anything", forged)
