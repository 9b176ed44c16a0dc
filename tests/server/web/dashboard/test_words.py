"""What staff read, and the geometry of what they see."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.alerts.alert import Severity
from server.domain.alerts.copies import Copies
from server.domain.alerts.likely_cause import Fact, Guess, Likelihood, Measured, likely_causes
from server.domain.alerts.rules import all_rules, rule_named
from server.domain.alerts.triage import Cause, Precision, precision_of
from server.domain.batches.range_act import ActDetails, ActKind, RangeAct, stretches
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.services.queries.alert import AlertDetail
from server.services.queries.alerts import RuleRecord
from server.services.queries.page import ListPage
from server.services.queries.rows import AlertRow, DayCount
from server.web.dashboard import charts
from server.web.dashboard import words as wording
from server.web.dashboard.batches.act_form import effect, read_act
from server.web.dashboard.filters import ListAddress, SavedView

RULES = [rule.name for rule in all_rules()]
NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
ALERT = AlertRow(
    id=1,
    rule="duplicate",
    severity=Severity.ALERT,
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
    places=42,
    regions=41,
    owner=None,
    snoozed_until=None,
    closed_at=None,
    cause=None,
    muted=False,
    recent=(0,) * 14,
)
OF_NO_BATCH = {"unit": None, "product": None, "order": None}
DETAIL = AlertDetail(
    alert=ALERT,
    threshold=2,
    measured=3113,
    first_verified_at=NOW,
    first_place="KR",
    places=(("KR", 3113),),
    record=RuleRecord(precision=Precision(right=0, judged=0), causes=()),
    guess=Guess(causes=(), facts=()),
    stream=(),
    stretches=(),
    is_locked=False,
    batch_count=0,
    verdicts={},
    days=(),
    scans=ListPage(rows=(), total=0, page=1, pages=1),
)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "one code scanned by 3,114 people in 41 regions"),
        ({"people": 2, "regions": 1}, "one code scanned by two people"),
        ({"rule": "not_activated", "count": 12, "regions": 1}, "12 scans of codes that are not activated"),
        ({"rule": "voided", "count": 1, "regions": 1}, "one scan of codes that were withdrawn"),
        (
            {"rule": "unknown_unit", "count": 2, "regions": 2, "key_id": "K1", **OF_NO_BATCH},
            "Two scans of signed codes that no batch has in two regions, key K1",
        ),
        (
            {"rule": "key_withdrawn", "count": 3, "regions": 1, "key_id": "K1"},
            "three scans of codes of a withdrawn key, key K1",
        ),
        (
            {"rule": "outside_market", "count": 3, "regions": 2},
            "three scans of codes outside their markets in two regions",
        ),
        (
            {"rule": "impossible_travel", "people": 2, "regions": 2},
            "one code scanned by two people too far apart for the time between",
        ),
        (
            {"rule": "burst", "people": 20, "regions": 1},
            "one code that is not verified scanned by 20 people, many within an hour",
        ),
        (
            {"rule": "look_storm", "people": 0, "count": 312, "regions": 1},
            "one code looked at 312 times in a storm of looks",
        ),
    ],
)
def test_an_alert_is_one_plain_sentence(changes: dict[str, object], sentence: str) -> None:
    told = wording.alert_sentence(replace(ALERT, **changes))
    assert told.removeprefix("Tea, SPRING-24 code 2: ") == sentence


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"product": None}, "SPRING-24 code 2: one code"),
        ({"unit": None}, "Tea, SPRING-24: one code"),
        ({"unit": None, "product": None}, "SPRING-24: one code"),
        ({"product": "iTea"}, "iTea, SPRING-24 code 2: one code"),
        (OF_NO_BATCH, "One code"),
    ],
)
def test_an_alert_says_first_what_it_is_about(changes: dict[str, object], about: str) -> None:
    assert wording.alert_sentence(replace(ALERT, **changes)).startswith(about)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_says_why_it_fired_with_what_was_measured(rule: str) -> None:
    said = wording.why_it_fired(replace(DETAIL, alert=replace(ALERT, rule=rule)))
    assert said.endswith(".")
    measured = ("3,113 other people", "3,113 visitors", "3,114 times")
    assert any(value in said for value in measured) or rule in {"unknown_unit", "key_withdrawn"}
    assert "two other people" in said or rule != "duplicate"
    assert "burst" not in said
    loud = wording.why_it_fired(replace(DETAIL, alert=replace(ALERT, rule=rule, severity=Severity.HIGH)))
    assert ("20 networks" in loud) is (rule in {"duplicate", "burst"})


def test_every_word_of_the_domain_has_a_word_for_staff() -> None:
    assert all(wording.rule_name(rule) and wording.rule_name(rule) != rule for rule in RULES)
    assert wording.CAUSE_WORDS.keys() == set(Cause)
    assert {cause for _group, causes in wording.CAUSE_GROUPS for cause in causes} == set(Cause)
    assert wording.SEVERITY_WORDS.keys() == set(Severity)
    assert wording.STATE_WORDS.keys() == wording.ANSWER_WORDS.keys() == wording.BALANCE_WORDS.keys() == set(Verdict)
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
        rule=st.none() | st.sampled_from(RULES),
        batch_row=st.none() | st.integers(0, 10**6),
        unit_id=st.none() | st.integers(0, 2**62 - 1),
        order=st.none() | st.sampled_from(["rank", "latest"]),
        page=st.integers(1, 10**6),
    )
)
def test_a_filters_address_reads_back_as_itself(address: ListAddress) -> None:
    query = dict(part.split("=") for part in address.query.split("&") if part)
    assert ListAddress.read(query) == address


@given(st.dictionaries(st.sampled_from(["view", "rule", "batch", "code", "order", "page"]), st.text()))
def test_any_address_of_the_list_can_be_read(query: dict[str, str]) -> None:
    assert ListAddress.read(query).page >= 1


def test_few_closed_alerts_leave_a_wide_interval_and_many_a_narrow_one() -> None:
    """Wilson's interval, the figures of 33 in 53 as the designs show them."""
    assert wording.precision(Precision(right=33, judged=53)) == ".62 [.49, .74] of 53 closed"
    assert wording.precision(Precision(right=0, judged=3)) == ".00 [.00, .56] of 3 closed"
    assert wording.precision(Precision(right=3, judged=3)) == "1.00 [.44, 1.00] of 3 closed"
    assert wording.precision(Precision(right=0, judged=0)).startswith("not measured yet")


def test_the_likeliest_causes_are_told_from_closed_alerts() -> None:
    causes = [(Cause.OWN_RESCAN, 12), (Cause.CLONE, 3), (Cause.BOT, 2), (Cause.STAFF, 1)]
    assert wording.causes_so_far(causes) == (
        "Most often it was the buyer's own re-scan (12 of 18), then copies of the code (3), a bot or link preview (2)."
    )
    assert wording.causes_so_far(causes[:1]) == "Most often it was the buyer's own re-scan (12 of 12)."


def test_a_cause_that_is_neither_real_nor_a_false_alarm_does_not_count() -> None:
    closed = {Cause.CLONE: 2, Cause.DIVERSION: 1, Cause.OWN_RESCAN: 4, Cause.OTHER: 9}
    assert precision_of(closed) == Precision(right=3, judged=7)


@given(st.integers(1, 10**6), st.data())
def test_an_interval_holds_its_share_and_lies_within_nothing_and_all(judged: int, data: st.DataObject) -> None:
    measured = Precision(right=data.draw(st.integers(0, judged)), judged=judged)
    low, high = measured.interval
    assert 0 <= low <= measured.share + 1e-12
    assert measured.share - 1e-12 <= high <= 1


@pytest.mark.parametrize(
    ("email", "said"),
    [("anna.meyer@example.com", "AM"), ("anna@example.com", "AN"), ("x@example.com", "X"), ("a_b_c@x.org", "AB")],
)
def test_an_owner_is_two_letters(email: str, said: str) -> None:
    assert wording.initials(email) == said


@given(st.lists(st.integers(0, 10**6), min_size=14, max_size=14))
def test_a_sparkline_has_a_bar_for_each_day_with_scans(recent: list[int]) -> None:
    assert charts.spark(recent).count("M") == sum(1 for amount in recent if amount)


def test_thousands_of_stretches_are_drawn_as_some_hundreds() -> None:
    acts = [act(ActKind.VOID, 10 * n, 10 * n + 3, n) for n in range(1, 5000)]
    pieces = charts.strip(stretches(acts, count=100_000, today=NOW.date()), 100_000)
    assert 200 <= len(pieces) <= charts.MAX_PIECES


def test_an_estimate_of_copies_says_what_it_takes_for_granted() -> None:
    found = Copies(point=1622, low=866, high=2745, others=12, verified=300, on_sale=40_000)
    visible = wording.copies_basis(replace(DETAIL, copies=found, placement="visible"))
    assert "300 of 40,000 other codes" in visible
    assert "12 other people stand for about 1,620 packs, 866 to 2,750 in 95 of 100 cases" in visible
    assert "visible code" in visible
    assert "visible code" not in wording.copies_basis(replace(DETAIL, copies=found, placement="scratch"))
    assert "nothing honest can be said" in wording.copies_basis(DETAIL)


@pytest.mark.parametrize(
    ("rule", "others", "regions", "word", "cause"),
    [
        ("duplicate", 1, 1, Likelihood.MOST_LIKELY, Cause.OWN_RESCAN),
        ("duplicate", 1, 1, Likelihood.UNLIKELY, Cause.CLONE),
        ("duplicate", 3113, 41, Likelihood.MOST_LIKELY, Cause.CLONE),
        ("duplicate", 3113, 41, Likelihood.UNLIKELY, Cause.OWN_RESCAN),
        ("not_activated", 40, 5, Likelihood.MOST_LIKELY, Cause.LATE_SYNC),
        ("unknown_unit", 2, 1, Likelihood.MOST_LIKELY, Cause.LEAK),
    ],
)
def test_the_likely_cause_follows_from_what_was_measured(
    rule: str, others: int, regions: int, word: Likelihood, cause: Cause
) -> None:
    found = rule_named(rule)
    facts = found.facts_of(Measured(others=others, regions=regions, scans=others))
    guess = likely_causes(found.prior, facts, [])
    assert (cause, word) in guess.causes


@pytest.mark.parametrize(("regions", "crowd"), [(2, False), (3, True)])
def test_a_lock_is_proposed_from_as_many_regions_as_the_guess_calls_many(regions: int, crowd: bool) -> None:  # noqa: FBT001
    measured, rule = Measured(others=10, regions=regions, scans=10), rule_named("duplicate")
    assert (Fact.MANY_REGIONS in rule.facts_of(measured), rule.proposes_lock(measured)) == (crowd, crowd)


@given(st.sampled_from(RULES), st.integers(1, 5000), st.integers(0, 50), st.sampled_from(list(Cause)))
def test_what_staff_found_before_outweighs_the_prior(rule: str, others: int, regions: int, cause: Cause) -> None:
    prior = rule_named(rule).prior
    facts = rule_named(rule).facts_of(Measured(others=others, regions=regions, scans=others))
    before = [known for known, _ in likely_causes(prior, facts, []).causes]
    after = [known for known, _ in likely_causes(prior, facts, [(cause, 10_000_000)]).causes]
    assert after[0] is cause or cause is Cause.OTHER
    assert set(before) <= set(after)
    assert Cause.OTHER not in after


@pytest.mark.parametrize("fact", list(Fact))
def test_every_measured_fact_has_words(fact: Fact) -> None:
    guess = Guess(causes=((Cause.CLONE, Likelihood.MOST_LIKELY),), facts=(fact,))
    said = wording.guess_rests_on(replace(DETAIL, guess=guess))
    assert said.startswith("From ")
    assert "no closed alerts of this rule" in said
    assert wording.guess_by_word(guess) == [("most likely", "copies of the code")]


def test_a_lock_is_proposed_only_where_one_pack_explains_nothing() -> None:
    def proposed(rule: str, others: int, regions: int) -> bool:
        return rule_named(rule).proposes_lock(Measured(others=others, regions=regions, scans=others))

    assert not proposed("duplicate", 9, 9)
    assert not proposed("duplicate", 29, 2)
    assert proposed("duplicate", 10, 3)
    assert proposed("duplicate", 30, 0)
    assert not proposed("keep_code_shared", 20, 3)
    assert proposed("keep_code_shared", 20, 4)
    assert not any(proposed(rule, 10_000, 50) for rule in RULES if rule not in {"duplicate", "keep_code_shared"})


@given(st.integers(1, 5000), st.integers(0, 50))
def test_facts_of_one_kind_exclude_each_other(others: int, regions: int) -> None:
    facts = set(rule_named("duplicate").facts_of(Measured(others=others, regions=regions, scans=others)))
    assert len(facts & {Fact.ONE_OTHER_NEAR, Fact.SOME_OTHERS, Fact.MANY_OTHERS}) <= 1
    assert len(facts & {Fact.SOME_REGIONS, Fact.MANY_REGIONS}) <= 1
