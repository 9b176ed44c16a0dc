"""The rules about places and storms: what is odd enough to be told, and that false alarms have no chance."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.alerts.alert import Attempt, Crowd, Finding, Severity
from server.domain.alerts.rule import Facts, HourOfLooks, UnitAttempt
from server.domain.alerts.rules import findings, rule_named
from server.domain.alerts.storm import (
    BURST_ASKERS,
    BURST_WINDOW,
    LOOKS_IN_STORM,
    STORM_PLACES,
    TRAVEL_WINDOW,
    begins_storm,
    contradicts,
    is_burst,
)
from server.domain.codes.redemption import Redemption
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Conditions
from server.domain.places.countries import COUNTRIES
from server.domain.places.place import NOWHERE, Place
from server.domain.places.world import cities, nearest_cities_km

T0 = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
UNIT = Unit(row=7, index=3)
ON_SALE = Conditions(activated=True)
countries = st.sampled_from(sorted(COUNTRIES))
minutes = st.integers(-3_000, 3_000)


def attempt(country: str | None = "KR", *, after: float = 0, who: int = 0, **changes: object) -> Attempt:
    values: dict[str, object] = {
        "at": T0 + timedelta(minutes=after),
        "place": Place(country=country),
        "mark": who.to_bytes(16),
        "network": who.to_bytes(8),
    }
    return Attempt(**{**values, **changes})


def facts_of(made: Attempt, conditions: Conditions = ON_SALE, **known: object) -> UnitAttempt:
    values = {"redemption": None, "own": False, "others": 30, "alert_from": 2, **known}
    return UnitAttempt(attempt=made, unit=UNIT, serial=None, conditions=conditions, **values)


def found(rule: str, facts: Facts) -> Finding | None:
    return {one.name: finding for one, finding in findings(facts)}.get(rule)


def looked(by_place: dict[str, int]) -> Finding | None:
    return found("look_storm", HourOfLooks(unit=UNIT, serial=None, by_place=by_place))


def outside(made: Attempt, markets: tuple[str, ...] = ("KR", "JP"), *, own: bool = False) -> bool:
    return found("outside_market", facts_of(made, markets=markets, own=own)) is not None


def test_outside_the_market_is_a_known_country_that_is_none_of_the_markets() -> None:
    assert outside(attempt("DE"))
    assert not outside(attempt("JP"))
    assert not outside(attempt("DE"), markets=())
    assert not outside(attempt(None))


def test_the_first_verification_counts_but_no_own_rescan_no_staff_and_no_sample() -> None:
    assert outside(attempt("DE", burned=True), own=True)
    assert not outside(attempt("DE"), own=True)
    assert not outside(attempt("DE", staff=True))
    sample = Conditions(activated=True, sample=True)
    assert found("outside_market", facts_of(attempt("DE"), sample, markets=("KR",))) is None


def test_one_odd_scan_is_a_note_and_three_places_or_networks_within_a_month_an_alert() -> None:
    draft = found("outside_market", facts_of(attempt("DE"), markets=("KR",)))
    assert draft is not None
    assert draft.crowd is not None
    assert (draft.subject.key, draft.severity) == ("batch:7", None)
    assert rule_named("outside_market").severity is Severity.NOTE
    regions = [replace(attempt(who=1), place=Place(country="DE", region=region)) for region in ("BE", "HH", "BY")]
    networks = [attempt("DE", who=who) for who in range(3)]
    for three in (regions, networks):
        assert draft.crowd.is_among(three, T0)
        assert not draft.crowd.is_among(three[:2], T0)
    tourist = [attempt("DE", who=1, mark=bytes([number]) * 16) for number in range(9)]
    assert not draft.crowd.is_among(tourist, T0)
    old = replace(networks[0], at=T0 - timedelta(days=31))
    assert not draft.crowd.is_among([old, *networks[1:]], T0)


@given(st.lists(st.tuples(st.integers(0, 5), minutes), max_size=12), st.integers(1, 6))
def test_a_crowd_does_not_depend_on_the_order_of_arrival_and_never_shrinks(
    asked: list[tuple[int, int]], askers: int
) -> None:
    crowd = Crowd(window=timedelta(days=1), askers=askers)
    attempts = [attempt(who=who, after=after) for who, after in asked]
    found = crowd.is_among(attempts, T0)
    assert found == crowd.is_among(attempts[::-1], T0)
    assert crowd.is_among([*attempts, attempt(who=9)], T0) >= found


def test_nobody_gets_from_seoul_to_berlin_within_five_hours() -> None:
    assert contradicts(attempt("KR"), attempt("DE", after=300, who=1))
    assert not contradicts(attempt("KR"), attempt("DE", after=360, who=1))


@pytest.mark.parametrize(
    ("here", "there"),
    [("FR", "DE"), ("KR", "JP"), ("IN", "PK"), ("IN", "CN"), ("US", "CA"), ("RU", "US"), ("DE", "TR"), ("KR", "KR")],
)
def test_neighbours_are_never_too_far_apart(here: str, there: str) -> None:
    assert not contradicts(attempt(here), attempt(there, who=1))


def test_one_person_and_unknown_places_contradict_nothing() -> None:
    assert not contradicts(attempt("KR"), attempt("BR"))
    assert not contradicts(attempt("KR"), attempt("BR", mark=b"m" * 16))
    assert not contradicts(attempt("KR"), attempt("BR", network=b"n" * 8))
    assert not contradicts(attempt(None), attempt("BR", who=1))
    assert not contradicts(attempt("KR"), attempt("QQ", who=1))


@given(countries, countries, minutes)
def test_contradiction_is_mutual_and_only_within_the_window(here: str, there: str, after: int) -> None:
    one, other = attempt(here), attempt(there, after=after, who=1)
    assert contradicts(one, other) == contradicts(other, one)
    if contradicts(one, other):
        assert abs(one.at - other.at) < TRAVEL_WINDOW
        assert here != there


@given(countries, countries)
def test_distances_lie_on_the_earth(here: str, there: str) -> None:
    apart = nearest_cities_km(here, there)
    inhabited = {country for country, _, _ in cities()}
    assert (apart is None) == ({here, there} - inhabited != set())
    if apart is None:
        return
    assert 0 <= apart <= 20_016
    assert (here == there) <= (apart == 0)


def test_twenty_networks_within_an_hour_are_a_burst() -> None:
    around = [attempt(who=who, after=3 * who) for who in range(1, BURST_ASKERS)]
    assert is_burst(attempt(), around)
    assert not is_burst(attempt(), around[:-1])
    assert not is_burst(attempt(), [replace(one, network=b"n" * 8) for one in around])
    slow = [attempt(who=who, after=4 * who) for who in range(1, BURST_ASKERS)]
    assert not is_burst(attempt(), slow)


@given(st.lists(st.integers(0, 150), min_size=BURST_ASKERS, max_size=26), st.randoms())
def test_the_last_of_a_burst_to_arrive_finds_it_whatever_their_order(times: list[int], random: object) -> None:
    attempts = [attempt(who=who, after=after) for who, after in enumerate(times)]
    hours = [
        sum(begin.at <= one.at <= begin.at + BURST_WINDOW for one in attempts) >= BURST_ASKERS for begin in attempts
    ]
    random.shuffle(attempts)  # type: ignore[attr-defined]
    found = [is_burst(one, attempts[:number]) for number, one in enumerate(attempts)]
    assert any(found) == any(hours)


def test_a_burst_makes_a_duplicate_louder_and_is_an_alert_of_its_own_where_there_is_none() -> None:
    first = Redemption(at=T0, country="KR", region=None, claim_hash=b"c" * 16, holder_hash=b"h" * 16)

    crowd = [(who, attempt(who=who)) for who in range(1, BURST_ASKERS)]

    def told(conditions: Conditions, before: Redemption | None, **who: bool) -> list[tuple[str, Severity]]:
        made = attempt(staff=who.get("staff", False))
        facts = facts_of(made, conditions, redemption=before, own=who.get("own", False), around=crowd)
        return [(rule.name, finding.severity or rule.severity) for rule, finding in findings(facts)]

    assert told(ON_SALE, first) == [("duplicate", Severity.HIGH)]
    assert told(Conditions(activated=True, locked=True), None) == [("burst", Severity.ALERT)]
    assert told(ON_SALE, first, staff=True) == told(ON_SALE, first, own=True) == []
    assert told(Conditions(activated=True, sample=True), None) == []


def test_looks_are_a_storm_from_two_hundred_in_an_hour_on_and_an_alert_from_three_places() -> None:
    assert looked({"KR": LOOKS_IN_STORM - 1}) is None
    one_place = looked({"KR": LOOKS_IN_STORM - 1, "unknown": 1, "JP": 1})
    assert one_place is not None
    assert one_place.severity is Severity.NOTE
    places = looked({"KR": LOOKS_IN_STORM, **{f"KR-{n}": 1 for n in range(STORM_PLACES - 1)}})
    assert places is not None
    assert places.severity is Severity.ALERT


@given(st.lists(st.integers(1, 150), max_size=20))
def test_every_look_of_a_storm_is_counted_once_whatever_parts_they_are_written_in(parts: list[int]) -> None:
    total = counted = 0
    for part in parts:
        total += part
        if looked({"KR": total}) is not None:
            counted += total if begins_storm(total, part) else part
    assert counted == (total if total >= LOOKS_IN_STORM else 0)


def test_the_order_of_arrival_of_three_networks_does_not_matter() -> None:
    crowd = Crowd(window=timedelta(days=30), askers=3)
    late, soon, now = (attempt(who=who, after=after) for who, after in ((1, -3_000), (2, -60), (3, 0)))
    assert all(crowd.is_among(order, order[-1].at) for order in permutations((late, soon, now)))
    assert Place() == NOWHERE
