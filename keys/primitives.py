"""The expert floor: Ed25519, truncated HMAC, fingerprints and the labels that keep signed things apart.

Verification is strict Ed25519 as libsodium does it (PyNaCl): non-canonical and small-order keys, small-order R and S
beyond the group order are refused (docs/format.md §1). Checks raise; none returns a bool that a caller could ignore.
"""

import hashlib
import hmac
import secrets
from typing import Final, Self

from nacl import bindings
from nacl.exceptions import CryptoError

from keys.base.errors import AddressInvalid, PublicKeyInvalid, SealNotOpened, SignatureInvalid

LABEL_CODE: Final = b"authcode-code-v1"
LABEL_MANIFEST: Final = b"authcode-manf-v1"
LABEL_KEYRING: Final = b"authcode-keys-v1"
LABEL_SUCCESSION: Final = b"authcode-root-v1"
LABEL_SHARED_KEYS: Final = b"authcode-send-v1"
"""One label for one thing: the first 16 bytes of whatever is signed (docs/format.md §2)."""

SEED_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
MAC_KEY_BYTES: Final = 32
MAC_TAG_BYTES: Final = 10
"""80 bits: HMAC-SHA-256 cut to 16 base-32 characters (docs/format.md §2, profile 2)."""
ADDRESS_BYTES: Final = 32
"""An X25519 key: what is sealed to its public half only the holder of its secret half opens."""


class SigningKey:
    """An Ed25519 private key. Its seed is the secret; it is in no `repr` and is never pickled."""

    __slots__ = ("_public_key", "_secret_key", "_seed")

    def __init__(self, seed: bytes) -> None:
        """Take the key whose secret is `seed`.

        Raises:
            ValueError: `seed` is not 32 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise ValueError(f"an Ed25519 seed has {SEED_BYTES} bytes, not {len(seed)}")
        self._seed = bytes(seed)
        self._public_key, self._secret_key = bindings.crypto_sign_seed_keypair(self._seed)

    @classmethod
    def generate(cls) -> Self:
        """Return a fresh random key."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes."""
        return self._seed

    @property
    def public_key(self) -> bytes:
        """The 32 public bytes."""
        return self._public_key

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the public key."""
        return fingerprint(self._public_key)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature of `message` (RFC 8032, deterministic)."""
        return bindings.crypto_sign(message, self._secret_key)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        """Name the key by its public fingerprint only."""
        return f"SigningKey({self.fingerprint})"

    def __reduce__(self) -> str:
        """Refuse to be pickled: a secret leaves the process only through a key store."""
        raise TypeError("a signing key is not pickled; give the seed through a key store")


def verify_bytes(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Check a strict Ed25519 signature.

    Raises:
        SignatureInvalid: the signature (64 bytes) is not valid for `message` under `public_key` (32 bytes).
    """
    if len(signature) != SIGNATURE_BYTES or len(public_key) != PUBLIC_KEY_BYTES:
        raise SignatureInvalid
    try:
        bindings.crypto_sign_open(signature + message, public_key)
    except CryptoError:
        raise SignatureInvalid from None


def check_public_key(public_key: bytes) -> None:
    """Check that a key may enter a keyring: a canonical point of the prime-order group (docs/format.md §1).

    Raises:
        PublicKeyInvalid: it is not 32 bytes, not on the curve, of small or mixed order, or written non-canonically.
    """
    if len(public_key) != PUBLIC_KEY_BYTES or not bindings.crypto_core_ed25519_is_valid_point(public_key):
        raise PublicKeyInvalid


def mac_tag(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 of `message`, cut to 10 bytes (docs/format.md §2, profile 2).

    Raises:
        ValueError: `key` is not 32 bytes.
    """
    if len(key) != MAC_KEY_BYTES:
        raise ValueError(f"a MAC key has {MAC_KEY_BYTES} bytes, not {len(key)}")
    return hmac.digest(key, message, "sha256")[:MAC_TAG_BYTES]


def verify_mac_tag(key: bytes, message: bytes, tag: bytes) -> None:
    """Check a tag of `mac_tag`, in constant time.

    Raises:
        SignatureInvalid: `tag` is another one, or not of exactly 10 bytes.
        ValueError: `key` is not 32 bytes.
    """
    if not hmac.compare_digest(mac_tag(key, message), tag):
        raise SignatureInvalid


def fingerprint(public_key: bytes) -> str:
    """The name of a public key: "sha256:" and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(public_key).hexdigest()


def address_of(secret: bytes) -> bytes:
    """The public address (32 bytes, X25519) of the address key `secret` (32 bytes, else ValueError)."""
    if len(secret) != ADDRESS_BYTES:
        raise ValueError(f"an address key has {ADDRESS_BYTES} bytes, not {len(secret)}")
    return bindings.crypto_scalarmult_base(secret)


def seal_to(address: bytes, message: bytes) -> bytes:
    """`message` in a sealed box of libsodium, which only the secret of `address` opens; the sender cannot.

    Raises:
        AddressInvalid: `address` is not 32 bytes, or a point of small order that anybody could open.
    """
    if len(address) != ADDRESS_BYTES:
        raise AddressInvalid
    try:
        return bindings.crypto_box_seal(message, address)
    except (CryptoError, RuntimeError):
        raise AddressInvalid from None


def open_sealed(secret: bytes, sealed: bytes) -> bytes:
    """Open a box that `seal_to` made for the address of `secret` (32 bytes).

    Raises:
        SealNotOpened: it was sealed to another address, or changed.
    """
    try:
        return bindings.crypto_box_seal_open(sealed, address_of(secret), secret)
    except (CryptoError, TypeError, ValueError):
        raise SealNotOpened from None
