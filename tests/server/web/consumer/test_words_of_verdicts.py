"""What shoppers read for each verdict, byte for byte as in `words_of_verdicts.md`, where a person can read it."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from server.domain.codes.verdict import Verdict
from server.web.consumer.pages import PageMaker
from server.web.consumer.view import Page
from server.web.consumer.words import ShopperCatalogue
from tests.server.web.consumer.verdict_cases import CASES
from tests.server.web.pages import READ_AT, SITE

WRITTEN = Path(__file__).parent / "words_of_verdicts.md"


@dataclass(frozen=True)
class Said:
    """What a page says: the lines that `words_of_verdicts.md` has for it."""

    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def written() -> dict[str, Said]:
    """The pages of the file by name; comments (`>` and `<!-- -->`) explain and are not read."""
    pages: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in WRITTEN.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            lines = pages.setdefault(line[3:], [])
        elif line.strip() and not line.startswith((">", "<!--")) and pages:
            lines.append(line)
    return {name: Said(tuple(said)) for name, said in pages.items()}


def read(page: str) -> Said:
    """The words of a rendered page, as a person reads them: heading, explanation, notes, steps with where they lead."""
    return Said(tuple(_lines(page)))


def _lines(page: str) -> Iterator[str]:
    yield f"### {_plain(_one(r'<h1[^>]*>(.*?)</h1>', page))}"
    yield _plain(_one(r'<p class="say">(.*?)</p>', page))
    for note in re.findall(r'<p class="note">(.*?)</p>', page, re.DOTALL):
        yield f"+ {_plain(note)}"
    for number, step in enumerate(re.findall(r"<li><span>(.*?)</span></li>", page, re.DOTALL), 1):
        yield f"{number}. {_plain(step)}"
    act = r'<form class="act".*?<button class="button" type="submit">(.*?)</button>\s*<p class="hint">(.*?)</p>'
    for button, hint in re.findall(act, page, re.DOTALL):
        yield f"[ {_plain(button)} ]"
        yield _plain(hint)


def _one(pattern: str, page: str) -> str:
    (found,) = re.findall(pattern, page, re.DOTALL)
    return str(found)


def _plain(markup: str) -> str:
    """Markup as text: bold as `**`, a link as its text and, in brackets, where it leads."""
    markup = re.sub(r"</?strong>", "**", markup)
    markup = re.sub(r'<a href="([^"]*)"[^>]*>(.*?)</a>', r"\2 [\1]", markup, flags=re.DOTALL)
    assert "<" not in markup, markup
    return html.unescape(markup)


@pytest.fixture
def asked(english: ShopperCatalogue) -> PageMaker:
    return PageMaker(english, replace(SITE, support="care@aurora.example"), READ_AT)


@pytest.mark.parametrize("name", CASES)
def test_a_verdict_says_what_is_written_for_it_and_not_a_byte_else(
    name: str, asked: PageMaker, render: Callable[[Page], str]
) -> None:
    assert read(render(CASES[name](asked))).text == written()[name].text


def test_every_verdict_is_written_and_nothing_is_written_in_vain() -> None:
    assert written().keys() == CASES.keys()
    first_words = {name.partition(",")[0].partition(" ")[0] for name in CASES}
    assert {str(verdict) for verdict in Verdict} - {"unused", "withheld"} <= first_words


def test_every_page_of_a_code_in_the_catalogue_is_written(english: ShopperCatalogue) -> None:
    """A page that is added for a verdict needs its words here; these are said of no code."""
    about_no_code = re.compile(
        r"problem_|proof_|typed_|undo_|hand_on_|erase_|give_|gift_|withdraw_|remember|forget_"
        r"|(home|several|keep_spent|photos_busy|staff_never_verify|cookie_not_kept)$"
    )
    headings = {page.lines[0] for page in written().values()}
    missing = {
        name
        for name in english.pages
        if not about_no_code.match(name)
        and f"{name}.heading" in english.wordings  # a page may have another one's
        and not any(
            re.fullmatch(re.sub(r"\\\{\w+\\\}", ".+", re.escape(f"### {wording.text}")), heading)
            for (wording,) in english.wordings[f"{name}.heading"]
            for heading in headings
        )
    }
    assert missing == set()


def test_what_is_not_as_specified_says_why() -> None:
    """Each `> Specified:` line is the specification's own; a `> Because:` line gives the reason for ours."""
    text = WRITTEN.read_text(encoding="utf-8")
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        pairs = len(re.findall(r"^(?:> Specified: .+\n)+> Because: .+$", section, flags=re.MULTILINE))
        assert section.count("\n> Because:") == pairs, section
        assert len(re.findall(r"^> Specified: .+\n(?!> (?:Specified|Because): )", section, re.MULTILINE)) == 0, section
