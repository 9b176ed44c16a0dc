"""Serial and MAC keys on their way to another server, sealed to its address (docs/format.md §1, Sent keys).

    {"format": "authcode-sent-keys-1", "to": "<address>", "keyring": "<document>", "sealed": "<hex>"}

What is sealed is a document that the brand's office signed, and it names the address again: a server neither takes keys
from a stranger who knows its address, nor keys that were meant for another one. Signing keys are never among them.
"""

import json
from dataclasses import dataclass
from typing import Final

from keys.base.errors import DocumentInvalid, SharedKeysInvalid, SignatureInvalid, UnknownKey
from keys.base.fields import Fields
from keys.format.document import open_document, sign_document
from keys.format.keyring import MAX_CODE_KEYS, Keyring, OpenedKeyring, open_keyring
from keys.format.records import BRAND_ID_BYTES, MAX_SERIAL_KEYS, KeyState, Profile
from keys.primitives import ADDRESS_BYTES, LABEL_SHARED_KEYS, MAC_KEY_BYTES, address_of, open_sealed, seal_to
from keys.store.foundation import SERIAL_KEY_BYTES, SERVER_ID_BYTES
from keys.store.issuer import SharedKeys, UnlockedIssuer

FORMAT: Final = "authcode-sent-keys-1"
MAX_SENT_BYTES: Final = 1 << 22
"""A keyring of a megabyte and a thousand keys, written out; whatever is longer is not ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentKeys:
    """Keys that arrived: from which brand, by which keyring, for which manifests (`server_id`, 32 digits)."""

    keyring: OpenedKeyring
    server_id: str
    shared: SharedKeys


def send_shared_keys(issuer: UnlockedIssuer, address: bytes) -> bytes:
    """The file that brings a brand's serial and MAC keys to the server with this address (32 bytes).

    Raises:
        AddressInvalid: it is no address.
        UnknownKey: there is no active office key to sign with.
    """
    opened, shared = issuer.keyring, issuer.shared_keys()
    payload = {
        "to": address.hex(),
        "brand_id": opened.keyring.brand_id.hex(),
        "server_id": issuer.server_id,
        "serial_keys": [{"number": number, "key": key.hex()} for number, key in sorted(shared.serial.items())],
        "mac_keys": [{"key_id": key_id, "key": key.hex()} for key_id, key in sorted(shared.mac.items())],
    }
    document = sign_document(LABEL_SHARED_KEYS, json.dumps(payload, indent=1), issuer.office_key())
    sent = {
        "format": FORMAT,
        "to": address.hex(),
        "keyring": opened.document.decode("utf-8"),
        "sealed": seal_to(address, document).hex(),
    }
    return (json.dumps(sent, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def receive_shared_keys(sent: bytes, secret: bytes, *, root_fingerprint: str | None) -> SentKeys:
    """Open a file of `send_shared_keys` with the server's address key (32 bytes).

    1. It is addressed to this server.   2. Its keyring verifies, under the given root or an heir of it where one is
    given.   3. The seal opens.   4. An office key of the keyring, not withdrawn, signed what was in it.   5. That names
    this address and this brand, and MAC keys of its keyring only.

    Raises:
        SharedKeysInvalid: it is no such file, or its content is not the brand's.
        SealNotOpened: it was sealed to another server, or changed.
        DocumentInvalid, KeyringSignatureInvalid, KeyringInvalid, ...: as `open_keyring`.
    """
    address = address_of(secret)
    to, document, sealed = _read_file(sent)
    if to != address:  # (1)
        raise SharedKeysInvalid(f"they are for the server with the address {to.hex()}")
    opened = open_keyring(document, root_fingerprint=root_fingerprint)  # (2)
    content = open_sealed(secret, sealed)  # (3)
    payload = _signed_content(content, opened.keyring)  # (4)
    try:
        fields = Fields.parse(payload)
        named = fields.binary("to", n_bytes=ADDRESS_BYTES), fields.binary("brand_id", n_bytes=BRAND_ID_BYTES)
        server_id = fields.binary("server_id", n_bytes=SERVER_ID_BYTES).hex()
        shared = _read_shared(fields)
    except ValueError:
        raise SharedKeysInvalid("what was sealed is no list of keys") from None
    compact = {key.key_id for key in opened.keyring.code_keys if key.profile is Profile.COMPACT}
    if named != (address, opened.keyring.brand_id) or not shared.mac.keys() <= compact:  # (5)
        raise SharedKeysInvalid("what was sealed is for another server or of another brand")
    return SentKeys(keyring=opened, server_id=server_id, shared=shared)


def _read_file(sent: bytes) -> tuple[bytes, bytes, bytes]:
    try:
        if len(sent) > MAX_SENT_BYTES:
            raise ValueError("too long")  # noqa: TRY301 - all of this ends in the one error below
        fields = Fields.parse(sent)
        if fields.text("format") != FORMAT:
            raise ValueError("another format")  # noqa: TRY301 - the same
        document = fields.text("keyring", longest=MAX_SENT_BYTES).encode("utf-8")
        return (
            fields.binary("to", n_bytes=ADDRESS_BYTES),
            document,
            bytes.fromhex(fields.text("sealed", longest=MAX_SENT_BYTES)),
        )
    except ValueError:
        raise SharedKeysInvalid("it is no file of `authcode keys send`") from None


def _signed_content(content: bytes, keyring: Keyring) -> str:
    offices = {key.fingerprint: key.public_key for key in keyring.office_keys if key.state is not KeyState.WITHDRAWN}
    try:
        return open_document(LABEL_SHARED_KEYS, content, public_keys=offices)
    except (DocumentInvalid, SignatureInvalid, UnknownKey):
        raise SharedKeysInvalid("no office key of the brand's keyring signed what was sealed") from None


def _read_shared(fields: Fields) -> SharedKeys:
    serial = fields.objects("serial_keys", most=MAX_SERIAL_KEYS)
    mac = fields.objects("mac_keys", most=MAX_CODE_KEYS)
    return SharedKeys(
        serial={
            key.number("number", low=1, high=MAX_SERIAL_KEYS): key.binary("key", n_bytes=SERIAL_KEY_BYTES)
            for key in serial
        },
        mac={key.text("key_id", longest=2): key.binary("key", n_bytes=MAC_KEY_BYTES) for key in mac},
    )
