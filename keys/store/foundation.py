"""A brand's first keys and keyring, built next to their final place (docs/format.md §1).

`keys.store.issuer` creates the issuer's part of a home with it, and uses it for every key that is added later.
"""

import json
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from keys.base.crockford import ALPHABET
from keys.base.errors import HomeExists, KeyIdsExhausted, KeyringInvalid
from keys.base.files import PUBLIC_FILE, write_atomic
from keys.base.instants import to_second
from keys.format.keyring import KEYRING_LIFE, Keyring, sign_keyring
from keys.format.records import BRAND_ID_BYTES, CodeKey, Form, KeyState, OfficeKey, Profile, Purpose
from keys.primitives import MAC_KEY_BYTES, SEED_BYTES, SigningKey
from keys.store.key_file import ScryptCost
from keys.store.key_store import KeyStore, open_store

BRAND_FORMAT: Final = "authcode-brand-1"
SERVER_ID_BYTES: Final = 16
SERIAL_KEY_BYTES: Final = 32
FIRST_SERIAL_KEY: Final = 1


def free_key_id(taken: Collection[str], choose: Callable[[Sequence[str]], str]) -> str:
    """A key id of two characters that is not `taken`, picked by `choose` (such as `secrets.choice`).

    Raises:
        KeyIdsExhausted: all 1024 are.
    """
    free = [first + second for first in ALPHABET for second in ALPHABET if first + second not in taken]
    if not free:
        raise KeyIdsExhausted
    return choose(free)


def build(place: Path, *, brand: str, prefix: str, unlock: tuple[str, ScryptCost | None], now: datetime) -> None:
    """Fill `place` with a new brand: keys, keyring, brand.json."""
    passphrase, cost = unlock
    brand_id, root, office = secrets.token_bytes(BRAND_ID_BYTES), SigningKey.generate(), SigningKey.generate()
    made: list[tuple[CodeKey, bytes]] = []
    for form in (Form.SHORT, Form.GS1):
        key_id = free_key_id({key.key_id for key, _secret in made}, secrets.choice)
        made.append(make_code_key(key_id, Profile.SIGNED, form, prefix, now))
    issued = to_second(now)
    keyring = Keyring(
        brand_id=brand_id,
        brand=brand,
        version=1,
        issued=issued,
        expires=issued + KEYRING_LIFE,
        prefixes=(prefix,),
        code_keys=tuple(key for key, _secret in made),
        office_keys=(make_office_key(office, now),),
    )
    store = store_in(place).unlock(passphrase, cost=cost)
    store.put(Purpose.ROOT, short_name(root.fingerprint), brand_id, root.seed)
    store.put(Purpose.OFFICE, short_name(office.fingerprint), brand_id, office.seed)
    store.put(Purpose.SERIAL, str(FIRST_SERIAL_KEY), brand_id, secrets.token_bytes(SERIAL_KEY_BYTES))
    for key, secret in made:
        store.put(Purpose.SIGNING, key.key_id, brand_id, secret)
    write_atomic(place / "keyring.json", sign_keyring(keyring, root), mode=PUBLIC_FILE)
    write_brand(place, keyring, root.fingerprint, server_id=secrets.token_hex(SERVER_ID_BYTES))


def move_into_place(building: Path, place: Path, home: Path) -> None:
    """Move the finished part into place, unless another process was faster: a rename never replaces a full folder."""
    try:
        building.rename(place)
    except OSError:
        if place.exists():
            raise HomeExists(home) from None
        raise


def write_brand(place: Path, keyring: Keyring, root: str, *, server_id: str) -> None:
    """Write brand.json, which names the brand of the home and the root's fingerprint."""
    values = {
        "format": BRAND_FORMAT,
        "brand": keyring.brand,
        "brand_id": keyring.brand_id.hex(),
        "server_id": server_id,
        "root": root,
    }
    write_atomic(place / "brand.json", (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))


def make_code_key(key_id: str, profile: Profile, form: Form, prefix: str, now: datetime) -> tuple[CodeKey, bytes]:
    """A fresh active key and its secret; KeyringInvalid for a combination that no keyring may hold."""
    secret = secrets.token_bytes(SEED_BYTES if profile is Profile.SIGNED else MAC_KEY_BYTES)
    try:
        key = CodeKey(
            key_id=key_id,
            profile=profile,
            form=form,
            prefix=prefix,
            serial_key=FIRST_SERIAL_KEY,
            state=KeyState.ACTIVE,
            since=to_second(now),
            public_key=SigningKey(secret).public_key if profile is Profile.SIGNED else None,
        )
    except ValueError as error:
        raise KeyringInvalid(str(error)) from None
    return key, secret


def next_version(keyring: Keyring, now: datetime) -> Keyring:
    """The next version, living thirty days from `now`."""
    issued = to_second(now)
    return replace(keyring, version=keyring.version + 1, issued=issued, expires=issued + KEYRING_LIFE)


def make_office_key(office: SigningKey, now: datetime) -> OfficeKey:
    """The record of a fresh office key."""
    return OfficeKey(
        fingerprint=office.fingerprint, public_key=office.public_key, state=KeyState.ACTIVE, since=to_second(now)
    )


def store_in(place: Path) -> KeyStore:
    """The key files of the issuer's part in `place`."""
    return open_store(place / "keys")


def short_name(fingerprint: str) -> str:
    """The name of a root or office key in the store: the first 16 hexadecimal digits of its fingerprint."""
    return fingerprint.removeprefix("sha256:")[:16]
