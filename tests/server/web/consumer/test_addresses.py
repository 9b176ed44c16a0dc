"""Addresses that are almost a code's: the plain one, what is missing, or no page. Nothing leads anywhere else."""

import re
import string
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from authcode.code.address import MAX_ADDRESS_CHARACTERS, codes_in
from authcode.code.payload import NotOurs, code_from_path
from authcode.code.verify import verify_code
from authcode.order.order import Placement
from keys.format.records import Form, Profile
from server.app import create_app
from server.services.codes.address import plain_address
from server.services.codes.look import look
from server.settings import RateLimit
from tests.server.simulator import Issued, World
from tests.server.web.pages import ADDRESS, Browser, heading, hidden, target

CUT, NO_PAGE, NOT_OURS = "A part of this link is missing", "There is no page here", "We don&#39;t recognise this code"
Codes = dict[str, str]


@pytest.fixture
def codes(world: World) -> Codes:
    """The text of an active, unused code of each kind."""
    return {
        "short": world.issue().text(0),
        "link": world.issue(form=Form.GS1).text(0),
        "compact": world.issue(profile=Profile.COMPACT).text(0),
    }


def ask(world: World, raw: str, method: str = "GET", base: str = "http://elsewhere.example") -> TestResponse:
    """Send a request target exactly as it is written, as no client library does."""
    path = urlsplit(raw).path if raw.lower().startswith("http") else raw.partition("?")[0]
    decoded = re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found.group(1), 16)), path)
    wire = {"PATH_INFO": decoded, "REQUEST_URI": raw, "RAW_URI": raw, "QUERY_STRING": raw.partition("?")[2]}
    return world.app.test_client().open("/", method=method, base_url=base, environ_overrides=wire)


def encoded(path: str) -> str:
    """The path with each letter and digit encoded; the slashes stay."""
    return "".join(f"%{ord(mark):02X}" if mark.isalnum() else mark for mark in path)


STUCK = [
    ".",
    ")",
    ",",
    "%20",
    "%0A",
    "/",
    "//",
    "%22",
    "%E2%80%8B",
    "%EF%BB%BF",
    "%E2%80%9D.",
    "*",
    "%3E",
    "abc",
    "%20and%20more",
]


@pytest.mark.parametrize("stuck", STUCK)
@pytest.mark.parametrize("kind", ["short", "link", "compact"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_text_that_was_attached_to_an_address_leads_to_the_plain_one(
    world: World, codes: Codes, kind: str, stuck: str, method: str
) -> None:
    answer = ask(world, target(codes[kind]) + stuck, method)
    assert (answer.status_code, answer.headers["Location"]) == (303, target(codes[kind]))
    assert answer.headers["Cache-Control"] == "no-store"
    assert "unused" in world.state(codes[kind])


REWRITTEN: dict[str, Callable[[str], str]] = {
    "a doubled slash": lambda path: "/" + path,
    "a doubled slash and another host": lambda path: "//evil.example" + path,
    "a space in front": lambda path: "/%20" + path[1:],
    "a quote in front": lambda path: "/%22" + path[1:],
    "encoded once": encoded,
    "encoded twice": lambda path: encoded(path).replace("%", "%25"),
    "encoded by quote": lambda path: "/" + quote(path, safe=""),
    "a link behind the host": lambda path: f"/{ADDRESS}{path}",
    "an encoded link behind the host": lambda path: "/" + quote(f"{ADDRESS}{path}", safe=""),
    "a line break inside": lambda path: f"{path[:40]}%0D%0A{path[40:]}",
    "a soft hyphen inside": lambda path: f"{path[:40]}%C2%AD{path[40:]}",
    "another folder": lambda path: "/en" + path,
}


@pytest.mark.parametrize("rewrite", REWRITTEN.values(), ids=REWRITTEN)
@pytest.mark.parametrize("kind", ["short", "link", "compact"])
def test_an_address_that_was_rewritten_leads_to_the_plain_one(
    world: World, codes: Codes, kind: str, rewrite: Callable[[str], str]
) -> None:
    answer = ask(world, rewrite(target(codes[kind])))
    assert (answer.status_code, answer.headers.get("Location")) == (303, target(codes[kind]))


QUERIES: dict[str, Callable[[str, str], str]] = {
    "the serial in lower case": lambda path, value: f"{path.lower()}?{value}",
    "the key id in lower case": lambda path, value: f"{path}?{value[:5]}{value[5:7].lower()}{value[7:]}",
    "the query encoded": lambda path, value: f"{path}?{quote(value, safe='')}",
    "the question mark encoded": lambda path, value: f"{path}%3F{value}",
    "the ampersand as in HTML": lambda path, value: f"{path}?utm=1&amp;{value}",
    "the query twice": lambda path, value: f"{path}?{value}&{value}",
    "slashes doubled": lambda path, value: f"{path.replace('/', '//')}?{value}",
    "a slash in front of the query": lambda path, value: f"{path}/?{value}",
    "a padded value": lambda path, value: f"{path}?{value}%3D%3D",
}


@pytest.mark.parametrize("rewrite", QUERIES.values(), ids=QUERIES)
def test_a_link_whose_query_was_rewritten_leads_to_the_plain_one(
    world: World, codes: Codes, rewrite: Callable[[str, str], str]
) -> None:
    path, _, value = target(codes["link"]).partition("?")
    raw = rewrite(path, value)
    answer = ask(world, raw)
    same = raw == target(codes["link"])  # a key id of two digits, which are drawn at random
    assert answer.headers.get("Location") == (None if same else target(codes["link"]))


@pytest.mark.parametrize("kind", ["short", "link"])
def test_the_plain_address_is_answered_in_place_whatever_a_proxy_puts_in_front(
    world: World, codes: Codes, kind: str
) -> None:
    for front in ("http://elsewhere.example", "HTTP://elsewhere.example:8470", "https://v.example.com"):
        answer = ask(world, front + target(codes[kind]))
        assert (answer.status_code, set(hidden(answer.text))) == (200, {"token", "claim"})
        assert f'action="{target(codes[kind])}"' in answer.text
    assert ask(world, "http://elsewhere.example/").status_code == 200


def test_other_query_keys_and_lower_case_of_a_short_code_are_answered_in_place(world: World, codes: Codes) -> None:
    for raw in (target(codes["short"]).lower(), target(codes["short"]) + "?fbclid=x", target(codes["link"]) + "&utm=1"):
        assert set(hidden(ask(world, raw).text)) == {"token", "claim"}


@pytest.mark.parametrize("kind", ["short", "link", "compact"])
def test_a_form_at_a_damaged_address_leads_to_the_plain_one_and_verifies_nothing(
    shopper: Browser, world: World, codes: Codes, kind: str
) -> None:
    """Also with a good token and claim: what was sent is not read."""
    form = hidden(shopper.open(target(codes[kind])).text)
    for raw in (target(codes[kind]) + ".", "/en" + target(codes[kind]), target(codes[kind]) + "/"):
        answer = shopper.client.post(raw, data=form, base_url=ADDRESS)
        assert (answer.status_code, answer.headers["Location"]) == (303, target(codes[kind]))
    for raw in ("/" + target(codes[kind]), encoded(target(codes[kind]))):
        assert ask(world, raw, "POST").headers["Location"] == target(codes[kind])
    assert world.state(codes[kind]) == "unused"


@pytest.mark.parametrize(
    "cut",
    [
        lambda codes: target(codes["short"])[:-1],
        lambda codes: target(codes["short"])[:60],
        lambda codes: target(codes["short"])[:16],
        lambda codes: target(codes["short"])[:32],
        lambda codes: target(codes["short"])[:60].lower() + "...",
        lambda codes: target(codes["short"])[:40] + "%E2%80%A6",
        lambda codes: target(codes["compact"])[:-1],
        lambda codes: target(codes["link"])[:-1],
        lambda codes: target(codes["link"])[:60] + ".",
        lambda codes: target(codes["link"]).partition("8030=")[0] + "8030=",
        lambda codes: target(codes["link"])[:30],
        lambda codes: target(codes["link"])[:18],
        lambda codes: target(codes["link"])[:22],
    ],
)
def test_a_link_that_was_cut_is_answered_with_what_is_missing(
    shopper: Browser, codes: Codes, cut: Callable[[Codes], str]
) -> None:
    answer = shopper.open(cut(codes))
    assert (answer.status_code, heading(answer.text)) == (404, CUT)
    assert "Nothing has been used up." in answer.text
    assert "Scan the square code itself" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/scan",
        "/real",
        "/privacy",
        "/report",
        "/status",
        "/x",
        "/K1",
        "/abc",
        "/%41%42",
        "/wp-login.php",
        "/index.html",
        "/" + "I" * 20,
        "/" + "0" * 600,
        "/no/such/page",
        "/.",
        "/01/09506000134353/21/",
        "/01/x/21/y",
        "/é",
    ],
)
def test_an_address_without_the_form_of_a_code_is_no_page_of_ours(world: World, path: str) -> None:
    world.issue()
    answer = ask(world, path)
    assert (answer.status_code, heading(answer.text)) == (404, NO_PAGE)
    assert "has the form of one" not in answer.text


@pytest.mark.parametrize("kind", ["short", "link", "compact"])
def test_a_forged_code_leads_nowhere_whatever_is_attached_to_it(world: World, codes: Codes, kind: str) -> None:
    good = target(codes[kind])
    forged = good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:]
    assert heading(ask(world, forged).text) == NOT_OURS
    for raw in (forged + ".", "/" + forged, encoded(forged)):
        answer = ask(world, raw)
        assert "Location" not in answer.headers
        assert heading(answer.text) in {NOT_OURS, NO_PAGE}


DAMAGE = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(["insert", "delete", "swap", "encode", "double", "case"])).flatmap(
        lambda kind: st.tuples(st.just(kind), st.sampled_from([*string.printable, "%2F", "\u2014", "\\", "@", "//"]))
    ),
    max_size=6,
)


def damaged(text: str, damage: list[tuple[tuple[int, str], str]]) -> str:
    """The text after a few accidents, or attacks."""
    for (place, kind), mark in damage:
        at = place % (len(text) + 1)
        before, here, after = text[:at], text[at : at + 1], text[at + 1 :]
        changed = {
            "insert": mark + here,
            "delete": "",
            "swap": mark,
            "encode": quote(here, safe="") if here.isalnum() is False else f"%{ord(here or ' '):02x}"[:9],
            "double": here * 2,
            "case": here.swapcase(),
        }
        text = before + changed[kind] + after
    return text


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    kind=st.sampled_from(["short", "link", "compact"]),
    damage=DAMAGE,
    front=st.sampled_from(["", "//evil.example", "/https://evil.example", "/\\evil.example"]),
)
def test_a_redirect_leads_to_a_code_that_verifies_on_this_server_or_there_is_none(
    world: World, codes: Codes, kind: str, damage: list[tuple[tuple[int, str], str]], front: str
) -> None:
    address = plain_address(world.ctx, front + damaged(target(codes[kind]), damage))
    if address is not None:
        keyrings = world.ctx.keyrings()
        path, _, query = address.partition("?")
        verify_code(code_from_path(path, query, keyrings), keyrings, mac_keys=world.ctx.keys.mac)
        assert address == target(codes[kind])  # no other code can come out of this one


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=300))
def test_any_text_is_answered_with_no_address_of_its_own(world: World, text: str) -> None:
    assert plain_address(world.ctx, text) is None


def test_few_candidates_are_checked_however_many_are_sent(world: World, codes: Codes) -> None:
    for kind in ("short", "link"):
        bad = target(codes[kind])[:-6] + "AAAAAA"
        assert len(list(codes_in((bad + "&") * 9, world.ctx.keyrings()))) <= 8
    assert plain_address(world.ctx, target(codes["short"]) + "." * MAX_ADDRESS_CHARACTERS) is None


def test_addresses_that_resemble_a_code_are_limited_for_a_network_whatever_they_hold(
    world: World, codes: Codes
) -> None:
    settings = world.settings.model_copy(update={"rate_limit": RateLimit.ON, "workers": 4})
    client = create_app(settings, context=replace(world.ctx, settings=settings)).test_client()
    good, far = target(codes["short"]), {"REMOTE_ADDR": "198.51.100.7"}
    forged = good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:]
    ways = (lambda: client.get(good + "."), lambda: client.get("/en" + forged), lambda: client.post(forged + ")"))
    answers = [ways[number % 3]() for number in range(18)]
    assert [answer.status_code for answer in answers] == [303, 404, 404] * 5 + [429] * 3
    assert {answer.headers["Retry-After"] for answer in answers[-3:]} == {"60"}
    assert all(heading(answer.text) == "Please wait a moment" for answer in answers[-3:])
    assert (client.get(good).status_code, client.get("/no/such/page").status_code) == (200, 404)
    assert client.get(good + ".", environ_base=far).status_code == 303


class TestTheFieldForTheShortCode:
    @pytest.mark.parametrize(
        "around", ["{}", " {}\n", "<{}>", "\ufeff{}", "\u201c{}\u201d.", "Look: {} (from the shop)"]
    )
    @pytest.mark.parametrize("kind", ["short", "link", "compact"])
    def test_a_link_in_it_leads_to_the_page_of_its_code(
        self, shopper: Browser, codes: Codes, kind: str, around: str
    ) -> None:
        sent = {"serial": around.format(codes[kind])}
        answer = shopper.client.post("/check/serial", data=sent, base_url=ADDRESS)
        assert (answer.status_code, answer.headers["Location"]) == (303, target(codes[kind]))

    def test_a_forged_link_in_it_is_no_short_code(self, shopper: Browser, codes: Codes) -> None:
        answer = shopper.send("/check/serial", {"serial": codes["short"][:-6] + "000000"})
        assert (answer.status_code, heading(answer.text)) == (400, "That short code does not add up")

    @pytest.mark.parametrize(
        "typed",
        [
            lambda printed: printed.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
            lambda printed: printed.replace(" ", "\u3000"),
            lambda printed: printed.replace(" ", "\u2013"),
            lambda printed: printed.replace(" ", "\u2014").lower(),
            lambda printed: f"\u201c{printed}\u201d",
            "\u200b".join,
        ],
    )
    def test_it_is_read_as_input_methods_write_it(
        self, shopper: Browser, world: World, typed: Callable[[str], str]
    ) -> None:
        issued: Issued = world.issue(placement=Placement.VISIBLE)
        facts = look(world.ctx, issued.text(0), *_by_api()).facts
        assert facts is not None
        printed = facts.serial_printed
        plainly = shopper.send("/check/serial", {"serial": printed})
        otherwise = shopper.send("/check/serial", {"serial": typed(printed)})
        assert (otherwise.status_code, otherwise.text) == (200, plainly.text)


def _by_api() -> tuple[object, object]:
    from server.services.codes.attempts import Channel, Visitor

    return Visitor(address=None), Channel.API


def test_an_address_of_another_spelling_is_no_code_to_the_parser(world: World, codes: Codes) -> None:
    for raw in (target(codes["short"]) + ".", "/" + target(codes["short"])):
        with pytest.raises(NotOurs):
            code_from_path(raw, "", world.ctx.keyrings())
