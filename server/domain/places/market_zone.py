"""The time zone of a market, in which its shoppers read dates."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global

_WINTER_AND_SUMMER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


def zone_of_markets(markets: Sequence[str]) -> ZoneInfo | None:
    """A zone whose clock all these countries (ISO 3166-1 alpha-2) share; None for no country or more than one clock.

    Countries and their zones: CLDR's territory data, as Babel has it.
    """
    found = [zone for country in markets for zone in _zones_of(country)]
    return found[0] if len({_offsets(zone) for zone in found}) == 1 else None


@cache
def _zones_of(country: str) -> tuple[ZoneInfo, ...]:
    names = get_global("territory_zones").get(country, ())
    return tuple(ZoneInfo(name) for name in sorted(names) if name in available_timezones())


def _offsets(zone: ZoneInfo) -> tuple[timedelta | None, ...]:
    return tuple(zone.utcoffset(moment.astimezone(zone)) for moment in _WINTER_AND_SUMMER)
