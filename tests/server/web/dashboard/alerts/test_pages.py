"""The page of one alert: about how many copies, what it probably is, where it happened, and what a rule proposes."""

import html
import re

import pytest

from server.domain.alerts.storm import BURST_ASKERS, LOOKS_IN_STORM
from server.domain.alerts.triage import Cause
from server.domain.batches.range_act import ActKind
from server.domain.codes.verdict import Verdict
from server.services.batches.find import find_code
from server.services.codes.attempts import Visitor
from server.services.codes.redeem import verify
from server.web.dashboard import words as wording
from server.web.dashboard.alerts import pages as alert_pages
from tests.server.simulator import Issued, World, both_databases, claim_of
from tests.server.web.dashboard.staff import Staff, duplicated, numbers
from tests.server.web.pages import heading


def told(page: str) -> str:
    """What a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def opened(anna: Staff) -> str:
    (number,) = numbers(anna)
    return anna.open(f"/staff/alerts/{number}").text


def test_few_scans_give_no_number_of_copies(anna: Staff, world: World, issued: Issued) -> None:
    duplicated(world, issued, others=2)
    page = told(opened(anna))
    assert "Copies, estimated not enough scans" in page
    assert "nothing honest can be said" in page
    assert f"most likely {wording.CAUSE_WORDS[Cause.OWN_RESCAN]}" in page, "two other people in one region"
    assert "Proposed:" not in page


def test_where_no_place_is_known_no_region_is_counted(anna: Staff, world: World, issued: Issued) -> None:
    duplicated(world, issued, others=2)
    assert "Regions place unknown" in told(opened(anna))
    listed = told(anna.open("/staff/alerts").text)
    assert "place unknown" in listed
    assert "1 region" not in listed


def test_where_a_share_of_the_batch_is_verified_copies_are_estimated(anna: Staff, world: World) -> None:
    issued = world.issue(count=60)
    for index in range(1, 31):
        world.verdict(issued.text(index), f"buyer-{index}")
    duplicated(world, issued, others=12)
    page = told(opened(anna))
    found = re.search(r"Copies, estimated ([\d,]+) ([\d,]+) to ([\d,]+), looks not counted", page)
    assert found is not None, page
    point, low, high = (int(part) for part in found.groups())
    assert 12 <= low <= point <= high
    assert point == pytest.approx(12 / (30 / 59), abs=2)
    assert "30 of 59 other codes of this batch on sale were verified" in page


def test_codes_that_never_were_on_sale_do_not_make_the_share_smaller(anna: Staff, world: World) -> None:
    issued = world.issue(count=60, activate=False)
    world.act(issued, ActKind.ACTIVATE, "0-39")
    world.act(issued, ActKind.SAMPLE, "35-39", reason="trade fair")
    for index in range(1, 31):
        world.verdict(issued.text(index), f"buyer-{index}")
    duplicated(world, issued, others=3)
    assert "30 of 34 other codes" in told(opened(anna))


def test_a_crowd_on_one_code_makes_the_page_propose_a_lock_which_staff_confirm(anna: Staff, world: World) -> None:
    issued = world.issue(count=5)
    duplicated(world, issued, others=30)
    page = opened(anna)
    assert "most likely the buyer's own re-scan" in told(page)  # all from one network: no crowd, perhaps a program
    assert "Proposed: lock this code . 30 other people asked to verify this code." in told(page)
    link = re.search(r'Proposed: <a href="([^"]+)"', page)
    assert link is not None
    form = anna.open(html.unescape(link.group(1)))
    assert heading(form.text) == "Lock"
    assert 'value="30 other people asked to verify this code"' in form.text
    assert world.verdict(issued.text(0), "nobody-yet") == "already_verified", "a proposal locks nothing"
    assert "Lock this code" not in page, "it is offered once"
    world.act(issued, ActKind.LOCK, "0", reason="copies found")
    assert "Proposed:" not in opened(anna)


@both_databases
def test_where_there_is_nothing_to_act_on_the_week_is_told(anna: Staff, world: World, issued: Issued) -> None:
    assert "A row appears here" in anna.open("/staff/alerts").text
    for index in range(3):
        world.verdict(issued.text(index), f"buyer-{index}")
    page = told(anna.open("/staff/alerts").text)
    assert "Three scans since Monday, no notes ." in page
    assert "so much was real" not in page
    duplicated(world, issued)
    (number,) = numbers(anna)
    anna.submit(f"/staff/alerts/{number}", {"act": "closed", "cause": "clone"}, to=f"/staff/alerts/{number}/work")
    page = told(anna.open("/staff/alerts").text)
    assert "in the last seven days so much was real: 1.00 [.21, 1.00] of 1 closed" in page
    world.clock.forward(days=8)
    page = told(anna.open("/staff/alerts").text)
    assert "scans since Monday" not in page
    assert "so much was real" not in page


@both_databases
def test_a_day_of_the_chart_is_a_filter_of_the_latest_attempts(anna: Staff, world: World, issued: Issued) -> None:
    world.verdict(issued.text(0), "on-the-first-day")
    first = world.clock().date()
    world.clock.forward(days=1)
    for index in (1, 2):
        world.verdict(issued.text(index), f"on-the-second-{index}")
    page = anna.open(f"/staff/batches/{issued.batch.row}").text
    links = [html.unescape(link) for link in re.findall(r'<a href="(/staff/batches/\d+\?day=[^"]+)"', page)]
    assert len(links) == 2
    shown = [anna.open(link.partition("#")[0]).text for link in links]
    assert [page.count('<td class="lead"><time') for page in shown] == [1, 2]
    assert f"{first:%-d %b %Y} (UTC)" in shown[0]
    both = anna.open(f"/staff/batches/{issued.batch.row}?day={first}&country=KR").text
    assert "None from there among the latest 5,000 of that day." in both
    empty = anna.open(f"/staff/batches/{issued.batch.row}?day=2001-01-01").text
    assert "No attempts to verify on that day." in empty


@pytest.mark.parametrize("day", ["", "yesterday", "0001-01-01", "9999-12-31", "2026-13-01"])
def test_a_day_that_cannot_be_read_filters_nothing(day: str, anna: Staff, world: World, issued: Issued) -> None:
    world.verdict(issued.text(0), "somebody")
    page = anna.open(f"/staff/batches/{issued.batch.row}", query_string={"day": day}).text
    assert page.count('<td class="lead"><time') == 1


def test_a_storm_of_looks_is_told_in_looks(anna: Staff, world: World, issued: Issued) -> None:
    unit = find_code(world.ctx, issued.text(0))
    for number in range(LOOKS_IN_STORM):
        world.ctx.looks.count(unit, "KR-11" if number % 2 else "DE-BE", Verdict.UNUSED, now=world.clock.now)
    world.ctx.looks.flush()
    drawn = anna.open("/staff/alerts?view=all").text.partition('class="alerts"')[2].partition("</ol>")[0]
    listed = told(drawn)
    assert f"{LOOKS_IN_STORM} looks in the last fourteen days" in drawn
    assert f"{LOOKS_IN_STORM} looks" in listed
    assert "scan" not in drawn, drawn
    assert "0 people" not in listed
    whole = opened(anna)
    page = told(whole)
    where = whole.partition("<h2>Where</h2>")[2].partition("</section>")[0]
    assert "Looks" in where
    assert "scan" not in where.lower(), where
    assert f"one code looked at {LOOKS_IN_STORM} times in a storm of looks" in page
    assert f"Looks {LOOKS_IN_STORM}" in page
    assert f"It is a note from {LOOKS_IN_STORM} looks within an hour on" in page
    assert "People" not in page
    assert "The scans behind it" not in page


@pytest.mark.parametrize("view", ["act&rule=burst", "mine", "closed", "look&batch=7"])
def test_only_a_list_that_tells_of_the_week_adds_it_up(anna: Staff, monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    monkeypatch.setattr(alert_pages, "quiet_week", lambda _ctx: pytest.fail("it is not shown here"))
    assert anna.open(f"/staff/alerts?view={view}").status_code == 200


def test_a_burst_says_in_its_duplicate_why_it_is_loud(anna: Staff, world: World, issued: Issued) -> None:
    for number in range(BURST_ASKERS):
        verify(
            world.ctx, issued.text(0), claim=claim_of(f"claim-{number}"), visitor=Visitor(address=f"10.{number}.0.1")
        )
    page = told(opened(anna))
    assert "Act now" in page
    assert f"made louder by a burst: {BURST_ASKERS} networks or more asked for one code within an hour" in page
