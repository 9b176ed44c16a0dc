"""Pages that only the answer to a form shows, at three widths, light and dark: verdicts, photos, receipts, acts.

Each test says first which looks it takes, so that a page of the catalogue at which nobody looks is found without a
browser.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import qrcode
from PIL import Image
from playwright.sync_api import Page

from server.domain.codes.verdict import Verdict
from server.web.consumer.words import catalogues
from tests.browser.appearance import examine
from tests.browser.chromium import verify
from tests.browser.conftest import Person
from tests.browser.house import EXPIRED, LOCKED, VOID, House, run
from tests.browser.looks import LIVE, STAGED, shows, staged
from tests.browser.pages import SHOPPERS

Look = Callable[[Page, str], None]
Test = Callable[..., None]
TAKEN: dict[str, tuple[str, ...]] = {}
SPELLED = {"genuine": {"genuine_visible", "genuine_hidden"}, "unused": {"look"}}
REASONS = {"locked_key_withdrawn", "not_ours_link"}
TRIES = 5


def takes(*names: str) -> Callable[[Test], Test]:
    """Say which looks a test takes, in their order; it fails where it takes others."""

    def noted(test: Test) -> Test:
        TAKEN[test.__name__] = names
        return pytest.mark.browser(pytest.mark.slow(test))

    return noted


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Iterator[Look]:
    """Examine the page that stands in a browser, which has to be the one that its name promises."""
    taken: list[str] = []

    def examined(page: Page, name: str) -> None:
        assert shows(page, LIVE[name]), page.locator("main").inner_text()[:400]
        examine(page, name)
        taken.append(name)

    yield examined
    assert tuple(taken) == TAKEN[request.function.__name__]


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).click()


def keep_code_on(page: Page) -> str:
    return page.locator(".keep-code").inner_text()


def enter(page: Page, keep_code: str) -> None:
    page.get_by_label("The keep-code from your receipt").fill(keep_code)
    press(page, "Show that it was me")


def test_every_page_of_the_catalogue_is_looked_at() -> None:
    entries = set(catalogues()["en"].pages)
    verdicts = {name for verdict in Verdict for name in SPELLED.get(verdict, {str(verdict)})}
    assert {name for names in TAKEN.values() for name in names} | set(SHOPPERS) == LIVE.keys()
    assert set(LIVE.values()) | STAGED.keys() == entries
    assert not set(LIVE.values()) & STAGED.keys()
    assert verdicts | REASONS <= entries


@takes("answer-genuine", "answer-already", "verified-by-you", "receipt")
def test_the_answers_to_a_verification(person: Person, hidden: str, look: Look) -> None:
    buyer, other = person(), person()
    buyer.goto(hidden)
    other.goto(hidden)
    verify(buyer)
    look(buyer, "answer-genuine")
    verify(other)
    look(other, "answer-already")
    enter(other, keep_code_on(buyer))
    look(other, "verified-by-you")
    buyer.get_by_role("link", name="Show the receipt without the keep-code").click()
    look(buyer, "receipt")


@takes("key-expired", "key-withdrawn", "locked")
def test_codes_that_were_locked(person: Person, house: House, garden: Iterator[int], look: Look) -> None:
    page, index = person(), next(garden)
    page.goto(house.page("LATE-2", EXPIRED))
    look(page, "key-expired")
    page.goto(house.page("LATE-2", LOCKED))
    look(page, "key-withdrawn")
    run(house.home, "batch", "lock", "GARDEN-7", "--range", str(index), "--reason", "found on copies in three towns")
    page.goto(house.page("GARDEN-7", index))
    look(page, "locked")


@takes("hand-on-ask", "hand-on-done", "handed-on", "erase-ask", "erase-done", "keep-spent")
def test_the_answers_to_a_holder_and_to_guesses(person: Person, fresh: str, look: Look) -> None:
    giver, receiver = person(), person()
    giver.goto(fresh)
    verify(giver)
    old = keep_code_on(giver)
    press(giver, "Hand the receipt on")
    look(giver, "hand-on-ask")
    press(giver, "Yes, hand it on")
    look(giver, "hand-on-done")
    receiver.goto(fresh)
    enter(receiver, keep_code_on(giver))
    look(receiver, "handed-on")
    press(receiver, "Erase what is kept about me")
    look(receiver, "erase-ask")
    press(receiver, "Yes, erase it")
    look(receiver, "erase-done")
    giver.goto(fresh)
    for _ in range(TRIES + 1):
        enter(giver, old)
    look(giver, "keep-spent")


@takes("give-done", "gift-ask", "gift-taken")
def test_the_answers_to_giver_and_receiver_of_a_gift(person: Person, fresh: str, look: Look) -> None:
    giver, receiver = person(), person()
    giver.goto(fresh)
    verify(giver)
    press(giver, "Give it away by a link")
    press(giver, "Yes, make the link")
    look(giver, "give-done")
    receiver.goto(giver.locator("#gift").inner_text())
    look(receiver, "gift-ask")
    press(receiver, "I take it over")
    look(receiver, "gift-taken")


@takes("undo-ask", "undo-done", "look-returned", "genuine-returned")
def test_the_answers_to_whoever_undoes_it(person: Person, fresh: str, look: Look) -> None:
    page = person()
    page.goto(fresh)
    verify(page)
    press(page, "Return the code to unused")
    look(page, "undo-ask")
    press(page, "Yes, return it to unused")
    look(page, "undo-done")
    page.goto(fresh)
    look(page, "look-returned")
    verify(page)
    look(page, "genuine-returned")


@takes(
    "photo-of-a-code",
    "photo-of-two-codes",
    "photo-of-another-website",
    "photo-without-a-code",
    "no-photo",
    "typed-too-little",
)
def test_the_answers_to_pictures_and_typed_codes(person: Person, house: House, tmp_path: Path, look: Look) -> None:
    page = person()
    (tmp_path / "note.jpg").write_text("no picture at all", encoding="ascii")
    qrcode.make("https://shop.example.net/a-page-of-somebody-else?x=1", box_size=6).save(tmp_path / "foreign.png")
    beside(house.picture("GARDEN-7", VOID), tmp_path / "foreign.png").save(tmp_path / "two.png")
    for name, picture in (
        ("photo-of-a-code", house.picture("GARDEN-7", VOID)),
        ("photo-of-two-codes", tmp_path / "two.png"),
        ("photo-of-another-website", tmp_path / "foreign.png"),
        ("photo-without-a-code", house.home / "logo.png"),
        ("no-photo", tmp_path / "note.jpg"),
    ):
        page.goto(f"{house.address}/")
        page.get_by_label("A picture of the code").set_input_files(picture)
        press(page, "Read this picture")
        look(page, name)
    page.goto(f"{house.address}/")
    page.get_by_label("The short code").fill("7Q4K")
    press(page, "Look it up")
    look(page, "typed-too-little")


@pytest.mark.browser
@pytest.mark.slow
def test_the_pages_that_no_server_is_brought_to(person: Person) -> None:
    page = person()
    for name in staged(page.context, page):
        examine(page, f"staged-{name}", briefly=True)


def beside(*pictures: Path) -> Image.Image:
    """Several pictures as one, from left to right on white."""
    opened = [Image.open(picture).convert("L") for picture in pictures]
    whole = Image.new("L", (sum(one.width + 80 for one in opened), max(one.height for one in opened) + 80), 255)
    left = 40
    for one in opened:
        whole.paste(one, (left, 40))
        left += one.width + 80
    return whole
