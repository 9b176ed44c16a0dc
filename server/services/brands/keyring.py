"""Stage 5, verify: taking in a brand's published keyring (docs/format.md §1)."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from authcode.code.payload import shown_host
from keys.base.errors import AuthcodeError, KeyringInvalid, RootChanged, UnknownKey
from keys.base.instants import format_instant
from keys.format.keyring import Keyring, KeyringSet, OpenedKeyring, check_successor, open_keyring
from keys.format.names import NameOwner, refuse_conflict, refuse_mixed
from keys.format.records import KeyState, Profile
from server.keystore import ServerKeys
from server.runtime.context import Context
from server.services.staff.api_tokens import Station, TokenForOtherBrand
from server.storage import audit
from server.storage.brands import BrandRecord, add_brand, all_brands, brand_by_brand_id, set_brand
from server.storage.engine import Connection, Database

EXPIRY_WARNING: Final = timedelta(days=7)
"""How long before its expiry a keyring is warned of: enough for an operator on holiday."""

MAX_SUBJECT: Final = 254
"""Characters that a line of the audit has for what an act was done to."""

SHARED_KEY_MISSING: Final = "shared_key_missing"
"""The warning's stable name, at the start and on /readyz."""

CLOCK_TOLERANCE: Final = timedelta(days=1)
"""How far a station's clock may be ahead; a keyring dated further on would outlive its thirty days."""


class KeyringUnknown(AuthcodeError):
    """No keyring, or more than one, fits the request."""

    code = "keyring_unknown"
    http_status = 404
    sentence = "Name the brand by its id: /.well-known/authcode-keys.json?brand=<32 hexadecimal digits>."


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


def published_keyrings(db: Database) -> list[Keyring]:
    """The keyrings of all brands that are in force here."""
    with db.read() as connection:
        return [keyring_of(one) for one in all_brands(connection)]


def ageing_keyrings(db: Database, *, now: datetime) -> list[Keyring]:
    """The published keyrings that offline verifiers soon call out of date, or already do; this server goes on."""
    return [keyring for keyring in published_keyrings(db) if keyring.expires - now < EXPIRY_WARNING]


def publish_keyring(
    db: Database, document: bytes, *, server_id: str | None, now: datetime, by: Station | str | None = None
) -> Keyring:
    """Keep a keyring: the first one of a brand pins its root, later ones must be signed by it or its heir, and newer.

    1. It verifies under the root it names, and is not of the future.   2. That root is the pinned one, or the pinned
    one vouched for it.   3. Its version is not lower, nor the same with other bytes; no key id names another key
    than before, and no key went back to an earlier state.   4. No key id of it belongs to another brand.
    5. Nor does a name or a host that it did not have before, or one that looks like it: the first brand to arrive keeps
    them. No word of a new one mixes scripts.

    A station publishes for its own brand only. Where `by` names a station or a person, the publication enters the
    audit, each key that it withdraws on a line of its own.

    Raises:
        DocumentInvalid, KeyringInvalid, KeyringSignatureInvalid, SuccessionInvalid: it is no keyring.
        PrefixInvalid, PublicKeyInvalid: a prefix or a key in it is none.
        RootChanged, KeyringRollback, KeyIdTaken, KeyStateRefused: it does not follow from what is known here.
        BrandConflict: its name or a host of its prefixes is another brand's here, or looks like it.
        NameMixesScripts: a word of its name or a label of a host does.
        TokenForOtherBrand: the station is another brand's.
    """
    opened = open_keyring(document, root_fingerprint=None)  # (1)
    keyring = opened.keyring
    if isinstance(by, Station) and by.brand.brand_id != keyring.brand_id:
        raise TokenForOtherBrand
    if keyring.issued - now > CLOCK_TOLERANCE:
        raise KeyringInvalid(f"it says that it was issued on {keyring.issued:%Y-%m-%d}, which is still to come")
    with db.write() as connection:
        known = brand_by_brand_id(connection, keyring.brand_id)
        if known is not None and known.keyring == document:
            return keyring
        _check_follows(known, opened)  # (2), (3)
        others = [brand for brand in all_brands(connection) if brand.brand_id != keyring.brand_id]
        _check_no_conflict(known, opened, others)  # (4), (5)
        _keep(connection, known, opened, document, server_id)
        if by is not None:
            actor = by.actor if isinstance(by, Station) else by
            for action, subject, details in _audit_lines(known, keyring, document):
                audit.append(connection, at=now, actor=actor, action=action, subject=subject, details=details)
    return keyring


def _keep(
    connection: Connection, known: BrandRecord | None, opened: OpenedKeyring, document: bytes, server_id: str | None
) -> None:
    keyring = opened.keyring
    values: dict[str, object] = {"name": keyring.brand, "keyring": document, "keyring_version": keyring.version}
    values["root_fingerprint"] = opened.root_fingerprint
    if known is None:
        add_brand(connection, brand_id=keyring.brand_id, server_id=server_id, **values)
    else:
        set_brand(connection, known.id, **values)


def _audit_lines(
    known: BrandRecord | None, keyring: Keyring, document: bytes
) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Action, subject and details of the publication, and of each withdrawal, which cannot be taken back."""
    before = {} if known is None else {key.key_id: key.state for key in keyring_of(known).code_keys}
    brand, version = keyring.brand_id.hex(), f"version {keyring.version}"
    published: dict[str, object] = {
        "brand": brand,
        "keyring_sha256": hashlib.sha256(document).hexdigest(),
        "new_keys": [key.key_id for key in keyring.code_keys if key.key_id not in before],
        "retired_keys": _newly(keyring, before, KeyState.RETIRED),
        "lookalike_domains": list(keyring.lookalike_domains),
        "partner_domains": list(keyring.partner_domains),
    }
    yield "keys.publish", version, published
    for key_id in _newly(keyring, before, KeyState.WITHDRAWN):
        key = keyring.code_key(key_id)
        since = format_instant(key.since)
        subject = f"key {key_id} since {key.since:%Y-%m-%d %H:%M} UTC, {version}: {key.reason}"[:MAX_SUBJECT]
        withdrawn: dict[str, object] = {
            "brand": brand,
            "key_id": key_id,
            "since": since,
            "reason": key.reason,
            "version": keyring.version,
        }
        yield "keys.withdraw", subject, withdrawn


def _newly(keyring: Keyring, known: Mapping[str, KeyState], state: KeyState) -> list[str]:
    """The keys that are in a state since this keyring."""
    return [key.key_id for key in keyring.code_keys if key.state is state and known.get(key.key_id) is not state]


def _name_owner(brand: BrandRecord) -> NameOwner:
    return NameOwner(root=brand.root_fingerprint, brand=brand.name, prefixes=keyring_of(brand).prefixes)


def _check_follows(known: BrandRecord | None, opened: OpenedKeyring) -> None:
    if known is None:
        return
    if not opened.follows(known.root_fingerprint):
        raise RootChanged(opened.keyring.brand, known.root_fingerprint, opened.root_fingerprint)
    check_successor(keyring_of(known), opened.keyring)


def _check_no_conflict(known: BrandRecord | None, opened: OpenedKeyring, others: Sequence[BrandRecord]) -> None:
    KeyringSet([*map(keyring_of, others), opened.keyring])  # (4)
    before = None if known is None else _name_owner(known)
    offered = NameOwner(root=opened.root_fingerprint, brand=opened.keyring.brand, prefixes=opened.keyring.prefixes)
    refuse_conflict(before, offered, map(_name_owner, others), root_settles=False)  # (5)
    refuse_mixed(before, offered)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingKey:
    """A serial or MAC key that is missing here; codes of `key_ids` cannot be judged without it."""

    brand: str
    name: str
    key_ids: tuple[str, ...]

    @property
    def warning(self) -> str:
        """The warning for the operator: the stable name, then brand, key and the way out."""
        return (
            f"{SHARED_KEY_MISSING}: this server does not hold the {self.name} of {self.brand}, so that codes of key "
            f"{', '.join(self.key_ids)} cannot be judged; bring it with `authcode keys publish` where the issuer's "
            "part is in the same home, else with `authcode keys receive`"
        )


def missing_keys(keys: ServerKeys, keyrings: Iterable[Keyring]) -> tuple[MissingKey, ...]:
    """The serial and MAC keys of these keyrings that were never brought here, or were lost."""
    found = []
    for keyring in keyrings:
        for number in sorted({key.serial_key for key in keyring.code_keys}):
            try:
                keys.serial(keyring.brand_id, number)
            except UnknownKey:
                ids = tuple(sorted(key.key_id for key in keyring.code_keys if key.serial_key == number))
                found.append(MissingKey(brand=keyring.brand, name=f"serial key {number}", key_ids=ids))
        compact = sorted(key.key_id for key in keyring.code_keys if key.profile is Profile.COMPACT)
        found += [
            MissingKey(brand=keyring.brand, name=f"MAC key {key_id}", key_ids=(key_id,))
            for key_id in compact
            if key_id not in keys.mac
        ]
    return tuple(found)


def keys_not_here(ctx: Context, keyring: Keyring) -> tuple[str, ...]:
    """The key ids whose codes this server could not judge: their serial or MAC key was never sent here."""
    return tuple(sorted({key_id for missing in missing_keys(ctx.keys, [keyring]) for key_id in missing.key_ids}))
