"""Stage 5, verify: looks counted in memory, written in the background; a killed worker loses its counts."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from keys.base.errors import AuthcodeError
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.runtime.network_looks import NetworkLookCounter, NetworkLooks
from server.storage.engine import Connection, Database, RecordsUnreachable
from server.storage.looks import LookKey, add_looks

_LOG = logging.getLogger("authcode.looks")

MAX_LOOKS_PER_UNIT_AND_DAY = 1_000
"""More looks at one code on one day say nothing new; per worker."""

MAX_WAITING = 50_000
"""Counts that may wait in memory; a flood beyond it is dropped, not answered more slowly."""

LOOKS_PER_TRANSACTION = 500
"""Counts written in one transaction: some milliseconds, for which a verification has to wait."""

_BREATH_S = 0.002  # between two of them, so that others who wait for the writer's turn get it


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestLook:
    """The latest look at a unit, and the serial that its code showed."""

    at: datetime
    serial: str | None


AfterLooks = Callable[[Connection, Sequence[tuple[LookKey, int]], Mapping[int, LatestLook]], None]
"""What is done with looks in the transaction that writes them, given the latest look at each unit."""


AfterNetwork = Callable[[Connection, NetworkLooks], bool]
"""What is done with a network that looked at many units of a batch; whether an alert counted those looks."""


class LookCounter:
    """Counts looks by unit, hour, place and verdict, and the units that each network looked at."""

    def __init__(
        self,
        db: Database,
        *,
        flush_s: float,
        after: AfterLooks,
        after_network: AfterNetwork,
        least_of_network: int,
    ) -> None:
        """Nothing runs before `start`; a network is handed on from `least_of_network` units of a batch on."""
        self._db, self._flush_s = db, flush_s
        self._after, self._after_network = after, after_network
        self._networks = NetworkLookCounter(least=least_of_network)
        self._lock = threading.Lock()
        self._waiting: Counter[LookKey] = Counter()
        self._latest: dict[int, LatestLook] = {}
        self._today: tuple[date | None, Counter[int]] = (None, Counter())
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def count_unburned(self, unit: Unit, place: str, network: str | None, *, now: datetime) -> None:
        """Count a look at an unburned unit for the network that it came from."""
        self._networks.count(unit, network, place, now=now)

    def count(self, unit: Unit, place: str, verdict: Verdict, *, now: datetime, serial: str | None = None) -> None:
        """Count one look, unless this unit has had enough of them today."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        key = LookKey(unit=unit.id, hour=hour, place=place, said=verdict.value)
        with self._lock:
            if self._today[0] != now.date() or len(self._today[1]) >= MAX_WAITING:
                self._today = (now.date(), Counter())
            today = self._today[1]
            full = len(self._waiting) >= MAX_WAITING and key not in self._waiting
            if today[unit.id] < MAX_LOOKS_PER_UNIT_AND_DAY and not full:
                today[unit.id] += 1
                self._waiting[key] += 1
                self._latest[unit.id] = LatestLook(at=now, serial=serial)

    def flush(self) -> None:
        """Write what was counted, some at a time; what cannot be written waits for the next time."""
        with self._lock:
            waiting, self._waiting = self._waiting, Counter()
            latest, self._latest = self._latest, {}
        counted = sorted(waiting.items())
        for start in range(0, len(counted), LOOKS_PER_TRANSACTION):
            part = counted[start : start + LOOKS_PER_TRANSACTION]
            try:
                with self._db.write() as connection:
                    add_looks(connection, part)
                    self._after(connection, part, latest)
            except RecordsUnreachable:
                with self._lock:
                    self._waiting.update(dict(counted[start:]))
                    self._latest = latest | self._latest
                return
            self._stopped.wait(_BREATH_S)
        self._evaluate_networks()

    def _evaluate_networks(self) -> None:
        for looks in self._networks.grown():
            try:
                with self._db.write() as connection:
                    reported = self._after_network(connection, looks)
            except (AuthcodeError, OSError) as problem:  # the next time: what is due stays
                _LOG.warning("looks of networks could not be evaluated: %s", problem)
                return
            self._networks.settle(looks, reported=reported)

    def start(self) -> None:
        """Write every few seconds from now on, in a thread that does not keep the process alive."""
        self._thread = threading.Thread(target=self._run, name="look-counter", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and write the rest."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._stopped.wait(self._flush_s):
            self.flush()
