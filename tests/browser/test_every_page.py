"""Every page of shoppers and staff at three widths, light and dark: photographed, no wider than the screen, axe-clean.

Pictures are taken where `AUTHCODE_SCREENSHOTS` names a folder for them.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser import chromium
from tests.browser.appearance import faults_of, photograph
from tests.browser.chromium import DESK, heading
from tests.browser.conftest import Person
from tests.browser.house import House
from tests.browser.looks import LIVE, shows
from tests.browser.pages import SCHEMES, SHOPPERS, Seen, Story, browsers, tell, visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def story(browser: Browser, house: House, unused: Iterator[int]) -> tuple[Story, BrowserContext]:
    return tell(browser, house, unused)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_page_fits_its_screen_and_can_be_used_by_everybody(
    scheme: str, browser: Browser, story: tuple[Story, BrowserContext]
) -> None:
    faults, names = [], set()
    with browsers(browser, *story, scheme) as pages:
        for seen in visit(pages, story[0], scheme):
            photograph(seen.page, f"{seen.name}-{seen.width}-{scheme}")
            faults += faults_of(seen.page, seen.name, width=seen.width, scheme=scheme)
            faults += [f"{seen.name}: {problem}" for problem in seen.problems]
            faults += [f"{seen.name} shows another page"] if _is_another(seen) else []
            names.add(seen.name)
    assert faults == []
    assert names > set(SHOPPERS)


def _is_another(seen: Seen) -> bool:
    return seen.name in SHOPPERS and not shows(seen.page, LIVE[seen.name])


def test_the_keys_of_the_list_choose_and_open_alerts(
    person: Person, house: House, story: tuple[Story, BrowserContext]
) -> None:
    assert story[0].used
    staff = person(viewport=DESK)
    chromium.log_in(staff, house)
    bar = staff.get_by_role("button", name="Assign to me")
    expect(bar).to_be_hidden()
    staff.keyboard.press("j")
    staff.keyboard.press("j")
    staff.keyboard.press("k")
    staff.keyboard.press("x")
    expect(staff.locator(".pile .alerts input:checked")).to_have_count(1)
    expect(bar).to_be_visible()
    staff.keyboard.press("e")
    assert staff.evaluate("document.activeElement.id") == "cause"
    staff.keyboard.press("Escape")
    staff.keyboard.press("/")
    assert staff.evaluate("document.activeElement.type") == "search"
    staff.keyboard.press("Escape")
    staff.keyboard.press("?")
    expect(staff.get_by_text("next, previous alert")).to_be_visible()
    first = staff.locator(".pile .alerts .what a").first
    said = first.inner_text()
    first.focus()
    staff.keyboard.press("Enter")
    assert heading(staff) == said


def test_alerts_are_closed_without_javascript(
    person: Person, house: House, story: tuple[Story, BrowserContext]
) -> None:
    assert story[0].used
    staff = person(viewport=DESK, java_script_enabled=False)
    chromium.log_in(staff, house)
    staff.goto(f"{house.address}/staff/alerts?rule=voided")
    staff.get_by_role("checkbox").first.check()
    staff.get_by_label("Cause").select_option("leak")
    staff.get_by_role("button", name="Close", exact=True).click()
    expect(staff.get_by_role("status")).to_have_text("One alert closed.")
    staff.goto(f"{house.address}/staff/rules")
    expect(staff.get_by_text("1.00 [.21, 1.00] of 1 closed")).to_be_visible()


def test_drawing_over_the_strip_selects_a_range(
    person: Person, house: House, story: tuple[Story, BrowserContext]
) -> None:
    staff = person(viewport=DESK)
    chromium.log_in(staff, house)
    staff.goto(story[0].staff["batch"])
    box = staff.locator("[data-strip]").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    staff.mouse.move(box["x"] + box["width"] * 0.151, middle)
    staff.mouse.down()
    staff.mouse.move(box["x"] + box["width"] * 0.299, middle, steps=5)
    staff.mouse.up()
    expect(staff.get_by_text("Indices 9 to 19")).to_be_visible()
    staff.get_by_role("link", name="Void", exact=True).click()
    assert staff.get_by_label("Indices").input_value() == "9-19"
