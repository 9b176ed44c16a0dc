"""Stage 5, verify: how often strangers may learn whether a code was used (docs/protocol.md §1).

A forger who scans a shelf wants the codes that are still unused, to copy them. So a bounded number of looks at a unit
in a day, and of units for a holder cookie and for a network in an hour, show it. Counted in each worker's memory,
divided by their number, in bounded room: the least recently seen are dropped first.
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

MAX_UNITS_OF_VISITORS = 200_000
"""Units remembered for all networks together, and for all cookies together: 333 networks that have used their hour up,
or 20,000 shops with ten packs each. 86 MB each where every unit is of a visitor of its own (measured)."""


class LookLimits:
    """Counts looks of strangers. Threads may share it."""

    def __init__(
        self, *, looks_per_unit: int | None, units_per_network: int | None, units_per_cookie: int | None
    ) -> None:
        """Take the three numbers, for this process; None lifts a limit."""
        self._looks_per_unit = looks_per_unit
        self._lock = threading.Lock()
        self._day: date | None = None
        self._hour: datetime | None = None
        self._looks: OrderedDict[int, int] = OrderedDict()
        self._networks = _UnitsOfVisitors(units_per_network)
        self._cookies = _UnitsOfVisitors(units_per_cookie)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The settings' numbers, divided by the workers; none where rate limits are off."""
        if settings.rate_limit is RateLimit.OFF:
            return cls(looks_per_unit=None, units_per_network=None, units_per_cookie=None)
        share = settings.workers
        return cls(
            looks_per_unit=max(1, settings.looks_per_unit_day // share),
            units_per_network=max(1, settings.units_per_network_hour // share),
            units_per_cookie=max(1, settings.units_per_cookie_hour // share),
        )

    def may_tell(
        self, unit: int, address: str | None, *, now: datetime, cookie: str | None = None, silent: bool = False
    ) -> bool:
        """Count a stranger's look; whether it may show if the unit was used.

        An address that is not known has no network, and a look without a cookie counts for its network alone: cookies
        are as easy to make up as to drop. A `silent` look (HEAD, prefetch) uses nothing up, and shows nothing: else
        prefetches would have no limit.
        """
        if silent:
            return self._looks_per_unit is None and self._networks.limit is None
        with self._lock:
            self._forget(now)
            counted = self._networks.count(truncated_network(address), unit), self._cookies.count(cookie, unit)
            return self._count_unit(unit) and all(counted)

    def is_crowded(self, address: str | None) -> bool:
        """Whether more units were looked at from this network within the hour than a household has at hand."""
        with self._lock:
            return self._networks.units_of(truncated_network(address)) > CROWDED_UNITS

    def counted(self) -> tuple[int, int, int]:
        """How many units are remembered: for themselves, for networks and for cookies."""
        return len(self._looks), self._networks.total, self._cookies.total

    def _forget(self, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if self._day != now.date():
            self._day = now.date()
            self._looks.clear()
        if self._hour != hour:
            self._hour = hour
            self._networks.clear()
            self._cookies.clear()

    def _count_unit(self, unit: int) -> bool:
        if self._looks_per_unit is None:
            return True
        looks = self._looks[unit] = self._looks.pop(unit, 0) + 1
        if len(self._looks) > MAX_UNITS:
            self._looks.popitem(last=False)
        return looks <= self._looks_per_unit


class _UnitsOfVisitors:
    """The units that each visitor of one kind was shown this hour, at most `limit` each; the caller has the lock."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.total = 0
        self._units: OrderedDict[str, set[int]] = OrderedDict()

    def count(self, visitor: str | None, unit: int) -> bool:
        """Whether this visitor may be shown the unit; there is no limit for an unknown one."""
        if self.limit is None or visitor is None:
            return True
        shown = self._units[visitor] = self._units.pop(visitor, set())
        if unit not in shown and len(shown) < self.limit:
            shown.add(unit)
            self.total += 1
        while self.total > MAX_UNITS_OF_VISITORS:
            self.total -= len(self._units.popitem(last=False)[1])
        return unit in shown

    def units_of(self, visitor: str | None) -> int:
        """How many units a visitor was shown; 0 for an unknown one."""
        return len(self._units.get(visitor, ())) if visitor is not None else 0

    def clear(self) -> None:
        """Begin another hour."""
        self.total = 0
        self._units.clear()
