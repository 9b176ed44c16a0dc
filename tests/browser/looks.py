"""Which page of the catalogue each look shows: live, from a real server, or staged, where no server is brought to it.

The catalogue names every page that shoppers can meet. Each stands in `LIVE` or in `STAGED`; one that stands in neither
has been looked at by nobody, and a test says so.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from flask import Flask, render_template
from playwright.sync_api import BrowserContext, Page, Route

import server.web
from server.demo.artwork import serum_picture
from server.web.catalogue import PluralForms
from server.web.consumer.pages import PageMaker
from server.web.consumer.view import Page as Shown
from server.web.consumer.view import Site, Tint
from server.web.consumer.words import catalogues
from tests.server.web.consumer.verdict_cases import CASES
from tests.server.web.pages import READ_AT

LIVE: Final = {
    "home": "home",
    "proof-home": "proof_home",
    "look": "look",
    "genuine": "genuine_visible",
    "already-verified": "already_verified",
    "not-activated": "not_activated",
    "recalled": "recalled",
    "sample": "sample",
    "void": "void",
    "expired": "expired",
    "not-ours": "not_ours",
    "no-page": "problem_404",
    "answer-genuine": "genuine_hidden",
    "answer-already": "already_verified",
    "receipt": "proof_good",
    "verified-by-you": "verified_by_you",
    "keep-spent": "keep_spent",
    "key-expired": "expired",
    "key-withdrawn": "locked_key_withdrawn",
    "locked": "locked",
    "hand-on-ask": "hand_on_ask",
    "hand-on-done": "hand_on_done",
    "handed-on": "verified_before_you",
    "give-done": "give_done",
    "gift-ask": "gift_ask",
    "gift-taken": "gift_taken",
    "erase-ask": "erase_ask",
    "erase-done": "erase_done",
    "undo-ask": "undo_ask",
    "undo-done": "undo_done",
    "look-returned": "look_returned",
    "genuine-returned": "genuine_returned",
    "photo-of-a-code": "void",
    "photo-of-two-codes": "several",
    "photo-of-another-website": "not_ours_link",
    "photo-without-a-code": "unreadable",
    "no-photo": "unreadable",
    "typed-too-little": "typed_unreadable",
}
"""The looks at pages of a real server, by the name of their picture: what the catalogue calls the page."""

Make = Callable[[PageMaker], Shown]
_WAIT: Final = {"wait": "in 52 minutes", "serial_length": "12"}


def _plain(name: str) -> Make:
    return lambda maker: maker.plain_page(name, facts=_WAIT)


def _refused(name: str) -> Make:
    return lambda maker: maker.proof_answer_page(name)


STAGED: Final[dict[str, Make]] = {
    "withheld": CASES["look, withheld"],
    "offline": CASES["offline"],
    "look_outer": CASES["look at an outer code"],
    "look_typed": CASES["look by short code"],
    "look_cut": CASES["look without signature"],
    "not_ours_text": CASES["not_ours, no address"],
    "not_ours_payment": CASES["not_ours, a payment"],
    "not_ours_telephone": CASES["not_ours, a call"],
    "not_ours_wifi": CASES["not_ours, a wi-fi"],
    "not_ours_shortened_link": CASES["not_ours, a shortened link"],
    "not_ours_partner": CASES["not_ours, a partner's website"],
    "not_ours_lookalike": CASES["not_ours, a known look-alike"],
    "typed_unknown": lambda maker: maker.typed_page("typed_unknown", "7Q4KM2XD9FA1C", tint=Tint.CAREFUL),
    "proof_gone": lambda maker: maker.proof_gone_page("21 November 2026, 14:05 UTC", None),
    "proof_unread": lambda maker: maker.proof_photo_page("move_closer", {"module_px": 1.8}),
    **{
        f"proof_{refusal}": _refused(f"proof_{refusal}")
        for refusal in ("unreadable", "incomplete", "algorithm_refused", "from_elsewhere", "altered")
    },
    **{
        name: _plain(name)
        for name in (
            "cut",
            "undo_over",
            "hand_on_limit",
            *("handed_on_by_you", "give_ask", "withdraw_ask", "withdraw_done"),
            *("gift_used", "gift_late", "gift_withdrawn", "gift_unknown", "gift_own"),
            *("gift_not_now", "remember_ask", "remember_done", "remembered_full", "cookie_not_kept"),
            *("forget_ask", "forget_done"),
            "erase_ask_returned",
            "erase_done_returned",
            "photos_busy",
            "staff_never_verify",
        )
    },
    **{f"problem_{status}": _plain(f"problem_{status}") for status in (400, 405, 413, 429, 431, 500)},
}
"""Pages that no test brings a server to here: rendered by the real template, with the real stylesheet."""

_ADDRESS: Final = "https://stage.example"
_WEB: Final = Path(server.web.__file__).parent


def staged(context: BrowserContext, page: Page) -> Iterator[str]:
    """Put each staged page into the browser, one after the other; the names as they stand there."""
    english = catalogues()["en"]
    maker = PageMaker(english, Site(brand="Aurora", host="v.aurora.example", support="care@aurora.example"), READ_AT)
    app = Flask("stage", template_folder=str(_WEB / "consumer" / "templates"))
    with app.test_request_context():
        bodies = {
            f"{_ADDRESS}/{name}": render_template(
                "consumer/page.html", page=make(maker), catalogue=english, stylesheet="/consumer.css", icon="/icon.svg"
            )
            for name, make in STAGED.items()
        }
    context.route(f"{_ADDRESS}/**", partial(_answer, bodies))
    for name in STAGED:
        page.goto(f"{_ADDRESS}/{name}")
        yield name


def _answer(bodies: dict[str, str], route: Route) -> None:
    address = route.request.url
    if address in bodies:
        route.fulfill(body=bodies[address], content_type="text/html; charset=utf-8")
    elif "/picture/" in address:
        route.fulfill(body=serum_picture(), content_type="image/png")
    else:
        route.fulfill(path=_WEB / "static" / address.rpartition("/")[2])


def shows(page: Page, entry: str) -> bool:
    """Whether the page says what the catalogue has for `entry`, whatever the facts in it are."""
    english = catalogues()["en"]
    said = page.locator("p.say").inner_text()
    text = (english.wordings[part] for part in english.parts(f"{entry}.text"))
    explanation = r"\s*".join(f"(?:{_any_of(sentence)})?" for sentence in text)
    headed = re.fullmatch(_any_of(english.wordings[f"{entry}.heading"]), page.locator("h1").inner_text())
    return bool(headed and said and re.fullmatch(explanation, said))


def _any_of(wordings: tuple[PluralForms, ...]) -> str:
    return "|".join(re.sub(r"\\\{\w+\\\}", ".+?", re.escape(form.text.replace("**", ""))) for (form,) in wordings)
