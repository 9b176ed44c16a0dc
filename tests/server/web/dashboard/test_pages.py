"""The dashboard over HTTP, against the real services: login, alerts, batches, acts, the history of one code."""

import re
import shutil
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from authcode.code.serial import printed_serial
from keys.store.issuer import IssuerHome
from server.app import create_app
from server.domain.batches.range_act import ActKind
from server.domain.codes.unit import Unit
from server.services.brands.keyring import publish_keyring
from server.services.staff.accounts import reset_staff
from server.settings import RateLimit
from tests.server.simulator import START, Issued, World, both_databases
from tests.server.web.dashboard.staff import EMAIL, ONE_TIME, OWN, Staff, duplicated
from tests.server.web.pages import ADDRESS, heading, hidden, target


class TestLogin:
    @pytest.mark.parametrize("page", ["", "/", "/alerts", "/alerts/1", "/batches", "/batches/1", "/codes", "/nowhere"])
    def test_every_page_asks_for_a_login_first(self, page: str, stranger: Staff) -> None:
        answer = stranger.open(f"/staff{page}")
        assert answer.status_code == 303
        assert answer.location.startswith("/staff/login")

    @both_databases
    def test_a_one_time_password_leads_nowhere_but_to_a_password_of_ones_own(self, stranger: Staff) -> None:
        page = stranger.submit("/staff/login", {"email": EMAIL, "password": ONE_TIME})
        assert heading(page) == "Choose your password"
        assert stranger.open("/staff/alerts").location == "/staff/password"
        changed = stranger.submit("/staff/password", {"old": ONE_TIME, "new": OWN, "again": OWN})
        assert heading(changed) == "Alerts"
        assert "Your password is changed." in changed

    def test_a_refused_login_has_one_text_for_every_reason(self, stranger: Staff) -> None:
        unknown = stranger.submit("/staff/login", {"email": "who@example.com", "password": "x"})
        wrong = stranger.submit("/staff/login", {"email": EMAIL, "password": "x"})
        said = [re.search(r'role="alert">(.*?)</p>', page) for page in (unknown, wrong)]
        assert said[0] is not None
        assert said[1] is not None
        assert said[0].group(1) == said[1].group(1)

    @both_databases
    def test_a_copied_cookie_is_worth_nothing_after_the_logout(self, anna: Staff, world: World) -> None:
        copied = anna.client.get_cookie("authcode-staff", domain="v.example.com")
        assert copied is not None
        thief = Staff(world.client)
        thief.client.set_cookie("authcode-staff", copied.value, domain="v.example.com", secure=True)
        assert thief.open("/staff/alerts").status_code == 200
        anna.submit("/staff/alerts", {}, to="/staff/logout")
        assert thief.open("/staff/alerts").status_code == 303

    def test_a_network_that_guesses_is_told_how_long_to_wait(self, stranger: Staff) -> None:
        token = hidden(stranger.open("/staff/login").text)["csrf_token"]
        guess = {"csrf_token": token, "email": EMAIL, "password": "x"}
        answers = [stranger.send("/staff/login", guess) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429]
        assert answers[-1].headers["Retry-After"] == "2"
        assert "wait 2 seconds" in answers[-1].text

    def test_two_different_new_passwords_change_nothing(self, stranger: Staff) -> None:
        stranger.submit("/staff/login", {"email": EMAIL, "password": ONE_TIME})
        page = stranger.submit("/staff/password", {"old": ONE_TIME, "new": OWN, "again": OWN + "!"})
        assert "The two new passwords differ" in page
        assert stranger.open("/staff/alerts").location == "/staff/password"

    def test_a_short_password_is_refused_with_a_sentence(self, stranger: Staff) -> None:
        stranger.submit("/staff/login", {"email": EMAIL, "password": ONE_TIME})
        page = stranger.submit("/staff/password", {"old": ONE_TIME, "new": "short", "again": "short"})
        assert 'role="alert"' in page

    def test_the_session_cookie_is_closed_to_scripts_and_other_sites(self, stranger: Staff) -> None:
        token = hidden(stranger.open("/staff/login").text)["csrf_token"]
        answer = stranger.send("/staff/login", {"csrf_token": token, "email": EMAIL, "password": ONE_TIME})
        cookie = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("authcode-staff"))
        for part in ("HttpOnly", "Secure", "SameSite=Lax", "Expires="):
            assert part in cookie

    @pytest.mark.parametrize(
        ("wanted", "leads_to"),
        [
            ("/staff/batches", "/staff/batches"),
            ("https://evil.example/staff/", "/staff/alerts"),
            ("//evil.example/staff/", "/staff/alerts"),
            ("/staff/\\evil", "/staff/alerts"),
        ],
    )
    def test_a_login_leads_only_to_pages_of_the_dashboard(self, wanted: str, leads_to: str, anna: Staff) -> None:
        anna.submit("/staff/alerts", {}, to="/staff/logout")
        page = f"/staff/login?next={wanted}"
        token = hidden(anna.open(page).text)["csrf_token"]
        answer = anna.send(page, {"csrf_token": token, "email": EMAIL, "password": OWN})
        assert answer.location == leads_to

    def test_after_logging_out_the_pages_are_closed(self, anna: Staff) -> None:
        assert anna.open("/staff/alerts").status_code == 200
        assert heading(anna.submit("/staff/alerts", {}, to="/staff/logout")) == "Log in"
        assert anna.open("/staff/alerts").status_code == 303

    def test_a_reset_ends_every_session(self, world: World, anna: Staff) -> None:
        reset_staff(world.ctx.db, EMAIL, now=START, one_time="another one-time", actor="test")
        assert anna.open("/staff/alerts").status_code == 303

    def test_a_form_without_the_sessions_token_does_nothing(self, anna: Staff, issued: Issued) -> None:
        answer = anna.send(f"/staff/batches/{issued.batch.row}/void", {"reason": "x", "confirm": "yes"})
        assert (answer.status_code, heading(answer.text)) == (400, "Nothing was done")
        assert "voided" not in anna.open(f"/staff/batches/{issued.batch.row}").text

    def test_who_is_not_logged_in_cannot_send_either(self, stranger: Staff) -> None:
        token = hidden(stranger.open("/staff/login").text)["csrf_token"]
        assert stranger.send("/staff/codes", {"csrf_token": token, "code": "x"}).status_code == 401

    def test_what_staff_scan_on_the_shoppers_pages_raises_nothing(
        self, world: World, anna: Staff, issued: Issued
    ) -> None:
        world.verdict(issued.text(0), "the-first")
        assert "verified before" in anna.open(target(issued.text(0))).text
        assert "verified before" in anna.send("/check/serial", {"serial": printed_serial(issued.codes[0].serial)}).text
        assert "Nothing here." in anna.open("/staff/alerts?view=all").text


class TestAlerts:
    def test_without_alerts_the_list_says_so(self, anna: Staff) -> None:
        assert "Nothing to act on." in anna.open("/staff/alerts").text

    def test_an_alert_is_a_sentence_and_its_page_says_why(self, world: World, anna: Staff, issued: Issued) -> None:
        duplicated(world, issued)
        row = re.search(r'<a href="(/staff/alerts/\d+)">([^<]+)</a>', anna.open("/staff/alerts").text)
        assert row is not None
        assert row.group(2) == f"Spring Tea 50 g, {issued.batch.order_name} code 0: one code scanned by four people"
        page = anna.open(row.group(1)).text
        assert heading(page) == row.group(2)
        assert "three other people asked to verify the same code" in page
        assert page.count('<td class="lead">') == 3
        assert "already verified" in page
        assert "<svg" in page
        assert "style=" not in page

    def test_a_single_other_person_is_only_a_note(self, world: World, anna: Staff, issued: Issued) -> None:
        duplicated(world, issued, others=1)
        assert "one note" in anna.open("/staff/alerts").text
        assert "one code scanned by two people" in anna.open("/staff/alerts?view=notes").text

    def test_filters_live_in_the_address_and_nonsense_is_ignored(
        self, world: World, anna: Staff, issued: Issued
    ) -> None:
        duplicated(world, issued)
        void = world.issue()
        world.act(void, ActKind.VOID, reason="misprint")
        world.verdict(void.text(0), "somebody")
        assert anna.open("/staff/alerts").text.count('<div class="what">') == 2
        assert anna.open("/staff/alerts?rule=voided").text.count('<div class="what">') == 1
        assert anna.open(f"/staff/alerts?batch={issued.batch.row}").text.count('<div class="what">') == 1
        assert "No alert matches these filters" in anna.open("/staff/alerts?rule=unknown_unit").text
        nonsense = anna.open("/staff/alerts?view=x&rule=y&batch=-1&page=zzz")
        assert nonsense.text.count('<div class="what">') == 2

    def test_many_scans_are_folded_at_ten_and_paged(self, world: World, anna: Staff, issued: Issued) -> None:
        duplicated(world, issued, others=60)
        row = re.search(r'href="(/staff/alerts/\d+)"', anna.open("/staff/alerts").text)
        assert row is not None
        page = anna.open(row.group(1)).text
        assert "40 more on this page" in page
        assert "page 1 of 2" in page
        assert anna.open(f"{row.group(1)}?page=2").text.count('<td class="lead">') == 10

    def test_an_alert_that_does_not_exist_is_a_page_and_404(self, anna: Staff) -> None:
        answer = anna.open("/staff/alerts/999")
        assert (answer.status_code, heading(answer.text)) == (404, "That could not be done")

    def test_what_people_were_told_counts_every_scan_on_each_page(
        self, world: World, anna: Staff, issued: Issued, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for claim in range(8):
            world.verdict(issued.text(0), f"claim-{claim}")
        monkeypatch.setattr("server.services.queries.page.PAGE_SIZE", 5)
        for page in (1, 2):
            text = anna.open(f"/staff/alerts/1?page={page}").text
            told = text[text.index("<h2>What people were told") :]
            assert re.search(r"<strong>(\d+)</strong> already verified", told)[1] == "7"
            assert "highest day: 7" in text
            assert f"page {page} of 2" in text


class TestBatches:
    @both_databases
    def test_the_list_is_empty_before_the_first_batch(self, anna: Staff) -> None:
        assert "No batch yet." in anna.open("/staff/batches").text

    def test_the_balance_adds_up_to_the_order(self, world: World, anna: Staff, issued: Issued) -> None:
        world.act(issued, ActKind.RECALL, "7-8", reason="a seal may leak")
        world.act(issued, ActKind.VOID, "9", reason="misprint")
        page = anna.open(f"/staff/batches/{issued.batch.row}").text
        balance = page[page.index("<h2>Balance") : page.index("<h2>What people saw")]
        lines = [int(amount) for amount in re.findall(r'<td class="num">(\d+)</td>', balance)]
        assert lines == [7, 2, 1, 10]
        assert "A difference of" not in page
        assert anna.open("/staff/batches").text.count('<td class="lead">') == 1

    def test_many_batches_come_in_pages(
        self, world: World, anna: Staff, issued: Issued, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.issue()
        monkeypatch.setattr("server.services.queries.page.PAGE_SIZE", 1)
        newest, oldest = anna.open("/staff/batches").text, anna.open("/staff/batches?page=2").text
        assert issued.batch.order_name not in newest
        assert 'href="/staff/batches?page=2">Older' in newest
        assert issued.batch.order_name in oldest
        assert 'href="/staff/batches?page=1">Newer' in oldest

    def test_an_act_shows_its_effect_before_it_is_done(self, world: World, anna: Staff, issued: Issued) -> None:
        place = f"/staff/batches/{issued.batch.row}/void"
        world.act(issued, ActKind.SAMPLE, "0")
        shown = anna.submit(place, {"range": "0-3", "reason": "torn on the reel"})
        assert heading(shown) == "Void four codes?"
        assert re.findall(r'<td class="num">(\d+)</td>', shown) == ["3", "1", "4"]
        assert world.state(issued.text(1)) == "unused"
        done = anna.submit(place, {"range": "0-3", "reason": "torn on the reel", "confirm": "yes"})
        assert "Indices 0 to 3 voided: reason torn on the reel." in done
        assert EMAIL in done
        assert world.state(issued.text(1)) == "void"
        assert world.state(issued.text(4)) == "unused"

    def test_staff_are_told_that_a_key_is_withdrawn_and_why_nothing_of_it_is_activated(
        self, world: World, anna: Staff, issued: Issued, tmp_path: Path
    ) -> None:
        late = world.issue(activate=False)
        pages = [f"/staff/batches/{issued.batch.row}", f"/staff/codes/{Unit(row=issued.batch.row, index=3).id}"]
        assert not any("is withdrawn since" in anna.open(page).text for page in pages)
        shutil.copytree(world.brand.home / "issuer", tmp_path / "issuing" / "issuer")
        issuer = IssuerHome.open(tmp_path / "issuing").unlock("issuer-pass")
        world.clock.forward(hours=1)
        now = world.clock.now
        issuer.withdraw_code_key(issued.batch.key_id, since=now, reason="laptop stolen", now=now)
        publish_keyring(world.ctx.db, issuer.keyring.document, server_id=None, now=now)
        for page in pages:
            told = anna.open(page).text
            assert "is withdrawn since" in told
            assert ": laptop stolen. Codes that were" in told
            assert 'reads "This code can no longer be checked"' in told
        place = f"/staff/batches/{late.batch.row}/activate"
        shown = anna.submit(place, {"range": "0-3"})
        assert "would still be answered" in shown
        assert 'name="confirm"' not in shown
        assert "activation_refused" in anna.submit(place, {"range": "0-3", "confirm": "yes"})
        assert world.state(late.text(0)) == "not_ours"

    def test_activating_carries_lot_date_and_markets_to_the_shopper(self, world: World, anna: Staff) -> None:
        issued = world.issue(activate=False)
        place = f"/staff/batches/{issued.batch.row}/activate"
        form: dict[str, object] = {
            "range": "0-9",
            "lot": "L77",
            "expires": "2028-03-31",
            "market": "kr, jp",
            "confirm": "yes",
        }
        assert "Indices 0 to 9 activated" in anna.submit(place, form)
        page = anna.open(target(issued.text(0))).text
        assert "L77" in page
        assert "31 March 2028" in page
        assert "South Korea and Japan" in page

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            (("void", {"range": "0-99", "reason": "x"}), "is not within this batch"),
            (("void", {"range": "5-2", "reason": "x"}), "is the wrong way round; write 2-5"),
            (("void", {"reason": "x"}), "the whole batch is 0-9"),
            (("void", {"range": "all", "reason": "x"}), "Give a range of indices"),
            (("void", {"range": "0-1"}), "Give a reason"),
            (("recall", {"range": "0", "reason": "x", "link": "javascript:alert(1)"}), "The link must start with"),
            (("activate", {"range": "0", "expires": "soon"}), "Give the date as year-month-day"),
            (("activate", {"range": "0", "market": "KOREA"}), "two-letter country codes"),
        ],
    )
    def test_an_act_that_cannot_be_is_refused_with_a_sentence_and_does_nothing(
        self, asked: tuple[str, dict[str, object]], said: str, world: World, anna: Staff
    ) -> None:
        issued = world.issue()
        kind, form = asked
        page = anna.submit(f"/staff/batches/{issued.batch.row}/{kind}", {**form, "confirm": "yes"})
        assert said in page
        assert world.state(issued.text(0)) == "unused"

    @pytest.mark.parametrize("asked", ["first=3&last=99", "first=7&last=2", "first=x", "range=4-12"])
    def test_a_selection_that_cannot_be_is_told_and_offers_no_act(
        self, anna: Staff, issued: Issued, asked: str
    ) -> None:
        answer = anna.open(f"/staff/batches/{issued.batch.row}?{asked}")
        assert answer.status_code == 400
        assert 'role="alert"' in answer.text
        assert f"/staff/batches/{issued.batch.row}/void" not in answer.text

    def test_an_act_on_the_whole_batch_names_its_indices(self, anna: Staff, issued: Issued) -> None:
        assert (
            f"/staff/batches/{issued.batch.row}/void?range=0-9" in anna.open(f"/staff/batches/{issued.batch.row}").text
        )

    def test_a_batch_that_does_not_exist_is_a_page_and_404(self, anna: Staff) -> None:
        assert anna.open("/staff/batches/4711").status_code == 404


class TestCodes:
    def test_a_code_is_found_by_its_text_its_serial_and_its_index(
        self, world: World, anna: Staff, issued: Issued
    ) -> None:
        from authcode.code.serial import printed_serial

        world.verdict(issued.text(2), "the-first")
        printed = printed_serial(issued.codes[2].serial)
        for asked in (issued.text(2), printed, f"{issued.batch.order_name}:2"):
            page = anna.submit("/staff/codes", {"code": asked})
            assert heading(page) == printed
            assert "genuine <span" in page
            assert "activated: lot L1" in page

    @pytest.mark.parametrize("asked", ["nonsense", "7Q4K M2XD 9FA1 C·5", "order-99:1", "https://a.example/x"])
    def test_what_is_no_code_is_answered_with_a_sentence(self, asked: str, anna: Staff) -> None:
        page = anna.submit("/staff/codes", {"code": asked})
        assert heading(page) == "Find a code"
        assert 'role="alert"' in page

    def test_looking_a_code_up_counts_as_no_look(self, world: World, anna: Staff, issued: Issued) -> None:
        anna.submit("/staff/codes", {"code": issued.text(0)})
        world.ctx.looks.flush()
        assert "<dt>Looks</dt><dd>0</dd>" in anna.submit("/staff/codes", {"code": issued.text(0)})

    @pytest.mark.parametrize("number", [12345, 2**62, 2**80])
    def test_a_number_that_is_no_code_is_404(self, number: int, anna: Staff) -> None:
        assert anna.open(f"/staff/codes/{number}").status_code == 404

    def test_an_address_that_leads_nowhere_is_a_page_of_the_dashboard(self, anna: Staff) -> None:
        answer = anna.open("/staff/nowhere/at/all")
        assert (answer.status_code, heading(answer.text)) == (404, "There is no page here")


def test_the_pages_of_the_dashboard_run_one_script_of_ours_and_hold_no_inline_style(
    world: World, anna: Staff, issued: Issued
) -> None:
    duplicated(world, issued)
    for page in ("alerts", "alerts/1", "batches", f"batches/{issued.batch.row}", "codes", "login", "password"):
        html = anna.open(f"/staff/{page}").text
        assert re.findall(r"<script[^>]*>(.*?)</script>", html) in ([""], [])
        assert re.findall(r'<script src="([^"?]+)', html) == ["/staff/style/dashboard.js"]
        assert "style=" not in html
        assert "http://" not in html.replace("http://www.w3.org", "")


def test_the_stylesheet_is_served_without_a_login(world: World) -> None:
    client: FlaskClient = world.client
    with client.get("/staff/style/dashboard.css", base_url=ADDRESS) as style:
        assert style.status_code == 200


class TestWhatCannotBeAnswered:
    def test_a_large_number_in_an_address_is_nothing_unusual(self, anna: Staff) -> None:
        pages = ("alerts/{}", "batches/{}", "batches/{}/void", "codes/{}", "alerts?page={}", "alerts?batch={}")
        for digits in (str(2**31), str(2**63 - 1), str(2**63), "9" * 20, "9" * 4400):
            for page in pages:
                answer = anna.open(f"/staff/{page.format(digits)}")
                assert (page, answer.status_code) == (page, 200 if "?" in page else 404)
                assert "<h1" in answer.text

    def test_another_method_or_address_is_answered_with_a_page_of_the_dashboard(self, anna: Staff) -> None:
        for method, path, status in (
            ("PUT", "/staff/alerts", 405),
            ("POST", "/staff/alerts", 405),
            ("GET", "/staff/nothing", 404),
        ):
            answer = anna.client.open(path, method=method, base_url=ADDRESS)
            assert (answer.status_code, answer.mimetype) == (status, "text/html")
            assert "To the alerts" in answer.text

    def test_a_form_without_a_login_says_to_log_in(self, stranger: Staff) -> None:
        token = hidden(stranger.open("/staff/login").text)["csrf_token"]
        answer = stranger.send("/staff/codes", {"csrf_token": token, "code": "x"})
        assert (answer.status_code, heading(answer.text)) == (401, "Log in first")

    def test_too_much_and_too_often_are_told_on_a_page(self, world: World) -> None:
        settings = world.settings.model_copy(update={"rate_limit": RateLimit.ON})
        often = Staff(create_app(settings, context=world.ctx).test_client())
        answers = [often.open("/staff/login") for _ in range(31)]
        assert [answers[-1].status_code, heading(answers[-1].text)] == [429, "Please wait a moment"]
        world.app.config["MAX_CONTENT_LENGTH"] = 64
        much = Staff(world.client).send("/staff/login", {"email": "x" * 100})
        assert (much.status_code, heading(much.text)) == (413, "Nothing was done")

    def test_a_defect_is_told_on_a_page_and_logged_by_route(
        self, anna: Staff, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        secret = "K1SECRET"

        def broken(*_arguments: object, **_named: object) -> None:
            raise RuntimeError(secret)

        monkeypatch.setattr("server.web.dashboard.alerts.pages.page_number", broken)
        answer = anna.open("/staff/alerts/1")
        assert (answer.status_code, heading(answer.text)) == (500, "Something went wrong here")
        assert "RuntimeError at GET /staff/alerts/<" in caplog.text
        assert secret not in answer.text + caplog.text

    def test_accounts_out_of_reach_are_told_and_nobody_is_logged_out(self, world: World, anna: Staff) -> None:
        code = target(world.issue().text(0))
        with world.ctx.db.write() as connection:
            connection.execute(text("ALTER TABLE staff RENAME TO staff_elsewhere"))
        answers = {page: anna.open(page) for page in ("/staff", "/staff/alerts", code, "/", "/nowhere/at/all")}
        assert [answer.status_code for answer in answers.values()] == [503, 503, 503, 200, 404]
        assert "records_unreachable" in answers["/staff"].text
        assert not any("Set-Cookie" in answer.headers or "<h1" not in answer.text for answer in answers.values())
        assert anna.client.put("/staff/alerts", base_url=ADDRESS).status_code == 405
        with world.ctx.db.write() as connection:
            connection.execute(text("ALTER TABLE staff_elsewhere RENAME TO staff"))
        assert heading(anna.open("/staff/alerts").text) == "Alerts"

    def test_a_static_file_is_kept_only_under_the_address_of_its_version(self, stranger: Staff) -> None:
        page = stranger.open("/staff/login").text
        for name in ("dashboard.css", "icon.svg"):
            found = re.search(rf'href="(/staff/style/{re.escape(name)}[^"]*)"', page)
            assert found is not None
            with stranger.open(found.group(1)) as versioned, stranger.open(f"/staff/style/{name}") as bare:
                assert versioned.headers["Cache-Control"] == "public, max-age=31536000"
                assert bare.headers["Cache-Control"] == "no-store"
        assert stranger.open("/staff/style/none.css").status_code == 404


class TestTheSessionCookie:
    @pytest.mark.parametrize(
        ("address", "marks"),
        [
            ("https://v.example.com", {"Secure"}),
            ("http://v.example.com", {"Secure"}),
            ("http://staff.internal", {"Secure"}),
            ("https://127.0.0.1:8470", {"Secure"}),
            ("http://127.0.0.1:8470", set()),
        ],
    )
    def test_it_is_secure_unless_the_page_is_meant_to_be_plain(
        self, address: str, marks: set[str], world: World
    ) -> None:
        answer = world.client.get("/staff/login", base_url=address)
        assert {"Secure"} & set(answer.headers["Set-Cookie"].split("; ")) == marks

    def test_a_keyring_published_later_decides_for_the_running_server(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as before_publishing:
            before_publishing.setattr("server.runtime.keyrings.all_brands", lambda _connection: [])
            before = world.client.get("/staff/login", base_url="http://v.example.com").headers["Set-Cookie"]
        after = world.client.get("/staff/login", base_url="http://v.example.com").headers["Set-Cookie"]
        assert ("Secure" in before, "Secure" in after) == (False, True)
