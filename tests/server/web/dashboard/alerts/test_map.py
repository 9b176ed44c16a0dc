"""The map of an alert: a dot for each country, and in words what has no place on it."""

import math
import re

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from server.web.dashboard.alerts.map import MAP_HEIGHT, MAP_WIDTH, city_path, world_map

COUNTRIES = sorted(code for code in Locale("en").territories if re.fullmatch(r"[A-Z]{2}", code))


def test_regions_of_a_country_are_one_dot_and_areas_go_by_scans() -> None:
    drawn = world_map([("KR-11", 60), ("KR-26", 40), ("DE", 25), ("unknown", 7), ("XX-1", 2)])
    assert [(dot.country, dot.scans) for dot in drawn.dots] == [("KR", 100), ("DE", 25)]
    large, small = drawn.dots
    assert (large.radius / small.radius) ** 2 == pytest.approx(4)
    assert drawn.elsewhere == (("unknown", 7), ("XX", 2))


def test_places_lie_where_they_are() -> None:
    found = {dot.country: dot for dot in world_map([(code, 1) for code in COUNTRIES]).dots}
    assert len(found) > 240
    assert found["US"].x < found["GB"].x < found["KR"].x < found["NZ"].x
    assert found["NO"].y < found["EG"].y < found["ZA"].y
    assert found["GB"].x == pytest.approx(MAP_WIDTH / 2, abs=2)


@given(st.dictionaries(st.sampled_from([*COUNTRIES, "unknown", "XX-9"]), st.integers(1, 10**7)))
def test_every_scan_is_on_the_map_or_named_beside_it(places: dict[str, int]) -> None:
    drawn = world_map(list(places.items()))
    assert sum(dot.scans for dot in drawn.dots) + sum(scans for _, scans in drawn.elsewhere) == sum(places.values())
    for dot in drawn.dots:
        assert 0 <= dot.x <= MAP_WIDTH
        assert 0 <= dot.y <= MAP_HEIGHT
        assert math.isfinite(dot.radius)
        assert 4 <= dot.radius <= 18


def test_the_continents_are_made_of_hundreds_of_cities() -> None:
    assert city_path().count("M") > 400
    assert world_map([]).dots == ()
