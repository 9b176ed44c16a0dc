"""What staff read, and the geometry of what they see."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.alert import Rule, Severity
from server.domain.range_act import ActDetails, ActKind, RangeAct, stretches
from server.domain.redemption import Unit, Verdict
from server.services.dashboard import AlertDetail, AlertRow, DayCount
from server.web.dashboard import charts, wording
from server.web.dashboard.acts import effect, read_act
from server.web.dashboard.filters import ListAddress, SavedView

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
ALERT = AlertRow(
    id=1,
    rule=Rule.DUPLICATE,
    severity=Severity.ALERT,
    brand="Aurora",
    batch_row=1,
    order="SPRING-24",
    product="Tea",
    unit=Unit(row=1, index=2),
    serial_printed="7Q4K M2XD 9FA1 C·N",
    key_id=None,
    first_at=NOW,
    last_at=NOW,
    count=3114,
    people=3114,
    places=41,
)
DETAIL = AlertDetail(
    alert=ALERT,
    threshold=2,
    measured=3113,
    first_verified_at=NOW,
    first_place="KR",
    places=("KR",),
    told={},
    days=(),
    scans=(),
    scans_total=0,
    page=1,
    pages=1,
)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "One code scanned by 3,114 people in 41 regions"),
        ({"people": 2, "places": 1}, "One code scanned by two people"),
        ({"rule": Rule.NOT_ACTIVATED, "count": 12, "places": 1}, "12 scans of codes that are not activated"),
        ({"rule": Rule.VOIDED, "count": 1, "places": 1}, "One scan of codes that were withdrawn"),
        (
            {"rule": Rule.UNKNOWN_UNIT, "count": 2, "places": 2, "key_id": "K1"},
            "Two scans of signed codes that no batch has in two regions, key K1",
        ),
    ],
)
def test_an_alert_is_one_plain_sentence(changes: dict[str, object], sentence: str) -> None:
    assert wording.alert_sentence(replace(ALERT, **changes)) == sentence


@pytest.mark.parametrize("rule", list(Rule))
def test_every_rule_says_why_it_fired_with_what_was_measured(rule: Rule) -> None:
    said = wording.why_it_fired(replace(DETAIL, alert=replace(ALERT, rule=rule)))
    assert said.endswith(".")
    assert "3,113 other people" in said or "3,113 visitors" in said or rule is Rule.UNKNOWN_UNIT
    assert "two other people" in said or rule is not Rule.DUPLICATE


def test_every_word_of_the_domain_has_a_word_for_staff() -> None:
    assert wording.RULE_WORDS.keys() == set(Rule)
    assert wording.SEVERITY_WORDS.keys() == set(Severity)
    assert wording.STATE_WORDS.keys() == wording.TOLD_WORDS.keys() == wording.BALANCE_WORDS.keys() == set(Verdict)
    assert wording.ACT_WORDS.keys() == wording.ACT_EFFECTS.keys() == wording.ACT_DONE.keys() == set(ActKind)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=4), "4 min ago"),
        (timedelta(hours=25), "1 d ago"),
        (timedelta(hours=23), "23 h ago"),
    ],
)
def test_how_long_ago_is_told_in_its_largest_unit(gone: timedelta, said: str) -> None:
    assert wording.ago(NOW - gone, NOW) == said


def test_a_place_is_named_as_far_as_it_is_known() -> None:
    assert wording.place("KR", "KR-11") == "South Korea, KR-11"
    assert wording.place("XQ", None) == "XQ"
    assert wording.place(None, None) == "unknown"


def act(kind: ActKind, first: int, last: int, number: int = 1) -> RangeAct:
    return RangeAct(number=number, kind=kind, first=first, last=last, actor="a", at=NOW, details=ActDetails())


@given(st.lists(st.tuples(st.sampled_from(list(ActKind)), st.integers(0, 99), st.integers(0, 99)), max_size=8))
def test_the_strip_covers_the_batch_and_an_effect_adds_up(wanted: list[tuple[ActKind, int, int]]) -> None:
    acts = [act(kind, min(a, b), max(a, b), number) for number, (kind, a, b) in enumerate(wanted)]
    cut = stretches(acts, count=100, today=NOW.date())
    pieces = charts.strip(cut, 100)
    assert pieces[0].x == 0
    assert pieces[-1].x + pieces[-1].width == pytest.approx(charts.STRIP_WIDTH)
    form = read_act(ActKind.VOID, {"range": "10 \N{EN DASH} 59", "reason": "torn"}, count=100)
    assert sum(amount for _, amount in effect(form, cut)) == form.count == 50


def test_one_code_of_a_million_can_still_be_seen() -> None:
    cut = stretches([act(ActKind.VOID, 500_000, 500_000)], count=1_000_000, today=NOW.date())
    assert all(piece.width >= 2 for piece in charts.strip(cut, 1_000_000))
    assert charts.dots([999_999, 0, 0], 1_000_000) == (0.0, 1000.0)


def test_a_timeline_shows_at_least_a_week_and_at_most_sixty_days() -> None:
    today = [DayCount(day="2026-11-21", looks=4, verified=1, refused=0)]
    long_ago = [DayCount(day="2020-01-01", looks=1, verified=1, refused=1), *today]
    week, capped = charts.timeline(today, today=NOW), charts.timeline(long_ago, today=NOW)
    assert (week.first, week.last, week.top) == (date(2026, 11, 15), date(2026, 11, 21), 5)
    assert week.series == {"looks", "verified"}
    assert (capped.last - capped.first).days == charts.MAX_DAYS - 1
    assert len(capped.bars) == 1
    assert charts.timeline([], today=NOW).bars == ()


def test_bars_stand_on_the_baseline_and_reach_the_top() -> None:
    bar = charts.timeline([DayCount(day="2026-11-21", looks=2, verified=1, refused=1)], today=NOW).bars[0]
    assert sum(height for _, _, height in bar.parts) == pytest.approx(120)
    assert min(y for _, y, _ in bar.parts) == pytest.approx(0)
    first = bar.parts[0]
    assert first[1] + first[2] == pytest.approx(120)


@given(
    st.builds(
        ListAddress,
        view=st.sampled_from(list(SavedView)),
        rule=st.none() | st.sampled_from(list(Rule)),
        batch_row=st.none() | st.integers(0, 10**6),
        page=st.integers(1, 10**6),
    )
)
def test_a_filters_address_reads_back_as_itself(address: ListAddress) -> None:
    query = dict(part.split("=") for part in address.query.split("&") if part)
    assert ListAddress.read(query) == address


@given(st.dictionaries(st.sampled_from(["view", "rule", "batch", "page"]), st.text()))
def test_any_address_of_the_list_can_be_read(query: dict[str, str]) -> None:
    assert ListAddress.read(query).page >= 1


def test_a_view_counts_everything_at_least_as_loud() -> None:
    amounts = {Severity.HIGH: 1, Severity.ALERT: 2, Severity.NOTE: 4}
    assert [view.counted(amounts) for view in SavedView] == [1, 3, 7]
