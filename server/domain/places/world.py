"""Stage 7, alert: positions of countries, by the cities of the time zone database's zone.tab (in the public domain).

`world.csv` holds those cities, each country's main one first. They are no borders, which are disputed: a large country
has several of them, a small one has one.
"""

import csv
import math
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

_EARTH_RADIUS_KM: Final = 6_371.0


@cache
def cities() -> tuple[tuple[str, float, float], ...]:
    """Every city as (country, latitude, longitude), in degrees."""
    text = resources.files("server.domain.places").joinpath("world.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple((row["country"], float(row["latitude"]), float(row["longitude"])) for row in rows)


@cache
def nearest_cities_km(one: str, other: str) -> float | None:
    """The distance of the two nearest cities of two countries; None where one of them has none."""
    by_country = _by_country()
    return min(
        (_distance_km(here, there) for here in by_country.get(one, ()) for there in by_country.get(other, ())),
        default=None,
    )


@cache
def _by_country() -> Mapping[str, tuple[tuple[float, float], ...]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for country, latitude, longitude in cities():
        found.setdefault(country, []).append((latitude, longitude))
    return {country: tuple(places) for country, places in found.items()}


def _distance_km(here: tuple[float, float], there: tuple[float, float]) -> float:
    """The way over a round earth."""
    (lat1, lon1), (lat2, lon2) = (tuple(map(math.radians, place)) for place in (here, there))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half)))
