"""What shoppers do, in a real Chromium against a real server process."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import heading, verify
from tests.browser.conftest import Person
from tests.browser.house import NOT_ACTIVATED, ON_SALE, RECALLED, SAMPLE, VOID, House

pytestmark = pytest.mark.browser

GENUINE = "Genuine code. You are the first."
BEFORE = "This code was verified before"


def test_looking_three_times_burns_nothing(person: Person, fresh: str) -> None:
    for _ in range(3):
        page = person()
        page.goto(fresh)
        assert heading(page).endswith("unused so far")
        assert [cookie["name"] for cookie in page.context.cookies()] == ["__Host-authcode-holder"]
    assert verify(page) == GENUINE


def test_who_verified_stays_the_one_after_reload_back_and_a_new_visit(person: Person, fresh: str) -> None:
    page = person()
    page.goto(fresh)
    assert verify(page) == GENUINE
    page.reload()
    assert heading(page) == GENUINE
    page.go_back()
    assert heading(page) == GENUINE
    expect(page.get_by_role("button", name="verify it now")).to_have_count(0)
    visit = page.context.new_page()
    visit.goto(fresh)
    assert heading(visit) == GENUINE


def test_a_second_browser_is_refused_kindly_and_shown_the_genuine_pack(person: Person, fresh: str) -> None:
    first, second = person(), person()
    first.goto(fresh)
    second.goto(fresh)
    assert verify(first) == GENUINE
    assert verify(second) == BEFORE
    expect(second.get_by_text("The triangle on the label can be felt")).to_be_visible()
    expect(second.get_by_text("Keep pack and receipt")).to_be_visible()


@pytest.mark.parametrize("order", ["SPRING-24", "GARDEN-7"])
def test_the_gesture_is_in_the_first_screen_of_a_small_phone(order: str, person: Person, house: House) -> None:
    page = person(viewport={"width": 360, "height": 640})
    page.goto(house.page(order, ON_SALE - 1))
    button = page.locator("form.act button").bounding_box()
    assert button is not None
    assert button["y"] + button["height"] <= 640


def test_a_visible_code_is_verified_only_by_somebody_who_ticked_that_they_bought_it(person: Person, fresh: str) -> None:
    page = person()
    page.goto(fresh)
    page.get_by_role("button", name="Verify it now").click()
    assert heading(page).endswith("unused so far")
    assert verify(page) == GENUINE


@pytest.mark.parametrize("path", ["", "look", "used", "proof"])
def test_a_small_phone_at_200_percent_shows_all_of_a_page(path: str, person: Person, house: House, fresh: str) -> None:
    page = person(viewport={"width": 180, "height": 320})
    page.goto({"": house.address, "proof": f"{house.address}/proof"}.get(path, fresh))
    if path == "used":
        verify(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 180


def test_a_double_tap_is_answered_once(person: Person, fresh: str) -> None:
    page = person()
    page.goto(fresh)
    page.get_by_label("I have bought this", exact=True).check()
    page.get_by_role("button", name="Verify it now").dblclick()
    expect(page.locator("h1")).to_have_text(GENUINE)


def test_it_all_works_without_javascript(person: Person, house: House, fresh: str) -> None:
    page = person(java_script_enabled=False)
    page.goto(fresh)
    assert verify(page) == GENUINE
    page.goto(f"{house.address}/")
    page.locator("input[type=file]").set_input_files(house.picture("SPRING-24", VOID))
    page.get_by_role("button", name="Read this picture").click()
    assert heading(page) == "This code was withdrawn before sale"


def test_the_verdict_is_the_first_thing_read(person: Person, fresh: str) -> None:
    page = person()
    page.goto(fresh)
    verify(page)
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert page.title().startswith(GENUINE)
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_link_to_the_comparison_opens_the_fold(person: Person, fresh: str) -> None:
    page = person()
    page.goto(fresh)
    verify(page)
    expect(page.get_by_text("The lot is engraved")).to_be_hidden()
    page.get_by_role("link", name="Compare your pack: three things to look for").click()
    expect(page.get_by_text("The lot is engraved")).to_be_visible()


def test_a_code_can_be_verified_with_the_keyboard_alone(person: Person, fresh: str) -> None:
    page = person()
    page.goto(fresh)
    for _ in range(6):
        page.keyboard.press("Tab")
        match page.evaluate("document.activeElement.type"):
            case "checkbox":
                page.keyboard.press("Space")
            case "submit":
                break
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(GENUINE)


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (NOT_ACTIVATED, "This code has not been released yet"),
        (RECALLED, "Please stop using this: recalled by Aurel"),
        (SAMPLE, "This is a test or sample code"),
        (VOID, "This code was withdrawn before sale"),
    ],
)
@pytest.mark.parametrize("order", ["SPRING-24", "GARDEN-7"])
def test_a_refusal_has_its_words_and_nothing_to_verify(
    order: str, index: int, said: str, person: Person, house: House
) -> None:
    page = person()
    page.goto(house.page(order, index))
    assert heading(page) == said
    expect(page.get_by_role("button", name="verify it now")).to_have_count(0)


def test_a_photo_leads_to_the_codes_own_page_and_burns_nothing(person: Person, house: House, fresh: str) -> None:
    page = person()
    page.goto(f"{house.address}/")
    index = house.codes("SPRING-24").index(fresh)
    page.get_by_label("A picture of the code").set_input_files(house.picture("SPRING-24", index))
    page.get_by_role("button", name="Read this picture").click()
    assert heading(page).endswith("unused so far")
    page.get_by_role("link", name="Open this code's own page").click()
    assert verify(page) == GENUINE


def test_a_picture_without_a_code_is_answered_with_advice(person: Person, house: House, tmp_path: Path) -> None:
    page = person()
    page.goto(f"{house.address}/")
    page.get_by_label("A picture of the code").set_input_files(house.home / "logo.png")
    page.get_by_role("button", name="Read this picture").click()
    assert heading(page) == "We couldn't read a code in this picture"
    expect(page.get_by_text("Nothing has been used up")).to_be_visible()
    (tmp_path / "note.jpg").write_text("no picture at all")
    page.get_by_label("A picture of the code").set_input_files(tmp_path / "note.jpg")
    page.get_by_role("button", name="Read this picture").click()
    expect(page.get_by_text("no picture that we can open")).to_be_visible()


def test_no_request_and_no_log_takes_a_code_along(person: Person, house: House, fresh: str) -> None:
    """A whole journey: what leaves the browser beside the address it opens, and what the server wrote down of it."""
    page, told = person(), []
    page.on("request", lambda request: told.append(request.headers.get("referer", "")))
    page.context.route(re.compile("^https://"), lambda route: route.fulfill(body="elsewhere"))
    page.goto(fresh)
    verify(page)
    page.get_by_role("link", name="Show the receipt without the keep-code").click()
    page.go_back()
    page.goto(house.page("SPRING-24", RECALLED))
    page.get_by_role("link", name="aurel.example").first.click()
    page.wait_for_url(re.compile("^https://aurel.example/"))
    assert f"{house.address}/" in told
    assert [referrer for referrer in told if referrer not in {"", f"{house.address}/"}] == []
    log = (house.home / "serve.log").read_text(encoding="utf-8")
    codes = house.codes("SPRING-24") + house.codes("GARDEN-7")
    assert [code for code in codes if code[-40:] in log] == []


def test_a_typed_serial_looks(person: Person, house: House, fresh: str) -> None:
    page = person()
    page.goto(fresh)
    printed = page.locator("dd.mono").last.inner_text()
    page.goto(f"{house.address}/")
    page.get_by_label("The short code").fill(printed.lower().replace(" ", "-"))
    page.get_by_role("button", name="Look it up").click()
    assert heading(page).endswith("unused so far")
    expect(page.get_by_text("Typing only looks")).to_be_visible()


def test_one_wrong_character_is_mended_in_the_field_where_it_was_typed(
    person: Person, house: House, fresh: str
) -> None:
    page = person()
    page.goto(fresh)
    printed = page.locator("dd.mono").last.inner_text()
    wrong = printed[:-1] + ("A" if printed[-1] != "A" else "B")
    page.goto(f"{house.address}/")
    page.get_by_label("The short code").fill(wrong)
    page.get_by_role("button", name="Look it up").click()
    field = page.get_by_label("The short code")
    expect(field).to_have_value(wrong)
    assert page.url == f"{house.address}/check/serial"
    field.press("End")
    field.press("Backspace")
    field.press_sequentially(printed[-1])
    page.get_by_role("button", name="Look it up").click()
    assert heading(page).endswith("unused so far")


def widest(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen_and_nothing_fails_to_load(
    width: int, scheme: str, person: Person, house: House
) -> None:
    page = person(viewport={"width": width, "height": 800}, color_scheme=scheme)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("requestfailed", lambda request: faults.append(request.url))
    for address in ("/", "/no/such/page", "/x"):
        page.goto(house.address + address)
        assert widest(page) == width
    for order, index in (("SPRING-24", RECALLED), ("GARDEN-7", ON_SALE - 1)):
        page.goto(house.page(order, index))
        assert widest(page) == width
        assert page.locator("img").first.evaluate("image => image.naturalWidth") > 0
    missed = [fault for fault in faults if "404" not in fault and "icon.svg" not in fault]  # left before it was there
    assert missed == []


def test_every_text_stands_at_seven_to_one_on_its_tint(person: Person, house: House) -> None:
    for scheme in ("light", "dark"):
        page = person(color_scheme=scheme)
        page.goto(house.page("SPRING-24", RECALLED))
        for tint in ("fine", "not_yet", "careful", "stop", "recall", "plain"):
            assert page.evaluate(_CONTRAST, tint) >= 7, (scheme, tint)


_CONTRAST = """tint => {
  const panel = document.querySelector('.panel');
  panel.className = 'panel ' + tint;
  const style = getComputedStyle(panel);
  const behind = style.backgroundColor === 'rgba(0, 0, 0, 0)' ? getComputedStyle(document.body) : style;
  const light = text => {
    const [r, g, b] = text.match(/[0-9.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [a, b] = [light(style.color), light(behind.backgroundColor)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""
