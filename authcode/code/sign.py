"""Stage 1, batch: putting the tag on a serial (docs/format.md §2)."""

from authcode.code.payload import GTIN_NONE, ParsedCode, format_code, signed_message
from keys.format.records import CodeKey, Profile
from keys.primitives import SigningKey, mac_tag


class CodeSigner:
    """Writes codes under one key of one brand."""

    def __init__(self, brand_id: bytes, key: CodeKey, secret: bytes) -> None:
        """Take the key's public record and its secret: an Ed25519 seed, or a MAC key for `compact` (32 bytes)."""
        self.key = key
        self._brand_id = brand_id
        self._secret = secret
        self._signing_key = SigningKey(secret) if key.profile is Profile.SIGNED else None

    def code(self, serial: str, gtin: str = GTIN_NONE) -> str:
        """Give the exact text of the code for a serial; `gtin` is fourteen digits in the link form only."""
        key = self.key
        message = signed_message(key, self._brand_id, serial=serial, gtin=gtin)
        tag = self._signing_key.sign(message) if self._signing_key else mac_tag(self._secret, message)
        parsed = ParsedCode(form=key.form, prefix=key.prefix, key_id=key.key_id, serial=serial, gtin=gtin, tag=tag)
        return format_code(parsed)
