"""A list of codes that leaked, walked through for a day: how much it shows, and whether staff get a row."""

import pytest

from benchmarks.leaked_list import Way, walk
from server.runtime.look_limits import LookLimits


@pytest.fixture
def limits() -> LookLimits:
    return LookLimits(looks_per_unit=20, units_per_network=60, units_per_cookie=3)


def test_one_network_that_drops_its_cookie_learns_its_share_each_hour_and_staff_get_a_row(limits: LookLimits) -> None:
    found = walk(limits, codes=200, networks=1, way=Way.GREEDY)
    assert (found.first_hour, found.hours_to_all) == (60, 4)
    assert found.answers <= 24 * 60
    assert found.hours_reported >= 4


def test_ten_networks_learn_the_list_in_an_hour_and_then_each_code_ends_for_the_day(limits: LookLimits) -> None:
    found = walk(limits, codes=200, networks=10, way=Way.GREEDY)
    assert (found.first_hour, found.hours_to_all) == (200, 1)
    assert found.answers <= 20 * 200


def test_one_that_stays_below_the_rule_needs_a_network_for_each_fifty_nine_codes(
    limits: LookLimits,
) -> None:
    found = walk(limits, codes=600, networks=1, way=Way.QUIET)
    assert (found.first_hour, found.hours_to_all, found.hours_reported) == (59, 11, 0)


def test_one_browser_with_its_cookie_learns_little(limits: LookLimits) -> None:
    found = walk(limits, codes=200, networks=1, way=Way.COOKIE)
    assert (found.first_hour, found.in_a_day) == (3, 24 * 3)
