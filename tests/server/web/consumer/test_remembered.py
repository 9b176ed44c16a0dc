"""A second phone: a browser that showed the keep-code is remembered, until its holder has it forgotten."""

import re

import pytest
import sqlalchemy as sa

from server.domain.batches.range_act import ActKind
from server.domain.codes.holder_acts import MAX_REMEMBERED
from server.storage import schema
from tests.server.simulator import Issued, World, both_databases
from tests.server.web.consumer.receipts import BEFORE, MINE, keep_code_on
from tests.server.web.pages import Browser, heading, hidden, target

pytestmark = both_databases

REMEMBERED = "This browser is remembered"


@pytest.fixture
def page(issued: Issued) -> str:
    return target(issued.text(0))


@pytest.fixture
def keep_code(world: World, shopper: Browser, page: str) -> str:
    """That of a code that the shopper verified an hour ago."""
    found = keep_code_on(shopper.verify(page).text)
    world.clock.forward(hours=1)
    return found


def act(browser: Browser, page: str, name: str, **shown: str) -> str:
    """Press the button of an act, then confirm it."""
    return browser.send(page, hidden(browser.send(page, {"act": name, **shown}).text)).text


def second(world: World, page: str, keep_code: str) -> Browser:
    """Another browser, which is remembered."""
    browser = Browser(world.client)
    assert heading(act(browser, page, "remember", keep_code=keep_code)) == REMEMBERED
    return browser


def offered(html: str) -> list[str]:
    return re.findall(r'name="act" value="(\w+)"', html)


def rows(world: World) -> int:
    with world.ctx.db.read() as connection:
        return len(connection.execute(sa.select(schema.remembered)).all())


def test_a_browser_that_showed_the_keep_code_is_known_without_it_from_then_on(
    world: World, page: str, keep_code: str
) -> None:
    other = Browser(world.client)
    assert heading(other.open(page).text) == BEFORE
    shown = other.send(page, {"keep_code": keep_code}).text
    assert offered(shown) == ["give", "hand_on", "undo", "remember", "erase"]
    assert heading(act(other, page, "remember", keep_code=keep_code)) == REMEMBERED
    world.clock.forward(days=1)
    mine = other.open(page)
    assert heading(mine.text) == MINE
    assert "Max-Age=34560000" in mine.headers["Set-Cookie"]
    assert keep_code_on(mine.text) == keep_code
    assert offered(mine.text) == ["give", "hand_on", "forget", "erase"]
    assert "remember" not in offered(other.send(page, {"keep_code": keep_code}).text)
    assert heading(act(other, page, "remember", keep_code=keep_code)) == REMEMBERED
    assert rows(world) == 1
    assert heading(Browser(world.client).open(page).text) == BEFORE


def test_its_scans_raise_nothing_and_it_may_do_what_the_holder_may(
    world: World, shopper: Browser, page: str, keep_code: str
) -> None:
    other = second(world, page, keep_code)
    form = {"claim": "0" * 32, "token": "x"}
    assert heading(other.send(page, form).text) == MINE
    with world.ctx.db.read() as connection:
        assert connection.execute(sa.select(schema.alert)).all() == []
    assert heading(act(other, page, "undo")) == "This code is unused again"
    assert heading(shopper.open(page).text).endswith("returned to unused")


def test_the_holder_sees_since_when_browsers_are_remembered_and_has_them_forgotten(
    world: World, shopper: Browser, page: str, keep_code: str
) -> None:
    first = second(world, page, keep_code)
    world.clock.forward(days=3)
    later = second(world, page, keep_code)
    html = shopper.open(page).text
    since = re.findall(r"<li>(A browser remembered since [^<]+)</li>", html)
    assert since == [f"A browser remembered since {day} November 2026" for day in (21, 24)]
    assert heading(act(shopper, page, "forget")) == "The remembered browsers are forgotten"
    assert "forget" not in offered(shopper.open(page).text)
    assert [heading(browser.open(page).text) for browser in (shopper, first, later)] == [MINE, BEFORE, BEFORE]


def test_a_sixth_browser_is_refused_and_told_what_to_do(
    world: World, shopper: Browser, page: str, keep_code: str
) -> None:
    for _ in range(MAX_REMEMBERED):
        second(world, page, keep_code)
    sixth = Browser(world.client)
    refused = sixth.send(page, {"act": "remember", "keep_code": keep_code})
    assert (refused.status_code, heading(refused.text)) == (409, "No more browsers can be remembered")
    assert "Have the remembered browsers forgotten" in refused.text
    assert rows(world) == MAX_REMEMBERED
    assert heading(act(shopper, page, "remember", keep_code=keep_code)) == REMEMBERED  # it needs no room
    act(sixth, page, "forget", keep_code=keep_code)
    assert heading(act(sixth, page, "remember", keep_code=keep_code)) == REMEMBERED


@pytest.mark.parametrize("ending", ["hand_on", "undo", "erase"])
def test_none_is_remembered_once_the_pack_has_another_holder_or_none(
    ending: str, world: World, shopper: Browser, page: str, keep_code: str
) -> None:
    other = second(world, page, keep_code)
    act(shopper, page, ending)
    assert rows(world) == 0
    world.clock.forward(hours=1)
    assert heading(other.open(page).text) not in {MINE, "This code was handed on to you"}
    refused = other.send(page, {"act": "hand_on"})
    assert refused.status_code == 409


def test_none_is_remembered_after_a_gift_and_the_browser_that_gave_reads_what_it_did(
    world: World, shopper: Browser, page: str, keep_code: str
) -> None:
    other, third, receiver = second(world, page, keep_code), second(world, page, keep_code), Browser(world.client)
    made = act(other, page, "give")
    link = re.findall(r"https://v\.example\.com(/gift/\w+)", made)[0]
    assert [heading(one.open(link).text) for one in (other, third, shopper)] == ["This is your own gift link"] * 3
    receiver.send(link, hidden(receiver.open(link).text))
    assert rows(world) == 0
    told = [heading(one.open(page).text) for one in (other, shopper, third)]
    assert told == ["You handed this on", "You handed this on", BEFORE]


def test_a_remembered_browser_that_hands_on_is_given_its_lost_answer_again(
    world: World, page: str, keep_code: str
) -> None:
    other = second(world, page, keep_code)
    form = hidden(other.send(page, {"act": "hand_on"}).text)
    first = keep_code_on(other.send(page, form).text)
    assert keep_code_on(other.send(page, form).text) == first
    world.clock.forward(minutes=11)
    assert other.send(page, form).status_code == 409


def test_the_keep_code_is_asked_for_and_no_cookie_or_claim_stands_in_for_it(
    world: World, shopper: Browser, page: str, keep_code: str
) -> None:
    token = hidden(shopper.send(page, {"act": "remember", "keep_code": keep_code}).text)["token"]
    for browser in (shopper, Browser(world.client)):
        for form in ({"act": "remember"}, {"act": "remember", "token": token, "claim": "f" * 32}):
            assert browser.send(page, form).status_code == 409
    assert rows(world) == 0


def test_a_browser_that_keeps_no_cookie_is_not_remembered_and_reads_why(
    world: World, page: str, keep_code: str
) -> None:
    refusing = Browser(world.app.test_client(use_cookies=False))
    asked = refusing.send(page, {"act": "remember", "keep_code": keep_code})
    assert "Max-Age=86400" in asked.headers["Set-Cookie"]
    plain = Browser(world.client, address="http://packs.example")
    assert "remember" not in offered(plain.send(page, {"keep_code": keep_code}).text)
    for answer in (
        refusing.send(page, hidden(asked.text)),
        plain.send(page, {"act": "remember", "keep_code": keep_code}),
    ):
        assert (answer.status_code, heading(answer.text)) == (409, "This browser can&#39;t be remembered")
        assert "Set-Cookie" not in answer.headers
    assert rows(world) == 0


@pytest.mark.usefixtures("no_cookie_on_look")
def test_a_brand_without_cookies_of_looks_has_one_set_only_for_who_asks_to_be_remembered(
    world: World, page: str, keep_code: str
) -> None:
    other = Browser(world.client)
    for answer in (other.open(page), other.send(page, {"keep_code": keep_code})):
        assert "Set-Cookie" not in answer.headers
    second(world, page, keep_code)


def test_in_a_recall_a_browser_is_still_remembered_and_forgotten(
    world: World, shopper: Browser, issued: Issued, page: str, keep_code: str
) -> None:
    world.act(issued, ActKind.RECALL, "0", reason="leaks")
    other = second(world, page, keep_code)
    html = other.open(page).text
    assert "You verified this code first" in html
    assert offered(html) == ["forget", "erase"]
    assert heading(act(shopper, page, "forget")) == "The remembered browsers are forgotten"


def test_a_remembered_browsers_mark_is_erased_with_what_it_did_before(
    world: World, shopper: Browser, page: str
) -> None:
    """A second phone that pressed before it showed the keep-code was taken for a stranger until then."""
    other = Browser(world.client)
    keep_code = keep_code_on(shopper.verify(page).text)
    other.verify(page)
    act(other, page, "remember", keep_code=keep_code)
    with world.ctx.db.read() as connection:
        mark = connection.execute(sa.select(schema.remembered.c.holder_hash)).scalar_one()
    act(shopper, page, "erase")
    with world.ctx.db.read() as connection:
        everything = str([connection.execute(sa.select(table)).all() for table in schema.metadata.tables.values()])
    assert str(mark) not in everything
    assert mark.hex() not in everything
