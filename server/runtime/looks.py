"""Stage 5, verify: looks counted in memory and written in the background (docs/protocol.md §1).

A look writes nothing while it is answered. Counts lost with a killed worker are lost: they are telemetry. When they are
written, a storm of looks at one code is told (stage 7).
"""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from server.domain.alerts.storm import LOOKS_IN_STORM, UNCOUNTED_LOOKS, begins_storm, draft_for_looks
from server.domain.codes.redemption import Unit, Verdict
from server.storage.alerts import add_looks_to_alert
from server.storage.batches import batch_by_row
from server.storage.engine import Connection, Database, RecordsUnreachable
from server.storage.looks import LookKey, add_looks, storming

MAX_LOOKS_PER_UNIT_AND_DAY = 1_000
"""More looks at one code on one day say nothing new; per worker."""

MAX_WAITING = 50_000
"""Counts that may wait in memory; a flood beyond it is dropped, not answered more slowly."""


LOOKS_PER_TRANSACTION = 500
"""Counts written in one transaction: some milliseconds, for which somebody who verifies has to wait."""

_BREATH_S = 0.002  # between two of them, so that who waits for the writer's turn gets it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Latest:
    """The latest look at a unit, and the serial that its code showed."""

    at: datetime
    serial: str | None


class LookCounter:
    """Counts by (unit, hour, region, what was said)."""

    def __init__(self, db: Database, *, flush_s: float) -> None:
        """Nothing runs before `start`."""
        self._db, self._flush_s = db, flush_s
        self._lock = threading.Lock()
        self._waiting: Counter[LookKey] = Counter()
        self._latest: dict[int, _Latest] = {}
        self._today: tuple[date | None, Counter[int]] = (None, Counter())
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def count(self, unit: Unit, place: str, said: Verdict, *, now: datetime, serial: str | None = None) -> None:
        """Count one look, unless this unit has had enough of them today."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        key = LookKey(unit=unit.id, hour=hour, place=place, said=said.value)
        with self._lock:
            if self._today[0] != now.date() or len(self._today[1]) >= MAX_WAITING:
                self._today = (now.date(), Counter())
            seen = self._today[1]
            full = len(self._waiting) >= MAX_WAITING and key not in self._waiting
            if seen[unit.id] < MAX_LOOKS_PER_UNIT_AND_DAY and not full:
                seen[unit.id] += 1
                self._waiting[key] += 1
                self._latest[unit.id] = _Latest(at=now, serial=serial)

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
                    _tell_storms(connection, part, latest)
            except RecordsUnreachable:
                with self._lock:
                    self._waiting.update(dict(counted[start:]))
                    self._latest = latest | self._latest
                return
            self._stopped.wait(_BREATH_S)

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


def _tell_storms(connection: Connection, counted: Sequence[tuple[LookKey, int]], latest: Mapping[int, _Latest]) -> None:
    """Let the alerts of storms grow by the looks that were just written, each counted once.

    Who writes looks holds the writer's turn in both databases, so that nobody else's come between.
    """
    keys = [key for key, _ in counted]
    for (number, hour), looks in storming(connection, keys, least=LOOKS_IN_STORM, without=UNCOUNTED_LOOKS).items():
        added = {key: n for key, n in counted if (key.unit, key.hour) == (number, hour) and key in looks}
        by_place: Counter[str] = Counter()
        for key, amount in looks.items():
            by_place[key.place] += amount
        unit, seen = Unit.of_id(number), latest[number]
        draft, batch = draft_for_looks(unit, by_place), batch_by_row(connection, unit.row)
        new = looks if begins_storm(by_place.total(), sum(added.values())) else added
        if draft is not None and batch is not None and new:
            add_looks_to_alert(connection, batch.brand, draft, new, at=seen.at, unit=unit, serial=seen.serial)
