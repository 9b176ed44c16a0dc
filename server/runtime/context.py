"""The only wiring of the server: what every service is handed, built once in each worker process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scanner.confine.readers import PhotoReaders
from server.keystore import ServerKeys
from server.runtime.keyrings import KeyringCache
from server.runtime.look_limits import LookLimits
from server.runtime.looks import LookCounter
from server.runtime.places import Places
from server.runtime.pseudonyms import Pseudonyms
from server.settings import Settings
from server.storage.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What services need. `clock` gives the present time in UTC, `random(n)` n random bytes; tests hand in their own.

    `keyrings()` gives the published keyrings of all brands, read again after a few seconds.
    """

    db: Database
    settings: Settings
    keys: ServerKeys
    keyrings: KeyringCache
    places: Places
    pseudonyms: Pseudonyms
    looks: LookCounter
    look_limits: LookLimits
    photos: PhotoReaders
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]

    def close(self) -> None:
        """Write what waits, and end the processes that read pictures; for the end of a worker."""
        self.looks.close()
        self.photos.close()
