"""Make the pictures of the documentation: `python -m tests.browser.pictures [FOLDER]`, by default `docs/pictures`.

Real pages of a real server in a real Chromium, with the demo's brand.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser import chromium
from tests.browser.house import NOT_ACTIVATED, VOID, House, build, serving
from tests.server.simulator import claim_of

FOLDER = Path("docs/pictures")
PHONE_PICTURE = ViewportSize(width=390, height=780)
DESK_PICTURE = ViewportSize(width=1280, height=900)


def main(folder: Path) -> None:
    """Build a brand, let people meet its codes, and take their pictures."""
    path = chromium.executable()
    if path is None:
        sys.exit("The pictures need a Chromium: `make system` installs one, or set CHROMIUM to its path.")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place:
        house = build(Path(place) / "home")
        shutil.copyfile(house.home / "orders" / "SPRING-24" / "png" / "000007.png", folder / "code.png")
        with serving(house), chromium.browser(path) as browser:
            _of_shoppers(house, browser, folder)
            _of_staff(house, browser, folder)


def _of_shoppers(house: House, browser: Browser, folder: Path) -> None:
    wanted = house.page("SPRING-24", 7)
    others = [_person(browser) for _ in range(5)]
    for other in others:
        other.goto(wanted)
    buyer = _person(browser)
    buyer.goto(wanted)
    buyer.screenshot(path=folder / "look-390.png")
    chromium.verify(buyer)
    buyer.screenshot(path=folder / "genuine-390.png")
    for other in others:
        chromium.verify(other)
    others[-1].screenshot(path=folder / "already-390.png")
    for index in (2, 3, 11, 12, 16):
        page = _person(browser)
        page.goto(house.page("SPRING-24", index))
        chromium.verify(page)
    _ask_for_what_is_not_on_sale(house, browser)


def _ask_for_what_is_not_on_sale(house: House, browser: Browser) -> None:
    """Programs that ask for codes without a look page: what a leak looks like."""
    programs = browser.new_context()
    for index, people in ((NOT_ACTIVATED, 3), (VOID, 2)):
        for number in range(people):
            programs.request.post(
                f"{house.address}/api/v1/verify",
                data={"code": house.page("SPRING-24", index), "claim": claim_of(f"somebody-{number}")},
            )


def _of_staff(house: House, browser: Browser, folder: Path) -> None:
    staff = browser.new_context(viewport=DESK_PICTURE, reduced_motion="reduce").new_page()
    chromium.log_in(staff, house)
    staff.goto(f"{house.address}/staff/alerts")
    staff.screenshot(path=folder / "alerts-1280.png")
    staff.get_by_role("link", name="One code scanned by six people").click()
    staff.screenshot(path=folder / "alert-1280.png")
    staff.get_by_role("link", name="SPRING-24").first.click()
    staff.screenshot(path=folder / "batch-1280.png")


def _person(browser: Browser) -> Page:
    return browser.new_context(viewport=PHONE_PICTURE, reduced_motion="reduce").new_page()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
