"""What the brand's staff do, in a real Chromium against a real server process."""

import base64
import io
import re
from collections.abc import Iterator

import pytest
import qrcode
from playwright.sync_api import expect

from tests.browser.chromium import DESK, PHONE, heading, log_in, verify
from tests.browser.conftest import Person
from tests.browser.house import COUNT, House

pytestmark = pytest.mark.browser


def test_staff_log_in_and_find_the_alert_of_a_code_that_three_people_wanted(
    person: Person, house: House, fresh: str
) -> None:
    people = [person() for _ in range(3)]
    for page in people:
        page.goto(fresh)
    assert [verify(page) for page in people][1:] == ["This code was verified before"] * 2
    staff = person(viewport=DESK)
    log_in(staff, house)
    staff.get_by_role("link", name="One code scanned by three people").first.click()
    assert heading(staff).endswith(": one code scanned by three people")
    expect(staff.get_by_role("heading", name="Why it fired")).to_be_visible()
    staff.get_by_role("link", name="SPRING-24", exact=True).first.click()
    assert heading(staff) == "SPRING-24"
    expect(staff.get_by_role("row", name=f"ordered {COUNT}")).to_be_visible()


def test_staff_void_a_code_after_seeing_the_effect(person: Person, house: House, fresh: str) -> None:
    index = house.codes("SPRING-24").index(fresh)
    staff = person(viewport=DESK)
    log_in(staff, house)
    staff.get_by_role("link", name="Batches").first.click()
    staff.get_by_role("link", name="SPRING-24").click()
    staff.get_by_role("link", name="Void", exact=True).click()
    staff.get_by_label("Indices").fill(str(index))
    staff.get_by_label("Reason").fill("torn")
    staff.get_by_role("button", name="Show the effect").click()
    assert heading(staff) == "Void one code?"
    staff.get_by_role("button", name="Void one code").click()
    expect(staff.get_by_role("status")).to_have_text(f"Index {index} voided: reason torn.")
    shopper = person()
    shopper.goto(fresh)
    assert heading(shopper) == "This code was withdrawn before sale"


def test_staff_paste_a_code_and_read_its_history_on_a_phone(person: Person, house: House, fresh: str) -> None:
    staff = person(viewport=PHONE)
    log_in(staff, house)
    box = staff.get_by_role("searchbox")
    box.fill(fresh)
    box.press("Enter")
    expect(staff.get_by_role("heading", name="Attempts to verify")).to_be_visible()
    assert fresh.rpartition("/")[2] not in staff.url
    for place in ("alerts", "batches", "codes", "batches/1"):
        staff.goto(f"{house.address}/staff/{place}")
        assert staff.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_new_alerts_are_a_link_to_press_and_never_a_jump(person: Person, house: House, unused: Iterator[int]) -> None:
    staff = person(viewport=DESK)
    staff.clock.install()
    log_in(staff, house)
    asked: list[str] = []
    staff.on("request", lambda request: asked.append(request.url) if "/alerts/news" in request.url else None)
    pill = staff.locator("a.pill")
    expect(pill).to_be_hidden()
    before = staff.locator(".alerts .what a").all_inner_texts()
    code = house.page("SPRING-24", next(unused))
    people = [person() for _ in range(3)]
    for page in people:
        page.goto(code)
    assert [verify(page) for page in people][1:] == ["This code was verified before"] * 2
    staff.clock.fast_forward(20_000)
    assert asked == []
    staff.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    staff.clock.fast_forward(60_000)
    assert asked == [], "a page that nobody sees asks for nothing"
    staff.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    expect(pill).to_have_text("1 new")
    assert staff.locator(".alerts .what a").all_inner_texts() == before
    pill.click()
    expect(staff.locator(".alerts .what a")).to_have_count(len(before) + 1)
    expect(pill).to_be_hidden()


def test_the_settings_offer_the_zone_of_this_device_and_times_follow_it(person: Person, house: House) -> None:
    staff = person(viewport=DESK, timezone_id="Asia/Tokyo")
    log_in(staff, house)
    staff.goto(f"{house.address}/staff/settings")
    staff.get_by_role("button", name="Take this device's: Asia/Tokyo").click()
    assert staff.get_by_label("Times are shown in").input_value() == "Asia/Tokyo"
    staff.get_by_role("button", name="Keep the zone").click()
    expect(staff.get_by_role("status")).to_have_text("Times are shown in your zone from now on.")
    shown = staff.locator("#zone-help time span")
    expect(shown).to_contain_text("+09:00")
    staff.emulate_media(media="print")
    staff.goto(f"{house.address}/staff/audit")
    first = staff.locator("td time.at").first
    expect(first.locator("span")).to_be_hidden()
    paper = first.evaluate("element => getComputedStyle(element, '::after').content")
    assert paper == f'"{first.get_attribute("title")}"'
    assert paper.endswith(' UTC"')
    staff.emulate_media(media="screen")
    staff.goto(f"{house.address}/staff/settings")
    expect(staff.get_by_role("button", name="Take this device's")).to_have_count(0)
    staff.get_by_label("Times are shown in").fill("UTC")
    staff.get_by_role("button", name="Keep the zone").click()


def test_a_pasted_picture_is_found(person: Person, house: House, fresh: str) -> None:
    picture = qrcode.make(fresh, box_size=6)
    kept = io.BytesIO()
    picture.save(kept)
    staff = person(viewport=DESK)
    log_in(staff, house)
    kinds = staff.get_by_role("searchbox").evaluate(
        """(box, text) => {
            const of = () => [box.form.enctype, box.form.action, box.form.elements.length, document.forms.length];
            const before = of();
            const bytes = Uint8Array.from(atob(text), (mark) => mark.charCodeAt(0));
            const held = new DataTransfer();
            held.items.add(new File([bytes], "copied.png", { type: "image/png" }));
            box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: held, bubbles: true, cancelable: true }));
            return [before, of()];
        }""",
        base64.b64encode(kept.getvalue()).decode(),
    )
    assert kinds[0] == kinds[1], "what is typed next is sent as before"
    staff.wait_for_url(re.compile(r"/staff/codes/\d+"))
    expect(staff.get_by_text(f"index {house.codes('SPRING-24').index(fresh)} ")).to_be_visible()
