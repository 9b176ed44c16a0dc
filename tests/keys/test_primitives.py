"""Strict Ed25519, the truncated MAC, and secrets that stay out of texts."""

import hashlib
import hmac
import json
import pickle
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from keys import primitives
from keys.base.errors import PublicKeyInvalid, SignatureInvalid
from keys.primitives import SigningKey, check_public_key, fingerprint, mac_tag, verify_bytes, verify_mac_tag

EDGES: list[dict[str, str]] = json.loads((Path(__file__).parent / "vectors/ed25519_edges.json").read_text())["vectors"]
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
seeds = st.binary(min_size=32, max_size=32)

Point = tuple[int, int]


def _add(a: Point, b: Point) -> Point:
    k = D * a[0] * b[0] * a[1] * b[1]
    return (a[0] * b[1] + b[0] * a[1]) * pow(1 + k, -1, P) % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, -1, P) % P


def _times(n: int, a: Point) -> Point:
    total = (0, 1)
    for bit in f"{n:b}":
        total = _add(total, total)
        total = _add(total, a) if bit == "1" else total
    return total


def _point(data: bytes) -> Point:
    """Decode leniently: y is reduced, and no order is checked."""
    number = int.from_bytes(data, "little")
    y, odd = number % 2**255 % P, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    assert x * x % P == square
    return (x if x & 1 == odd else (P - x) % P), y


BASE = _point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def _lax(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Ed25519 without any of the strict checks, cofactor multiplied away."""
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little")
    right = _add(_point(signature[:32]), _times(k, _point(public_key)))
    return _times(8, _times(s, BASE)) == _times(8, right)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge["name"])
def test_every_edge_vector_would_pass_a_lax_verifier(edge: dict[str, str]) -> None:
    assert _lax(*(bytes.fromhex(edge[name]) for name in ("public_key", "message", "signature")))


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge["name"])
def test_every_edge_vector_is_refused(edge: dict[str, str]) -> None:
    public_key, message, signature = (bytes.fromhex(edge[name]) for name in ("public_key", "message", "signature"))
    with pytest.raises(SignatureInvalid):
        verify_bytes(public_key, message, signature)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge["name"])
def test_keys_of_edge_vectors_enter_no_keyring_unless_only_the_signature_is_bad(edge: dict[str, str]) -> None:
    if edge["key_refused"]:
        with pytest.raises(PublicKeyInvalid):
            check_public_key(bytes.fromhex(edge["public_key"]))
    else:
        check_public_key(bytes.fromhex(edge["public_key"]))


@pytest.mark.parametrize("public_key", [b"", b"\x01" * 31, b"\x01" * 33, b"\xff" * 32, b"\x02" + bytes(31)])
def test_what_is_no_point_or_not_32_bytes_is_no_key(public_key: bytes) -> None:
    with pytest.raises(PublicKeyInvalid):
        check_public_key(public_key)


@given(seeds, st.binary(max_size=300))
def test_signatures_are_those_of_a_second_implementation(seed: bytes, message: bytes) -> None:
    key = SigningKey(seed)
    signature = key.sign(message)
    assert signature == Ed25519PrivateKey.from_private_bytes(seed).sign(message)
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, message)
    verify_bytes(key.public_key, message, signature)
    check_public_key(key.public_key)


@given(st.binary(max_size=80), st.integers(0, 511))
def test_a_signature_with_one_bit_turned_is_refused(message: bytes, bit: int) -> None:
    key = SigningKey(bytes(32))
    signature = bytearray(key.sign(message))
    signature[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureInvalid):
        verify_bytes(key.public_key, message, bytes(signature))


@given(st.binary(max_size=80), st.binary(max_size=40), st.binary(max_size=80))
def test_hostile_bytes_raise_only_our_error(public_key: bytes, message: bytes, signature: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify_bytes(public_key, message, signature)


def test_rfc_8032_test_1_is_reproduced() -> None:
    key = SigningKey(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert key.public_key.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")


def test_a_seed_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(b"short")


def test_fresh_keys_differ() -> None:
    assert SigningKey.generate().seed != SigningKey.generate().seed


def test_a_signing_key_shows_its_fingerprint_and_never_its_seed() -> None:
    key = SigningKey(b"\x5a" * 32)
    assert key.fingerprint in repr(key)
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)


def test_a_signing_key_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(SigningKey(bytes(32)))


@given(seeds, st.binary(max_size=200))
def test_a_mac_tag_is_the_first_80_bits_of_hmac_sha_256(key: bytes, message: bytes) -> None:
    tag = mac_tag(key, message)
    assert tag == hmac.new(key, message, hashlib.sha256).digest()[:10]
    verify_mac_tag(key, message, tag)


def test_a_tag_that_is_cut_padded_or_another_is_refused() -> None:
    tag = mac_tag(bytes(32), b"message")
    for wrong in (tag[:-1], tag + b"\x00", bytes(10), b""):
        with pytest.raises(SignatureInvalid):
            verify_mac_tag(bytes(32), b"message", wrong)


def test_a_mac_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        mac_tag(b"", b"message")


def test_labels_have_16_bytes_and_are_all_different() -> None:
    labels = [getattr(primitives, name) for name in vars(primitives) if name.startswith("LABEL_")]
    assert [len(label) for label in labels] == [16] * 5
    assert len(set(labels)) == 5


def test_a_fingerprint_is_the_sha_256_of_the_key() -> None:
    assert fingerprint(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
