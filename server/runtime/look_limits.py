"""Stage 5, verify: how often strangers may learn whether a code was used (docs/protocol.md §1).

A forger who scans a shelf wants the codes that are still unused, to copy them. So a bounded number of looks at a unit
in a day, and of units for a holder cookie and for a network in an hour, show it. What is shown is counted, in each
worker's memory, divided by their number, and in fixed room.
"""

import threading
from datetime import date, datetime
from typing import Final, Self

from server.domain.network_limits import CROWDED_UNITS
from server.domain.places.place import truncated_network
from server.runtime.crowds import Crowds
from server.runtime.key_table import CountTable, key_of
from server.settings import RateLimit, Settings

MAX_UNITS: Final = 65_536
"""Units whose looks are counted at a time (0.8 MB)."""

MAX_VISITORS: Final = 131_072
"""Networks that are counted at a time, and as many cookies (1.6 MB each)."""

MAX_UNITS_OF_VISITORS: Final = 262_144
"""Units of all networks that are known as shown, and as many of all cookies (3.1 MB each): 400 networks that have used
their hour up. One that is forgotten counts again when it is shown again; its visitor's count stays."""


class LookLimits:
    """Counts looks of strangers. Threads may share it. All of it takes 13.4 MB, whatever is looked at."""

    def __init__(
        self,
        *,
        looks_per_unit: int | None,
        units_per_network: int | None,
        units_per_cookie: int | None,
        crowded_units: int = CROWDED_UNITS,
    ) -> None:
        """Take the numbers, for this process; None lifts a limit."""
        self._looks_per_unit = looks_per_unit
        self._lock = threading.Lock()
        self._day: date | None = None
        self._hour: datetime | None = None
        self._looks = CountTable(MAX_UNITS)
        self._networks = _UnitsOfVisitors(units_per_network)
        self._cookies = _UnitsOfVisitors(units_per_cookie)
        self._crowds = Crowds(units=crowded_units)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The settings' numbers, divided by the workers; where rate limits are off only crowds are counted."""
        share = settings.workers
        crowded_units = max(1, CROWDED_UNITS // share)
        if settings.rate_limit is RateLimit.OFF:
            return cls(looks_per_unit=None, units_per_network=None, units_per_cookie=None, crowded_units=crowded_units)
        return cls(
            looks_per_unit=max(1, settings.looks_per_unit_day // share),
            units_per_network=max(1, settings.units_per_network_hour // share),
            units_per_cookie=max(1, settings.units_per_cookie_hour // share),
            crowded_units=crowded_units,
        )

    def may_tell(
        self, unit: int, address: str | None, *, now: datetime, cookie: str | None = None, silent: bool = False
    ) -> bool:
        """Whether a stranger's look may show if the unit was used; one that may is counted for all three.

        An address that is not known has no network, and a look without a cookie counts for its network alone: cookies
        are as easy to make up as to drop. A `silent` look (HEAD, prefetch) uses nothing up, and shows nothing: else
        prefetches would have no limit.
        """
        if silent:
            return self._looks_per_unit is None and self._networks.limit is None
        network = truncated_network(address)
        with self._lock:
            self._forget(now)
            self._crowds.count(network, unit, now=now)
            told = self._has_looks_left(unit)
            told = told and self._networks.may_see(network, unit) and self._cookies.may_see(cookie, unit)
            if told:
                self._count(unit)
                self._networks.count(network, unit)
                self._cookies.count(cookie, unit)
            return told

    def is_crowded(self, address: str | None, *, now: datetime) -> bool:
        """Whether more units were looked at from this network within the hour than a household has at hand."""
        with self._lock:
            return self._crowds.is_crowded(truncated_network(address), now=now)

    def _forget(self, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if self._day != now.date():
            self._day = now.date()
            self._looks.clear()
        if self._hour != hour:
            self._hour = hour
            self._networks.clear()
            self._cookies.clear()

    def _has_looks_left(self, unit: int) -> bool:
        return self._looks_per_unit is None or self._looks.count_of(key_of("unit", unit)) < self._looks_per_unit

    def _count(self, unit: int) -> None:
        if self._looks_per_unit is not None:
            self._looks.add(key_of("unit", unit))


class _UnitsOfVisitors:
    """The units that each visitor of one kind was shown this hour, at most `limit` each; the caller has the lock."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._visitors = CountTable(MAX_VISITORS)
        self._shown = CountTable(MAX_UNITS_OF_VISITORS)

    def may_see(self, visitor: str | None, unit: int) -> bool:
        """Whether this visitor may be shown the unit; there is no limit for an unknown one."""
        if self.limit is None or visitor is None or self._shown.count_of(key_of(visitor, unit)):
            return True
        return self._visitors.count_of(key_of(visitor)) < self.limit

    def count(self, visitor: str | None, unit: int) -> None:
        """Count a unit that this visitor is shown, once."""
        if self.limit is not None and visitor is not None and self._shown.add(key_of(visitor, unit)) == 1:
            self._visitors.add(key_of(visitor))

    def clear(self) -> None:
        """Begin another hour."""
        self._visitors.clear()
        self._shown.clear()
