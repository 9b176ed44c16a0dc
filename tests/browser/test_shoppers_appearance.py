"""Every page that a shopper may see, in three widths, light and dark, before axe."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.appearance import examine
from tests.browser.chromium import heading, verify
from tests.browser.conftest import Person
from tests.browser.house import EXPIRED, LOCKED, NOT_ACTIVATED, RECALLED, SAMPLE, VOID, House

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_before_and_after_the_first_verification(person: Person, house: House, unused: Iterator[int]) -> None:
    for order in ("SPRING-24", "GARDEN-7"):
        address = house.page(order, next(unused))
        buyer, other = person(), person()
        buyer.goto(address)
        other.goto(address)
        examine(buyer, f"look-{order}")
        verify(buyer)
        examine(buyer, f"genuine-{order}")
        verify(other)
        examine(other, f"already-{order}")
        later = buyer.context.new_page()
        later.goto(address)
        examine(later, f"again-{order}")


@pytest.mark.parametrize(
    ("code", "said", "name"),
    [
        (("SPRING-24", NOT_ACTIVATED), "This code has not been released yet", "not-activated"),
        (("SPRING-24", RECALLED), "Please stop using this: recalled by Aurel", "recalled"),
        (("SPRING-24", SAMPLE), "This is a test or sample code", "sample"),
        (("SPRING-24", VOID), "This code was withdrawn before sale", "void"),
        (("LATE-2", EXPIRED), "This pack is past its date", "expired"),
        (("LATE-2", LOCKED), "This code can no longer be checked", "locked"),
    ],
)
def test_every_refusal(person: Person, house: House, code: tuple[str, int], said: str, name: str) -> None:
    page = person()
    page.goto(house.page(*code))
    assert heading(page) == said
    examine(page, name)


def test_pages_of_no_code(person: Person, house: House, tmp_path: Path) -> None:
    page = person()
    code = house.page("SPRING-24", 0)
    (tmp_path / "note.jpg").write_text("no picture at all", encoding="ascii")
    for name, address in (("check", "/"), ("nowhere", "/no/such/page"), ("proofs", "/proof")):
        page.goto(house.address + address)
        examine(page, name)
    page.goto(code[:-2] + "00")
    assert heading(page) == "We don't recognise this code"
    examine(page, "not-ours")
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
    page.get_by_label("The letters and digits").fill("7Q4K")
    page.get_by_role("button", name="Look it up").click()
    examine(page, "typed-too-little")


def test_the_receipt_and_its_check(person: Person, house: House, unused: Iterator[int]) -> None:
    page = person()
    page.goto(house.page("SPRING-24", next(unused)))
    verify(page)
    page.get_by_role("link", name="Show the receipt without the keep-code").click()
    examine(page, "receipt")
