"""How facts become words and addresses on the shopper's pages, and where a form may come from."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from keys.format.keyring import KeyringSet
from keys.store.issuer import IssuerHome
from server.domain.codes.verdict import Verdict
from server.storage.schema import brand
from server.web.consumer.pages import PageMaker
from server.web.consumer.respond import page_maker, respond, site_of
from server.web.consumer.sentence_facts import contact, unbroken
from server.web.consumer.view import Site
from server.web.consumer.words import ShopperCatalogue
from server.web.origin import is_from_our_page, is_loopback, is_remembered
from tests.server.simulator import World
from tests.server.web.pages import EVERY_SEEN, NOW, READ_AT, SITE, USED, seen

PREFIXES = frozenset({"HTTPS://V.EXAMPLE.COM/"})


def asked(address: str = "https://v.example.com", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(EnvironBuilder(method="POST", base_url=address, headers=named).get_environ())


@pytest.mark.parametrize(
    ("written", "href"),
    [
        ("care@aurora.example", "mailto:care@aurora.example"),
        ("+82 2 555-0100", "tel:+8225550100"),
        ("https://aurora.example/help", "https://aurora.example/help"),
    ],
)
def test_a_plain_contact_is_a_link(written: str, href: str) -> None:
    assert f'href="{href}"' in str(contact(written))


@pytest.mark.parametrize(
    "written",
    ["javascript:alert(1)", "Ask at the counter", "<b>here</b>", 'https://a.example/"onclick="x', "ftp://a.example"],
)
def test_anything_else_is_shown_and_never_a_link(written: str) -> None:
    shown = contact(written)
    assert shown is not None
    assert "href" not in shown
    assert shown.unescape() == written


@given(st.text())
def test_a_contact_never_carries_markup_of_its_own(written: str) -> None:
    shown = contact(written) or Markup()
    assert "<" not in shown.replace('<a href="', "").replace("</a>", "")


def test_no_contact_is_nothing() -> None:
    assert contact(None) is None
    assert contact("") is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Serum 30 ml", "Serum 30\N{NO-BREAK SPACE}ml"), ("No 5 Perfume", "No 5 Perfume"), ("Tea", "Tea")],
)
def test_a_quantity_keeps_its_unit_on_the_line(name: str, shown: str) -> None:
    assert unbroken(name) == shown


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"Origin": "https://v.example.com"}, True),
        ({"Origin": "https://V.EXAMPLE.COM"}, True),
        ({"Origin": "http://v.example.com"}, False),
        ({"Origin": "https://v.example.com.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec_Fetch_Site": "same-origin", "Origin": "null"}, True),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "https://v.example.com"}, False),
    ],
)
def test_a_form_is_taken_from_our_own_page_only(headers: dict[str, str], ours: bool) -> None:  # noqa: FBT001
    assert is_from_our_page(asked(**headers), PREFIXES) is ours


def test_behind_a_proxy_the_published_address_counts_as_ours() -> None:
    assert is_from_our_page(asked("http://10.0.0.7:8470", Origin="https://v.example.com"), PREFIXES)
    assert is_from_our_page(asked("http://10.0.0.7:8470", Origin="http://10.0.0.7:8470"), PREFIXES)


@pytest.mark.parametrize("host", ["localhost", "localhost:8470", "127.0.0.1:8470", "127.1.2.3", "[::1]:8470"])
def test_this_machine_itself_is_loopback(host: str) -> None:
    assert is_loopback(host)
    assert is_remembered(asked(f"http://{host}"), frozenset())


@pytest.mark.parametrize("host", ["192.168.1.20:8470", "v.example.com", "localhost.evil.example", "", "[::"])
def test_other_machines_are_not(host: str) -> None:
    assert not is_loopback(host)


def test_a_proxy_that_ends_tls_is_known_by_the_published_address() -> None:
    assert is_remembered(asked("http://v.example.com"), PREFIXES)
    assert not is_remembered(asked("http://other.example.com"), PREFIXES)


def test_the_host_on_top_is_a_published_one_whatever_the_request_says(world: World) -> None:
    keyrings = world.ctx.keyrings()
    for host in ("v.example.com", "V.EXAMPLE.COM", "evil.example", "127.0.0.1:1"):
        known = world.brand.issuer.keyring.keyring.brand_id.hex()
        assert site_of(keyrings, host) == Site(brand="Example Tea", host="v.example.com", brand_id=known)


def test_two_brands_of_one_server_have_each_their_own_contact_and_colour(world: World, other_brand: IssuerHome) -> None:
    twin = other_brand.keyring
    ours = world.brand.issuer.keyring.keyring.brand_id
    with world.ctx.db.write() as connection:
        for brand_id, contact, colour in (
            (ours, "first@example.com", "#111111"),
            (twin.keyring.brand_id, "twin@example.com", "#222222"),
        ):
            values = {"support": contact, "accent": colour}
            connection.execute(brand.update().where(brand.c.brand_id == brand_id).values(values))
    world.ctx.keyrings._read_at = None  # noqa: SLF001 - as after its few seconds
    for host, contact, colour in (
        ("v.example.com", "first@example.com", "111111"),
        ("v.other.example", "twin@example.com", "222222"),
    ):
        with world.app.test_request_context("/", base_url=f"https://{host}"):
            page = page_maker().home_page()
            assert page_maker()._site.support == contact  # noqa: SLF001 - what its pages tell
            assert f"/accent/{colour}.css" in respond(page).get_data(as_text=True)
    assert site_of(world.ctx.keyrings(), "elsewhere.example").brand is None, "two brands, whatever they are called"


def test_a_server_without_a_brand_claims_none() -> None:
    assert site_of(KeyringSet([]), "v.example.com") == Site(brand=None, host="v.example.com")


@pytest.mark.parametrize("name", EVERY_SEEN)
def test_every_page_stands_without_a_brand_of_the_site_too(name: str) -> None:
    from server.web.consumer.words import catalogues

    nobody = PageMaker(catalogues()["en"], Site(brand=None, host="v.example.com"), READ_AT)
    page = nobody.code_page(EVERY_SEEN[name])
    assert page.words.heading
    assert page.words.sentences


@pytest.mark.parametrize(
    ("passed", "holder", "stranger"),
    [
        (timedelta(seconds=-90), "1 minute ago", "today"),  # another worker's clock
        (timedelta(seconds=20), "1 minute ago", "today"),
        (timedelta(minutes=3), "3 minutes ago", "today"),
        (timedelta(hours=2, minutes=5), "2 hours ago", "1 day ago"),  # it was 23:30 there
        (timedelta(days=3), "3 days ago", "3 days ago"),
    ],
)
def test_the_holder_reads_minutes_and_strangers_whole_days_of_the_markets_clock(
    passed: timedelta, holder: str, stranger: str, english: ShopperCatalogue
) -> None:
    seoul = ZoneInfo("Asia/Seoul")
    at = datetime(2026, 11, 21, 23, 30, tzinfo=seoul).astimezone(UTC)
    others = replace(USED, first_verified_on=at.date(), first_day_in_zone=date(2026, 11, 21), zone=seoul)
    own = replace(others, first_verified_at=at, was_yours=True)
    maker = PageMaker(english, SITE, at + passed)
    told = maker.code_page(seen(Verdict.VERIFIED_BY_YOU, own)).words
    assert told.heading == "You verified this code on 21 November 2026"
    assert told.sentences[0] == f"That was {holder}; it is on record and still stands."
    assert (
        maker.code_page(seen(Verdict.ALREADY_VERIFIED, others))
        .words.sentences[0]
        .startswith(f"It was first verified on 21 November 2026 ({stranger})")
    )


def test_a_page_that_says_genuine_says_the_same_a_few_minutes_later(english: ShopperCatalogue) -> None:
    for name in ("genuine, hidden", "genuine, visible"):
        first, again = (
            PageMaker(english, SITE, NOW + timedelta(minutes=minutes)).code_page(EVERY_SEEN[name]) for minutes in (0, 9)
        )
        assert (first.words, first.notes) == (again.words, again.notes)
