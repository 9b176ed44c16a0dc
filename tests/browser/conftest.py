"""A real server process and a real Chromium, once per session; skipped visibly where there is no Chromium."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import chromium
from tests.browser.house import ON_SALE, House, build, serving

SETTINGS = {"AUTHCODE_REPEAT_WINDOW_S": "600"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.executable()
    if path is None:
        reason = "no Chromium found; `make system` installs one, or set CHROMIUM to its path"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with chromium.browser(path) as started:
        yield started


@pytest.fixture(scope="session")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Needs the browser first, so that nothing is built where the tests are skipped."""
    assert browser.is_connected()
    built = build(tmp_path_factory.mktemp("browser") / "home")
    with serving(built, **SETTINGS):
        yield built


@pytest.fixture(scope="session")
def unused(house: House) -> Iterator[int]:
    """Indices of codes on sale that no test has touched yet."""
    assert house.codes("SPRING-24")
    return iter(range(ON_SALE))


@pytest.fixture
def fresh(house: House, unused: Iterator[int]) -> str:
    """The address of a code that nobody has verified."""
    return house.page("SPRING-24", next(unused))


@pytest.fixture(scope="session")
def garden(house: House) -> Iterator[int]:
    """Indices of hidden codes that no test has touched yet."""
    assert house.codes("GARDEN-7")
    return iter(range(ON_SALE - 1))


@pytest.fixture
def hidden(house: House, garden: Iterator[int]) -> str:
    """The address of a hidden code that nobody has verified."""
    return house.page("GARDEN-7", next(garden))


Person = Callable[..., Page]


@pytest.fixture
def person(browser: Browser) -> Iterator[Person]:
    """Somebody with a browser profile of their own, on a phone unless told otherwise."""
    opened: list[BrowserContext] = []

    def enter(**options: object) -> Page:
        values = {"viewport": chromium.PHONE, "reduced_motion": "reduce"} | options
        opened.append(browser.new_context(**values))  # type: ignore[arg-type]
        return opened[-1].new_page()

    yield enter
    for context in opened:
        context.close()
