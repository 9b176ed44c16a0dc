"""The issuer's part of a home: a brand, its keys and the keyring that publishes them (docs/format.md §1).

    HOME/issuer/brand.json      the brand's name and id, the server's id, the root's fingerprint
    HOME/issuer/keyring.json    the signed keyring, as published
    HOME/issuer/keys/           root, office, signing, serial and MAC keys, sealed

Whoever changes keyring or keys holds a lock file, so that two commands at once lose nothing.
"""

import json
import secrets
import shutil
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from keys import home as places
from keys.crockford import ALPHABET
from keys.document import FINGERPRINT_CHARS
from keys.errors import HomeExists, HomeMissing, KeyIdsExhausted, KeyringInvalid, UnknownKey
from keys.fields import Fields
from keys.files import PUBLIC_FILE, exclusive_lock, make_private_dir, sync_dir, write_atomic
from keys.instants import to_second
from keys.keyfile import ScryptCost
from keys.keyring import (
    KEYRING_LIFE,
    Keyring,
    OpenedKeyring,
    check_successor,
    normalise_prefix,
    open_keyring,
    sign_keyring,
)
from keys.primitives import MAC_KEY_BYTES, SEED_BYTES, SigningKey
from keys.records import BRAND_ID_BYTES, CodeKey, Form, KeyState, OfficeKey, Profile, Purpose
from keys.store import KeyStore, UnlockedStore, open_store

BRAND_FORMAT: Final = "authcode-brand-1"
SERVER_ID_BYTES: Final = 16
SERIAL_KEY_BYTES: Final = 32
FIRST_SERIAL_KEY: Final = 1
REFRESH_BEFORE: Final = timedelta(days=10)
"""A keyring this close to its expiry is signed again, so that a missed week does no harm."""

_PURPOSES: Final = {Profile.SIGNED: Purpose.SIGNING, Profile.COMPACT: Purpose.MAC}


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKeys:
    """The secrets that a server needs too: serial keys (32 bytes) by number, MAC keys (32 bytes) by key id."""

    serial: dict[int, bytes] = field(repr=False)
    mac: dict[str, bytes] = field(repr=False)


class IssuerHome:
    """The issuer's part of one home, still locked: what it publishes can be read, nothing can be signed."""

    __slots__ = ("_home", "_root", "server_id")

    def __init__(self, home: Path, root: str, server_id: str) -> None:
        """Use `IssuerHome.open` or `IssuerHome.create` instead."""
        self._home, self._root = home, root
        self.server_id = server_id

    @classmethod
    def create(  # noqa: PLR0913 - what a brand begins with; all but the home by keyword
        cls,
        home: Path,
        *,
        brand: str,
        prefix: str,
        passphrase: str,
        now: datetime,
        cost: ScryptCost | None = None,
    ) -> Self:
        """Make the issuer's part of `home`: root, office and first serial key, and a signing key for each form.

        It is built beside its place and moved there whole: a failure leaves nothing.

        Raises:
            HomeExists: `home` has an issuer's part.
            PrefixInvalid, KeyringInvalid: `prefix` or `brand` cannot stand in a keyring.
            OSError: it cannot be written.
        """
        place = places.issuer_dir(home)
        if place.exists():
            raise HomeExists(home)
        made_home = not home.exists()
        building = home / f".issuer.partial-{secrets.token_hex(4)}"
        try:
            make_private_dir(home)  # orders in it hold unburned codes
            make_private_dir(building)
            _build(building, brand=brand, prefix=normalise_prefix(prefix), unlock=(passphrase, cost), now=now)
            _move(building, place, home)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            if made_home:
                with suppress(OSError):
                    home.rmdir()
            raise
        sync_dir(home)
        return cls.open(home)

    @classmethod
    def open(cls, home: Path) -> Self:
        """Open the issuer's part of `home`, without its secrets.

        Raises:
            HomeMissing: it has none.
            KeyringInvalid: its brand.json is damaged.
        """
        try:
            fields = Fields.parse((places.issuer_dir(home) / "brand.json").read_bytes())
            if fields.text("format") != BRAND_FORMAT:
                raise ValueError("another format")  # noqa: TRY301 - all of this ends in the one error below
            server_id = fields.binary("server_id", n_bytes=SERVER_ID_BYTES).hex()
            return cls(home, fields.text("root", longest=FINGERPRINT_CHARS), server_id)
        except (FileNotFoundError, NotADirectoryError):
            raise HomeMissing(home) from None
        except ValueError:
            raise KeyringInvalid("brand.json beside it is damaged") from None

    @property
    def home(self) -> Path:
        """The home that this is a part of."""
        return self._home

    @property
    def keyring(self) -> OpenedKeyring:
        """The keyring as it lies there now, verified under the brand's own root.

        Raises:
            HomeMissing: it is gone.
            DocumentInvalid, KeyringSignatureInvalid, KeyringInvalid, ...: as `open_keyring`.
        """
        try:
            document = places.issuer_keyring_path(self._home).read_bytes()
        except FileNotFoundError:
            raise HomeMissing(self._home) from None
        return open_keyring(document, root_fingerprint=self._root)

    def unlock(self, passphrase: str) -> "UnlockedIssuer":
        """Open the issuer's secrets with its passphrase.

        Raises:
            WrongPassphrase: it is another one.
            KeyFileInvalid, KeyFileTooCostly: a key file was changed.
        """
        return UnlockedIssuer(self, _store_in(places.issuer_dir(self._home)).unlock(passphrase))


class UnlockedIssuer:
    """The issuer's part with its secrets at hand; they are read when asked for and stand in no `repr`."""

    __slots__ = ("_issuer", "_store")

    def __init__(self, issuer: IssuerHome, store: UnlockedStore) -> None:
        """Use `IssuerHome.unlock` instead."""
        self._issuer, self._store = issuer, store

    def __repr__(self) -> str:
        """Name the home only."""
        return f"UnlockedIssuer({self._issuer.home})"

    @property
    def issuer(self) -> IssuerHome:
        """The part of the home that was unlocked."""
        return self._issuer

    @property
    def home(self) -> Path:
        """The home."""
        return self._issuer.home

    @property
    def keyring(self) -> OpenedKeyring:
        """The keyring as it lies there now; see `IssuerHome.keyring`."""
        return self._issuer.keyring

    def new_code_key(self, *, profile: Profile, form: Form, prefix: str, now: datetime) -> CodeKey:
        """Make a key for codes and publish it in the next version of the keyring; a new prefix enters it too.

        Raises:
            PrefixInvalid, KeyringInvalid: the prefix or the combination cannot stand in a keyring.
            KeyIdsExhausted: the brand has used every key id.
        """
        prefix = normalise_prefix(prefix)
        with self._locked():
            keyring = self.keyring.keyring
            held = [header.key_id for header in self._store.headers() if header.purpose in _PURPOSES.values()]
            taken = {*held, *(key.key_id for key in keyring.code_keys)}
            key_id = free_key_id(taken, secrets.choice)
            key, secret = _new_code_key(key_id, profile, form, prefix, now)
            # First the secret, then the promise: a crash in between costs one key id, and no key that cannot sign.
            self._store.put(_PURPOSES[profile], key_id, keyring.brand_id, secret)
            prefixes = keyring.prefixes if prefix in keyring.prefixes else (*keyring.prefixes, prefix)
            self._publish(replace(_next(keyring, now), prefixes=prefixes, code_keys=(*keyring.code_keys, key)))
        return key

    def code_secret(self, key_id: str) -> bytes:
        """The secret of a code key: an Ed25519 seed, or a MAC key (32 bytes either way).

        Raises:
            UnknownKey: the brand has no such key.
        """
        key = self.keyring.keyring.code_key(key_id)
        return self._store.get(_PURPOSES[key.profile], key_id)

    def serial_key(self, number: int) -> bytes:
        """Serial key `number` (32 bytes, AES-256); UnknownKey where there is none."""
        return self._store.get(Purpose.SERIAL, str(number))

    def office_key(self) -> SigningKey:
        """The newest active office key, which signs manifests; UnknownKey where there is none."""
        active = [key for key in self.keyring.keyring.office_keys if key.state is KeyState.ACTIVE]
        if not active:
            raise UnknownKey("of the office")
        newest = max(active, key=lambda key: key.since)
        return SigningKey(self._store.get(Purpose.OFFICE, _short_name(newest.fingerprint)))

    def shared_keys(self) -> SharedKeys:
        """What a server of this brand must hold: the serial keys and MAC keys, and never a signing key."""
        held = self._store.headers()
        serials = [header.key_id for header in held if header.purpose is Purpose.SERIAL]
        macs = [header.key_id for header in held if header.purpose is Purpose.MAC]
        return SharedKeys(
            serial={int(number): self._store.get(Purpose.SERIAL, number) for number in serials},
            mac={key_id: self._store.get(Purpose.MAC, key_id) for key_id in macs},
        )

    def refresh_keyring(self, now: datetime) -> OpenedKeyring:
        """The keyring, signed again as its next version where it expires within ten days of `now` (aware UTC)."""
        with self._locked():
            opened = self.keyring
            if opened.keyring.expires - now > REFRESH_BEFORE:
                return opened
            return self._publish(_next(opened.keyring, now))

    def _locked(self) -> AbstractContextManager[None]:
        return exclusive_lock(places.issuer_dir(self.home) / ".lock")

    def _publish(self, keyring: Keyring) -> OpenedKeyring:
        before = self.keyring
        check_successor(before.keyring, keyring)
        root = before.root_fingerprint
        document = sign_keyring(keyring, SigningKey(self._store.get(Purpose.ROOT, _short_name(root))))
        write_atomic(places.issuer_keyring_path(self.home), document, mode=PUBLIC_FILE)
        return OpenedKeyring(keyring=keyring, root_fingerprint=root, document=document)


def free_key_id(taken: Collection[str], choose: Callable[[Sequence[str]], str]) -> str:
    """A key id of two characters that is not `taken`, picked by `choose` (such as `secrets.choice`).

    Raises:
        KeyIdsExhausted: all 1024 are.
    """
    free = [first + second for first in ALPHABET for second in ALPHABET if first + second not in taken]
    if not free:
        raise KeyIdsExhausted
    return choose(free)


def _build(place: Path, *, brand: str, prefix: str, unlock: tuple[str, ScryptCost | None], now: datetime) -> None:
    """Fill `place` with a new brand: keys, keyring, brand.json."""
    passphrase, cost = unlock
    brand_id, root, office = secrets.token_bytes(BRAND_ID_BYTES), SigningKey.generate(), SigningKey.generate()
    made: list[tuple[CodeKey, bytes]] = []
    for form in (Form.SHORT, Form.GS1):
        key_id = free_key_id({key.key_id for key, _secret in made}, secrets.choice)
        made.append(_new_code_key(key_id, Profile.SIGNED, form, prefix, now))
    issued = to_second(now)
    keyring = Keyring(
        brand_id=brand_id,
        brand=brand,
        version=1,
        issued=issued,
        expires=issued + KEYRING_LIFE,
        prefixes=(prefix,),
        code_keys=tuple(key for key, _secret in made),
        office_keys=(
            OfficeKey(
                fingerprint=office.fingerprint, public_key=office.public_key, state=KeyState.ACTIVE, since=issued
            ),
        ),
    )
    store = _store_in(place).unlock(passphrase, cost=cost)
    store.put(Purpose.ROOT, _short_name(root.fingerprint), brand_id, root.seed)
    store.put(Purpose.OFFICE, _short_name(office.fingerprint), brand_id, office.seed)
    store.put(Purpose.SERIAL, str(FIRST_SERIAL_KEY), brand_id, secrets.token_bytes(SERIAL_KEY_BYTES))
    for key, secret in made:
        store.put(Purpose.SIGNING, key.key_id, brand_id, secret)
    write_atomic(place / "keyring.json", sign_keyring(keyring, root), mode=PUBLIC_FILE)
    _write_brand(place, keyring, root.fingerprint)


def _move(building: Path, place: Path, home: Path) -> None:
    """Put the finished part in its place, unless another process was faster: no system renames onto a full folder."""
    try:
        building.rename(place)
    except OSError:
        if place.exists():
            raise HomeExists(home) from None
        raise


def _write_brand(place: Path, keyring: Keyring, root: str) -> None:
    values = {
        "format": BRAND_FORMAT,
        "brand": keyring.brand,
        "brand_id": keyring.brand_id.hex(),
        "server_id": secrets.token_hex(SERVER_ID_BYTES),
        "root": root,
    }
    write_atomic(place / "brand.json", (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))


def _new_code_key(key_id: str, profile: Profile, form: Form, prefix: str, now: datetime) -> tuple[CodeKey, bytes]:
    """A fresh active key and its secret."""
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


def _next(keyring: Keyring, now: datetime) -> Keyring:
    """The next version, living thirty days from `now`."""
    issued = to_second(now)
    return replace(keyring, version=keyring.version + 1, issued=issued, expires=issued + KEYRING_LIFE)


def _store_in(place: Path) -> KeyStore:
    return open_store(f"file:{place / 'keys'}")


def _short_name(fingerprint: str) -> str:
    """The name of a root or office key in the store: the first 16 hexadecimal digits of its fingerprint."""
    return fingerprint.removeprefix("sha256:")[:16]
