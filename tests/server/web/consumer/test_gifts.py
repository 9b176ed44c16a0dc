"""A gift on its pages: made on the code's page, taken on its own, and refused in words that say what to do."""

import re

import pytest

from server.app import create_app
from server.domain.batches.range_act import ActKind
from server.domain.network_limits import WRONG_CLAIMS_HERE, WRONG_TOKENS
from server.settings import RateLimit
from tests.server.simulator import Issued, World
from tests.server.web.consumer.receipts import BEFORE, MINE, keep_code_on, proof_on, words_of
from tests.server.web.pages import ADDRESS, Browser, heading, hidden, target

GIVEN = "Send this link to the new owner"
OFFERED = "Somebody gives you this pack"
TAKEN = "This pack is yours now"


@pytest.fixture
def page(issued: Issued) -> str:
    return target(issued.text(0))


@pytest.fixture
def receiver(world: World) -> Browser:
    return Browser(world.client)


def give(browser: Browser, page: str, **shown: str) -> str:
    """Make a link on the code's page, in two steps: the address of its page."""
    asked = browser.send(page, {"act": "give", **shown})
    assert heading(asked.text) == "Give this pack away by a link?"
    done = browser.send(page, hidden(asked.text))
    assert heading(done.text) == GIVEN
    return link_on(done.text)


def link_on(html: str) -> str:
    found = re.search(r'id="gift">https://v\.example\.com(/gift/[0-9A-Z]{26})<', html)
    assert found is not None, html
    return found.group(1)


def withdraw(browser: Browser, page: str) -> str:
    return browser.send(page, hidden(browser.send(page, {"act": "withdraw"}).text)).text


def take(browser: Browser, link: str) -> str:
    """Open a gift, then press its button."""
    return browser.send(link, hidden(browser.open(link).text)).text


def test_a_pack_is_given_by_a_link_and_the_receivers_browser_is_its_holders(
    world: World, shopper: Browser, receiver: Browser, page: str
) -> None:
    old = keep_code_on(shopper.verify(page).text)
    link = give(shopper, page)
    world.clock.forward(days=1)
    assert heading(shopper.open(page).text) == MINE
    offered = receiver.open(link).text
    assert heading(offered) == OFFERED
    assert "Spring Tea" in offered
    assert old not in offered
    mine = receiver.send(link, hidden(offered)).text
    assert heading(mine) == TAKEN
    assert keep_code_on(mine) != old
    assert heading(receiver.open(link).text) == TAKEN
    assert heading(receiver.open(page).text) == "This code was handed on to you"
    assert heading(shopper.open(page).text) == "You handed this on"
    assert heading(shopper.open(link).text) == "This gift was taken over already"
    assert heading(shopper.send(page, {"keep_code": old}).text) == "You handed this on"
    stranger = Browser(world.client)
    assert heading(stranger.open(page).text) == BEFORE
    assert heading(stranger.open(link).text) == "This gift was taken over already"
    assert heading(stranger.send(page, {"keep_code": keep_code_on(mine)}).text) == "This code was handed on to you"


def test_a_link_is_shown_once_with_its_own_square_code_and_says_until_when(shopper: Browser, page: str) -> None:
    from server.web.consumer.receipt_pdf import proof_symbol, symbol_path

    shopper.verify(page)
    html = shopper.send(page, hidden(shopper.send(page, {"act": "give"}).text)).text
    link = link_on(html)
    assert symbol_path(proof_symbol(ADDRESS + link))[1] in html
    assert "until 21 December 2026, 21:00 GMT+09:00" in html
    assert f'href="{page}"' in html
    again = shopper.open(page).text
    assert link not in again
    assert "A link is open until 21 December 2026, 21:00 GMT+09:00" in again
    assert heading(withdraw(shopper, page)) == "The gift link no longer works"
    assert "A link is open" not in shopper.open(page).text
    assert heading(shopper.open(link).text) == "This gift link was withdrawn"


def test_looking_at_a_gift_changes_nothing_and_tells_no_more_than_a_look(
    shopper: Browser, receiver: Browser, page: str
) -> None:
    shopper.verify(page)
    link = give(shopper, page)
    for _ in range(3):
        answer = receiver.open(link)
        assert "receipt" not in hidden(answer.text)
        assert "keep-code" not in answer.text.partition("<details>")[0]
    assert receiver.client.head(link, base_url=ADDRESS).status_code == 200
    assert heading(shopper.open(page).text) == "Genuine code. You are the first."


def test_the_pages_of_a_gift_leave_its_address_nowhere(
    shopper: Browser, receiver: Browser, page: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    shopper.verify(page)
    link = give(shopper, page)
    for answer in (receiver.open(link), receiver.send(link, hidden(receiver.open(link).text)), shopper.open(link)):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["Referrer-Policy"] == "strict-origin"  # the origin alone, on no page of another site
    token = link.rpartition("/")[2]
    assert "GET /gift/<token>" in caplog.text
    assert "POST /gift/<token>" in caplog.text
    assert token not in caplog.text
    assert token.lower() not in caplog.text.lower()


def test_a_giver_is_not_offered_their_own_gift_whatever_browser_it_was_made_in(
    world: World, shopper: Browser, page: str
) -> None:
    keep_code = keep_code_on(shopper.verify(page).text)
    assert heading(shopper.open(give(shopper, page)).text) == "This is your own gift link"
    elsewhere = Browser(world.client)
    elsewhere.open(page)
    link = give(elsewhere, page, keep_code=keep_code)
    assert heading(elsewhere.open(link).text) == "This is your own gift link"
    assert heading(take(Browser(world.client), link)) == TAKEN
    assert heading(elsewhere.open(page).text) == "You handed this on"
    assert heading(shopper.open(page).text) == "You handed this on"


@pytest.mark.parametrize(
    ("what", "status", "said"),
    [
        ("late", 410, "This gift link is over"),
        ("withdrawn", 410, "This gift link was withdrawn"),
        ("recalled", 409, "This pack can&#39;t change hands now"),
        ("unknown", 404, "We don&#39;t know this gift link"),
    ],
)
def test_a_refusal_says_what_to_do_and_looks_alike_by_get_and_by_post(
    what: str, status: int, said: str, world: World, issued: Issued
) -> None:
    shopper, receiver, page = Browser(world.client), Browser(world.client), target(issued.text(0))
    shopper.verify(page)
    link = give(shopper, page)
    form = hidden(receiver.open(link).text)
    if what == "late":
        world.clock.forward(days=31)
    elif what == "withdrawn":
        withdraw(shopper, page)
    elif what == "recalled":
        world.act(issued, ActKind.RECALL, "0", reason="leaks")
    else:
        link = link[:-1] + ("0" if link[-1] != "0" else "1")
    for answer in (receiver.open(link), receiver.send(link, form)):
        assert (answer.status_code, heading(answer.text)) == (status, said)
        assert "Nothing has" in answer.text
        assert link.rpartition("/")[2] not in answer.text


def test_a_page_that_was_open_too_long_asks_once_more(
    world: World, shopper: Browser, receiver: Browser, page: str
) -> None:
    shopper.verify(page)
    link = give(shopper, page)
    form = hidden(receiver.open(link).text)
    world.clock.forward(minutes=11)
    late = receiver.send(link, form)
    assert (late.status_code, heading(late.text)) == (409, OFFERED)
    assert hidden(late.text)["claim"] == form["claim"]
    verifying = hidden(Browser(receiver.client).open(page).text)
    assert receiver.send(link, {**form, "token": verifying.get("token", "")}).status_code == 409
    assert heading(receiver.send(link, hidden(late.text)).text) == TAKEN


def test_a_form_from_elsewhere_takes_nothing(shopper: Browser, receiver: Browser, page: str) -> None:
    shopper.verify(page)
    link = give(shopper, page)
    form = hidden(receiver.open(link).text)
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = receiver.send(link, form, **headers)
        assert (answer.status_code, heading(answer.text)) == (409, OFFERED)
    hiding = Browser(receiver.client.application.test_client())
    answer = hiding.send(link, form, Origin="null")
    assert (answer.status_code, heading(answer.text)) == (409, OFFERED)
    assert "did not say which page sent this" in answer.text
    # A messenger's browser that hides the origin brings the cookie that belongs to the claim.
    assert heading(receiver.send(link, form, Origin="null").text) == TAKEN


def test_a_lost_answer_leaves_the_receiver_the_holder(shopper: Browser, receiver: Browser, page: str) -> None:
    shopper.verify(page)
    link = give(shopper, page)
    form = hidden(receiver.open(link).text)
    sent = receiver.client.post(link, data=form, base_url=ADDRESS, headers={"Origin": ADDRESS})
    assert (sent.status_code, sent.headers["Location"]) == (303, link)
    again = receiver.send(link, form).text
    assert (heading(again), keep_code_on(again)) == (TAKEN, keep_code_on(receiver.open(link).text))


def test_without_cookies_the_receipt_is_all_that_knows_the_receiver_and_the_page_says_so(
    world: World, shopper: Browser, page: str
) -> None:
    shopper.verify(page)
    link = give(shopper, page)
    plain = Browser(world.app.test_client(use_cookies=False), address="http://packs.example")
    offered = plain.open(link)
    assert "Set-Cookie" not in offered.headers
    answer = plain.send(link, hidden(offered.text))
    assert "Set-Cookie" not in answer.headers
    assert heading(answer.text) == TAKEN
    assert "came without encryption" in answer.text
    form = {**hidden(answer.text), "receipt": "save"}
    file = plain.send(link, form)
    assert file.mimetype == "application/pdf"
    printed = words_of(file.data)
    assert keep_code_on(answer.text) in printed
    assert "handed on to you" in printed
    assert heading(plain.open(link).text) == "This gift was taken over already"
    assert heading(plain.send(link, {"receipt": "save"}).text) == "This gift was taken over already"
    kept = plain.send(page, {"keep_code": keep_code_on(answer.text)}).text
    assert heading(kept) == "This code was handed on to you"


def test_the_receipt_of_a_gift_holds_and_the_givers_says_that_it_was_handed_on(
    shopper: Browser, receiver: Browser, page: str
) -> None:
    old = proof_on(shopper.verify(page).text)
    link = give(shopper, page)
    mine = take(receiver, link)
    assert heading(receiver.open(f"/proof/{proof_on(mine)}").text) == "This receipt holds"
    gone = receiver.open(f"/proof/{old}").text
    assert "handed on to its next owner" in gone
    assert receiver.send(link, {"receipt": "print"}).mimetype == "application/pdf"
    assert shopper.send(link, {"receipt": "print"}).mimetype == "text/html"


@pytest.mark.usefixtures("no_cookie_on_look")
def test_a_brand_can_switch_the_cookie_of_looking_at_a_gift_off(shopper: Browser, receiver: Browser, page: str) -> None:
    shopper.verify(page)
    link = give(shopper, page)
    offered = receiver.open(link)
    assert "Set-Cookie" not in offered.headers
    assert "Max-Age=34560000" in receiver.send(link, hidden(offered.text)).headers["Set-Cookie"]
    assert heading(receiver.open(page).text) == "This code was handed on to you"


def test_links_that_none_has_are_refused_to_a_network_that_brings_many(world: World, shopper: Browser) -> None:
    """Taking counts in the database, whatever the settings are; looking in the worker's memory."""
    unknown = "/gift/" + "0" * 26
    for _ in range(WRONG_CLAIMS_HERE):
        assert shopper.send(unknown, {"claim": "f" * 32}).status_code == 404
    spent = shopper.send(unknown, {"claim": "f" * 32})
    assert (spent.status_code, heading(spent.text)) == (429, "Please wait a moment")
    settings = world.settings.model_copy(update={"rate_limit": RateLimit.ON, "workers": 1})
    limited = Browser(create_app(settings, context=world.ctx).test_client())
    statuses = [limited.open(unknown).status_code for _ in range(WRONG_TOKENS[0] + 1)]
    assert statuses == [404] * WRONG_TOKENS[0] + [429]
