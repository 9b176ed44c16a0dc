"""The time zone of a market, in which its shoppers read dates."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global

_KOSOVO: Final = {"XK": ("Europe/Belgrade",)}
"""Kosovo has no code in ISO 3166-1 (`countries.py`), and so no zone in CLDR's table; its clock is Belgrade's."""

_WINTER_AND_SUMMER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


def zone_of_markets(markets: Sequence[str]) -> ZoneInfo | None:
    """A zone whose clock all these countries (`countries.py`) share.

    None for no country, for more than one clock, and as soon as the zone of one country is not known.
    Countries and their zones: CLDR's territory data, as Babel has it.
    """
    by_country = [_zones_of(country) for country in markets]
    found = [zone for zones in by_country for zone in zones]
    return found[0] if all(by_country) and len({_offsets(zone) for zone in found}) == 1 else None


@cache
def _zones_of(country: str) -> tuple[ZoneInfo, ...]:
    names = get_global("territory_zones").get(country, ()) or _KOSOVO.get(country, ())
    return tuple(ZoneInfo(name) for name in sorted(names) if name in available_timezones())


def _offsets(zone: ZoneInfo) -> tuple[timedelta | None, ...]:
    return tuple(zone.utcoffset(moment.astimezone(zone)) for moment in _WINTER_AND_SUMMER)
