"""Geometry of the alert page's map, in SVG units: a dot for each country, sized by its scans, over the world's cities.

There are no tiles and no borders, which are disputed and heavy: faint dots of cities show the continents. A country's
dot is at its main city, the first of its cities in `server.domain.places.world`.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from server.domain.places.world import cities

MAP_WIDTH, MAP_HEIGHT = 640.0, 256.0
_NORTH, _SOUTH = 80.0, -64.0  # degrees of latitude: no city is beyond
_LARGEST, _SMALLEST = 18.0, 4.0  # radius


@dataclass(frozen=True, slots=True)
class Dot:
    """One country's scans: its place and radius in SVG units."""

    country: str
    scans: int
    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldMap:
    """The map's dots, the largest first so that small ones are on top, and the places that are not on the map."""

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
    radii = [round(max(_SMALLEST, _LARGEST * math.sqrt(scans / most)), 1) for _, scans in known]
    dots = [Dot(name, scans, *mains[name], radius) for (name, scans), radius in zip(known, radii, strict=True)]
    elsewhere = tuple((name, scans) for name, scans in by_country.most_common() if name not in mains)
    return WorldMap(dots=tuple(dots), elsewhere=elsewhere)


@cache
def city_path() -> str:
    """All cities as one path of points, which the stylesheet draws as faint dots."""
    return "".join(f"M{x:g} {y:g}h0" for _, x, y in _cities())


@cache
def _mains() -> Mapping[str, tuple[float, float]]:
    return {country: (x, y) for country, x, y in reversed(_cities())}  # the first of a country stays


@cache
def _cities() -> tuple[tuple[str, float, float], ...]:
    return tuple((country, *_project(latitude, longitude)) for country, latitude, longitude in cities())


def _project(latitude: float, longitude: float) -> tuple[float, float]:
    """A place on the map, by plain latitude and longitude; what is too far south is on the lower edge."""
    x = (longitude + 180) / 360 * MAP_WIDTH
    y = (_NORTH - min(max(latitude, _SOUTH), _NORTH)) / (_NORTH - _SOUTH) * MAP_HEIGHT
    return round(x, 1), round(y, 1)
