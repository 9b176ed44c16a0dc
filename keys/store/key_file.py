"""One secret in one sealed file (docs/format.md §1).

    {"format": "authcode-key-1", "header": "<exact text>", "nonce": "<hex>", "sealed": "<hex>"}

The passphrase and the header's salt give a store key (scrypt); the store key and the exact header give the file's own
key (HKDF-SHA-256); under it the secret is sealed with ChaCha20-Poly1305, the header being its associated data. So one
slow derivation opens a whole store, and no header can be changed or moved to another secret. States are not kept here:
they live in the keyring only.
"""

import json
import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from keys.base.errors import KeyFileInvalid, KeyFileTooCostly
from keys.base.fields import Fields
from keys.format.records import BRAND_ID_BYTES, Purpose

FORMAT: Final = "authcode-key-1"
SALT_BYTES: Final = 16
STORE_KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
MAX_SECRET_BYTES: Final = 4096
MAX_KEY_FILE_BYTES: Final = 16_384
MAX_KEY_ID_CHARS: Final = 64
MAX_SCRYPT_N: Final = 1 << 20
"""About one gigabyte and some seconds; a file that demands more is an attack (docs/format.md §1)."""
MAX_SCRYPT_R: Final = 8
MAX_SCRYPT_P: Final = 4

_CONTEXT: Final = b"authcode-key-1\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptCost:
    """The cost of trying one passphrase: scrypt's n (a power of two), r and p. 128 * n * r bytes of memory.

    Raises:
        KeyFileTooCostly: more than n = 2^20, r = 8 or p = 4.
        ValueError: not parameters of scrypt.
    """

    n: int = 1 << 17
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        """Refuse before any work is done."""
        if self.n > MAX_SCRYPT_N or self.r > MAX_SCRYPT_R or self.p > MAX_SCRYPT_P:
            raise KeyFileTooCostly(self.n, self.r, self.p)
        if self.n < 2 or self.n & (self.n - 1) or self.r < 1 or self.p < 1:  # noqa: PLR2004 - scrypt's own bound
            raise ValueError("scrypt needs n, a power of two, and r and p of at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The salt (16 bytes) and cost of stretching a store's passphrase, the same in all files of a store."""

    salt: bytes
    cost: ScryptCost

    def derive(self, passphrase: str) -> bytes:
        """The store key (32 bytes) of `passphrase`; slow on purpose.

        Raises:
            KeyFileTooCostly: this machine has too little memory for it.
        """
        # NFC, so that keyboards agree about accents; surrogates, because an environment may hold any bytes.
        text = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
        cost = self.cost
        try:
            return Scrypt(salt=self.salt, length=STORE_KEY_BYTES, n=cost.n, r=cost.r, p=cost.p).derive(text)
        except MemoryError:
            raise KeyFileTooCostly(cost.n, cost.r, cost.p) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHeader:
    """The open part of a key file: whose secret it has and what for. `brand_id` is None for a server's own keys."""

    purpose: Purpose
    key_id: str
    brand_id: bytes | None
    lock: Lock

    def text(self) -> str:
        """The exact text that is bound to the secret."""
        cost = self.lock.cost
        return json.dumps(
            {
                "format": FORMAT,
                "purpose": self.purpose,
                "key_id": self.key_id,
                "brand_id": None if self.brand_id is None else self.brand_id.hex(),
                "kdf": {"name": "scrypt", "salt": self.lock.salt.hex(), "n": cost.n, "r": cost.r, "p": cost.p},
                "aead": "chacha20-poly1305",
            }
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a header; ValueError where it is none, KeyFileTooCostly where it demands too much work."""
        fields = Fields.parse(text)
        kdf = fields.nested("kdf")
        names = (fields.text("format"), kdf.text("name"), fields.text("aead"))
        if names != (FORMAT, "scrypt", "chacha20-poly1305"):
            raise ValueError("another format")
        unbounded = 1 << 62
        cost = ScryptCost(**{name: kdf.number(name, low=1, high=unbounded) for name in ("n", "r", "p")})
        return cls(
            purpose=fields.choice("purpose", Purpose),
            key_id=fields.text("key_id", longest=MAX_KEY_ID_CHARS),
            brand_id=fields.binary_or_none("brand_id", n_bytes=BRAND_ID_BYTES),
            lock=Lock(salt=kdf.binary("salt", n_bytes=SALT_BYTES), cost=cost),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """A key file as it is on the disk: still sealed."""

    name: str
    header: KeyHeader
    header_text: str
    nonce: bytes = field(repr=False)
    sealed: bytes = field(repr=False)

    @classmethod
    def seal(cls, name: str, header: KeyHeader, secret: bytes, store_key: bytes) -> Self:
        """Seal `secret` (1 to 4096 bytes) under `store_key` and `header`; ValueError for another length."""
        if not 1 <= len(secret) <= MAX_SECRET_BYTES:
            raise ValueError(f"a secret has 1 to {MAX_SECRET_BYTES} bytes")
        text, nonce = header.text(), secrets.token_bytes(NONCE_BYTES)
        sealed = _cipher(store_key, text).encrypt(nonce, secret, text.encode("utf-8"))
        return cls(name=name, header=header, header_text=text, nonce=nonce, sealed=sealed)

    @classmethod
    def parse(cls, name: str, data: bytes) -> Self:
        """Read a key file. Nothing is derived or opened here.

        Raises:
            KeyFileInvalid: it is none, or its header was changed in shape.
            KeyFileTooCostly: its header demands more work than any of ours.
        """
        if len(data) > MAX_KEY_FILE_BYTES:
            raise KeyFileInvalid(name, f"it is longer than {MAX_KEY_FILE_BYTES} bytes")
        try:
            fields = Fields.parse(data)
            text = fields.text("header")
            sealed = bytes.fromhex(fields.text("sealed"))
            if fields.text("format") != FORMAT or len(sealed) <= TAG_BYTES:
                raise ValueError("another format")  # noqa: TRY301 - all of this ends in the one error below
            nonce = fields.binary("nonce", n_bytes=NONCE_BYTES)
            return cls(name=name, header=KeyHeader.parse(text), header_text=text, nonce=nonce, sealed=sealed)
        except ValueError:
            raise KeyFileInvalid(name, "it is damaged or no key file") from None

    def open(self, store_key: bytes) -> bytes:
        """The secret.

        Raises:
            KeyFileInvalid: `store_key` does not open it, or its header or content was changed.
        """
        try:
            cipher = _cipher(store_key, self.header_text)
            return cipher.decrypt(self.nonce, self.sealed, self.header_text.encode("utf-8"))
        except InvalidTag:
            raise KeyFileInvalid(self.name, "its header or content was changed") from None

    def to_bytes(self) -> bytes:
        """The file's content."""
        values = {"format": FORMAT, "header": self.header_text, "nonce": self.nonce.hex(), "sealed": self.sealed.hex()}
        return (json.dumps(values, indent=1) + "\n").encode("utf-8")


def _cipher(store_key: bytes, header_text: str) -> ChaCha20Poly1305:
    kdf = HKDFExpand(algorithm=SHA256(), length=STORE_KEY_BYTES, info=_CONTEXT + header_text.encode("utf-8"))
    return ChaCha20Poly1305(kdf.derive(store_key))
