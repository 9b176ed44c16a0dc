"""Stage 5, verify: taking in a brand's published keyring (docs/format.md §1)."""

import hashlib
from datetime import datetime, timedelta
from typing import ClassVar, Final

from authcode.payload import shown_host
from keys.errors import AuthcodeError, KeyringInvalid, RootChanged, UnknownKey
from keys.keyring import Keyring, KeyringSet, OpenedKeyring, check_successor, open_keyring
from keys.names import Holder, refuse_conflict
from keys.records import Profile
from server.context import Context
from server.services.api_tokens import Station, TokenForOtherBrand
from server.storage import audit
from server.storage.brands import BrandRecord, add_brand, all_brands, brand_by_brand_id, replace_keyring, set_alert_from
from server.storage.engine import Connection, Database

EXPIRY_WARNING: Final = timedelta(days=7)
"""From when on an ageing keyring is spoken of: time enough for somebody who is on holiday this week."""


CLOCK_TOLERANCE: Final = timedelta(days=1)
"""How far a station's clock may be ahead; a keyring dated further on would outlive its thirty days."""


class KeyringUnknown(AuthcodeError):
    """No keyring, or not just one, fits what was asked for."""

    code: ClassVar[str] = "keyring_unknown"
    http_status: ClassVar[int] = 404

    def __init__(self) -> None:
        """Say how to ask."""
        super().__init__("Name the brand by its id: /.well-known/authcode-keys.json?brand=<32 hexadecimal digits>.")


def published_keyring(ctx: Context, *, brand_id: str | None, host: str) -> bytes:
    """The document of one brand: the one named (in hexadecimal), else the only one, else the one with codes at `host`.

    Raises:
        KeyringUnknown: none fits, or several do.
    """
    found = list(ctx.keyrings().keyrings)
    if brand_id is not None:
        found = [keyring for keyring in found if keyring.brand_id.hex() == brand_id.lower()]
    elif len(found) > 1:
        found = [keyring for keyring in found if host.lower() in map(shown_host, keyring.prefixes)]
    if len(found) != 1:
        raise KeyringUnknown
    return ctx.keyrings.brand(found[0].brand_id).keyring


def keyring_of(brand: BrandRecord) -> Keyring:
    """The keyring of a brand that is in force here."""
    return open_keyring(brand.keyring, root_fingerprint=brand.root_fingerprint).keyring


def ageing_keyrings(db: Database, *, now: datetime) -> list[Keyring]:
    """The published keyrings that offline verifiers soon call out of date, or already do; this server goes on."""
    with db.read() as connection:
        records = all_brands(connection)
    opened = [open_keyring(one.keyring, root_fingerprint=one.root_fingerprint).keyring for one in records]
    return [keyring for keyring in opened if keyring.expires - now < EXPIRY_WARNING]


def publish_keyring(
    db: Database, document: bytes, *, server_id: str | None, now: datetime, station: Station | None = None
) -> Keyring:
    """Keep a keyring: the first one of a brand pins its root, later ones must be signed by it or its heir, and newer.

    1. It verifies under the root it names, and is not of the future.   2. That root is the pinned one, or the pinned
    one vouched for it.   3. Its version is not lower, nor the same with other bytes; no key id stands for another key
    than before, and no key went back to an earlier state.   4. No key id of it belongs to another brand.
    5. Nor does a name or a host that it did not have before: here the first to arrive keeps them, whoever sends it.

    What a `station` sends is its own brand's, and enters the history.

    Raises:
        DocumentInvalid, KeyringInvalid, KeyringSignatureInvalid, SuccessionInvalid: it is no keyring.
        PrefixInvalid, PublicKeyInvalid: it holds a prefix or a key that is none.
        RootChanged, KeyringRollback, KeyIdTaken, KeyStateRefused: it does not follow from what is known here.
        BrandConflict: its name or a host of its prefixes is another brand's here.
        TokenForOtherBrand: the station is another brand's.
    """
    opened = open_keyring(document, root_fingerprint=None)  # (1)
    keyring = opened.keyring
    if station is not None and station.brand.brand_id != keyring.brand_id:
        raise TokenForOtherBrand
    if keyring.issued - now > CLOCK_TOLERANCE:
        raise KeyringInvalid(f"it says that it was issued on {keyring.issued:%Y-%m-%d}, which is still to come")
    with db.write() as connection:
        known = brand_by_brand_id(connection, keyring.brand_id)
        if known is not None and known.keyring == document:
            return keyring
        if known is not None:
            _check_follows(known, opened)  # (2), (3)
        others = [brand for brand in all_brands(connection) if brand.brand_id != keyring.brand_id]
        KeyringSet([*map(keyring_of, others), keyring])  # (4)
        before = None if known is None else _holder(known)
        offered = Holder(root=opened.root_fingerprint, brand=keyring.brand, prefixes=keyring.prefixes)
        refuse_conflict(before, offered, map(_holder, others), root_settles=False)  # (5)
        _keep(connection, known, opened, document, server_id=server_id, now=now)
        if station is not None:
            told = {"brand": keyring.brand_id.hex(), "keyring_sha256": hashlib.sha256(document).hexdigest()}
            version = f"version {keyring.version}"
            audit.note(connection, at=now, actor=station.actor, action="keys.publish", subject=version, details=told)
    return keyring


def _keep(  # noqa: PLR0913 - what becomes the row
    connection: Connection,
    known: BrandRecord | None,
    opened: OpenedKeyring,
    document: bytes,
    *,
    server_id: str | None,
    now: datetime,
) -> None:
    keyring = opened.keyring
    if known is None:
        add_brand(
            connection,
            brand_id=keyring.brand_id,
            name=keyring.brand,
            root_fingerprint=opened.root_fingerprint,
            version=keyring.version,
            keyring=document,
            server_id=server_id,
            at=now,
        )
        return
    replace_keyring(
        connection,
        known.id,
        name=keyring.brand,
        root_fingerprint=opened.root_fingerprint,
        version=keyring.version,
        keyring=document,
        at=now,
    )


def _holder(brand: BrandRecord) -> Holder:
    return Holder(root=brand.root_fingerprint, brand=brand.name, prefixes=keyring_of(brand).prefixes)


def _check_follows(known: BrandRecord, opened: OpenedKeyring) -> None:
    if not opened.follows(known.root_fingerprint):
        raise RootChanged(opened.keyring.brand, known.root_fingerprint, opened.root_fingerprint)
    check_successor(open_keyring(known.keyring, root_fingerprint=known.root_fingerprint).keyring, opened.keyring)


def keys_not_here(ctx: Context, keyring: Keyring) -> tuple[str, ...]:
    """The key ids whose codes this server could not judge: their serial or MAC key was never sent here."""
    compact = {key.key_id for key in keyring.code_keys if key.profile is Profile.COMPACT}
    lacking = {key_id for key_id in compact if key_id not in ctx.keys.mac}
    for number in {key.serial_key for key in keyring.code_keys}:
        try:
            ctx.keys.serial(keyring.brand_id, number)
        except UnknownKey:
            lacking |= {key.key_id for key in keyring.code_keys if key.serial_key == number}
    return tuple(sorted(lacking))


def alert_on_duplicates_from(db: Database, brand_id: bytes, others: int) -> None:
    """From how many other claims on one code a brand wants an alert at once (1: from the first) instead of a note.

    Raises:
        ValueError: less than one, or no such brand.
    """
    with db.write() as connection:
        known = brand_by_brand_id(connection, brand_id)
        if known is None or others < 1:
            raise ValueError("a known brand, and at least one other claim")
        set_alert_from(connection, known.id, others)
