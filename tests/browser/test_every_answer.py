"""Pages that only the answer to a form shows, at three widths, light and dark: verdicts, photos, receipts."""

from pathlib import Path

import pytest

from tests.browser.appearance import examine
from tests.browser.chromium import heading, verify
from tests.browser.conftest import Person
from tests.browser.house import EXPIRED, LOCKED, VOID, House

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_answers_to_a_verification(person: Person, hidden: str) -> None:
    buyer, other = person(), person()
    buyer.goto(hidden)
    other.goto(hidden)
    assert verify(buyer).startswith("Genuine code")
    examine(buyer, "answer-genuine")
    verify(other)
    examine(other, "answer-already")
    buyer.get_by_role("link", name="Show the receipt without the keep-code").click()
    examine(buyer, "receipt")


@pytest.mark.parametrize(
    ("index", "said", "name"),
    [(EXPIRED, "This pack is past its date", "expired"), (LOCKED, "This code can no longer be checked", "locked")],
)
def test_codes_of_a_withdrawn_key(person: Person, house: House, index: int, said: str, name: str) -> None:
    page = person()
    page.goto(house.page("LATE-2", index))
    assert heading(page) == said
    examine(page, name)


def test_the_answers_to_pictures_and_typed_codes(person: Person, house: House, tmp_path: Path) -> None:
    page = person()
    (tmp_path / "note.jpg").write_text("no picture at all", encoding="ascii")
    for name, picture in (
        ("photo-of-a-code", house.picture("GARDEN-7", VOID)),
        ("photo-without-a-code", house.home / "logo.png"),
        ("no-photo", tmp_path / "note.jpg"),
    ):
        page.goto(f"{house.address}/")
        page.get_by_label("A picture of the code").set_input_files(picture)
        page.get_by_role("button", name="Read this picture").click()
        examine(page, name)
    page.goto(f"{house.address}/")
    page.get_by_label("The short code").fill("7Q4K")
    page.get_by_role("button", name="Look it up").click()
    examine(page, "typed-too-little")
