"""What is kept of an address: two pseudonyms of its truncated network (docs/protocol.md §3).

Across units an HMAC under the key of the day; for one unit an HMAC under a key of 35 days. The keys are random, lie
outside the database and its backups, and are deleted at the end of their time.
"""

import hashlib
import hmac
import threading
from dataclasses import dataclass
from datetime import datetime

from keys.records import Purpose
from keys.store import UnlockedStore
from server.domain.place import truncated_network
from server.secrets import forget_other_periods, rotating_key

UNIT_KEY_DAYS = 35
_PSEUDONYM_BYTES = 8  # tells networks apart; too short and too keyed to be worth guessing


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
        day = self._key(Purpose.PSEUDONYM_DAY, now.date().isoformat())
        period = self._key(Purpose.PSEUDONYM_UNIT, str(now.date().toordinal() // UNIT_KEY_DAYS))
        return NetworkMarks(
            day=_mark(day, network.encode()), unit=_mark(period, unit.to_bytes(8, "big") + network.encode())
        )

    def _key(self, purpose: Purpose, name: str) -> bytes:
        with self._lock:
            held = self._keys.get(purpose)
            if held is None or held[0] != name:
                held = self._keys[purpose] = (name, rotating_key(self._store, purpose, name))
                forget_other_periods(self._store, purpose, name)
            return held[1]


def _mark(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()[:_PSEUDONYM_BYTES]
