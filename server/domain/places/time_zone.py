"""Time zones as staff choose them: IANA names that this server knows, and moments as their clocks show them."""

from datetime import UTC, datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from keys.base.errors import AuthcodeError

_NO_PLACES = ("Etc/", "SystemV/", "posix/", "right/")  # `Etc/GMT+5` is west of Greenwich, which everybody reads as east


class ZoneUnknown(AuthcodeError):
    """No time zone that this server knows."""

    code = "zone_unknown"
    http_status = 400
    sentence = "Name a time zone by area and city, for example Europe/Berlin, or UTC."


@cache
def zone_names() -> tuple[str, ...]:
    """The zones that can be chosen, in order: UTC, and every area with a city."""
    cities = (name for name in available_timezones() if "/" in name and not name.startswith(_NO_PLACES))
    return ("UTC", *sorted(cities))


def read_zone(name: str) -> str:
    """A zone's name as it is kept.

    Raises:
        ZoneUnknown: none that can be chosen.
    """
    wanted = name.strip()
    if wanted not in zone_names():
        raise ZoneUnknown
    return wanted


def zone_of(name: str | None) -> tzinfo:
    """The zone of a stored name; UTC for none, and for one that this server does not know (any more)."""
    if name is None or name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def offset_text(moment: datetime) -> str:
    """A moment's offset from UTC: `UTC`, or as in `+05:30`."""
    offset = moment.utcoffset()
    return "UTC" if not offset else moment.isoformat(timespec="minutes")[-6:]
