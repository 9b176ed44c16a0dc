"""A real Chromium through playwright, and what people do in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.house import OWN_PASSWORD, STAFF, House

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
PLAIN_HOST = "shop.example"
"""A name for this machine that a browser does not take for it: there plain HTTP is what it is in a phone's demo."""

_ARGUMENTS = (
    f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--no-first-run",
)


def executable() -> str | None:
    """The system's Chromium, or None where there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def browser(path: str) -> Iterator[Browser]:
    """One Chromium; each context of it is a person with a cookie jar of their own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        try:
            yield started
        finally:
            started.close()


def verify(page: Page) -> str:
    """Tick that it was bought where the page asks, and press the one button; what the heading says then."""
    press_verify(page)
    return heading(page)


def press_verify(page: Page) -> None:
    """Tick that it was bought where the page asks, and press the one button."""
    tick = page.get_by_label("I have bought this", exact=True)
    if tick.count():
        tick.check()
    page.locator("form.act button").click()


def heading(page: Page) -> str:
    """The h1."""
    return page.locator("h1").inner_text()


def log_in(page: Page, house: House) -> None:
    """Log in to the dashboard, with the one-time password the first time."""
    page.goto(f"{house.address}/staff/")
    _give_credentials(page, house.one_time_password)
    if page.url.endswith("/login") or "/login?" in page.url:
        _give_credentials(page, OWN_PASSWORD)
    else:
        page.get_by_label("Present password").fill(house.one_time_password)
        page.get_by_label("New password", exact=True).fill(OWN_PASSWORD)
        page.get_by_label("New password again").fill(OWN_PASSWORD)
        page.get_by_role("button", name="Change password").click()
    page.wait_for_url("**/staff/alerts")


def _give_credentials(page: Page, password: str) -> None:
    page.get_by_label("Email").fill(STAFF)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
