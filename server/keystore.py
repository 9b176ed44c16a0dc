"""The server's own keys, and the serial and MAC keys that brands share with it.

They are sealed in `HOME/server/keys`, opened by the server's passphrase. No key that signs codes is among them, which
`refuse_signing_keys` enforces (docs/format.md §1).
"""

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from keys.base.errors import AuthcodeError, KeyIdTaken, UnknownKey, WrongPassphrase
from keys.base.files import make_private_dir
from keys.base.home import issuer_keys_dir, server_dir, server_keys_dir
from keys.format.records import Purpose
from keys.primitives import SigningKey
from keys.proof import ProofKeys
from keys.store.issuer import SharedKeys
from keys.store.key_file import ScryptCost
from keys.store.key_store import UnlockedStore, open_store

_OWN = (
    *(Purpose.PAGE_TOKEN, Purpose.CLAIM, Purpose.HOLDER, Purpose.SESSION, Purpose.LOG_HEAD),
    *(Purpose.PROOF, Purpose.PROOF_ID, Purpose.KEEP_CODE, Purpose.ADDRESS),
)
_OWN_KEY_BYTES = 32
_CURRENT = "1"  # own keys are numbered, so that rotating one adds a number


class ServerCanSign(AuthcodeError):
    """The server's passphrase opens keys that sign codes."""

    code = "server_can_sign"
    http_status = 500
    sentence = (
        "The server's passphrase also opens this home's signing keys, so that a thief of it could make codes. Give the "
        "issuer and the server different passphrases, or keep the issuer on another machine."
    )


class ServerKeysMissing(AuthcodeError):
    """There is no server part with keys in this home."""

    code = "server_keys_missing"
    http_status = 500
    sentence = (
        "There are no server keys in {home}; run `authcode db upgrade`, then `authcode keys publish` where the "
        "issuer's part is in the same home, else `authcode keys receive`."
    )
    home: Path


class _MacKeys(Mapping[str, bytes]):
    """MAC keys by key id, opened when they are first needed: a key that is shared later needs no restart."""

    def __init__(self, store: UnlockedStore) -> None:
        self._store = store
        self._opened: dict[str, bytes] = {}

    def __getitem__(self, key_id: str) -> bytes:
        if key_id not in self._opened:
            try:
                self._opened[key_id] = self._store.get(Purpose.MAC, key_id)
            except UnknownKey:
                raise KeyError(key_id) from None
        return self._opened[key_id]

    def __iter__(self) -> Iterator[str]:
        return (header.key_id for header in self._store.headers() if header.purpose is Purpose.MAC)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class ServerKeys:
    """The opened keys of a server. It can be handed on to worker processes, and shows nothing of itself."""

    def __init__(self, store: UnlockedStore) -> None:
        """Take the opened store; UnknownKey when one of the server's own keys is missing."""
        self.store = store
        own = {purpose: store.get(purpose, _CURRENT) for purpose in _OWN}
        self.page_token, self.claim = own[Purpose.PAGE_TOKEN], own[Purpose.CLAIM]
        self.holder, self.session = own[Purpose.HOLDER], own[Purpose.SESSION]
        self.proof_id, self.keep_code = own[Purpose.PROOF_ID], own[Purpose.KEEP_CODE]
        self.address = own[Purpose.ADDRESS]  # the secret of the address to which brands seal keys for this server
        numbers = sorted(int(header.key_id) for header in store.headers() if header.purpose is Purpose.PROOF)
        self.proofs = ProofKeys([store.get(Purpose.PROOF, str(number)) for number in numbers])  # the newest last
        self._log_head = own[Purpose.LOG_HEAD]  # the seed: a signing key is not handed on to other processes
        self.mac: Mapping[str, bytes] = _MacKeys(store)

    def __repr__(self) -> str:
        """No secret."""
        return "ServerKeys(...)"

    @property
    def log_head(self) -> SigningKey:
        """The key that signs heads of the log, and nothing else."""
        return SigningKey(self._log_head)

    def serial(self, brand_id: bytes, number: int) -> bytes:
        """A brand's serial key.

        Raises:
            UnknownKey: it was never shared with this server.
        """
        return self.store.get(Purpose.SERIAL, _serial_name(brand_id, number))


def _serial_name(brand_id: bytes, number: int) -> str:
    return f"{brand_id.hex()}-{number}"


def make_server_keys(home: Path, passphrase: str, *, cost: ScryptCost | None = None) -> ServerKeys:
    """Open the server's keys, making those that are missing.

    Raises:
        WrongPassphrase: the server's part was made with another one.
    """
    make_private_dir(server_dir(home))
    store = open_store(server_keys_dir(home)).unlock(passphrase, cost=cost)
    for purpose in _OWN:
        rotating_key(store, purpose, _CURRENT)
    return ServerKeys(store)


def open_server_keys(home: Path, passphrase: str) -> ServerKeys:
    """Open the server's keys.

    Raises:
        ServerKeysMissing: there are none.
        WrongPassphrase: they were made with another one.
    """
    store = open_store(server_keys_dir(home))
    if not store.headers():
        raise ServerKeysMissing(home)
    try:
        return ServerKeys(store.unlock(passphrase))
    except UnknownKey:
        raise ServerKeysMissing(home) from None


def lacks_own_keys(home: Path) -> bool:
    """Whether one of the server's own keys is missing; no passphrase is needed to see it."""
    return not {(purpose, _CURRENT) for purpose in _OWN} <= _held(home)


def lacks_shared_keys(home: Path, brand_id: bytes, shared: SharedKeys) -> bool:
    """Whether one of these keys, or of the server's own, is missing; no passphrase is needed to see it."""
    wanted = {(Purpose.SERIAL, _serial_name(brand_id, number)) for number in shared.serial}
    wanted |= {(Purpose.MAC, key_id) for key_id in shared.mac}
    return lacks_own_keys(home) or not wanted <= _held(home)


def _held(home: Path) -> set[tuple[Purpose, str]]:
    return {(header.purpose, header.key_id) for header in open_store(server_keys_dir(home)).headers()}


def keep_shared_keys(keys: ServerKeys, brand_id: bytes, shared: SharedKeys) -> None:
    """Seal a brand's serial and MAC keys into the server's part; the same ones again change nothing.

    Raises:
        KeyIdTaken: another key is there already.
    """
    for number, secret in shared.serial.items():
        keys.store.put(Purpose.SERIAL, _serial_name(brand_id, number), brand_id, secret)
    for key_id, secret in shared.mac.items():
        keys.store.put(Purpose.MAC, key_id, brand_id, secret)


def refuse_signing_keys(home: Path, passphrase: str) -> None:
    """Refuse a passphrase that opens the issuer's keys of the same home.

    Raises:
        ServerCanSign: it does.
        KeyFileInvalid: a key file of the issuer is damaged, so that it cannot be checked.
    """
    store = open_store(issuer_keys_dir(home))
    try:
        if not store.headers():
            return
        store.unlock(passphrase)
    except WrongPassphrase:
        return
    raise ServerCanSign


def rotating_key(store: UnlockedStore, purpose: Purpose, name: str) -> bytes:
    """The key of a period of time, made by the first process that needs it."""
    try:
        return store.get(purpose, name)
    except UnknownKey:
        with contextlib.suppress(KeyIdTaken):  # another worker was first; both go on with its key
            store.put(purpose, name, None, secrets.token_bytes(_OWN_KEY_BYTES))
        return store.get(purpose, name)


def forget_periods(store: UnlockedStore, purpose: Purpose, name: str, *, later: bool) -> None:
    """Delete the keys of the periods before one, and those of `later` ones too; names sort by time."""
    for header in store.headers():
        if header.purpose is purpose and (header.key_id < name or (later and header.key_id > name)):
            store.remove(purpose, header.key_id)
