"""The rules: who counts, and when a note becomes an alert."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.alerts.alert import Attempt, Severity
from server.domain.alerts.rule import KeepCodeUses, KeyAttempt, UnitAttempt
from server.domain.alerts.rules import findings
from server.domain.alerts.rules.keep_code_shared import KEEP_CODE_REGIONS, KEEP_CODE_USES
from server.domain.codes.redemption import Redemption
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Conditions
from server.domain.places.place import NOWHERE, Place, truncated_network

T0 = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
UNIT = Unit(row=7, index=3)
SEOUL = Place(country="KR", region="11")
BUSAN = Place(country="KR", region="26")
FIRST = Redemption(at=T0, country="KR", region="11", claim_hash=b"c" * 16, holder_hash=b"h" * 16)
ON_SALE = Conditions(activated=True)


def attempt(*, after: timedelta = timedelta(hours=1), place: Place = SEOUL, staff: bool = False) -> Attempt:
    return Attempt(at=T0 + after, place=place, mark=b"m" * 16, staff=staff)


def told(made: Attempt, conditions: Conditions = ON_SALE, **circumstances: object) -> list[tuple[str, Severity]]:
    values = {"own": False, "others": 1, "alert_from": 2, "redemption": FIRST, **circumstances}
    facts = UnitAttempt(attempt=made, unit=UNIT, serial=None, conditions=conditions, **values)
    return [(rule.name, finding.severity or rule.severity) for rule, finding in findings(facts)]


def test_one_other_claim_nearby_within_two_days_is_a_note() -> None:
    assert told(attempt()) == [("duplicate", Severity.NOTE)]
    assert told(attempt(after=timedelta(hours=48))) == [("duplicate", Severity.NOTE)]


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
    assert told(made, **circumstances) == [("duplicate", Severity.ALERT)]


@pytest.mark.parametrize("conditions", [ON_SALE, Conditions(), Conditions(voided=True)])
def test_own_scans_and_staff_never_count(conditions: Conditions) -> None:
    assert told(attempt(), conditions, own=True) == []
    assert told(attempt(staff=True), conditions) == []


def test_samples_never_count_whatever_else_they_are() -> None:
    for conditions in (Conditions(sample=True), Conditions(sample=True, voided=True, activated=True)):
        assert told(attempt(), conditions) == []


def test_mere_expiry_or_recall_raises_nothing() -> None:
    for conditions in (Conditions(activated=True, expired=True), Conditions(activated=True, recalled=True)):
        assert told(attempt(), conditions, redemption=None) == []
        assert told(attempt(), conditions) == [("duplicate", Severity.NOTE)]


def test_codes_that_are_not_in_the_world_are_leaks() -> None:
    assert told(attempt(), Conditions(), redemption=None) == [("not_activated", Severity.ALERT)]
    assert told(attempt(), Conditions(activated=True, voided=True), redemption=None) == [("voided", Severity.ALERT)]
    assert told(attempt(), Conditions(voided=True), redemption=None) == [("voided", Severity.ALERT)]


def test_what_is_recorded_does_not_depend_on_what_is_said() -> None:
    rules = told(attempt(), Conditions(activated=True, voided=True))
    assert rules == [("duplicate", Severity.NOTE), ("voided", Severity.ALERT)]


def test_a_good_signature_on_no_unit_is_told_at_once() -> None:
    unknown = KeyAttempt(attempt=attempt(), key_id="K1", withdrawn=False, registered=False)
    ((rule, finding),) = findings(unknown)
    assert (rule.name, rule.severity, finding.subject.key) == ("unknown_unit", Severity.HIGH, "key:K1")
    assert findings(replace(unknown, attempt=attempt(staff=True))) == []


def test_a_withdrawn_key_is_louder_where_nobody_registered_the_code_and_quiet_for_staff_and_samples() -> None:
    stray = KeyAttempt(attempt=attempt(), key_id="K1", withdrawn=True, registered=False)
    late = replace(stray, registered=True)
    for facts, severity in ((stray, Severity.HIGH), (late, Severity.ALERT)):
        ((rule, finding),) = findings(facts)
        assert (rule.name, finding.severity, finding.subject.key) == ("key_withdrawn", severity, "key:K1")
    assert findings(replace(stray, attempt=attempt(staff=True))) == findings(replace(late, sample=True)) == []


@pytest.mark.parametrize(
    ("uses", "regions", "raised"),
    [
        (KEEP_CODE_USES - 1, KEEP_CODE_REGIONS, False),
        (KEEP_CODE_USES, 1, True),
        (KEEP_CODE_REGIONS + 1, KEEP_CODE_REGIONS + 1, True),
    ],
)
def test_a_keep_code_is_shared_from_many_uses_or_regions_on(uses: int, regions: int, raised: bool) -> None:  # noqa: FBT001
    places = [Place(country="KR", region=str(number % regions)) for number in range(uses)]
    latest = [(number, attempt(place=place)) for number, place in enumerate([*places[1:], places[0]])]
    found = findings(KeepCodeUses(unit=UNIT, serial=None, latest=latest))
    assert [(rule.name, finding.earlier, finding.only_if_new) for rule, finding in found] == (
        [("keep_code_shared", latest, True)] if raised else []
    )


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
