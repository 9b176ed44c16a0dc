"""What staff do with alerts, over HTTP: close, reopen, assign, snooze, mute, comment; and the audit of all of it."""

import re
from datetime import timedelta

import pytest

from server.domain.batches.range_act import ActKind
from tests.server.simulator import Issued, World, both_databases
from tests.server.web.dashboard.staff import EMAIL, Staff, duplicated, numbers, work
from tests.server.web.pages import heading

pytestmark = both_databases

ROWS = '<div class="what">'


@pytest.fixture
def alerted(world: World, issued: Issued) -> Issued:
    duplicated(world, issued)
    return issued


def rows(anna: Staff, query: str = "") -> int:
    return anna.open(f"/staff/alerts{query}").text.count(ROWS)


def views(anna: Staff) -> dict[str, int]:
    found = re.findall(r"<span>([A-Za-z ]+)</span><span>([\d,]+)</span>", anna.open("/staff/alerts").text)
    return {name: int(amount) for name, amount in found}


class TestClosing:
    @pytest.mark.usefixtures("alerted")
    def test_it_takes_a_cause_and_the_alert_leaves_the_list(self, anna: Staff) -> None:
        assert 'role="alert"' in work(anna, act="closed")
        assert "Choose the cause" in work(anna, act="closed")
        assert rows(anna) == 1
        page = work(anna, act="closed", cause="clone", comment="Seen in a\nmarket.")
        assert "This alert is closed." in page
        assert "closed it: copies of the code" in page
        assert "Seen in a\nmarket." in page
        assert views(anna) == {"Act now": 0, "Look at": 0, "Notes": 0, "Mine": 0, "Snoozed": 0, "Closed": 1}
        assert rows(anna, "?view=closed") == 1

    @pytest.mark.usefixtures("alerted")
    def test_another_cause_wants_a_comment(self, anna: Staff) -> None:
        assert "Say in a comment" in work(anna, act="closed", cause="other")
        assert "This alert is closed." in work(anna, act="closed", cause="other", comment="a trade fair")

    def test_the_precision_of_the_rule_is_shown_where_it_fires(self, anna: Staff, world: World) -> None:
        for _ in range(3):
            duplicated(world, world.issue())
        one, two, three = numbers(anna)
        for number, cause in ((one, "clone"), (two, "own_rescan")):
            work(anna, number, act="closed", cause=cause)
        assert ".50 [.09, .91] of 2 closed" in anna.open(f"/staff/alerts/{three}").text
        page = anna.open("/staff/rules").text
        assert ".50 [.09, .91] of 2 closed" in page
        assert "1 copies of the code" in page

    def test_whoever_asked_before_leaves_it_closed_and_somebody_new_opens_it(
        self, anna: Staff, world: World, alerted: Issued
    ) -> None:
        work(anna, act="closed", cause="own_rescan")
        world.verdict(alerted.text(0), "another-1")
        assert rows(anna) == 0
        world.verdict(alerted.text(0), "somebody-new")
        assert rows(anna) == 1
        assert "Opened again by itself" in anna.open("/staff/alerts/1").text
        assert "not measured yet" in anna.open("/staff/alerts/1").text

    @pytest.mark.usefixtures("alerted")
    def test_a_closed_alert_can_be_reopened_by_hand(self, anna: Staff) -> None:
        work(anna, act="closed", cause="bot")
        assert "reopened it" in work(anna, act="reopened")
        assert rows(anna) == 1


class TestPuttingOff:
    @pytest.mark.usefixtures("alerted")
    def test_a_snoozed_alert_waits_apart_until_its_day(self, anna: Staff, world: World) -> None:
        day = (world.clock.now + timedelta(days=3)).date()
        assert "put it off until" in work(anna, act="snoozed", until=day.isoformat())
        assert (rows(anna), rows(anna, "?view=snoozed")) == (0, 1)
        world.clock.forward(days=3)
        anna.submit("/staff/login", {"email": EMAIL, "password": "a long walk along the river"})
        assert (rows(anna), rows(anna, "?view=snoozed")) == (1, 0)

    @pytest.mark.parametrize("until", ["", "soon", "2020-01-01", "2026-11-21", "2099-01-01"])
    @pytest.mark.usefixtures("alerted")
    def test_a_day_that_makes_no_sense_is_refused(self, until: str, anna: Staff) -> None:
        assert "Choose a day from tomorrow on" in work(anna, act="snoozed", until=until)
        assert rows(anna) == 1

    def test_a_muted_rule_is_quiet_for_its_batch_only_and_can_speak_again(
        self, anna: Staff, world: World, alerted: Issued
    ) -> None:
        duplicated(world, world.issue())
        assert heading(anna.open("/staff/alerts/1/mute").text).startswith("Mute")
        assert "Say why" in anna.submit("/staff/alerts/1/mute", {"comment": " "})
        assert "is muted for order-1" in anna.submit("/staff/alerts/1/mute", {"comment": "a demo batch"})
        assert (rows(anna), rows(anna, "?view=snoozed")) == (1, 1)
        world.verdict(alerted.text(0), "one-more")
        assert rows(anna) == 1
        batch = f"/staff/batches/{alerted.batch.row}"
        assert "a demo batch" in anna.open(batch).text
        assert "speaks again" in anna.submit(batch, {"rule": "duplicate"}, to=f"{batch}/unmute")
        assert rows(anna) == 2

    def test_an_alert_of_no_batch_has_nothing_to_mute(self, anna: Staff, world: World) -> None:
        forged, _never_registered = world.manifest(count=1)
        world.verdict(world.codes(forged)[0].code, "somebody")
        assert anna.open("/staff/alerts/1/mute").status_code == 404
        assert "belongs to no batch" in work(anna, act="muted", comment="x")


class TestAssigning:
    @pytest.mark.usefixtures("alerted")
    def test_what_is_mine_is_in_a_view_of_its_own(self, anna: Staff) -> None:
        assert rows(anna, "?view=mine") == 0
        assert "took it" in work(anna, act="assigned")
        assert rows(anna, "?view=mine") == 1
        assert f'<abbr title="{EMAIL}">AN</abbr>' in anna.open("/staff/alerts").text
        assert "gave it back" in work(anna, act="released")
        assert rows(anna, "?view=mine") == 0


class TestManyAtOnce:
    @pytest.mark.usefixtures("alerted")
    def test_one_form_closes_all_that_were_chosen_and_leads_back_to_the_same_list(
        self, anna: Staff, world: World
    ) -> None:
        duplicated(world, world.issue())
        duplicated(world, world.issue())
        one, _two, three = numbers(anna)
        form: dict[str, object] = {"act": "closed", "cause": "staff", "alert": [one, three], "back": "rule=duplicate"}
        page = anna.submit("/staff/alerts", form, to="/staff/alerts/work")
        assert "Two alerts closed." in page
        assert "asked for again by somebody else <span" in page
        assert page.count(ROWS) == 1

    @pytest.mark.usefixtures("alerted")
    def test_a_refusal_keeps_what_was_chosen(self, anna: Staff) -> None:
        page = anna.submit("/staff/alerts", {"act": "closed", "alert": "1"}, to="/staff/alerts/work")
        assert "Choose the cause" in page
        assert 'value="1" checked' in page
        nothing = anna.submit("/staff/alerts", {"act": "assigned", "alert": "x"}, to="/staff/alerts/work")
        assert "Choose at least one alert." in nothing

    @pytest.mark.usefixtures("alerted")
    def test_an_act_that_does_not_exist_is_refused(self, anna: Staff) -> None:
        assert heading(work(anna, act="grew")) == "Nothing was done"


@pytest.mark.usefixtures("alerted")
def test_numbers_and_days_beyond_everything_are_refused_and_never_break_a_page(anna: Staff) -> None:
    anna.submit("/staff/settings", {"zone": "Asia/Tokyo"}, to="/staff/settings/zone")
    (number,) = numbers(anna)
    long = "9" * 5_000
    for until in ("0001-01-01", "9999-12-31"):
        assert "Choose a day" in work(anna, number, act="snoozed", until=until)
        assert anna.open(f"/staff/batches/1?day={until}").status_code == 200
    for wrong in (long, str(1 << 63), "0", "-1"):
        form = {"act": "closed", "cause": "clone", "alert": wrong, "back": f"page={long}"}
        assert "Choose at least one alert" in anna.submit("/staff/alerts", form, to="/staff/alerts/work")
    assert rows(anna) == 1
    for page in ("alerts", "codes", "batches", "products"):
        assert anna.open(f"/staff/{page}/{long}").status_code == 404
    for query in ("page", "batch", "code", "before", "history"):
        for page in ("alerts", "batches", "products", "audit"):
            assert anna.open(f"/staff/{page}?{query}={long}").status_code == 200


def test_the_line_of_the_budget_stands_where_a_week_ends(anna: Staff, world: World) -> None:
    issued = world.issue(count=30)
    for index in range(23):
        for claim in ("anna", "ben", "carl"):
            world.verdict(issued.text(index), claim)
    page = anna.open("/staff/alerts").text
    before, _, after = page.partition('<li class="budget">')
    assert (before.count(ROWS), after.count(ROWS)) == (20, 3)
    for number in numbers(anna)[:2]:
        work(anna, number, act="closed", cause="bot")
    before, _, after = anna.open("/staff/alerts").text.partition('<li class="budget">')
    assert (before.count(ROWS), after.count(ROWS)) == (18, 3)
    assert '<li class="budget">' not in anna.open("/staff/alerts?order=latest").text


class TestTheAudit:
    @pytest.mark.usefixtures("alerted")
    def test_everything_done_with_alerts_stands_in_it_by_person_and_kind(self, anna: Staff, world: World) -> None:
        tomorrow = (world.clock.now + timedelta(days=2)).date().isoformat()
        for form in (
            {"act": "comment", "comment": "Anna Meyer called"},
            {"act": "assigned"},
            {"act": "snoozed", "until": tomorrow},
            {"act": "closed", "cause": "clone"},
        ):
            work(anna, **form)
        page = anna.open(f"/staff/audit?person={EMAIL}&kind=alert").text
        kinds = re.findall(r'kind=([a-z]+\.[a-z]+)">', page)
        assert kinds == ["alert.close", "alert.snooze", "alert.assign", "alert.comment"]
        assert "Anna Meyer" not in page
        assert "logged in" in anna.open("/staff/audit?kind=staff").text
        assert "Nothing here." in anna.open("/staff/audit?person=nobody@example.com").text

    def test_it_comes_in_pages_and_nonsense_is_ignored(
        self, anna: Staff, world: World, issued: Issued, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("server.services.queries.audit.LINES_A_PAGE", 3)
        for _ in range(4):
            world.act(issued, ActKind.SAMPLE, "9")
        first = anna.open("/staff/audit?kind=batch.sample").text
        assert first.count('<td class="lead">') == 3
        older = re.search(r'href="(/staff/audit\?[^"]*before=\d+)">Older', first)
        assert older is not None
        assert anna.open(older.group(1).replace("&amp;", "&")).text.count('<td class="lead">') == 1
        assert anna.open("/staff/audit?kind=%25&before=x").status_code == 200
        assert "Nothing here." in anna.open("/staff/audit?kind=%25").text


def test_an_order_and_a_serial_without_its_check_character_are_found(anna: Staff, issued: Issued) -> None:
    assert heading(anna.submit("/staff/codes", {"code": issued.batch.order_name})) == issued.batch.order_name
    page = anna.submit("/staff/codes", {"code": issued.codes[3].serial.lower()})
    assert "index 3" in page


class TestLocking:
    @pytest.mark.usefixtures("alerted")
    def test_an_alerts_page_leads_to_the_lock_of_its_code_and_back(self, anna: Staff) -> None:
        (number,) = numbers(anna)

        def link(word: str) -> str:
            found = re.search(rf'href="([^"]+)">{word} this code</a>', anna.open(f"/staff/alerts/{number}").text)
            assert found is not None, word
            return found.group(1)

        place, _, query = link("Lock").partition("?")
        assert place.endswith("/lock")
        form = {"range": query.removeprefix("range="), "reason": "copies in three towns"}
        asked = anna.submit(f"{place}?{query}", form, to=place)
        assert heading(asked) == "Lock one code?"
        assert "What shoppers will read" in asked
        assert "Copies of this code were found" in asked
        done = anna.submit(f"{place}?{query}", {**form, "confirm": "yes"}, to=place)
        assert "locked: reason copies in three towns" in done
        assert "locked codes" in anna.open("/staff/audit?kind=batch.lock").text
        assert link("Unlock").partition("?")[0].endswith("/unlock")
