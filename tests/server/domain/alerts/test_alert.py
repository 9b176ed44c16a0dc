"""The rules: who counts, and when a note becomes an alert."""

from datetime import UTC, datetime, timedelta

import pytest

from server.domain.alerts.alert import Attempt, Rule, Severity, draft_for_unknown, drafts_for
from server.domain.codes.redemption import Conditions, FirstUse, Unit
from server.domain.places.place import NOWHERE, Place, truncated_network

T0 = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
UNIT = Unit(row=7, index=3)
SEOUL = Place(country="KR", region="11")
BUSAN = Place(country="KR", region="26")
FIRST = FirstUse(at=T0, country="KR", region="11", claim_hash=b"c" * 16, holder_hash=b"h" * 16)
ON_SALE = Conditions(activated=True)


def attempt(*, after: timedelta = timedelta(hours=1), place: Place = SEOUL, staff: bool = False) -> Attempt:
    return Attempt(at=T0 + after, place=place, mark=b"m" * 16, staff=staff)


def told(made: Attempt, conditions: Conditions = ON_SALE, **circumstances: object) -> list[tuple[Rule, Severity]]:
    values = {"holder": False, "others": 1, "alert_from": 2, "first": FIRST, **circumstances}
    first = values.pop("first")
    drafts = drafts_for(made, UNIT, conditions, first, **values)
    return [(draft.rule, draft.severity) for draft in drafts]


def test_one_other_claim_nearby_within_two_days_is_a_note() -> None:
    assert told(attempt()) == [(Rule.DUPLICATE, Severity.NOTE)]
    assert told(attempt(after=timedelta(hours=48))) == [(Rule.DUPLICATE, Severity.NOTE)]


@pytest.mark.parametrize(
    ("made", "circumstances"),
    [
        (attempt(after=timedelta(hours=48, seconds=1)), {}),
        (attempt(place=BUSAN), {}),
        (attempt(place=NOWHERE), {}),
        (attempt(), {"others": 2}),
        (attempt(), {"alert_from": 1}),
    ],
)
def test_later_elsewhere_more_people_or_a_lower_threshold_make_it_an_alert(
    made: Attempt, circumstances: dict[str, int]
) -> None:
    assert told(made, **circumstances) == [(Rule.DUPLICATE, Severity.ALERT)]


@pytest.mark.parametrize("conditions", [ON_SALE, Conditions(), Conditions(voided=True)])
def test_own_scans_and_staff_never_count(conditions: Conditions) -> None:
    assert told(attempt(), conditions, holder=True) == []
    assert told(attempt(staff=True), conditions) == []


def test_samples_never_count_whatever_else_they_are() -> None:
    for conditions in (Conditions(sample=True), Conditions(sample=True, voided=True, activated=True)):
        assert told(attempt(), conditions) == []


def test_mere_expiry_or_recall_raises_nothing() -> None:
    for conditions in (Conditions(activated=True, expired=True), Conditions(activated=True, recalled=True)):
        assert told(attempt(), conditions, first=None) == []
        assert told(attempt(), conditions) == [(Rule.DUPLICATE, Severity.NOTE)]


def test_codes_that_are_not_in_the_world_are_leaks() -> None:
    assert told(attempt(), Conditions(), first=None) == [(Rule.NOT_ACTIVATED, Severity.ALERT)]
    assert told(attempt(), Conditions(activated=True, voided=True), first=None) == [(Rule.VOIDED, Severity.ALERT)]
    assert told(attempt(), Conditions(voided=True), first=None) == [(Rule.VOIDED, Severity.ALERT)]


def test_what_is_recorded_does_not_depend_on_what_is_said() -> None:
    rules = told(attempt(), Conditions(activated=True, voided=True))
    assert rules == [(Rule.DUPLICATE, Severity.NOTE), (Rule.VOIDED, Severity.ALERT)]


def test_a_good_signature_on_no_unit_is_told_at_once() -> None:
    draft = draft_for_unknown(attempt(), key_id="K1")
    assert draft is not None
    assert (draft.rule, draft.severity, draft.subject) == (Rule.UNKNOWN_UNIT, Severity.HIGH, "key:K1")
    assert draft_for_unknown(attempt(staff=True), key_id="K1") is None


def test_severity_has_an_order() -> None:
    assert Severity.NOTE.rank < Severity.ALERT.rank < Severity.HIGH.rank


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unix:", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_is_cut_to_its_network(address: str | None, network: str | None) -> None:
    assert truncated_network(address) == network


def test_a_place_is_written_short() -> None:
    assert [place.key for place in (SEOUL, Place(country="KR"), NOWHERE)] == ["KR-11", "KR", "unknown"]
