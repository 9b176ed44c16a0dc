"""The issuer's part of a home: a brand, its keys and the keyring that publishes them (docs/format.md §1).

    HOME/issuer/brand.json      the brand's name and id, the server's id, the root's fingerprint
    HOME/issuer/keyring.json    the signed keyring, as published
    HOME/issuer/keys/           root, office, signing, serial and MAC keys, sealed

Changes of keyring or keys are made under a lock file, so that two commands at once lose nothing.
"""

import secrets
import shutil
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from keys.base.errors import DomainRefused, HomeExists, HomeMissing, KeyringInvalid, UnknownKey
from keys.base.fields import Fields
from keys.base.files import PUBLIC_FILE, exclusive_lock, make_private_dir, sync_dir, write_atomic
from keys.base.home import issuer_dir, issuer_keyring_path
from keys.base.instants import to_second
from keys.format.document import FINGERPRINT_CHARS, MAX_SUCCESSION_STEPS, read_document
from keys.format.domains import Listing, added_domains, domains_of
from keys.format.keyring import Keyring, OpenedKeyring, check_successor, open_keyring, sign_keyring
from keys.format.prefix import normalise_prefix
from keys.format.records import CodeKey, Form, KeyState, Profile, Purpose, check_withdrawal_moment
from keys.format.succession import vouch
from keys.primitives import LABEL_KEYRING, SigningKey
from keys.store.foundation import (
    BRAND_FORMAT,
    SERVER_ID_BYTES,
    build,
    free_key_id,
    make_code_key,
    make_office_key,
    move_into_place,
    next_version,
    short_name,
    store_in,
    write_brand,
)
from keys.store.key_file import ScryptCost
from keys.store.key_store import UnlockedStore

REFRESH_BEFORE: Final = timedelta(days=10)
"""A keyring this close to its expiry is signed again, so that a missed week does no harm."""

_PURPOSES: Final = {Profile.SIGNED: Purpose.SIGNING, Profile.COMPACT: Purpose.MAC}


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKeys:
    """The secrets that a server needs too: serial keys (32 bytes) by number, MAC keys (32 bytes) by key id."""

    serial: dict[int, bytes] = field(repr=False)
    mac: dict[str, bytes] = field(repr=False)


class IssuerHome:
    """The issuer's part of one `home`, still locked: what it publishes can be read, nothing can be signed.

    `server_id` (32 digits) names the server of its manifests.
    """

    __slots__ = ("_root", "home", "server_id")

    def __init__(self, home: Path, root: str, server_id: str) -> None:
        """Use `IssuerHome.open` or `IssuerHome.create` instead."""
        self.home, self._root, self.server_id = home, root, server_id

    @staticmethod
    def create(  # noqa: PLR0913 - what a brand begins with; all but the home by keyword
        home: Path, *, brand: str, prefix: str, passphrase: str, now: datetime, cost: ScryptCost | None = None
    ) -> "IssuerHome":
        """Make the issuer's part of `home`: root, office and first serial key, and a signing key for each form.

        It is built next to its place and moved there whole: a failure leaves nothing.

        Raises:
            HomeExists: `home` has an issuer's part.
            PrefixInvalid, KeyringInvalid: `prefix` or `brand` cannot be in a keyring.
            OSError: it cannot be written.
        """
        place = issuer_dir(home)
        if place.exists():
            raise HomeExists(home)
        made_home = not home.exists()
        building = home / f".issuer.partial-{secrets.token_hex(4)}"
        try:
            make_private_dir(home)  # orders in it hold unburned codes
            make_private_dir(building)
            build(building, brand=brand, prefix=normalise_prefix(prefix), unlock=(passphrase, cost), now=now)
            move_into_place(building, place, home)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            if made_home:
                with suppress(OSError):
                    home.rmdir()
            raise
        sync_dir(home)
        return IssuerHome.open(home)

    @staticmethod
    def open(home: Path) -> "IssuerHome":
        """Open the issuer's part of `home`, without its secrets.

        Raises:
            HomeMissing: it has none.
            KeyringInvalid: its brand.json is damaged.
            KeyFileReadable: one of its key files is open to others than its owner.
        """
        try:
            fields = Fields.parse((issuer_dir(home) / "brand.json").read_bytes())
            if fields.text("format") != BRAND_FORMAT:
                raise ValueError("another format")  # noqa: TRY301 - all of this ends in the one error below
            server_id = fields.binary("server_id", n_bytes=SERVER_ID_BYTES).hex()
            issuer = IssuerHome(home, fields.text("root", longest=FINGERPRINT_CHARS), server_id)
        except (FileNotFoundError, NotADirectoryError):
            raise HomeMissing(home) from None
        except ValueError:
            raise KeyringInvalid("its brand.json is damaged") from None
        store_in(issuer_dir(home)).check_closed()
        return issuer

    @property
    def keyring(self) -> OpenedKeyring:
        """The current keyring, verified under the brand's own root.

        Raises:
            HomeMissing: it is gone.
            DocumentInvalid, KeyringSignatureInvalid, KeyringInvalid, ...: as `open_keyring`.
        """
        try:
            document = issuer_keyring_path(self.home).read_bytes()
        except FileNotFoundError:
            raise HomeMissing(self.home) from None
        return open_keyring(document, root_fingerprint=self._root)

    def unlock(self, passphrase: str) -> "UnlockedIssuer":
        """Open the issuer's secrets with its passphrase.

        Raises:
            WrongPassphrase: it is another one.
            KeyFileInvalid, KeyFileTooCostly: a key file was changed.
        """
        store = store_in(issuer_dir(self.home)).unlock(passphrase)
        return UnlockedIssuer(self.home, self._root, self.server_id, store)


class UnlockedIssuer(IssuerHome):
    """The issuer's part with its secrets; they are read on demand and are in no `repr`."""

    __slots__ = ("_store",)

    def __init__(self, home: Path, root: str, server_id: str, store: UnlockedStore) -> None:
        """Use `IssuerHome.unlock` instead."""
        super().__init__(home, root, server_id)
        self._store = store

    def __repr__(self) -> str:
        """Name the home only."""
        return f"UnlockedIssuer({self.home})"

    def new_code_key(self, *, profile: Profile, form: Form, prefix: str, now: datetime) -> CodeKey:
        """Make a key for codes and publish it in the next version of the keyring; a new prefix enters it too.

        Raises:
            PrefixInvalid, KeyringInvalid: the prefix or the combination cannot be in a keyring.
            KeyIdsExhausted: the brand has used every key id.
        """
        with self._locked():
            return self._add_code_key(self.keyring.keyring, profile, form, normalise_prefix(prefix), now)

    def rotate_code_key(
        self, *, profile: Profile, form: Form, prefix: str, now: datetime
    ) -> tuple[CodeKey, tuple[str, ...]]:
        """Make a new key for orders and retire the ones before it: their codes verify as before, nothing is reprinted.

        Gives the new key and the ids of the retired ones. Errors as `new_code_key`.
        """
        prefix, since = normalise_prefix(prefix), to_second(now)
        with self._locked():
            keyring = self.keyring.keyring
            old = [
                key.key_id
                for key in keyring.code_keys
                if (key.profile, key.form, key.prefix, key.state) == (profile, form, prefix, KeyState.ACTIVE)
            ]
            kept = tuple(
                replace(key, state=KeyState.RETIRED, since=since) if key.key_id in old else key
                for key in keyring.code_keys
            )
            return self._add_code_key(replace(keyring, code_keys=kept), profile, form, prefix, now), tuple(old)

    def withdraw_code_key(self, key_id: str, *, since: datetime, reason: str, now: datetime) -> CodeKey:
        """Withdraw a key since a moment (aware UTC), for a reason that the keyring publishes.

        Raises:
            UnknownKey: the brand has no such key.
            KeyStateRefused: the moment is yet to come, or the key was withdrawn since an earlier one.
            KeyringInvalid: the reason cannot be in a keyring.
        """
        check_withdrawal_moment(key_id, since=since, now=now)
        with self._locked():
            keyring = self.keyring.keyring
            before = keyring.code_key(key_id)
            try:
                after = replace(before, state=KeyState.WITHDRAWN, since=to_second(since), reason=reason)
            except ValueError as error:
                raise KeyringInvalid(str(error)) from None
            keys = tuple(after if key.key_id == key_id else key for key in keyring.code_keys)
            self._publish(replace(next_version(keyring, now), code_keys=keys))
        return after

    def rotate_office_key(self, now: datetime, *, withdraw_old: bool = False) -> str:
        """Make a new key for manifests and retire the ones before it; gives the new one's fingerprint.

        `withdraw_old` is for one that may be in other hands: no manifest that it signs is taken any more, old or new.
        """
        office, left = SigningKey.generate(), KeyState.WITHDRAWN if withdraw_old else KeyState.RETIRED
        with self._locked():
            keyring = self.keyring.keyring
            before = tuple(
                key if key.state in {left, KeyState.WITHDRAWN} else replace(key, state=left, since=to_second(now))
                for key in keyring.office_keys
            )
            self._store.put(Purpose.OFFICE, short_name(office.fingerprint), keyring.brand_id, office.seed)
            keys = (*before, make_office_key(office, now))
            self._publish(replace(next_version(keyring, now), office_keys=keys))
        return office.fingerprint

    def add_domains(self, additions: Mapping[Listing, Collection[str]], now: datetime) -> OpenedKeyring:
        """Put domains on the lists of the keyring and publish it once, unless all of them are listed already.

        Raises:
            DomainRefused: one is no domain or the brand's own, one of the other list is the same, above it or below it,
                or a list would be too long. Then none of them is listed.
        """
        with self._locked():
            opened = self.keyring
            lists = added_domains(opened.keyring, additions)
            if all(lists[kind] == domains_of(opened.keyring, kind) for kind in Listing):
                return opened
            return self._publish_lists(opened.keyring, lists, now)

    def unlist_domains(self, domains: Collection[str], now: datetime) -> OpenedKeyring:
        """Take domains off their lists and publish the keyring; DomainRefused for one that is on none."""
        with self._locked():
            keyring = self.keyring.keyring
            lists = {kind: domains_of(keyring, kind) for kind in Listing}
            gone = {one.lower() for one in domains}
            for one in gone.difference(*lists.values()):
                raise DomainRefused(one, "it is on no list; see `authcode keys domains list`")
            left = {kind: tuple(one for one in listed if one not in gone) for kind, listed in lists.items()}
            return self._publish_lists(keyring, left, now)

    def rotate_root(self, now: datetime) -> OpenedKeyring:
        """Hand the brand over to a new root: the old one signs that step, the new one the next keyring.

        1. Keep the new root's secret.   2. Publish under it, with the step.   3. Remember it as the brand's root.
        4. Delete the old one's secret, whose only use left would be to vouch for another root.

        Killed anywhere, the home goes on with one of the two: the keyring's steps lead from the old root to the new.
        """
        root = SigningKey.generate()
        with self._locked():
            before = self.keyring
            keyring = before.keyring
            self._store.put(Purpose.ROOT, short_name(root.fingerprint), keyring.brand_id, root.seed)  # (1)
            opened = self._publish(next_version(keyring, now), new_root=root)  # (2)
            place = issuer_dir(self.home)
            write_brand(place, keyring, root.fingerprint, server_id=self.server_id)  # (3)
            self._root = root.fingerprint
            self._store.remove(Purpose.ROOT, short_name(before.root_fingerprint))  # (4)
        return opened

    def code_secret(self, key_id: str) -> bytes:
        """The secret of a code key: an Ed25519 seed, or a MAC key (32 bytes either way).

        Raises:
            UnknownKey: the brand has no such key.
        """
        return self._store.get(_PURPOSES[self.keyring.keyring.code_key(key_id).profile], key_id)

    def serial_key(self, number: int) -> bytes:
        """Serial key `number` (32 bytes, AES-256); UnknownKey where there is none."""
        return self._store.get(Purpose.SERIAL, str(number))

    def office_key(self) -> SigningKey:
        """The newest active office key, which signs manifests; UnknownKey where there is none."""
        active = [key for key in self.keyring.keyring.office_keys if key.state is KeyState.ACTIVE]
        if not active:
            raise UnknownKey("of the office")
        newest = max(active, key=lambda key: key.since)
        return SigningKey(self._store.get(Purpose.OFFICE, short_name(newest.fingerprint)))

    def shared_keys(self) -> SharedKeys:
        """The keys that a server of this brand needs: serial and MAC keys, and never a signing key."""
        serial = {int(number): secret for number, secret in self._secrets_of(Purpose.SERIAL).items()}
        return SharedKeys(serial=serial, mac=self._secrets_of(Purpose.MAC))

    def _secrets_of(self, purpose: Purpose) -> dict[str, bytes]:
        ids = [header.key_id for header in self._store.headers() if header.purpose is purpose]
        return {key_id: self._store.get(purpose, key_id) for key_id in ids}

    def refresh_keyring(self, now: datetime) -> OpenedKeyring:
        """The keyring, signed again as its next version where it expires within ten days of `now` (aware UTC)."""
        with self._locked():
            opened = self.keyring
            if opened.keyring.expires - now > REFRESH_BEFORE:
                return opened
            return self._publish(next_version(opened.keyring, now))

    def _locked(self) -> AbstractContextManager[None]:
        return exclusive_lock(issuer_dir(self.home) / ".lock")

    def _add_code_key(self, keyring: Keyring, profile: Profile, form: Form, prefix: str, now: datetime) -> CodeKey:
        held = [header.key_id for header in self._store.headers() if header.purpose in _PURPOSES.values()]
        key_id = free_key_id({*held, *(key.key_id for key in keyring.code_keys)}, secrets.choice)
        key, secret = make_code_key(key_id, profile, form, prefix, now)
        # First the secret, then the promise: a crash in between costs one key id, and no key that cannot sign.
        self._store.put(_PURPOSES[profile], key_id, keyring.brand_id, secret)
        prefixes = keyring.prefixes if prefix in keyring.prefixes else (*keyring.prefixes, prefix)
        self._publish(replace(next_version(keyring, now), prefixes=prefixes, code_keys=(*keyring.code_keys, key)))
        return key

    def _publish_lists(
        self, keyring: Keyring, lists: Mapping[Listing, tuple[str, ...]], now: datetime
    ) -> OpenedKeyring:
        lookalikes, partners = lists[Listing.LOOKALIKE], lists[Listing.PARTNER]
        after = replace(next_version(keyring, now), lookalike_domains=lookalikes, partner_domains=partners)
        return self._publish(after)

    def _publish(self, keyring: Keyring, *, new_root: SigningKey | None = None) -> OpenedKeyring:
        before = self.keyring
        check_successor(before.keyring, keyring)
        root = SigningKey(self._store.get(Purpose.ROOT, short_name(before.root_fingerprint)))
        steps = list(read_document(LABEL_KEYRING, before.document).succession)
        if new_root is not None:
            steps.append(vouch(keyring.brand_id, root, new_root.public_key))
        document = sign_keyring(keyring, new_root or root, succession=steps[-MAX_SUCCESSION_STEPS:])
        write_atomic(issuer_keyring_path(self.home), document, mode=PUBLIC_FILE)
        return open_keyring(document, root_fingerprint=(new_root or root).fingerprint)
