"""What staff change of products and brands, and what shoppers read of it at once."""

import io
import re

import pytest
from PIL import Image

from server.domain.alerts.alert import AlertFilter, Severity
from server.domain.batches.range_act import ActKind
from server.services.brands.settings import brands
from server.services.queries import alerts as alert_queries
from tests.server.simulator import CONTACT, Issued, World, both_databases
from tests.server.web.dashboard.staff import Staff
from tests.server.web.pages import heading, hidden, target

TEXTS: dict[str, object] = {
    "name": "Autumn Tea 50 g",
    "feature": ["The rim is copper.", "", "The lot is engraved."],
    "description": "Two\r\nlines.",
    "placement_hint": "in the lid",
    "support": "",
    "more_url": "https://www.example.com/tea",
}


@pytest.fixture
def place(anna: Staff) -> str:
    """The page of the one product."""
    found = re.search(r'href="(/staff/products/\d+)"', anna.open("/staff/products").text)
    assert found is not None
    return found.group(1)


def send_picture(anna: Staff, place: str, data: bytes) -> str:
    token = hidden(anna.open(place).text)["csrf_token"]
    form = {**TEXTS, "csrf_token": token, "picture": (io.BytesIO(data), "picture.png")}
    answer = anna.client.post(
        place,
        data=form,
        base_url=anna.address,
        content_type="multipart/form-data",
        headers={"Origin": anna.address, "Referer": f"{anna.address}/"},
    )
    return anna.follow(answer.location) if answer.location else answer.text


class TestProducts:
    @both_databases
    def test_shoppers_read_new_texts_at_once(self, anna: Staff, place: str, issued: Issued) -> None:
        assert "Shoppers read the new texts" in anna.submit(place, TEXTS)
        page = anna.open(target(issued.text(0))).text
        assert "<h2>Autumn Tea" in page
        assert "The rim is copper." in page
        assert "The lot is engraved." in page
        audit = anna.open("/staff/audit?kind=product").text
        assert "TEA-1: name, description, features, support, placement_hint, more_url" in audit
        assert "Nothing was other" in anna.submit(place, TEXTS)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"name": ""}, "its name takes 1 to 120"),
            ({"more_url": "javascript:alert(1)"}, "its page with more starts with https"),
            ({"feature": ["x" * 2001]}, "its feature is empty, has control"),
        ],
    )
    def test_what_cannot_be_shown_is_refused_and_kept_in_the_form(
        self, change: dict[str, object], said: str, anna: Staff, place: str
    ) -> None:
        page = anna.submit(place, {**TEXTS, **change})
        assert said in page
        assert 'value="in the lid"' in page
        assert "Spring Tea" in anna.open("/staff/products").text

    @both_databases
    def test_a_picture_is_made_anew_and_bounded(self, anna: Staff, place: str, world: World) -> None:
        kept = io.BytesIO()
        Image.new("RGB", (2400, 600), "green").save(kept, "PNG")
        said = send_picture(anna, place, kept.getvalue() + b"<script>trailing</script>")
        assert "Shoppers read the new texts" in said
        brand = world.brand.issuer.keyring.keyring.brand_id.hex()
        answer = anna.open(f"/picture/{brand}/TEA-1")
        assert answer.mimetype == "image/jpeg"
        assert b"trailing" not in answer.data
        assert Image.open(io.BytesIO(answer.data)).size == (1200, 300)
        anna.submit(place, {**TEXTS, "drop": "yes"})
        assert anna.open(f"/picture/{brand}/TEA-1").status_code == 404

    def test_a_file_that_is_no_picture_changes_nothing(self, anna: Staff, place: str) -> None:
        assert 'role="alert"' in send_picture(anna, place, b"<svg onload=alert(1)>")
        assert "Spring Tea" in anna.open("/staff/products").text

    def test_the_preview_is_the_shoppers_own_page_and_may_be_framed_only_here(self, anna: Staff, place: str) -> None:
        answer = anna.open(f"{place}/preview")
        assert heading(answer.text).endswith("unused so far")
        assert "<form" not in answer.text
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in anna.open(place).headers["Content-Security-Policy"]

    def test_a_product_that_does_not_exist_is_404(self, anna: Staff) -> None:
        assert anna.open("/staff/products/999").status_code == 404
        assert anna.open("/staff/products/999/preview").status_code == 404


class TestSettings:
    def test_a_brand_can_be_alerted_on_the_first_other_person(self, anna: Staff, world: World, issued: Issued) -> None:
        page = anna.open("/staff/settings").text
        form = {**hidden(page), "alert_from": "1", "alert_budget": "35", "support": "help@example.com"}
        assert "The settings are kept" in anna.submit("/staff/settings", form)
        for claim in ("anna", "ben"):
            world.verdict(issued.text(0), claim)
        (alert,) = alert_queries.alerts(world.ctx, AlertFilter()).rows
        assert alert.severity is Severity.ALERT
        assert "alert_from 1" in anna.open("/staff/audit?kind=brand").text
        assert "Nothing was other" in anna.submit("/staff/settings", form)

    def test_what_becomes_of_codes_of_a_withdrawn_key_is_chosen(self, anna: Staff, world: World) -> None:
        page = anna.open("/staff/settings").text
        assert '<option value="lock" selected>' in page
        form = {**hidden(page), "alert_from": "2", "alert_budget": "20", "support": CONTACT}
        assert "The settings are kept" in anna.submit("/staff/settings", {**form, "withdrawn_keys": "usual"})
        assert '<option value="usual" selected>' in anna.open("/staff/settings").text
        assert "withdrawn_keys usual" in anna.open("/staff/audit?kind=brand").text
        assert "Nothing was other" in anna.submit("/staff/settings", form)
        assert "lock or usual" in anna.submit("/staff/settings", {**form, "withdrawn_keys": "never"})
        (brand,) = brands(world.ctx.db)
        assert brand.withdrawn_keys == "usual"

    @both_databases
    def test_the_brands_contact_stands_where_a_product_names_none(
        self, anna: Staff, place: str, issued: Issued
    ) -> None:
        form = {**hidden(anna.open("/staff/settings").text), "alert_from": "2", "alert_budget": "20"}
        anna.submit("/staff/settings", {**form, "support": "help@brand.example"})
        assert "help@brand.example" not in anna.open(target(issued.text(0))).text
        anna.submit(place, TEXTS)
        assert "help@brand.example" in anna.open(target(issued.text(0))).text

    def test_the_brands_colour_is_a_stylesheet_of_the_shoppers_pages(self, anna: Staff, issued: Issued) -> None:
        page = target(issued.text(0))
        assert "/accent/" not in anna.open(page).text
        form = {
            **hidden(anna.open("/staff/settings").text),
            "alert_from": "2",
            "alert_budget": "20",
            "support": CONTACT,
        }
        anna.submit("/staff/settings", {**form, "accent": "#FFCC00"})
        assert '<link rel="stylesheet" href="/accent/ffcc00.css">' in anna.open(page).text
        sheet = anna.open("/accent/ffcc00.css")
        assert sheet.mimetype == "text/css"
        assert "--accent: #ffcc00" in sheet.text.partition("dark")[2]
        assert "#ffcc00" not in sheet.text.partition("dark")[0]
        assert anna.open("/accent/x;}.css").status_code == 404

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"accent": "red"}, "Give the colour as #"),
            ({"alert_from": "0"}, "Alert from 1 to"),
            ({"alert_from": "two"}, "Give whole numbers"),
            ({"alert_budget": "0"}, "The budget is 1 to"),
            ({"support": "x" * 201}, "The contact takes up to"),
            ({"support": ""}, "give another one"),
            ({"brand": "99"}, "There is no such brand"),
        ],
    )
    def test_what_is_out_of_range_is_refused(self, change: dict[str, object], said: str, anna: Staff) -> None:
        form = {
            **hidden(anna.open("/staff/settings").text),
            "alert_from": "2",
            "alert_budget": "20",
            "support": CONTACT,
        }
        before = anna.open("/staff/audit?kind=brand").text
        assert said in anna.submit("/staff/settings", {**form, **change})
        assert anna.open("/staff/audit?kind=brand").text == before


def test_an_icon_is_where_browsers_look_for_one_unasked(world: World) -> None:
    with world.client.get("/favicon.ico", base_url="https://v.example.com") as icon:
        assert (icon.status_code, icon.mimetype) == (200, "image/svg+xml")


class TestWhatShoppersWillRead:
    @pytest.mark.parametrize(
        ("kind", "said"),
        [
            ("recall", "Please stop using this: recalled by Example Tea"),
            ("void", "This code was withdrawn before sale"),
            ("sample", "This is a test or sample code"),
            ("lock", "Copies of this code were found"),
            ("unlock", "Example Tea&#39;s code, unused so far"),
            ("activate", "Example Tea&#39;s code, unused so far"),
        ],
    )
    def test_it_stands_on_the_page_that_asks_to_confirm(
        self, kind: str, said: str, anna: Staff, issued: Issued
    ) -> None:
        form: dict[str, object] = {"range": "0-3", "reason": "a seal may leak", "lot": "L9"}
        page = anna.submit(f"/staff/batches/{issued.batch.row}/{kind}", form)
        assert "What shoppers will read" in page
        assert said in page
        assert ("asked for batch L1 to be returned: a seal may leak" in page) == (kind == ActKind.RECALL)


def test_a_long_history_of_acts_comes_in_pages(anna: Staff, world: World, issued: Issued) -> None:
    for _ in range(52):
        world.act(issued, ActKind.SAMPLE, "9")
    place = f"/staff/batches/{issued.batch.row}"
    first, last = anna.open(place).text, anna.open(f"{place}?page=2").text
    assert (first.count("marked as samples"), last.count("marked as samples")) == (50, 2)
    assert f'href="{place}?page=2#history"' in first
    assert "page 2 of 2" in anna.open(f"{place}?page=99").text


class TestAStripThatSelects:
    def test_a_stretch_of_it_leads_to_acts_on_that_range(self, anna: Staff, world: World, issued: Issued) -> None:
        world.act(issued, ActKind.VOID, "4-6", reason="torn")
        place = f"/staff/batches/{issued.batch.row}"
        assert f'href="{place}?range=4-6#select"' in anna.open(place).text
        page = anna.open(f"{place}?range=4-6").text
        assert "Indices 4 to 6" in page
        link = re.search(rf'href="({place}/recall\?range=4-6)"', page)
        assert link is not None
        assert 'value="4-6"' in anna.open(link.group(1)).text

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("first=2&last=5", "Indices 2 to 5"),
            ("first=3&last=3", "See this code"),
            ("first=&last=4", "Indices 0 to 4"),
            ("first=&last=", "The whole batch"),
            ("first=x&last=4", "Give a range of indices"),
            ("range=8-99", "is not within this batch"),
            ("first=5&last=2", "is the wrong way round; write 2-5"),
        ],
    )
    def test_a_range_can_be_typed_and_nonsense_is_told(
        self, query: str, said: str, anna: Staff, issued: Issued
    ) -> None:
        assert said in anna.open(f"/staff/batches/{issued.batch.row}?{query}").text

    def test_a_country_filters_the_latest_attempts(self, anna: Staff, world: World, issued: Issued) -> None:
        world.verdict(issued.text(0), "anna")
        place = f"/staff/batches/{issued.batch.row}"
        assert f'href="{place}?country=unknown#attempts"' in anna.open(place).text
        assert anna.open(f"{place}?country=unknown").text.count("(the first)") == 1
        assert "None from there" in anna.open(f"{place}?country=KR").text
        assert "None from there" not in anna.open(f"{place}?country=nonsense").text
