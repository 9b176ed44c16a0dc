"""Part 4 of the story: requests to the server over HTTP, its answers, and the expected ones."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO

import numpy as np
import qrcode
from PIL import Image

from server.demo.camera import Picture, photograph
from server.demo.preparation import NOT_ACTIVATED, RECALLED, SAMPLE, VOID, DemoOrder
from server.demo.process import DEMO_REPEAT_WINDOW_S
from server.demo.shopper import Reply, Shopper

FOREIGN_TEXT = "https://aurel-check.example.net/verify?id=20931"
TAG_START_FROM_END = 60
"""A character in the middle of the tag: changing it makes a forgery with the right form."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One line of the table. `answer` is a verdict code or a look's state."""

    who: str
    asked: str
    channel: str
    answer: str
    expected: str

    @property
    def as_expected(self) -> bool:
        """Whether the server gave the expected answer."""
        return self.answer == self.expected


def forged(code: str) -> str:
    """`code` with one character of its tag changed: the right form, and no key signed it."""
    place = len(code) - TAG_START_FROM_END
    return code[:place] + ("A" if code[place] != "A" else "B") + code[place + 1 :]


def foreign_photo() -> bytes:
    """A photo of a code that leads to somebody else's website, drawn with another library's defaults."""
    stream = BytesIO()
    qrcode.make(FOREIGN_TEXT).save(stream)
    picture: Picture = np.asarray(Image.open(stream).convert("RGB"), dtype=np.uint8)
    return photograph(picture, seed=7)


def converse(server: str, short: DemoOrder, link: DemoOrder, photo: bytes) -> Iterator[Exchange]:
    """The conversation of two buyers with the server, in its order; `photo` shows code 0 of the short order."""
    first, second = Shopper(server), Shopper(server)
    code = short.codes[0]
    yield from _looks(first, code, photo)
    verified = first.verify(code)
    started = time.monotonic()
    yield _verdict("buyer 1", "verifies code 0", verified, "genuine")
    again = first.verify(code)
    same = "the same bytes" if again.body == verified.body else "OTHER BYTES"
    yield _verdict("buyer 1", f"asks again at once ({same})", again, "genuine")
    yield _verdict("buyer 2", "verifies code 0", second.verify(code), "already_verified")
    yield _verdict("buyer 2", "verifies a link-form code", second.verify(link.codes[0]), "genuine")
    yield _verdict("buyer 2", "verifies a forged code", second.verify(forged(code)), "not_ours")
    found = _symbol(second, foreign_photo())
    asked = f"photo of a code to {found.get('host')}"
    yield Exchange("buyer 2", asked, "photo", str(found.get("state")), "not_ours")
    for index, fate in ((NOT_ACTIVATED, "not_activated"), (RECALLED, "recalled"), (SAMPLE, "sample"), (VOID, "void")):
        yield _verdict("buyer 2", f"verifies code {index}", second.verify(short.codes[index]), fate)
    time.sleep(max(0.0, DEMO_REPEAT_WINDOW_S + 0.2 - (time.monotonic() - started)))
    yield _verdict("buyer 1", "asks again after the repeat window", first.verify(code), "verified_by_you")


def _looks(shopper: Shopper, code: str, photo: bytes) -> Iterator[Exchange]:
    opened = shopper.open_page(code)
    shown = "unused" if opened.status == HTTPStatus.OK and b"<form" in opened.body else f"status {opened.status}"
    yield Exchange("anybody", "opens the page of code 0", "page", shown, "unused")
    yield Exchange("anybody", "looks at code 0", "look", str(shopper.look(code).facts.get("state")), "unused")
    photographed = str(_symbol(shopper, photo).get("state"))
    yield Exchange("anybody", "sends a photo of code 0", "photo", photographed, "unused")


def _verdict(who: str, asked: str, reply: Reply, expected: str) -> Exchange:
    return Exchange(who, asked, "verify", str(reply.facts.get("verdict", f"status {reply.status}")), expected)


def _symbol(shopper: Shopper, photo: bytes) -> dict[str, object]:
    symbols: list[dict[str, object]] = shopper.send_photo(photo).facts.get("symbols") or [{}]
    return symbols[0]
