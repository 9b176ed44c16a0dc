"""A holder returns a code to unused, hands the receipt on, has it erased: real Chromium, real server."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import DESK, PHONE, heading, verify
from tests.browser.conftest import Person

pytestmark = pytest.mark.browser

GENUINE = "Genuine code. You are the first."
BEFORE = "This code was verified before"


def press(page: Page, button: str) -> str:
    page.get_by_role("button", name=button).click()
    return heading(page)


def keep_code_on(page: Page) -> str:
    return page.locator(".keep-code").inner_text()


def enter(page: Page, keep_code: str) -> str:
    page.get_by_label("The keep-code from your receipt").fill(keep_code)
    return press(page, "Show that it was me")


@pytest.mark.parametrize("script", [True, False])
def test_a_mistake_is_undone_and_the_next_one_reads_that_it_was(person: Person, fresh: str, *, script: bool) -> None:
    holder, next_one = person(java_script_enabled=script), person(viewport=DESK)
    holder.goto(fresh)
    assert verify(holder) == GENUINE
    assert press(holder, "Return the code to unused") == "Return this code to unused?"
    holder.get_by_role("link", name="No, back to the code").click()
    assert heading(holder) == GENUINE
    press(holder, "Return the code to unused")
    assert press(holder, "Yes, return it to unused") == "This code is unused again"
    next_one.goto(fresh)
    assert heading(next_one).endswith(": returned to unused")
    expect(next_one.get_by_text("by its holder")).to_be_visible()
    assert verify(next_one) == "Genuine code, once returned to unused"
    expect(next_one.get_by_text("by its holder")).to_be_visible()
    expect(next_one.get_by_role("button", name="Return the code to unused")).to_have_count(0)
    holder.goto(fresh)
    assert heading(holder) == BEFORE


def test_a_gift_is_handed_on_and_proven_in_the_next_owners_browser(person: Person, fresh: str) -> None:
    giver, receiver = person(), person(java_script_enabled=False)
    giver.goto(fresh)
    verify(giver)
    old = keep_code_on(giver)
    assert press(giver, "Hand the receipt on") == "Hand the receipt on to somebody?"
    assert giver.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert press(giver, "Yes, hand it on") == "Handed on: give them this keep-code"
    handed = keep_code_on(giver)
    assert handed != old
    giver.goto(fresh)
    assert heading(giver) == "You handed this on"
    assert enter(giver, old) == "You handed this on"
    receiver.goto(fresh)
    assert heading(receiver) == BEFORE
    assert enter(receiver, handed.lower()) == "This code was handed on to you"
    expect(receiver.get_by_text("You verified")).to_have_count(0)
    expect(receiver.get_by_text("owner number 2")).to_be_visible()
    receiver.get_by_role("link", name="Show the receipt without the keep-code").click()
    assert heading(receiver) == "This receipt holds"


def test_a_holder_has_it_erased_after_reading_what_stays(person: Person, fresh: str) -> None:
    holder = person()
    holder.goto(fresh)
    verify(holder)
    receipt = holder.get_by_role("link", name="Show the receipt without the keep-code").get_attribute("href")
    assert press(holder, "Erase what is kept about me") == "Erase what we keep about you?"
    expect(holder.get_by_text("The code stays verified")).to_be_visible()
    assert press(holder, "Yes, erase it") == "What we kept about you is erased"
    holder.goto(fresh)
    assert heading(holder) == BEFORE
    assert receipt is not None
    holder.goto(fresh.split("/", 3)[0] + "//" + fresh.split("/", 3)[2] + receipt)
    assert heading(holder) == "This receipt is no longer on record"
