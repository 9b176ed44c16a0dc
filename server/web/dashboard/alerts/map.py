"""Geometry of the alert page's map, in SVG units: a dot for each country, sized by its scans, over the world's cities.

There are no tiles and no borders, which are disputed and heavy: faint dots of cities make the continents out.
The cities are those of `server.domain.places.world`, each country's main city first; a country's dot stands there,
whatever its regions.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from server.domain.places.world import cities

MAP_WIDTH, MAP_HEIGHT = 640.0, 256.0
_NORTH, _SOUTH = 80.0, -64.0  # degrees of latitude: nobody lives beyond
_LARGEST, _SMALLEST = 18.0, 4.0  # radius


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One country's scans: its place and radius in SVG units."""

    country: str
    scans: int
    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldMap:
    """The map's dots, the largest first so that small ones lie on top, and what has no place on it."""

    dots: tuple[Dot, ...]
    elsewhere: tuple[tuple[str, int], ...]


def world_map(places: Sequence[tuple[str, int]]) -> WorldMap:
    """The map of an alert's places (as in `KR-11` or `unknown`) with their scans. A dot's area goes by its scans."""
    by_country: Counter[str] = Counter()
    for key, scans in places:
        by_country[key.partition("-")[0]] += scans
    mains = _mains()
    known = [(country, scans) for country, scans in by_country.most_common() if country in mains and scans > 0]
    most = max((scans for _, scans in known), default=1)
    return WorldMap(
        dots=tuple(_dot(country, scans, most, mains[country]) for country, scans in known),
        elsewhere=tuple((name, scans) for name, scans in by_country.most_common() if name not in mains),
    )


def _dot(country: str, scans: int, most: int, where: tuple[float, float]) -> Dot:
    radius = round(max(_SMALLEST, _LARGEST * math.sqrt(scans / most)), 1)
    return Dot(country=country, scans=scans, x=where[0], y=where[1], radius=radius)


@cache
def city_path() -> str:
    """All cities as one path of points, which the stylesheet draws as faint dots."""
    return "".join(f"M{x:g} {y:g}h0" for _, x, y in _cities())


@cache
def _mains() -> Mapping[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for country, x, y in _cities():
        found.setdefault(country, (x, y))
    return found


@cache
def _cities() -> tuple[tuple[str, float, float], ...]:
    return tuple((country, *_project(latitude, longitude)) for country, latitude, longitude in cities())


def _project(latitude: float, longitude: float) -> tuple[float, float]:
    """A place on the map, by plain latitude and longitude; what lies too far south stands on the lower edge."""
    seen: Final = min(max(latitude, _SOUTH), _NORTH)
    x = (longitude + 180) / 360 * MAP_WIDTH
    y = (_NORTH - seen) / (_NORTH - _SOUTH) * MAP_HEIGHT
    return round(x, 1), round(y, 1)
