"""Stage 5, verify: which networks are a shop's or a carrier's: more units were looked at there than a household has.

The hour slides, to the minute. Counted in each worker's memory, whether looks are limited or not.
"""

from array import array
from datetime import datetime
from typing import Final

from server.runtime.key_table import KeyTable, key_of

MAX_NETWORKS: Final = 32_768
"""Networks remembered at a time (3.2 MB with one worker, less with several)."""

_HOUR_MIN: Final = 60
_UNIT_BITS: Final = (1 << 32) - 1  # distinguishes a dozen units


class Crowds:
    """The latest units of each network, one more than a household has. The caller has a lock."""

    def __init__(self, *, units: int) -> None:
        """Take a network for crowded that looked at more than so many units within an hour."""
        self._each = units + 1
        self._places = KeyTable(MAX_NETWORKS)
        self._units = array("I")
        self._minutes = array("I")

    def count(self, network: str | None, unit: int, *, now: datetime) -> None:
        """Count a look; an unknown network is not counted."""
        if network is None:
            return
        if not self._units:
            self._units, self._minutes = (array("I", [0]) * (MAX_NETWORKS * self._each) for _ in range(2))
        minute, seen = _minute(now), key_of("unit", unit) & _UNIT_BITS
        place, new = self._places.take_place(key_of(network), lambda place: self._of_hour(place, minute))
        begin, end = place * self._each, (place + 1) * self._each
        if new:
            self._minutes[begin:end] = array("I", [0]) * self._each
        units = self._units[begin:end]
        at = begin + units.index(seen) if seen in units else min(range(begin, end), key=self._minutes.__getitem__)
        self._units[at], self._minutes[at] = seen, minute

    def is_crowded(self, network: str | None, *, now: datetime) -> bool:
        """Whether more units were looked at from this network within the hour than a household has at hand."""
        place = None if network is None else self._places.place_of(key_of(network))
        return place is not None and self._of_hour(place, _minute(now)) == self._each

    def _of_hour(self, place: int, minute: int) -> int:
        """How many units of the network at a place were looked at within the hour."""
        latest = self._minutes[place * self._each : (place + 1) * self._each]
        return sum(minute - one <= _HOUR_MIN for one in latest)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60
