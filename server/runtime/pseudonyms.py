"""What is kept of an address: two pseudonyms of its truncated network (docs/protocol.md §3).

Across units an HMAC under the key of the day; for one unit an HMAC under a key of 35 days. The keys are random, stay
outside the database and its backups, and are deleted at the end of their time.
"""

import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from keys.base.errors import AuthcodeError
from keys.format.records import Purpose
from keys.store.key_store import UnlockedStore
from server.domain.places.place import truncated_network
from server.keystore import forget_periods, rotating_key

_LOG = logging.getLogger("authcode.pseudonyms")

UNIT_KEY_DAYS = 35
FORGET_S = 60.0
"""How often a running server looks for keys whose time is over."""
_PSEUDONYM_BYTES = 8  # distinguishes networks; too short and too keyed to be worth guessing


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkMarks:
    """The two pseudonyms, 8 bytes each; None where the address is unknown."""

    day: bytes | None
    unit: bytes | None


class Pseudonyms:
    """Makes the pseudonyms, and changes keys when their time has come."""

    def __init__(self, store: UnlockedStore) -> None:
        """Use the server's key store; several processes may."""
        self._store = store
        self._lock = threading.Lock()
        self._keys: dict[Purpose, tuple[str, bytes]] = {}

    def marks(self, address: str | None, unit: int, *, now: datetime) -> NetworkMarks:
        """The pseudonyms of an address on a unit (by its id)."""
        network = truncated_network(address)
        if network is None:
            return NetworkMarks(day=None, unit=None)
        day = self._key(Purpose.PSEUDONYM_DAY, _names(now)[Purpose.PSEUDONYM_DAY])
        return NetworkMarks(day=_mark(day, network.encode()), unit=self.unit_mark(network, unit, now=now))

    def unit_mark(self, network: str, unit: int, *, now: datetime) -> bytes:
        """The pseudonym of a truncated network on a unit (by its id)."""
        period = self._key(Purpose.PSEUDONYM_UNIT, _names(now)[Purpose.PSEUDONYM_UNIT])
        return _mark(period, unit.to_bytes(8, "big") + network.encode())

    def forget_past(self, *, now: datetime) -> None:
        """Delete the keys of past times; never later ones: another worker may have reached midnight first."""
        for purpose, name in _names(now).items():
            with self._lock:
                held = self._keys.get(purpose)
                if held is not None and held[0] < name:
                    del self._keys[purpose]
                forget_periods(self._store, purpose, name, later=False)

    def start(self, clock: Callable[[], datetime]) -> None:
        """Delete them in time from now on, in a thread that does not keep the process alive."""
        threading.Thread(target=self._run, args=(clock,), name="pseudonym-keys", daemon=True).start()

    def _run(self, clock: Callable[[], datetime]) -> None:
        while True:
            try:
                self.forget_past(now=clock())
            except (AuthcodeError, OSError) as problem:
                _LOG.error("pseudonym keys whose time is over could not be deleted: %s", problem)
            time.sleep(FORGET_S)

    def _key(self, purpose: Purpose, name: str) -> bytes:
        with self._lock:
            held = self._keys.get(purpose)
            if held is None or held[0] != name:
                held = self._keys[purpose] = (name, rotating_key(self._store, purpose, name))
                forget_periods(self._store, purpose, name, later=True)
            return held[1]


def _names(now: datetime) -> dict[Purpose, str]:
    """The names of the keys of the present times, the day's first; later ones come after them as texts too."""
    return {
        Purpose.PSEUDONYM_DAY: now.date().isoformat(),
        Purpose.PSEUDONYM_UNIT: str(now.date().toordinal() // UNIT_KEY_DAYS),
    }


def _mark(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()[:_PSEUDONYM_BYTES]
