"""The records of keys in a keyring: profile, form, state and public part (docs/format.md §1).

The key id alone selects all of this; the text of a code selects nothing.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from keys.base import crockford
from keys.base.errors import KeyStateRefused
from keys.primitives import PUBLIC_KEY_BYTES, fingerprint

KEY_ID_DIGITS: Final = 2
BRAND_ID_BYTES: Final = 16
MAX_SERIAL_KEYS: Final = 255
"""Serial keys of a brand are numbered from 1 to this."""
MAX_REASON_CHARS: Final = 200

_KEY_ID = re.compile(f"[{crockford.ALPHABET}]{{{KEY_ID_DIGITS}}}")


class Profile(StrEnum):
    """How a code is authenticated: by a signature that anybody can check, or by a keyed tag that only a server can."""

    SIGNED = "signed"
    COMPACT = "compact"

    @property
    def number(self) -> int:
        """The profile byte of the signed message (docs/format.md §2)."""
        return 1 if self is Profile.SIGNED else 2


class Form(StrEnum):
    """How a code is written: the short form, or a GS1 Digital Link."""

    SHORT = "short"
    GS1 = "gs1"

    @property
    def letter(self) -> str:
        """The form letter of the signed message (docs/format.md §2)."""
        return "S" if self is Form.SHORT else "L"


class KeyState(StrEnum):
    """The permitted uses of a key: signing and verifying, verifying only, or neither since a moment."""

    ACTIVE = "active"
    RETIRED = "retired"
    WITHDRAWN = "withdrawn"


class Purpose(StrEnum):
    """The purpose of the secret in a key file. The first five are a brand's, the others a server's own."""

    ROOT = "root"
    OFFICE = "office"
    SIGNING = "signing"
    SERIAL = "serial"
    MAC = "mac"
    PAGE_TOKEN = "page-token"  # noqa: S105 - the name of a purpose, not a secret
    HOLDER = "holder"
    CLAIM = "claim"
    SESSION = "session"
    PSEUDONYM_DAY = "pseudonym-day"
    PSEUDONYM_UNIT = "pseudonym-unit"
    PROOF = "proof"
    PROOF_ID = "proof-id"
    KEEP_CODE = "keep-code"
    LOG_HEAD = "log-head"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeKey:
    """A key that authenticates codes, as a keyring lists it.

    `since` is when the key entered its `state` (aware UTC), `reason` why it was withdrawn. A signed key carries its
    32-byte public key; a compact key none, since its secret is the server's too, and it exists in the short form only.
    Wrong combinations raise ValueError.
    """

    key_id: str
    profile: Profile
    form: Form
    prefix: str
    serial_key: int
    state: KeyState
    since: datetime
    reason: str | None = None
    public_key: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse a record that no keyring may hold (ValueError)."""
        if _KEY_ID.fullmatch(self.key_id) is None:
            raise ValueError("a key id is two characters of Crockford's alphabet")
        self._check_profile()
        if not 1 <= self.serial_key <= MAX_SERIAL_KEYS:
            raise ValueError(f"key {self.key_id} names serial key {self.serial_key}, not 1 to {MAX_SERIAL_KEYS}")
        _check_since(self.since)
        if (self.reason is not None) != (self.state is KeyState.WITHDRAWN):
            raise ValueError(f"key {self.key_id}: a withdrawn key has a reason, and no other key has one")
        if self.reason is not None and not 1 <= len(self.reason) <= MAX_REASON_CHARS:
            raise ValueError(f"key {self.key_id}: the reason has 1 to {MAX_REASON_CHARS} characters")

    def _check_profile(self) -> None:
        if self.profile is Profile.COMPACT and (self.public_key is not None or self.form is not Form.SHORT):
            raise ValueError(f"compact key {self.key_id} must be of the short form and without a public key")
        if self.profile is Profile.SIGNED and len(self.public_key or b"") != PUBLIC_KEY_BYTES:
            raise ValueError(f"signed key {self.key_id} needs a public key of {PUBLIC_KEY_BYTES} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeKey:
    """A key that signs a brand's manifests; `since` (aware UTC) is when it entered its state. Else ValueError."""

    fingerprint: str
    public_key: bytes
    state: KeyState
    since: datetime

    def __post_init__(self) -> None:
        """Refuse a fingerprint of another key (ValueError)."""
        if self.fingerprint != fingerprint(self.public_key):
            raise ValueError("an office key's fingerprint is not that of its public key")
        _check_since(self.since)


def _check_since(since: datetime) -> None:
    if since.utcoffset() != timedelta(0):
        raise ValueError("a key's state needs an aware time in UTC")


def check_withdrawal_moment(key_id: str, *, since: datetime, now: datetime) -> None:
    """Check the moment (aware UTC) since which a key is, or would be, withdrawn.

    Raises:
        KeyStateRefused: it is yet to come.
    """
    if since > now:
        reason = (
            f"it is {now:%Y-%m-%d %H:%M} UTC now, and {since:%Y-%m-%d %H:%M} UTC is still to come; a key is withdrawn"
        )
        raise KeyStateRefused(key_id, f"{reason} since a moment that has come")
