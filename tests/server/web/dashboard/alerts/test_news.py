"""What became news while somebody looks at the list of alerts: a number that is asked for, never a jump."""

import html
import re
from datetime import timedelta

import pytest

from tests.server.simulator import START, Issued, World, both_databases
from tests.server.web.dashboard.staff import Staff, duplicated, numbers, work


class OpenList:
    """A list of alerts that somebody has open: it was drawn once, and asks from then on."""

    def __init__(self, anna: Staff, query: str = "") -> None:
        self._anna = anna
        found = re.search(r'hidden data-news="([^"]+)"', anna.open(f"/staff/alerts{query}").text)
        assert found is not None
        self.address = html.unescape(found.group(1))

    def news(self) -> int:
        answer = self._anna.open(self.address)
        assert answer.is_json
        assert list(answer.json) == ["new"]
        return int(answer.json["new"])


def test_an_alert_that_is_raised_meanwhile_is_told_once(anna: Staff, world: World, issued: Issued) -> None:
    at_first = OpenList(anna)
    assert at_first.news() == 0
    duplicated(world, issued)
    assert at_first.news() == 1
    later = OpenList(anna)
    assert later.news() == 0
    world.clock.forward(hours=1)
    world.verdict(issued.text(0), "one-more")
    assert later.news() == 0, "an alert that grows is no news"


def test_a_note_is_news_among_the_notes_and_again_once_it_is_an_alert(
    anna: Staff, world: World, issued: Issued
) -> None:
    notes, alerts = OpenList(anna, "?view=notes"), OpenList(anna)
    duplicated(world, issued, others=1)
    assert (notes.news(), alerts.news()) == (1, 0)
    alerts = OpenList(anna)
    world.clock.forward(hours=1)
    world.verdict(issued.text(0), "the-second-other")
    assert alerts.news() == 1


def test_an_alert_that_opens_again_is_news(anna: Staff, world: World, issued: Issued) -> None:
    duplicated(world, issued)
    (number,) = numbers(anna)
    work(anna, number, act="closed", cause="clone")
    seen = OpenList(anna)
    world.clock.forward(hours=1)
    world.verdict(issued.text(0), "another-1")
    assert seen.news() == 0, "whoever asked before leaves it closed"
    world.clock.forward(hours=1)
    world.verdict(issued.text(0), "somebody-new")
    assert seen.news() == 1


def test_only_what_the_open_list_would_show_is_told(anna: Staff, world: World, issued: Issued) -> None:
    lists = {query: OpenList(anna, query) for query in ("", "?rule=voided", "?view=mine", "?view=closed", "?view=all")}
    duplicated(world, issued)
    assert {query: seen.news() for query, seen in lists.items()} == {
        "": 1,
        "?rule=voided": 0,
        "?view=mine": 0,
        "?view=closed": 0,
        "?view=all": 1,
    }


@both_databases
def test_the_question_prolongs_no_session_and_is_kept_nowhere(anna: Staff, world: World, issued: Issued) -> None:
    assert issued.text(0)
    seen = OpenList(anna)
    answer = anna.open(seen.address)
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    world.clock.forward(hours=1)
    stranger = Staff(world.app.test_client())
    assert stranger.open(seen.address).status_code == 303


@pytest.mark.parametrize("after", ["", "yesterday", "2026-11-21", "2026-11-21T00:00:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_cannot_be_read_has_no_news(after: str, anna: Staff, world: World, issued: Issued) -> None:
    duplicated(world, issued)
    assert anna.open("/staff/alerts/news", query_string={"after": after}).json == {"new": 0}
    early = (START - timedelta(days=1)).isoformat()
    assert anna.open("/staff/alerts/news", query_string={"after": early}).json == {"new": 1}
