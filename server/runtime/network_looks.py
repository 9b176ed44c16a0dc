"""Stage 7, alert: which units of a batch each network looked at within the hour; a killed worker forgets them.

Only units that were unburned at the look are counted, each once. Room is bounded: the network that has been silent
longest is dropped first.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from server.domain.codes.unit import Unit

MAX_WATCHED = 100_000
"""Units remembered for all networks and batches together (10 MB)."""

MAX_OF_NETWORK = 2_000
"""Units of one batch remembered for one network in an hour: more say nothing new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLooks:
    """The units of a batch that a network looked at within an hour; those in `units[reported:]` are in no alert yet."""

    network: str
    batch_row: int
    hour: datetime
    place: str
    last_at: datetime
    units: tuple[int, ...]
    reported: int


@dataclass(slots=True, kw_only=True)
class _Watched:
    place: str
    last_at: datetime
    units: dict[int, None] = field(default_factory=dict)
    evaluated: int = 0
    reported: int = 0


class NetworkLookCounter:
    """Counts units by network and batch. Threads may share it."""

    def __init__(self, *, least: int) -> None:
        """Report a network from `least` units of one batch on."""
        self._least = least
        self._lock = threading.Lock()
        self._hour: datetime | None = None
        self._total = 0
        self._watched: OrderedDict[tuple[str, int], _Watched] = OrderedDict()

    def count(self, unit: Unit, network: str | None, place: str, *, now: datetime) -> None:
        """Count a look at an unburned unit; a visitor whose network is unknown is not counted."""
        if network is None:
            return
        hour, key = now.replace(minute=0, second=0, microsecond=0), (network, unit.row)
        with self._lock:
            if self._hour != hour:
                self._hour, self._total = hour, 0
                self._watched.clear()
            one = self._watched.setdefault(key, _Watched(place=place, last_at=now))
            self._watched.move_to_end(key)
            if unit.id in one.units or len(one.units) >= MAX_OF_NETWORK:
                return
            one.units[unit.id], one.last_at = None, now
            self._total += 1
            while self._total > MAX_WATCHED:
                self._total -= len(self._watched.popitem(last=False)[1].units)

    def grown(self) -> list[NetworkLooks]:
        """The networks that looked at enough units of a batch, and at more of them than when they were last settled."""
        with self._lock:
            return [
                NetworkLooks(
                    network=network,
                    batch_row=row,
                    hour=self._hour or one.last_at,
                    place=one.place,
                    last_at=one.last_at,
                    units=tuple(one.units),
                    reported=one.reported,
                )
                for (network, row), one in self._watched.items()
                if len(one.units) >= self._least and len(one.units) > one.evaluated
            ]

    def settle(self, looks: NetworkLooks, *, reported: bool) -> None:
        """Take note that these were evaluated, and whether an alert counts them now (`reported`)."""
        with self._lock:
            one = self._watched.get((looks.network, looks.batch_row))
            if one is not None and self._hour == looks.hour:
                one.evaluated = len(looks.units)
                one.reported = one.evaluated if reported else one.reported

    def counted(self) -> int:
        """How many units are remembered."""
        return self._total
