"""A buyer whose answer is lost on its way: real Chromium, real server, one burn, and she stays the holder."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import PLAIN_HOST, heading, press_verify, verify
from tests.browser.conftest import Person
from tests.browser.house import ON_SALE, House

pytestmark = pytest.mark.browser

GENUINE = "Genuine code. You are the first."
BEFORE = "This code was verified before"

Loss = Callable[[Route], None]


def before_the_server(route: Route) -> None:
    """The connection ends before the POST arrives."""
    route.abort("connectionreset")


def in_the_answer(route: Route) -> None:
    """The POST arrives, and its answer never does."""
    route.fetch(max_redirects=0)
    route.abort("connectionreset")


def lose(page: Page, loss: Loss) -> None:
    """Press the button while the network drops what the form sends."""

    def drop(route: Route) -> None:
        if route.request.method == "POST":
            loss(route)
        else:
            route.continue_()

    page.route("**/*", drop)
    press_verify(page)
    page.wait_for_url("chrome-error://**")
    page.unroute("**/*")


def state_of(page: Page, house: House, code: str) -> str:
    """What a program is answered about a code."""
    answer = page.context.request.post(f"{house.address}/api/v1/look", data={"code": code})
    return str(answer.json()["state"])


@pytest.mark.parametrize("script", [True, False])
def test_an_answer_that_never_came_is_given_when_she_scans_again(
    person: Person, house: House, fresh: str, *, script: bool
) -> None:
    buyer = person(java_script_enabled=script)
    buyer.goto(fresh)
    lose(buyer, in_the_answer)
    assert state_of(buyer, house, fresh) == "already_verified"
    buyer.goto(fresh)
    assert heading(buyer) == GENUINE
    expect(buyer.locator(".keep-code")).to_be_visible()


def test_a_press_that_never_arrived_burns_nothing_and_can_be_repeated(person: Person, house: House, fresh: str) -> None:
    buyer = person()
    buyer.goto(fresh)
    lose(buyer, before_the_server)
    assert state_of(buyer, house, fresh) == "unused"
    buyer.goto(fresh)
    assert verify(buyer) == GENUINE


def test_she_is_known_in_another_tab_after_a_reload_and_after_two_hundred_other_looks(
    person: Person, house: House, fresh: str
) -> None:
    buyer = person()
    buyer.goto(fresh)
    lose(buyer, in_the_answer)
    others = [house.page("GARDEN-7", index) for index in range(ON_SALE)]
    for number in range(200):
        buyer.context.request.get(others[number % len(others)])
    tab = buyer.context.new_page()
    tab.goto(fresh)
    assert heading(tab) == GENUINE
    tab.reload()
    assert heading(tab) == GENUINE


def test_back_and_reload_send_nothing_again(person: Person, fresh: str) -> None:
    buyer = person()
    buyer.goto(fresh)
    assert verify(buyer) == GENUINE
    sent: list[str] = []
    buyer.on("request", lambda request: sent.append(request.method))
    buyer.reload()
    buyer.goto(f"{fresh.rsplit('/', 1)[0]}/")
    buyer.go_back()
    assert heading(buyer) == GENUINE
    assert set(sent) == {"GET"}


def test_a_browser_that_refuses_cookies_is_told_what_it_can_do(person: Person, fresh: str) -> None:
    """The claim of the page that is still open holds; a new page can only take the keep-code."""
    buyer = person()
    buyer.route("**/*", lambda route: route.continue_(headers={**route.request.headers, "cookie": ""}))
    buyer.goto(fresh)
    assert verify(buyer) == GENUINE
    keep_code = buyer.locator(".keep-code").inner_text()
    buyer.context.clear_cookies()
    buyer.goto(fresh)
    assert heading(buyer) == BEFORE
    buyer.get_by_label("The keep-code from your receipt").fill(keep_code)
    buyer.get_by_role("button", name="Show that it was me").click()
    assert heading(buyer).startswith("You verified this code on")


def test_a_private_window_is_a_stranger_once_it_was_closed(person: Person, fresh: str) -> None:
    private, later = person(), person()
    private.goto(fresh)
    lose(private, in_the_answer)
    private.goto(fresh)
    assert heading(private) == GENUINE
    private.context.close()
    later.goto(fresh)
    assert heading(later) == BEFORE


def test_on_plain_http_beyond_this_machine_the_journey_works_with_the_keep_code(
    person: Person, house: House, fresh: str
) -> None:
    """No cookie is kept there: the answer comes in place and says so, and the keep-code is what knows her again."""
    plain = fresh.replace("127.0.0.1", PLAIN_HOST)
    buyer = person(viewport={"width": 360, "height": 640})
    buyer.goto(plain)
    expect(buyer.locator("form.act button")).to_be_in_viewport()
    assert verify(buyer) == GENUINE
    expect(buyer.get_by_text("on a later visit it will not know you")).to_be_visible()
    keep_code = buyer.locator(".keep-code").inner_text()
    assert buyer.context.cookies() == []
    buyer.goto(plain)
    assert heading(buyer) == BEFORE
    buyer.get_by_label("The keep-code from your receipt").fill(keep_code)
    buyer.get_by_role("button", name="Show that it was me").click()
    assert heading(buyer).startswith("You verified this code on")
    assert state_of(buyer, house, fresh) == "already_verified"
