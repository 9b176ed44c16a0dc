"""Stage 5, verify: how often strangers may learn whether a code was used (docs/protocol.md §1).

A forger who scans a shelf wants the codes that are still unused, to copy them. So a bounded number of looks at a unit
in a day, and of units for a network in an hour, show it. Counted in each worker's memory, divided by their number, in
bounded room: the least recently seen are dropped first.
"""

import threading
from collections import OrderedDict
from datetime import date, datetime
from typing import Self

from server.domain.network_limits import CROWDED_UNITS
from server.domain.places.place import truncated_network
from server.settings import RateLimit, Settings

MAX_UNITS = 50_000
"""Units whose looks are counted at a time (10 MB): to have one forgotten takes that many good codes."""

MAX_NETWORKS = 5_000
"""Networks whose units are counted at a time; each is remembered with at most its allowance of units."""


class LookLimits:
    """Counts looks of strangers. Threads may share it."""

    def __init__(self, *, looks_per_unit: int | None, units_per_network: int | None) -> None:
        """Take both numbers, for this process; None lifts a limit."""
        self._looks_per_unit, self._units_per_network = looks_per_unit, units_per_network
        self._lock = threading.Lock()
        self._day: date | None = None
        self._hour: datetime | None = None
        self._looks: OrderedDict[int, int] = OrderedDict()
        self._units: OrderedDict[str | None, set[int]] = OrderedDict()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The settings' numbers, divided by the workers; none where rate limits are off."""
        if settings.rate_limit is RateLimit.OFF:
            return cls(looks_per_unit=None, units_per_network=None)
        share = settings.workers
        return cls(
            looks_per_unit=max(1, settings.looks_per_unit_day // share),
            units_per_network=max(1, settings.units_per_network_hour // share),
        )

    def may_tell(self, unit: int, address: str | None, *, now: datetime, silent: bool = False) -> bool:
        """Count a stranger's look; whether it may show if the unit was used.

        A `silent` one (HEAD, prefetch) uses nothing up, and shows nothing: else prefetches would have no limit.
        """
        if silent:
            return self._looks_per_unit is None and self._units_per_network is None
        with self._lock:
            self._forget(now)
            return self._count_unit(unit) & self._count_network(truncated_network(address), unit)

    def is_crowded(self, address: str | None) -> bool:
        """Whether more units were looked at from this network within the hour than a household has at hand."""
        with self._lock:
            return len(self._units.get(truncated_network(address), ())) > CROWDED_UNITS

    def counted(self) -> tuple[int, int]:
        """How many units and networks are remembered."""
        return len(self._looks), len(self._units)

    def _forget(self, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if self._day != now.date():
            self._day = now.date()
            self._looks.clear()
        if self._hour != hour:
            self._hour = hour
            self._units.clear()

    def _count_unit(self, unit: int) -> bool:
        if self._looks_per_unit is None:
            return True
        looks = self._looks[unit] = self._looks.pop(unit, 0) + 1
        if len(self._looks) > MAX_UNITS:
            self._looks.popitem(last=False)
        return looks <= self._looks_per_unit

    def _count_network(self, network: str | None, unit: int) -> bool:
        if self._units_per_network is None:
            return True
        units = self._units[network] = self._units.pop(network, set())
        if len(self._units) > MAX_NETWORKS:
            self._units.popitem(last=False)
        if unit not in units and len(units) < self._units_per_network:
            units.add(unit)
        return unit in units
