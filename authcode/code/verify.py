"""Stage 5, verify: does a known key vouch for this text (docs/format.md §3, rule 6).

`verify_code` returns what the key vouches for, or raises; it never returns a truth value that could be ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from authcode.code.payload import NotOurs, parse_code, signed_message
from keys.base.errors import AuthcodeError, SignatureInvalid
from keys.format.keyring import Keyring, KeyringSet, OpenedKeyring
from keys.format.records import CodeKey, Form, KeyState, Profile
from keys.primitives import verify_bytes, verify_mac_tag


class OnlineOnly(AuthcodeError):
    """A `compact` code met a verifier without its MAC key; only the brand's server can judge it."""

    code = "online_only"
    http_status = 409
    sentence = "codes of key {key_id} are checked by the brand's server only; ask it"
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCode:
    """The content that a key vouches for, in place of the text. `gtin` is `GTIN_NONE` in the short form."""

    brand_id: bytes
    key: CodeKey
    serial: str
    gtin: str
    form: Form


class OfflineState(StrEnum):
    """The result of a check without the server: never that a code is unused (docs/format.md §1)."""

    SIGNATURE_VALID = "signature_valid"
    KEY_LIST_OUT_OF_DATE = "key_list_out_of_date"
    KEY_WITHDRAWN = "key_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineAnswer:
    """An offline answer: the state, what the key vouches for, and the keyring it was judged by."""

    state: OfflineState
    code: VerifiedCode
    keyring: Keyring


def verify_code(
    text: str | bytes, keyrings: KeyringSet, *, mac_keys: Mapping[str, bytes] | None = None
) -> VerifiedCode:
    """Parse a text and check its tag. A withdrawn key still vouches: the caller decides by `key.state`.

    1. Parse, find the record.   2. Lay out the signed message from the record and the text.   3. Check the tag.

    The text may be of any length and kind; `mac_keys` maps key ids to the 32-byte MAC keys that only servers have.

    Raises:
        NotOurs: whatever is wrong with the text, one sentence for all.
        OnlineOnly: a well-formed `compact` code whose MAC key is not here.
    """
    keyring, key, parsed = parse_code(text, keyrings)  # (1)
    message = signed_message(key, keyring.brand_id, serial=parsed.serial, gtin=parsed.gtin)  # (2)
    _check_tag(key, message, parsed.tag, mac_keys or {})  # (3)
    return VerifiedCode(brand_id=keyring.brand_id, key=key, serial=parsed.serial, gtin=parsed.gtin, form=parsed.form)


def verify_offline(text: str | bytes, opened: OpenedKeyring, now: datetime) -> OfflineAnswer:
    """Judge a text by one brand's keyring alone: signature and key state, never use.

    Raises:
        NotOurs: not a code of this keyring.
        OnlineOnly: a `compact` code.
    """
    keyring = opened.keyring
    code = verify_code(text, KeyringSet([keyring]))
    state = OfflineState.SIGNATURE_VALID
    if code.key.state is KeyState.WITHDRAWN:
        state = OfflineState.KEY_WITHDRAWN
    elif keyring.expired(now):
        state = OfflineState.KEY_LIST_OUT_OF_DATE
    return OfflineAnswer(state=state, code=code, keyring=keyring)


def _check_tag(key: CodeKey, message: bytes, tag: bytes, mac_keys: Mapping[str, bytes]) -> None:
    try:
        if key.profile is Profile.COMPACT:
            secret = mac_keys.get(key.key_id)
            if secret is None:
                raise OnlineOnly(key.key_id)
            verify_mac_tag(secret, message, tag)
        else:
            verify_bytes(key.public_key or b"", message, tag)
    except SignatureInvalid:
        raise NotOurs from None
