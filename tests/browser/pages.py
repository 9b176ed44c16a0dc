"""Every page that people look at: a name, its address, and whose browser it is opened in."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Page, Request

from tests.browser import chromium
from tests.browser.house import NOT_ACTIVATED, RECALLED, SAMPLE, VOID, House, run
from tests.server.simulator import claim_of

WIDTHS = (390, 768, 1440)
SCHEMES = ("light", "dark")
_HEIGHT = 900
SHOPPERS = (
    *("home", "proof-home", "look", "genuine", "already-verified", "not-activated", "recalled", "sample", "void"),
    *("expired", "not-ours", "no-page"),
)
"""Looks at shoppers' pages among the addresses below."""


def _forged(code: str) -> str:
    """A text with the form of a code and the signature of none."""
    return code[:-9] + ("A" if code[-9] != "A" else "B") + code[-8:]


_STAFF = "staff"
_BUYER = "buyer"
_STRANGER = "stranger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One page as it stands in a browser. `problem` is what the browser said of it that no page may make it say."""

    name: str
    width: int
    scheme: str
    page: Page
    problems: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happened before the pages are looked at: codes by what became of them, and the numbers of their pages."""

    house: House
    used: str
    unused: str
    expired: str
    staff: dict[str, str]


def tell(browser: Browser, house: House, indices: Iterator[int]) -> tuple[Story, BrowserContext]:
    """Let a buyer verify a code and others ask for it; the story, and the buyer's browser."""
    used, unused, expired = (next(indices) for _ in range(3))
    run(house.home, "batch", "activate", "SPRING-24", "--range", str(expired), "--expires", "2020-01-31")
    buyer = browser.new_context()
    page = buyer.new_page()
    page.goto(house.page("SPRING-24", used))
    chromium.verify(page)
    programs = browser.new_context()
    asked = [(used, "somebody", 5), (NOT_ACTIVATED, "leak", 3), (VOID, "waste", 2)]
    for index, who, people in asked:
        for number in range(people):
            body = {"code": house.page("SPRING-24", index), "claim": claim_of(f"{who}-{number}")}
            programs.request.post(f"{house.address}/api/v1/verify", data=body)
    programs.close()
    story = Story(
        house=house,
        used=house.page("SPRING-24", used),
        unused=house.page("SPRING-24", unused),
        expired=house.page("SPRING-24", expired),
        staff=_staff_pages(browser, house, used),
    )
    return story, buyer


def _staff_pages(browser: Browser, house: House, used: int) -> dict[str, str]:
    """Work on one alert, so that its history has something to show; the addresses that have numbers in them."""
    context = browser.new_context(viewport=chromium.DESK)
    page = context.new_page()
    chromium.log_in(page, house)
    page.goto(f"{house.address}/staff/alerts?rule=duplicate")
    page.get_by_role("link", name="One code scanned by six people").first.click()
    alert = page.url
    page.get_by_label("Comment").fill("A long comment. " * 12)
    page.get_by_role("button", name="Assign to me").click()
    page.get_by_role("link", name="SPRING-24").first.click()
    batch = page.url
    box = page.get_by_role("searchbox")
    box.fill(f"SPRING-24:{used}")
    box.press("Enter")
    page.wait_for_url(re.compile(r"/staff/codes/\d+"))
    code = page.url
    page.goto(f"{house.address}/staff/products")
    page.get_by_role("link", name="Aurel Night Serum 30 ml").click()
    found = {"alert": alert, "batch": batch, "code": code, "product": page.url}
    context.close()
    return found


def addresses(story: Story) -> list[tuple[str, str, str]]:
    """Every page as name, whose browser, address."""
    here, staff = story.house.address, story.staff
    spring = story.house.codes("SPRING-24")
    shoppers = [
        ("home", _STRANGER, f"{here}/"),
        ("proof-home", _STRANGER, f"{here}/proof"),
        ("look", _STRANGER, story.unused),
        ("genuine", _BUYER, story.used),
        ("already-verified", _STRANGER, story.used),
        ("not-activated", _STRANGER, spring[NOT_ACTIVATED]),
        ("recalled", _STRANGER, spring[RECALLED]),
        ("sample", _STRANGER, spring[SAMPLE]),
        ("void", _STRANGER, spring[VOID]),
        ("expired", _STRANGER, story.expired),
        ("not-ours", _STRANGER, _forged(spring[0])),
        ("no-page", _STRANGER, f"{here}/no/such/page"),
        ("login", _STRANGER, f"{here}/staff/login"),
    ]
    alerts = [("alerts", "")] + [
        (f"alerts-{view}", f"?view={view}") for view in ("act", "notes", "mine", "snoozed", "closed", "all")
    ]
    plain = ("rules", "batches", "codes", "products", "audit", "settings", "password", "no/such/page")
    return [
        *shoppers,
        *((name, _STAFF, f"{here}/staff/alerts{query}") for name, query in alerts),
        *((name.replace("/", "-"), _STAFF, f"{here}/staff/{name}") for name in plain),
        *((name, _STAFF, address) for name, address in staff.items()),
        ("look-as-staff", _STAFF, story.unused),
        ("alert-mute", _STAFF, f"{staff['alert']}/mute"),
        ("batch-selected", _STAFF, f"{staff['batch']}?range=2-5"),
        ("batch-recall", _STAFF, f"{staff['batch']}/recall?range=2-5"),
        ("product-preview", _STAFF, f"{staff['product']}/preview"),
    ]


@contextmanager
def browsers(browser: Browser, story: Story, buyer: BrowserContext, scheme: str) -> Iterator[dict[str, Page]]:
    """A page for each who looks, in this scheme; the buyer's has the cookies of the one who verified."""
    options = {"color_scheme": scheme, "reduced_motion": "reduce"}
    opened = {
        _STAFF: browser.new_context(**options),
        _BUYER: browser.new_context(**options, storage_state=buyer.storage_state()),
        _STRANGER: browser.new_context(**options),
    }
    pages = {name: context.new_page() for name, context in opened.items()}
    chromium.log_in(pages[_STAFF], story.house)
    yield pages
    for context in opened.values():
        context.close()


def visit(pages: dict[str, Page], story: Story, scheme: str) -> Iterator[Seen]:
    """Open every page at every width; the confirmation of an act is reached by sending its form."""
    problems: list[str] = []
    for page in pages.values():
        page.on("console", lambda message: problems.append(message.text) if _counts(message.text) else None)
        page.on("requestfailed", lambda request: problems.append(request.url) if _is_ours(request) else None)
    for name, who, address in addresses(story):
        page = pages[who]
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": _HEIGHT})
            page.goto(address)
            yield Seen(name=name, width=width, scheme=scheme, page=page, problems=problems[:])
            problems.clear()
    page = pages[_STAFF]
    page.goto(f"{story.staff['batch']}/recall?range=2-5")
    page.get_by_label("Reason").fill("a seal may leak, as found on some packs of this lot")
    page.get_by_role("button", name="Show the effect").click()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": _HEIGHT})
        yield Seen(name="batch-recall-confirm", width=width, scheme=scheme, page=page, problems=problems[:])


def _counts(text: str) -> bool:
    return "404" not in text and "icon.svg" not in text


def _is_ours(request: Request) -> bool:
    return "icon.svg" not in request.url  # left before it was there
