"""The shopper's pages over HTTP, against the real services: look, burn, photo, serial, and what cannot be answered."""

import re
import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from authcode.code.serial import Tier, printed_serial
from authcode.order.order import Placement, Tiers
from keys.format.domains import Listing
from keys.format.records import Form
from keys.store.issuer import IssuerHome
from server.app import create_app
from server.domain.alerts.alert import AlertFilter
from server.domain.batches.range_act import ActKind
from server.services.brands.keyring import publish_keyring
from server.services.queries.alerts import alerts
from server.settings import RateLimit
from server.storage import schema
from server.storage.engine import RecordsUnreachable
from server.web.consumer.problems import OFFLINE_RETRY_S
from tests.server.simulator import Issued, World, claim_of
from tests.server.web.consumer.receipts import keep_code_on
from tests.server.web.pages import ADDRESS, Browser, heading, hidden, target
from tests.server.web.photos import foreign_photo, photo_of

HOLDER = "__Host-authcode-holder"


def burned(world: World) -> int:
    with world.ctx.db.read() as connection:
        count: int = connection.execute(select(func.count()).select_from(schema.redemption)).scalar_one()
        return count


def break_records(world: World, *tables: str) -> None:
    with world.ctx.db.write() as connection:
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_elsewhere"))


def holder_cookies(answer: TestResponse) -> list[str]:
    return [cookie for cookie in answer.headers.getlist("Set-Cookie") if cookie.startswith(HOLDER)]


def cookie_value(answer: TestResponse) -> str:
    (cookie,) = holder_cookies(answer)
    return cookie.partition("=")[2].partition(";")[0]


def upload(shopper: Browser, photo: BytesIO, name: str = "photo.png") -> TestResponse:
    return shopper.send("/check/photo", {"photo": (photo, name)})


class TestLooking:
    def test_a_look_shows_product_state_and_the_one_button(self, shopper: Browser, issued: Issued) -> None:
        page = shopper.open(target(issued.text(0)))
        assert page.status_code == 200
        assert heading(page.text) == "Example Tea&#39;s code, unused so far"
        assert page.text.count('type="submit"') == 1
        assert "you are on <strong>v.example.com</strong>" in page.text
        assert set(hidden(page.text)) == {"token", "claim"}

    def test_looking_again_and_again_burns_nothing_and_sets_one_cookie_for_a_day(
        self, world: World, shopper: Browser, issued: Issued
    ) -> None:
        cookies = [cookie for _ in range(3) for cookie in holder_cookies(shopper.open(target(issued.text(0))))]
        assert len(cookies) == 1
        for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=86400"):
            assert part in cookies[0]
        assert burned(world) == 0

    @pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, None])
    def test_what_nobody_looks_at_gets_no_cookie(
        self, headers: dict[str, str] | None, shopper: Browser, issued: Issued
    ) -> None:
        ask = shopper.client.head if headers is None else shopper.client.get
        answer = ask(target(issued.text(0)), base_url=ADDRESS, headers=headers)
        assert (answer.status_code, holder_cookies(answer)) == (200, [])

    def test_the_cookie_comes_whatever_the_state_so_that_it_tells_nothing(self, world: World) -> None:
        """Used, unused, inactive, void, locked and unknown alike, else the header would tell what a line withholds."""
        issued, asleep = world.issue(), world.issue(activate=False)
        world.verdict(issued.text(1), "anna")
        world.act(issued, ActKind.VOID, "2-2")
        world.act(issued, ActKind.LOCK, "3-3")
        unknown = world.codes(world.manifest()[0])[0].code
        for code in (*(issued.text(index) for index in range(4)), asleep.text(0), unknown):
            assert len(holder_cookies(Browser(world.client).open(target(code)))) == 1

    @pytest.mark.usefixtures("no_cookie_on_look")
    def test_a_brand_can_switch_the_cookie_of_a_look_off(self, shopper: Browser, issued: Issued) -> None:
        assert holder_cookies(shopper.open(target(issued.text(0)))) == []
        assert "Max-Age=34560000" in holder_cookies(shopper.verify(target(issued.text(0))))[0]

    def test_a_short_code_is_known_in_any_case_and_with_keys_of_an_in_app_browser(
        self, shopper: Browser, issued: Issued
    ) -> None:
        for asked in (target(issued.text(0)).lower(), target(issued.text(0)) + "?fbclid=x&utm_source=y"):
            page = shopper.open(asked)
            assert "unused so far" in heading(page.text)
            assert "fbclid" not in page.text

    def test_a_link_without_its_8030_only_looks_and_says_why(self, world: World, shopper: Browser) -> None:
        link = target(world.issue(form=Form.GS1).text(0))
        whole, cut = shopper.open(link), shopper.open(link.partition("?")[0])
        assert hidden(whole.text)
        assert not hidden(cut.text)
        assert "lost the part that proves it" in cut.text

    def test_an_outer_code_is_never_offered_for_verifying(self, world: World, shopper: Browser) -> None:
        pair = world.issue(tiers=Tiers.PAIR)
        outer = shopper.open(target(pair.text(0, Tier.OUTER)))
        assert not hidden(outer.text)
        assert "shows the product and verifies nothing" in outer.text
        assert hidden(shopper.open(target(pair.text(0, Tier.INNER))).text)

    @pytest.mark.parametrize(
        ("kind", "said"),
        [
            (ActKind.RECALL, "Please stop using this: recalled by Example Tea"),
            (ActKind.SAMPLE, "This is a test or sample code"),
        ],
    )
    def test_a_state_is_told_on_the_look_page_without_a_button(
        self, kind: ActKind, said: str, world: World, shopper: Browser, issued: Issued
    ) -> None:
        world.act(issued, kind, reason="a seal may leak", link="https://example.com/recall")
        page = shopper.open(target(issued.text(0)))
        assert heading(page.text) == said
        assert not hidden(page.text)

    def test_forged_and_unknown_codes_are_told_the_same_byte_for_byte(self, shopper: Browser, issued: Issued) -> None:
        good = target(issued.text(0))
        forged = good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:]
        pages = {shopper.open(path).text for path in (forged, "/ZZ" + good[3:], "/ZZ" + good[3:32], forged.lower())}
        assert len(pages) == 1
        assert heading(pages.pop()) == "We don&#39;t recognise this code"


class TestVerifying:
    def test_the_first_is_told_genuine_and_remembered(self, world: World, shopper: Browser, issued: Issued) -> None:
        answer = shopper.verify(target(issued.text(0)))
        assert (answer.status_code, heading(answer.text)) == (200, "Genuine code. You are the first.")
        (cookie,) = holder_cookies(answer)
        for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=34560000"):
            assert part in cookie
        assert burned(world) == 1

    def test_where_the_code_sits_decides_what_is_said(self, world: World, shopper: Browser) -> None:
        hidden_code, visible = world.issue(), world.issue(placement=Placement.VISIBLE)
        assert "This hidden code is" in shopper.verify(target(hidden_code.text(0))).text
        assert "Codes can be copied" in shopper.verify(target(visible.text(0))).text

    def test_a_visible_code_is_not_verified_without_its_tick_whatever_the_browser_lets_through(
        self, world: World, shopper: Browser
    ) -> None:
        page = target(world.issue(placement=Placement.VISIBLE).text(0))
        form = hidden(shopper.open(page).text)
        again = shopper.send(page, form)
        assert (again.status_code, burned(world)) == (409, 0)
        assert "tick \u201cI have bought this\u201d first" in again.text
        assert hidden(again.text)["claim"] == form["claim"]
        assert "Genuine" in shopper.send(page, hidden(again.text) | {"bought": "on"}).text
        assert "Genuine" in shopper.send(page, form).text  # a late retry, which burns nothing

    def test_the_same_form_sent_twice_is_answered_alike_byte_for_byte(self, shopper: Browser, issued: Issued) -> None:
        form = hidden(shopper.open(target(issued.text(0))).text)
        first, second = shopper.send(target(issued.text(0)), form), shopper.send(target(issued.text(0)), form)
        assert first.data == second.data

    def test_later_the_holder_is_told_so_and_a_stranger_is_told_the_day(
        self, world: World, shopper: Browser, issued: Issued
    ) -> None:
        shopper.verify(target(issued.text(0)))
        world.clock.forward(minutes=11)
        assert heading(shopper.open(target(issued.text(0))).text) == "You verified this code on 21 November 2026"
        stranger = Browser(world.client).open(target(issued.text(0)))
        assert heading(stranger.text) == "This code was verified before"
        assert "<details open>" in stranger.text
        assert "12:00" not in stranger.text

    def test_any_answer_that_recognises_its_holder_renews_the_cookie(
        self, world: World, shopper: Browser, issued: Issued
    ) -> None:
        mine, other = issued.text(0), issued.text(1)
        own = target(mine)
        keep_code = keep_code_on(shopper.verify(own).text)
        for answer in (
            shopper.open(own),
            upload(shopper, photo_of((mine, Form.SHORT))),
            upload(shopper, photo_of((mine, Form.SHORT), (other, Form.SHORT))),
            shopper.send("/check/serial", {"serial": printed_serial(issued.codes[0].serial)}),
            shopper.send(own, {"receipt": "save"}),
            shopper.send(own, {"keep_code": keep_code}),
            shopper.send(own, {"act": "hand_on"}),
            shopper.send(own, {"act": "undo", "token": "x"}),
            shopper.send(own, hidden(shopper.send(own, {"act": "undo"}).text)),
        ):
            assert [cookie.count("Max-Age=34560000") for cookie in holder_cookies(answer)] == [1]
        assert holder_cookies(upload(shopper, photo_of((other, Form.SHORT)))) == []
        stranger = Browser(world.client)
        stranger.open(target(other))
        assert holder_cookies(stranger.send(own, {"keep_code": keep_code})) == []

    def test_a_recall_tells_the_holder_that_it_was_theirs(self, world: World, shopper: Browser, issued: Issued) -> None:
        shopper.verify(target(issued.text(0)))
        world.act(issued, ActKind.RECALL, reason="a seal may leak.", link="https://example.com/recall")
        page = shopper.open(target(issued.text(0)))
        assert "You verified this code first, on 21 November 2026 (1 minute ago)." in page.text
        assert "to be returned: a seal may leak. This is about" in page.text
        assert '<a href="https://example.com/recall"' in page.text

    def test_a_token_that_is_missing_foreign_or_old_shows_the_look_page_with_the_same_claim(
        self, world: World, shopper: Browser, issued: Issued
    ) -> None:
        form = hidden(shopper.open(target(issued.text(0))).text)
        foreign = hidden(shopper.open(target(issued.text(1))).text)["token"]
        world.clock.forward(minutes=11)
        for token in ({}, {"token": foreign}, {"token": form["token"]}, {"token": "x" * 300}):
            again = shopper.send(target(issued.text(0)), {"claim": form["claim"], **token})
            assert again.status_code == 409
            assert hidden(again.text)["claim"] == form["claim"]
            assert "Please press the button once more." in again.text
            assert burned(world) == 0
        assert "Genuine" in shopper.send(target(issued.text(0)), hidden(again.text)).text

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec_Fetch_Site": "cross-site"},
            {"Sec_Fetch_Site": "same-site"},
            {"Sec_Fetch_Site": "none"},
            {"Origin": "https://evil.example"},
        ],
    )
    def test_a_form_that_is_not_from_our_page_burns_nothing(
        self, headers: dict[str, str], world: World, shopper: Browser, issued: Issued
    ) -> None:
        answer = shopper.verify(target(issued.text(0)), **headers)
        assert answer.status_code == 409
        assert burned(world) == 0

    def test_a_verification_redirects_to_the_code_so_that_going_back_sends_nothing_again(
        self, world: World, shopper: Browser, issued: Issued
    ) -> None:
        answer = shopper.verify(target(issued.text(0)))
        (posted,) = answer.history
        assert (posted.status_code, posted.headers["Location"]) == (303, target(issued.text(0)))
        assert answer.request.method == "GET"
        assert burned(world) == 1

    def test_a_lost_answer_leaves_the_buyer_the_holder(self, world: World, shopper: Browser, issued: Issued) -> None:
        """Her POST arrives and its answer does not: the browser is known from the look page on."""
        page = shopper.open(target(issued.text(0)))
        lost = world.client
        lost.set_cookie(HOLDER, cookie_value(page), domain="v.example.com", secure=True)
        answer = lost.post(target(issued.text(0)), base_url=ADDRESS, data=hidden(page.text))
        assert answer.status_code == 303
        assert heading(shopper.open(target(issued.text(0))).text) == "Genuine code. You are the first."
        for later in (11 * 60, 23 * 3600):
            world.clock.forward(seconds=later)
            assert heading(shopper.open(target(issued.text(0))).text).startswith("You verified this code on")
        assert burned(world) == 1

    def test_two_hundred_other_looks_do_not_make_the_buyer_forget(self, world: World, shopper: Browser) -> None:
        issued = world.issue(count=60)
        form = hidden(shopper.open(target(issued.text(0))).text)
        for index in range(1, 60):
            shopper.open(target(issued.text(index)))
        shopper.send(target(issued.text(0)), form)
        world.clock.forward(hours=1)
        assert heading(shopper.open(target(issued.text(0))).text).startswith("You verified this code on")

    @pytest.mark.parametrize("cookie", ["x", "00" * 32, "f" * 4000, "../" * 20])
    def test_a_forged_or_planted_cookie_gives_no_right(
        self, cookie: str, world: World, shopper: Browser, issued: Issued
    ) -> None:
        shopper.verify(target(issued.text(0)))
        thief = Browser(world.client)
        thief.client.set_cookie(HOLDER, cookie, domain="v.example.com", secure=True)
        assert heading(thief.open(target(issued.text(0))).text) == "This code was verified before"
        assert heading(thief.verify(target(issued.text(0))).text) == "This code was verified before"

    def test_among_thousands_of_strange_cookies_the_holder_is_known_and_nobody_else_is(
        self, world: World, shopper: Browser, issued: Issued
    ) -> None:
        page = shopper.open(target(issued.text(0)))
        shopper.send(target(issued.text(0)), hidden(page.text))
        strange = "; ".join(f"{HOLDER}{number}={number:032x}" for number in range(10_000))
        own, none = f"{strange}; {HOLDER}={cookie_value(page)}", f"{strange}; {HOLDER}={'0' * 64}"
        world.clock.forward(hours=1)
        for cookies, said in ((own, "You verified this code on"), (none, "This code was verified before")):
            client = world.app.test_client(use_cookies=False)
            answer = client.get(target(issued.text(0)), base_url=ADDRESS, headers={"Cookie": cookies})
            assert heading(answer.text).startswith(said)

    def test_a_silent_origin_is_believed_where_claim_and_cookie_belong_together(
        self, world: World, shopper: Browser, issued: Issued
    ) -> None:
        assert "Genuine" in heading(shopper.verify(target(issued.text(0)), Origin="null").text)
        shopper.open(target(issued.text(1)))
        assert "Genuine" in heading(shopper.verify(target(issued.text(1)), Origin="null").text)
        assert burned(world) == 2

    def test_a_silent_origin_without_the_cookie_is_told_the_reason_and_a_way_out(
        self, world: World, shopper: Browser, issued: Issued
    ) -> None:
        form = hidden(shopper.open(target(issued.text(0))).text)
        for _ in range(3):
            stranger = Browser(world.client)
            answer = stranger.send(target(issued.text(0)), form, Origin="null")
            assert answer.status_code == 409
            assert "did not say which page sent this" in answer.text
            assert "its usual browser" in answer.text
            form = hidden(answer.text)
        assert burned(world) == 0

    def test_the_same_network_a_moment_later_is_told_a_fact_and_no_conclusion(
        self, world: World, issued: Issued
    ) -> None:
        there, elsewhere = {"REMOTE_ADDR": "198.51.100.7"}, {"REMOTE_ADDR": "203.0.113.9"}
        Browser(world.client).verify(target(issued.text(0)), there)
        said = "from the network you are on"
        assert said in Browser(world.client).open(target(issued.text(0)), environ_base=there).text
        assert said not in Browser(world.client).open(target(issued.text(0)), environ_base=elsewhere).text
        api = world.client.post("/api/v1/look", json={"code": issued.text(0)}, environ_base=there)
        assert "network" not in api.text
        world.clock.forward(minutes=16)
        assert said not in Browser(world.client).open(target(issued.text(0)), environ_base=there).text

    @pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
    def test_another_site_cannot_replace_a_holders_cookie(
        self, headers: dict[str, str], world: World, shopper: Browser, issued: Issued
    ) -> None:
        """A form of another site comes without the cookie, and the answer must not set a new one over it."""
        shopper.verify(target(issued.text(0)))
        for form in ({}, {"token": "x", "claim": "0f" * 16}, {"act": "undo"}, {"keep_code": "x"}):
            answer = world.client.post(target(issued.text(1)), base_url=ADDRESS, data=form, headers=headers)
            assert (answer.status_code, holder_cookies(answer)) == (409, [])

    @pytest.mark.parametrize("headers", [{"Origin": "null"}, {}])
    def test_a_form_of_unknown_origin_plants_neither_claim_nor_cookie(
        self, headers: dict[str, str], world: World, issued: Issued
    ) -> None:
        """Else whoever sent it would know both of what the browser verifies later."""
        planted = "0123456789abcdef" * 2
        form = {"token": "x", "claim": planted}
        again = world.client.post(target(issued.text(0)), base_url=ADDRESS, data=form, headers=headers)
        assert (again.status_code, holder_cookies(again)) == (409, [])
        assert planted not in again.text
        world.ask(issued.text(1), planted)
        held = world.client.post(target(issued.text(1)), base_url=ADDRESS, data=form, headers=headers)
        assert holder_cookies(held) == []

    def test_the_browser_says_same_origin_and_is_believed(self, shopper: Browser, issued: Issued) -> None:
        assert "Genuine" in shopper.verify(target(issued.text(0)), Sec_Fetch_Site="same-origin").text

    def test_on_a_plain_page_beyond_this_machine_no_cookie_is_set_and_the_page_says_so(
        self, world: World, issued: Issued
    ) -> None:
        plain = Browser(world.client, "http://192.168.1.20:8470").verify(target(issued.text(0)))
        assert "your browser could not be given a mark" in plain.text
        assert "Set-Cookie" not in plain.headers
        local = Browser(world.client, "http://127.0.0.1:8470").verify(target(issued.text(1)))
        assert "could not be given a mark" not in local.text
        assert "Set-Cookie" in local.headers

    @pytest.mark.parametrize("state", ["used", "void", "not activated"])
    def test_a_code_that_cannot_be_verified_offers_to_tell_the_brand_and_counts_a_person_once(
        self, state: str, world: World, shopper: Browser
    ) -> None:
        issued = world.issue(activate=state != "not activated")
        code = target(issued.text(0))
        if state == "used":
            Browser(world.client).verify(code)
        if state == "void":
            world.act(issued, ActKind.VOID)
        seen = shopper.open(code)
        assert "I have this pack: tell Example Tea" in seen.text
        assert "verify it now" not in seen.text
        assert alerts(world.ctx, AlertFilter()).total == 0
        told = shopper.verify(code)
        assert heading(told.text) == heading(seen.text)
        assert "Example Tea now knows" in told.text
        shopper.verify(code)
        (alert,) = alerts(world.ctx, AlertFilter()).rows
        assert (alert.count, alert.people) == (2, 2 if state == "used" else 1)

    def test_a_code_of_no_registered_unit_looks_and_offers_the_same_as_one_that_is_not_activated(
        self, world: World, shopper: Browser
    ) -> None:
        known, unknown = world.issue(activate=False).text(0), world.codes(world.manifest()[0])[0].code
        pages = [shopper.open(target(code)) for code in (known, unknown)]
        assert {heading(page.text) for page in pages} == {"This code has not been released yet"}
        assert all("I have this pack: tell Example Tea" in page.text for page in pages)
        shown = [re.sub(r'(value|action)="[^"]*"|class="mono">[^<]*', "", page.text) for page in pages]
        assert shown[0] == shown[1]
        asked = [
            shopper.client.post("/api/v1/look", json={"code": code}, base_url=ADDRESS).get_json()
            for code in (known, unknown)
        ]
        first, second = ({**answer, "serial": None} for answer in asked)
        assert first == second
        assert "Example Tea now knows" in shopper.verify(target(unknown)).text

    def test_an_overlong_form_is_refused_with_a_page(self, world: World, shopper: Browser, issued: Issued) -> None:
        answer = shopper.send(target(issued.text(0)), {"token": "x" * 9000, "claim": claim_of("y")})
        assert (answer.status_code, heading(answer.text)) == (413, "That picture is too large")
        assert burned(world) == 0


class TestChecking:
    def test_the_front_page_has_both_forms_and_no_script(self, shopper: Browser) -> None:
        page = shopper.open("/")
        assert heading(page.text) == "Check a code"
        assert 'action="/check/photo"' in page.text
        assert 'accept="image/*,application/pdf"' in page.text
        assert 'action="/check/serial"' in page.text
        assert "<script" not in page.text

    def test_a_photo_of_our_code_tells_its_state_and_links_to_its_own_page(
        self, world: World, shopper: Browser, issued: Issued
    ) -> None:
        page = upload(shopper, photo_of((issued.text(0), Form.SHORT)))
        assert "unused so far" in heading(page.text)
        assert not hidden(page.text)
        assert f'href="{target(issued.text(0))}"' in page.text
        assert burned(world) == 0

    def test_several_codes_are_a_card_each(self, world: World, shopper: Browser, issued: Issued) -> None:
        link = world.issue(form=Form.GS1)
        world.verdict(link.text(0), "anna")
        page = upload(shopper, photo_of((issued.text(0), Form.SHORT), (link.text(0), Form.GS1)))
        assert heading(page.text) == "We found 2 codes in this picture"
        assert page.text.count('class="card"') == 2
        assert "This code was verified before" in page.text
        assert page.text.count("Open this code&#39;s own page") == 1

    def test_codes_beyond_the_most_of_a_picture_are_counted_and_not_passed_over(
        self, world: World, shopper: Browser, issued: Issued, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("server.services.codes.photo.MAX_SYMBOLS", 2)
        assert world.state(issued.text(0)) == "unused"
        page = upload(shopper, photo_of(*((issued.text(number), Form.SHORT) for number in range(3))))
        assert heading(page.text) == "We found 2 codes in this picture"
        assert "We look at 2 codes of a picture; 1 more are in this one." in page.text

    def test_a_foreign_code_is_named_and_never_a_link(self, shopper: Browser) -> None:
        page = upload(shopper, foreign_photo("https://verify-tea.example.net/q?id=1"))
        assert heading(page.text) == "This code leads to another website"
        assert "<strong>verify-tea.example.net</strong>" in page.text
        assert 'href="https://verify-tea' not in page.text
        assert "codes lead to <strong>v.example.com</strong>" in page.text

    @pytest.mark.parametrize(
        ("listing", "title", "said"),
        [
            (Listing.PARTNER, "This leads to a partner of {}", "names as a partner&#39;s address"),
            (Listing.LOOKALIKE, "This website is not {}'s", "somebody else&#39;s"),
        ],
    )
    def test_a_photo_that_leads_to_a_listed_host_says_what_the_brand_knows_of_it(  # noqa: PLR0913, PLR0917
        self, world: World, shopper: Browser, tmp_path: Path, listing: Listing, title: str, said: str
    ) -> None:
        shutil.copytree(world.brand.home / "issuer", tmp_path / "issuing" / "issuer")
        issuer = IssuerHome.open(tmp_path / "issuing").unlock("issuer-pass")
        opened = issuer.add_domains({listing: ["known.example.net"]}, world.clock.now)
        publish_keyring(world.ctx.db, opened.document, server_id=None, now=world.clock.now)
        page = upload(shopper, foreign_photo("https://www.known.example.net/q?id=1"))
        assert heading(page.text).replace("&#39;", "'") == title.format(opened.keyring.brand)
        assert "<strong>www.known.example.net</strong>" in page.text
        assert said in page.text
        assert 'href="https://www.known' not in page.text
        assert ("enter nothing, pay nothing" in page.text) == (listing is Listing.LOOKALIKE)

    def test_a_text_that_is_no_address_is_shown_shortened_and_escaped(self, shopper: Browser) -> None:
        page = upload(shopper, foreign_photo("<script>alert(1)</script> and a long drawn-out ending"))
        assert heading(page.text) == "This is not one of our codes"
        assert "<script" not in page.text
        assert "&lt;script&gt;" in page.text
        assert "drawn-out" not in page.text

    @pytest.mark.parametrize(
        ("data", "status", "said"),
        [
            (b"", 400, "No picture arrived"),
            (b"just a text called .jpg", 415, "no picture that we can open"),
        ],
    )
    def test_what_is_no_picture_is_told_in_one_sentence(
        self, data: bytes, status: int, said: str, shopper: Browser
    ) -> None:
        page = upload(shopper, BytesIO(data), "photo.jpg")
        assert (page.status_code, heading(page.text)) == (status, "We couldn&#39;t read a code in this picture")
        assert said in page.text
        assert "Nothing has been used up" in page.text

    def test_a_picture_without_a_code_is_answered_with_advice_and_the_forms(self, shopper: Browser) -> None:
        stream = BytesIO()
        Image.new("L", (640, 480), 5).save(stream, "JPEG")
        stream.seek(0)
        page = upload(shopper, stream)
        assert page.status_code == 200
        assert "The picture is too dark" in page.text
        assert 'action="/check/serial"' in page.text

    def test_a_typed_serial_looks_and_never_burns(self, world: World, shopper: Browser, issued: Issued) -> None:
        typed = printed_serial(issued.codes[0].serial).lower()
        page = shopper.send("/check/serial", {"serial": typed})
        assert "unused so far" in heading(page.text)
        assert "Typing only looks" in page.text
        assert not hidden(page.text)
        assert burned(world) == 0

    def test_a_mistyped_and_an_unknown_serial_are_told_apart(self, shopper: Browser) -> None:
        mistyped = shopper.send("/check/serial", {"serial": "7Q4K M2XD 9FA1 C·5"})
        unknown = shopper.send("/check/serial", {"serial": printed_serial("0" * 13)})
        assert (mistyped.status_code, heading(mistyped.text)) == (400, "That short code does not add up")
        assert heading(unknown.text) == "We don&#39;t know this short code"

    @pytest.mark.parametrize(("typed", "status"), [("7Q4K M2XD 9FA1 C·5", 400), (printed_serial("0" * 13), 200)])
    def test_a_refused_short_code_stays_in_its_field_and_stands_nowhere_else(
        self, shopper: Browser, caplog: pytest.LogCaptureFixture, typed: str, status: int
    ) -> None:
        caplog.set_level("DEBUG")
        page = shopper.send("/check/serial", {"serial": typed})
        assert page.status_code == status
        assert f'name="serial" value="{typed}" aria-invalid="true"' in page.text
        assert 'aria-describedby="refusal serial-hint"' in page.text
        assert f'<div role="status" id="refusal"><h1 tabindex="-1" autofocus>{heading(page.text)}</h1>' in page.text
        assert page.text.count(typed) == 1
        assert "Location" not in page.headers
        assert page.headers["Cache-Control"] == "no-store"
        assert typed not in caplog.text

    def test_what_was_typed_instead_of_a_short_code_is_shown_as_text_and_cut(self, shopper: Browser) -> None:
        page = shopper.send("/check/serial", {"serial": '"><b>\x00\n' + "x" * 100})
        assert page.status_code == 400
        assert 'value="&#34;&gt;&lt;b&gt;' + "x" * 57 + '"' in page.text
        empty = shopper.open("/").text
        assert 'name="serial" value="" required' in empty
        assert 'aria-describedby="serial-hint"' in empty
        assert "refusal" not in empty

    def test_the_product_picture_is_served_and_an_unknown_one_is_not(self, shopper: Browser, issued: Issued) -> None:
        found = re.search(r'src="(/picture/[^"]+)"', shopper.open(target(issued.text(0))).text)
        assert found is not None
        assert shopper.open(found.group(1)).mimetype == "image/png"
        assert shopper.open("/picture/zz/TEA-1").status_code == 404


class TestWhatCannotBeAnswered:
    def test_an_address_nobody_has_gets_a_page_and_a_program_gets_a_problem(self, shopper: Browser) -> None:
        page, problem = shopper.open("/no/such/page"), shopper.open("/api/v1/nothing")
        assert (page.status_code, heading(page.text)) == (404, "There is no page here")
        assert problem.get_json()["code"] == "not_found"

    def test_another_method_gets_a_page_that_names_what_is_allowed(self, shopper: Browser, issued: Issued) -> None:
        answer = shopper.client.put(target(issued.text(0)), base_url=ADDRESS)
        assert (answer.status_code, heading(answer.text)) == (405, "This page needs its form")
        assert "POST" in answer.headers["Allow"]
        assert shopper.open("/check/photo").status_code == 405
        program = shopper.open("/api/v1/verify")
        assert (program.status_code, program.get_json()["code"]) == (405, "method_not_allowed")
        assert "POST" in program.headers["Allow"]

    def test_a_defect_of_ours_gets_a_page_without_a_traceback(
        self, shopper: Browser, issued: Issued, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_arguments: object) -> None:
            raise RuntimeError(issued.text(0))

        monkeypatch.setattr("server.web.consumer.blueprint.look_at_page", broken)
        page = shopper.open(target(issued.text(0)))
        assert (page.status_code, heading(page.text)) == (500, "We can&#39;t give you an answer yet")
        assert issued.text(0) not in page.text
        assert "Traceback" not in page.text

    def test_records_out_of_reach_are_no_result_and_only_a_signed_code_is_called_the_brands(
        self, world: World, shopper: Browser, issued: Issued
    ) -> None:
        button = hidden(shopper.open(target(issued.text(0))).text)
        break_records(world, "brand", "batch")  # the keyrings' time to live is over: this world keeps them for 0 s
        ours, forged = shopper.open(target(issued.text(0))), shopper.open("/" + "0" * 118)
        assert (ours.status_code, heading(ours.text)) == (503, "We can&#39;t give you an answer yet")
        assert "well formed and Example Tea&#39;s" in ours.text
        assert "This is not a result." in ours.text
        assert (forged.status_code, heading(forged.text)) == (
            200,
            "We don&#39;t recognise this code",
        )  # no records asked
        burned_none = shopper.send(target(issued.text(0)), button)
        assert (burned_none.status_code, heading(burned_none.text)) == (503, "We can&#39;t give you an answer yet")
        assert shopper.open("/").status_code == 200

    def test_a_page_without_records_loads_itself_again_when_it_says_and_never_sends_a_form_again(
        self, world: World, shopper: Browser, issued: Issued
    ) -> None:
        button = hidden(shopper.open(target(issued.text(0))).text)
        break_records(world, "brand", "batch")
        looked, sent = shopper.open(target(issued.text(0))), shopper.send(target(issued.text(0)), button)
        assert looked.headers["Refresh"] == looked.headers["Retry-After"] == str(OFFLINE_RETRY_S)
        assert f"tries again by itself every {OFFLINE_RETRY_S} seconds" in looked.text
        assert "Refresh" not in sent.headers
        assert "by itself" not in sent.text
        assert sent.headers["Retry-After"] == str(OFFLINE_RETRY_S)

    def test_without_any_keyring_read_there_is_still_no_server(self, world: World) -> None:
        from server.runtime.keyrings import KeyringCache

        break_records(world, "brand")
        with pytest.raises(RecordsUnreachable):
            KeyringCache(world.ctx.db, world.ctx.keys, ttl_s=5)()

    def test_who_asks_too_often_is_asked_to_wait(self, world: World) -> None:
        settings = world.settings.model_copy(update={"rate_limit": RateLimit.ON})
        limited = Browser(create_app(settings, context=world.ctx).test_client())
        answers = [limited.send("/check/serial", {"serial": "x"}) for _ in range(61)]
        assert [answer.status_code for answer in answers] == [400] * 60 + [429]
        assert heading(answers[-1].text) == "Please wait a moment"
        assert 3000 < int(answers[-1].headers["Retry-After"]) <= 3601
        assert re.search(r"Try again in (5\d minutes|1 hour)", answers[-1].text)

    def test_crawlers_are_asked_to_stay_away(self, shopper: Browser) -> None:
        assert "Disallow: /" in shopper.open("/robots.txt").text

    def test_the_stylesheet_is_ours_and_may_be_kept(self, shopper: Browser) -> None:
        found = re.search(r'href="(/style/consumer.css[^"]+)"', shopper.open("/").text)
        assert found is not None
        style = shopper.open(found.group(1))
        assert style.headers["Cache-Control"].startswith("public")
        assert "http" not in style.text
        style.close()
