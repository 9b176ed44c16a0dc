"""The published keyrings of all brands as one set, kept in memory for a few seconds."""

import logging
import threading
import time

from authcode.code.serial import SerialCipher
from keys.format.keyring import KeyringSet, OpenedKeyring, open_keyring
from server.keystore import ServerKeys
from server.storage.brands import BrandRecord, all_brands
from server.storage.engine import Database, RecordsUnreachable

_LOG = logging.getLogger("authcode.keyrings")


class KeyringCache:
    """Reads brands and keyrings again once `ttl_s` seconds have passed; signatures are verified when one is new.

    A server goes on with an expired keyring: expiry binds offline verifiers (docs/format.md §1). While its records are
    out of reach it goes on with the set it has read, so that a page can still say whose it is; without one every use
    raises RecordsUnreachable.
    """

    def __init__(self, db: Database, keys: ServerKeys, *, ttl_s: float) -> None:
        """Nothing is read before the first use."""
        self._db, self._keys, self._ttl_s = db, keys, ttl_s
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._opened: dict[tuple[bytes, int], OpenedKeyring] = {}
        self._brands: dict[bytes, BrandRecord] = {}
        self._set = KeyringSet([])
        self._ciphers: dict[tuple[bytes, int], SerialCipher] = {}

    def __call__(self) -> KeyringSet:
        """All keyrings."""
        with self._lock:
            self._refresh()
            return self._set

    def brand(self, brand_id: bytes) -> BrandRecord:
        """The brand of a keyring in the set."""
        with self._lock:
            self._refresh()
            return self._brands[brand_id]

    def cipher(self, brand_id: bytes, number: int) -> SerialCipher:
        """The cipher of a serial key; UnknownKey where the server was never given that key."""
        held = self._ciphers.get((brand_id, number))
        if held is None:
            held = self._ciphers[brand_id, number] = SerialCipher(self._keys.serial(brand_id, number), brand_id)
        return held

    def _refresh(self) -> None:
        now = time.monotonic()
        if self._read_at is not None and now - self._read_at < self._ttl_s:
            return
        try:
            with self._db.read() as connection:
                records = all_brands(connection)
        except RecordsUnreachable:
            if self._read_at is None:
                raise
            _LOG.warning("the records cannot be reached; the keyrings read before stay in use")
            self._read_at = now
            return
        opened = {}
        for record in records:
            key = (record.brand_id, record.keyring_version)
            opened[key] = self._opened.get(key) or open_keyring(
                record.keyring, root_fingerprint=record.root_fingerprint
            )
        if opened.keys() != self._opened.keys():
            self._set = KeyringSet([one.keyring for one in opened.values()])
        self._opened, self._read_at = opened, now
        self._brands = {record.brand_id: record for record in records}
