"""Stage 7, alert: which units of a batch each network looked at within the hour; a killed worker forgets them.

Only units that were unburned at the look are counted, each once. An hour that is over is kept until it is evaluated.
Room is bounded: of the networks that were silent longest, the one with the fewest units is dropped first, so that a
flood of networks drops itself and not one that walks through a list.
"""

import threading
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from server.domain.codes.unit import Unit

MAX_UNITS: Final = 100_000
"""Units remembered for all networks and batches together."""

MAX_NETWORKS: Final = 20_000
"""Networks remembered, one for each batch of which it looked at a unit. Both bounds together are 9 MB at most."""

MAX_OF_NETWORK: Final = 2_000
"""Units of one batch remembered for one network in an hour: more say nothing new."""

_CANDIDATES: Final = 8  # to be dropped, among those that were silent longest


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
    units: "array[int]"
    evaluated: int = 0
    reported: int = 0


class NetworkLookCounter:
    """Counts units by hour, network and batch. Threads may share it."""

    def __init__(self, *, least: int) -> None:
        """Report a network from `least` units of one batch on."""
        self._least = least
        self._lock = threading.Lock()
        self._hour: datetime | None = None
        self._total = 0
        self._watched: OrderedDict[tuple[datetime, str, int], _Watched] = OrderedDict()

    def count(self, unit: Unit, network: str | None, place: str, *, now: datetime) -> None:
        """Count a look at an unburned unit; a visitor whose network is unknown is not counted."""
        if network is None:
            return
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            if self._hour != hour:
                self._begin(hour)
            key = (self._hour or hour, network, unit.row)
            one = self._watched.setdefault(key, _Watched(place=place, last_at=now, units=array("Q")))
            self._watched.move_to_end(key)
            if unit.id in one.units or len(one.units) >= MAX_OF_NETWORK:
                return
            one.units.append(unit.id)
            one.last_at = now
            self._total += 1
            while self._total > MAX_UNITS or len(self._watched) > MAX_NETWORKS:
                oldest = list(islice(self._watched, min(_CANDIDATES, len(self._watched) - 1)))
                self._drop(min(oldest, key=lambda key: len(self._watched[key].units)))

    def grown(self) -> list[NetworkLooks]:
        """The networks that looked at enough units of a batch, and at more of them than when they were last settled."""
        with self._lock:
            return [
                NetworkLooks(
                    network=network,
                    batch_row=row,
                    hour=hour,
                    place=one.place,
                    last_at=one.last_at,
                    units=tuple(one.units),
                    reported=one.reported,
                )
                for (hour, network, row), one in self._watched.items()
                if self._is_due(one)
            ]

    def settle(self, looks: NetworkLooks, *, reported: bool) -> None:
        """Take note that these were evaluated, and whether an alert counts them now (`reported`)."""
        key = looks.hour, looks.network, looks.batch_row
        with self._lock:
            one = self._watched.get(key)
            if one is None:
                return
            one.evaluated = len(looks.units)
            one.reported = one.evaluated if reported else one.reported
            if looks.hour != self._hour and not self._is_due(one):
                self._drop(key)

    def _is_due(self, one: _Watched) -> bool:
        return len(one.units) >= self._least and len(one.units) > one.evaluated

    def _begin(self, hour: datetime) -> None:
        """Begin another hour: of those before it, what is still to be evaluated stays."""
        self._hour = hour
        for key in [key for key, one in self._watched.items() if not self._is_due(one)]:
            self._drop(key)

    def _drop(self, key: tuple[datetime, str, int]) -> None:
        self._total -= len(self._watched.pop(key).units)
