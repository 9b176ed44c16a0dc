"""Key stores: folders of sealed keys; one passphrase, stretched once, opens a whole store (docs/format.md §1)."""

import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from keys.base.errors import (
    KeyFileInvalid,
    KeyFileOwner,
    KeyFileReadable,
    KeyIdTaken,
    UnknownKey,
    WrongPassphrase,
)
from keys.base.files import exchange_dirs, exclusive_lock, make_private_dir, mode_for_others, other_owner, write_atomic
from keys.format.records import Purpose
from keys.store.key_file import MAX_KEY_FILE_BYTES, MAX_KEY_ID_CHARS, SALT_BYTES, KeyFile, KeyHeader, Lock, ScryptCost

_KEY_ID = re.compile(f"[0-9A-Za-z][0-9A-Za-z-]{{0,{MAX_KEY_ID_CHARS - 1}}}")
_SUFFIX: Final = ".key.json"


class KeyFolder:
    """A folder (mode 0700) with one file (mode 0600) per key."""

    def __init__(self, directory: Path) -> None:
        """Use `directory`, which need not exist before something is written."""
        self._directory = directory

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._directory)

    def names(self) -> list[str]:
        """The names of all key files, sorted."""
        return sorted(path.name.removesuffix(_SUFFIX) for path in self._directory.glob(f"[!.]*{_SUFFIX}"))

    def read(self, name: str) -> bytes | None:
        """The content of a key file (cut where it is too long to be one), or None; never of one open to others."""
        path = self._path(name)
        try:
            with path.open("rb") as file:
                mode = mode_for_others(file)
                if mode is not None:
                    raise KeyFileReadable(path, mode)
                owner = other_owner(file)
                if owner is not None:
                    raise KeyFileOwner(path, owner)
                return file.read(MAX_KEY_FILE_BYTES + 1)
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a key file atomically."""
        write_atomic(self._path(name), data)

    def remove(self, name: str) -> None:
        """Delete a key file, if it is there."""
        self._path(name).unlink(missing_ok=True)

    def replace_all(self, content: Mapping[str, bytes]) -> None:
        """Write a second folder and swap the names of the two; then delete the old one."""
        other = self._directory.with_name(f"{self._directory.name}.new-{secrets.token_hex(4)}")
        make_private_dir(other)
        try:
            for name, data in content.items():
                write_atomic(other / (name + _SUFFIX), data)
            exchange_dirs(self._directory, other)
        finally:  # the half-written folder, or the old one
            shutil.rmtree(other)

    def locked(self) -> AbstractContextManager[None]:
        """Hold the folder's lock file."""
        make_private_dir(self._directory)
        return exclusive_lock(self._directory / ".lock")

    def _path(self, name: str) -> Path:
        return self._directory / (name + _SUFFIX)


def open_store(directory: Path) -> "KeyStore":
    """The key store in `directory`, which need not exist before something is written."""
    return KeyStore(KeyFolder(directory))


class KeyStore:
    """A store whose keys are still sealed."""

    __slots__ = ("_folder",)

    def __init__(self, folder: KeyFolder) -> None:
        """Use the keys on `folder`."""
        self._folder = folder

    def check_closed(self) -> None:
        """Check the permissions of every key file and nothing else; one that this user cannot open is closed.

        Raises:
            KeyFileReadable: others than the owner can read or change a key file.
        """
        for name in self._folder.names():
            with suppress(PermissionError):
                self._folder.read(name)

    def headers(self) -> list[KeyHeader]:
        """The open part of all key files, sorted by name; no passphrase is needed, so none of it is authenticated.

        Raises:
            KeyFileReadable: a file is open to others than its owner.
            KeyFileInvalid, KeyFileTooCostly: a file is no key file of ours.
        """
        return [file.header for file in _read_all(self._folder)]

    def unlock(self, passphrase: str, *, cost: ScryptCost | None = None) -> "UnlockedStore":
        """Open the store; an empty one takes whatever passphrase comes first, stretched with `cost`.

        1. Read every header: costs are bounded before any work.   2. All files share one salt and cost.
        3. Derive the store key, once.   4. It opens at least one file.

        Raises:
            WrongPassphrase: it opens none of the keys.
            KeyFileReadable: a file is open to others than its owner.
            KeyFileInvalid, KeyFileTooCostly: a file is no key file of ours, or not of this store.
        """
        files = list(_read_all(self._folder))  # (1)
        lock = _common_lock(files) or Lock(salt=secrets.token_bytes(SALT_BYTES), cost=cost or ScryptCost())  # (2)
        store_key = lock.derive(passphrase)  # (3)
        if files and not any(_opens(file, store_key) for file in files):  # (4)
            raise WrongPassphrase(self._folder.place)
        return UnlockedStore(self._folder, lock, store_key)


class UnlockedStore(KeyStore):
    """A store with its key in memory. Each secret is opened when it is needed."""

    __slots__ = ("_lock", "_store_key")

    def __init__(self, folder: KeyFolder, lock: Lock, store_key: bytes) -> None:
        """Use `KeyStore.unlock` instead."""
        super().__init__(folder)
        self._lock, self._store_key = lock, store_key

    def __repr__(self) -> str:
        """Name the place only."""
        return f"UnlockedStore({self._folder.place})"

    def get(self, purpose: Purpose, key_id: str) -> bytes:
        """The secret of a key.

        Raises:
            UnknownKey: there is none.
            KeyFileInvalid: its file was changed, or belongs to another key.
        """
        name = _name_of(purpose, key_id)
        data = self._folder.read(name)
        if data is None:
            raise UnknownKey(f"{purpose} {key_id}")
        file = KeyFile.parse(name, data)
        secret = file.open(self._store_key) if file.header.lock == self._lock else None
        if secret is None or (file.header.purpose, file.header.key_id) != (purpose, key_id):
            raise KeyFileInvalid(name, "it belongs to another key or store")
        return secret

    def put(self, purpose: Purpose, key_id: str, brand_id: bytes | None, secret: bytes) -> None:
        """Seal and keep a secret; the same one again changes nothing. `brand_id` is None for a server's own keys.

        Key ids (letters, digits and hyphens, at most 64) are unique per purpose within a store: a server that keeps the
        serial keys of several brands names them "<brand id in hex>-<number>".

        Raises:
            KeyIdTaken: another secret has this purpose and id.
            KeyFileInvalid: another process began this store with another passphrase in the meantime.
            ValueError: the key id or the secret's length is not admitted.
        """
        name = _name_of(purpose, key_id)
        with self._folder.locked():
            if self._folder.read(name) is not None:
                if not secrets.compare_digest(self.get(purpose, key_id), secret):
                    raise KeyIdTaken(key_id)
                return
            if _common_lock(list(_read_all(self._folder))) not in (None, self._lock):
                raise KeyFileInvalid(name, "the store was begun by another process; unlock it again")
            header = KeyHeader(purpose=purpose, key_id=key_id, brand_id=brand_id, lock=self._lock)
            self._folder.write(name, KeyFile.seal(name, header, secret, self._store_key).to_bytes())

    def remove(self, purpose: Purpose, key_id: str) -> None:
        """Delete a key for good, if it is there: a pseudonym key at the end of its time (docs/protocol.md §3)."""
        with self._folder.locked():
            self._folder.remove(_name_of(purpose, key_id))

    def change_passphrase(self, passphrase: str, *, cost: ScryptCost | None = None) -> int:
        """Seal every key again under `passphrase` with a new salt, all at once or not at all; gives how many.

        Other open instances must unlock it again. Copies made before still open under the old passphrase.

        Raises:
            KeyFileInvalid: a file was changed or is not of this store; nothing is changed then.
            OSError: the disk is full or the folder cannot be replaced; nothing is changed then.
        """
        lock = Lock(salt=secrets.token_bytes(SALT_BYTES), cost=cost or self._lock.cost)
        store_key = lock.derive(passphrase)
        with self._folder.locked():
            sealed: dict[str, bytes] = {}
            for file in _read_all(self._folder):
                secret = self.get(file.header.purpose, file.header.key_id)
                header = replace(file.header, lock=lock)
                again = KeyFile.seal(file.name, header, secret, store_key).to_bytes()
                if KeyFile.parse(file.name, again).open(store_key) != secret or file.name in sealed:
                    raise KeyFileInvalid(file.name, "it could not be sealed again")
                sealed[file.name] = again
            self._folder.replace_all(sealed)
        self._lock, self._store_key = lock, store_key
        return len(sealed)


def _name_of(purpose: Purpose, key_id: str) -> str:
    if _KEY_ID.fullmatch(key_id) is None:
        raise ValueError(f"a key id has 1 to {MAX_KEY_ID_CHARS} letters, digits and hyphens")
    return f"{purpose}.{key_id}"


def _read_all(folder: KeyFolder) -> Iterator[KeyFile]:
    for name in folder.names():
        data = folder.read(name)
        if data is not None:
            yield KeyFile.parse(name, data)


def _common_lock(files: list[KeyFile]) -> Lock | None:
    for file in files[1:]:
        if file.header.lock != files[0].header.lock:
            raise KeyFileInvalid(file.name, f"it does not belong to the same store as {files[0].name}")
    return files[0].header.lock if files else None


def _opens(file: KeyFile, store_key: bytes) -> bool:
    try:
        file.open(store_key)
    except KeyFileInvalid:
        return False
    return True
