"""A buyer keeps a receipt, and is known by it in another browser: real Chromium, real server."""

from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import DESK, PHONE, heading, verify
from tests.browser.conftest import Person
from tests.browser.house import House

pytestmark = pytest.mark.browser

GENUINE = "Genuine code. You are the first."
BEFORE = "This code was verified before"


def keep_code_on(page: Page) -> str:
    return page.locator(".keep-code").inner_text()


def without_cookies(page: Page) -> None:
    """Let the browser neither send nor keep a cookie, as an in-app browser does."""

    def bare(route: object) -> None:
        headers = {name: value for name, value in route.request.headers.items() if name != "cookie"}  # type: ignore[attr-defined]
        route.continue_(headers=headers)  # type: ignore[attr-defined]

    page.route("**/*", bare)


def text_of(file: Path) -> str:
    document = pypdfium2.PdfDocument(file)
    text = str(document[0].get_textpage().get_text_bounded()).replace("\ufffe", "-")
    document.close()
    return text


def enter(page: Page, keep_code: str) -> str:
    page.get_by_label("The keep-code from your receipt").fill(keep_code)
    page.get_by_role("button", name="Show that it was me").click()
    return heading(page)


def test_verified_in_one_profile_and_proven_in_another(person: Person, hidden: str) -> None:
    buyer, elsewhere = person(), person(viewport=DESK)
    buyer.goto(hidden)
    assert verify(buyer) == GENUINE
    keep_code = keep_code_on(buyer)
    elsewhere.goto(hidden)
    assert heading(elsewhere) == BEFORE
    elsewhere.get_by_role("link", name="It was me: enter the keep-code").click()
    assert enter(elsewhere, keep_code.lower().replace("-", " ")).startswith("You verified this code on ")
    assert keep_code_on(elsewhere) == keep_code
    elsewhere.goto(hidden)
    assert heading(elsewhere) == BEFORE


def test_it_works_with_cookies_off_on_both_sides_and_without_javascript(person: Person, hidden: str) -> None:
    buyer, elsewhere = person(java_script_enabled=False), person(java_script_enabled=False)
    for page in (buyer, elsewhere):
        without_cookies(page)
        page.goto(hidden)
    assert verify(buyer) == GENUINE
    keep_code = keep_code_on(buyer)
    with buyer.expect_download() as saved:
        buyer.get_by_role("button", name="Save").click()
    assert keep_code in text_of(saved.value.path())
    elsewhere.reload()
    assert heading(elsewhere) == BEFORE
    assert enter(elsewhere, keep_code).startswith("You verified this code on ")
    with elsewhere.expect_download() as again:
        elsewhere.get_by_role("button", name="Save").click()
    assert keep_code in text_of(again.value.path())


def test_a_wrong_keep_code_keeps_a_stranger_a_stranger(person: Person, hidden: str, house: House, fresh: str) -> None:
    buyer, stranger = person(), person()
    buyer.goto(fresh)
    verify(buyer)
    other = keep_code_on(buyer)
    buyer.goto(hidden)
    verify(buyer)
    stranger.goto(hidden)
    assert enter(stranger, other) == BEFORE
    expect(stranger.get_by_text("or it was handed on")).to_be_visible()
    assert enter(stranger, "not a keep-code") == BEFORE
    expect(stranger.get_by_text("no try was counted")).to_be_visible()
    assert house.address in stranger.url


def test_a_receipt_is_shown_to_somebody_who_checks_it_from_a_picture(
    person: Person, hidden: str, house: House, tmp_path: Path
) -> None:
    buyer, friend = person(), person()
    buyer.goto(hidden)
    verify(buyer)
    keep_code = keep_code_on(buyer)
    buyer.get_by_role("link", name="Show the receipt without the keep-code").click()
    assert heading(buyer) == "This receipt holds"
    assert keep_code not in buyer.content()
    buyer.locator("svg.symbol").screenshot(path=tmp_path / "symbol.png")
    friend.goto(f"{house.address}/")
    friend.get_by_role("link", name="Check a receipt").click()
    friend.get_by_label("A picture of the receipt").set_input_files(tmp_path / "symbol.png")
    friend.get_by_role("button", name="Read this picture").click()
    assert heading(friend) == "This receipt holds"
    with friend.expect_download() as saved:
        friend.get_by_role("link", name="Save as PDF").click()
    assert "Keep-code" not in text_of(saved.value.path())
    friend.goto(hidden)
    assert heading(friend) == BEFORE


def test_a_pasted_receipt_with_a_cut_tail_is_told_as_that(person: Person, hidden: str, house: House) -> None:
    buyer = person()
    buyer.goto(hidden)
    verify(buyer)
    address = buyer.get_by_role("link", name="Show the receipt without the keep-code").get_attribute("href")
    assert address is not None
    buyer.goto(f"{house.address}/proof")
    buyer.get_by_label("The receipt's text or link").fill(house.address + address[:-9])
    buyer.get_by_role("button", name="Check it").click()
    assert heading(buyer) == "This receipt is cut off or doubled"


def test_print_opens_the_receipt_in_a_tab_of_its_own(person: Person, hidden: str) -> None:
    """Chromium without a screen takes a PDF as a download; the answer itself is meant to be shown."""
    buyer = person()
    buyer.goto(hidden)
    verify(buyer)
    button = buyer.get_by_role("button", name="Print")
    assert button.get_attribute("formtarget") == "_blank"
    with buyer.context.expect_event("response", lambda answer: answer.request.method == "POST") as answered:
        button.click()
    assert answered.value.headers["content-disposition"].startswith("inline")
    assert answered.value.headers["content-type"] == "application/pdf"
    assert heading(buyer) == GENUINE


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_receipt_page_is_wider_than_the_screen(
    width: int, scheme: str, person: Person, house: House, receipt_pages: list[str]
) -> None:
    page = person(viewport={"width": width, "height": PHONE["height"]}, color_scheme=scheme)
    for address in (*receipt_pages, f"{house.address}/proof"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.fixture(scope="session")
def receipt_pages(browser: object, house: House, garden: Iterator[int]) -> list[str]:
    """The page of a used code, and of its proof."""
    context = browser.new_context()  # type: ignore[attr-defined]
    page = context.new_page()
    code = house.page("GARDEN-7", next(garden))
    page.goto(code)
    verify(page)
    proof = page.get_by_role("link", name="Show the receipt without the keep-code").get_attribute("href")
    context.close()
    return [code, f"{house.address}{proof}"]
