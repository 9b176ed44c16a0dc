"""The shopper's words: every sentence of the consumer pages, loaded from one TOML file a language.

The files in `catalogue/` hold sentences, this module holds none. A sentence with an unknown fact is dropped whole, so a
page never shows a gap; facts are escaped, and only the catalogue itself may set words in bold.
"""

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.lists import format_list
from babel.numbers import format_decimal
from markupsafe import Markup, escape
from werkzeug.datastructures import LanguageAccept

DEFAULT_LANGUAGE = "en"

Facts = Mapping[str, str | None]
"""What is known, by the name the sentences use; `None` and the empty string both mean unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One wording: its text, the facts it depends on, and the place of the page it links to, if any."""

    text: str
    needs: frozenset[str]
    link: str | None


Wordings = tuple[Sentence, ...]
"""The wordings of one sentence, in order of preference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One next step: what it says and where it leads (an address within the pages), if it leads anywhere."""

    text: Markup
    href: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What one page says: the plain heading, the sentences that apply, the steps that can be taken."""

    heading: str
    sentences: tuple[Markup, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The catalogue's words for one page, before any fact is known."""

    heading: Wordings
    text: tuple[Wordings, ...]
    steps: tuple[Wordings, ...]


class Catalogue:
    """One language's words, and its way to write dates, numbers and countries."""

    def __init__(self, language: str, source: Mapping[str, Any]) -> None:
        """Read `source`, the parsed file of `language` (a BCP 47 tag); a missing section raises `KeyError`."""
        self.language = language
        self.locale = Locale.parse(source["format"]["locale"])
        self.entries = {name: _entry(table) for name, table in source["page"].items()}
        self.notes = {name: _wordings(value) for name, value in source["note"].items()}
        self.advice = {name: _wordings(value) for name, value in source["advice"].items()}
        self._words: Mapping[str, str | list[str]] = source["word"]
        self._shapes: Mapping[str, str] = source["shape"]
        self._formats: Mapping[str, str] = source["format"]
        self._counted = {name: source[name] for name in ("things", "these_features")}

    def page(self, name: str, facts: Facts, links: Mapping[str, str]) -> Words:
        """The words of page `name`, with every sentence whose facts or link are missing left out."""
        entry = self.entries[name]
        steps = []
        for wordings in entry.steps:
            chosen = _first_possible(wordings, facts, links)
            if chosen is not None:
                steps.append(Step(text=_filled(chosen, facts), href=links.get(chosen.link or "")))
        sentences = (_first_possible(wordings, facts, links) for wordings in entry.text)
        heading = _first_possible(entry.heading, facts, links)
        return Words(
            heading=_filled(heading, facts).unescape() if heading else "",
            sentences=tuple(_filled(sentence, facts) for sentence in sentences if sentence),
            steps=tuple(steps),
        )

    def note(self, name: str, facts: Facts) -> Markup | None:
        """The sentence shown beside the explanation, or None while one of its facts is unknown."""
        chosen = _first_possible(self.notes[name], facts, {})
        return _filled(chosen, facts) if chosen else None

    def advise(self, code: str, facts: Facts) -> Markup:
        """What the picture lacked, by the scanner's advice code or the photo's refusal code, with its numbers."""
        chosen = _first_possible(self.advice.get(code, self.advice["other"]), facts, {})
        return _filled(chosen, facts) if chosen else Markup()

    def word(self, name: str, **facts: str) -> Markup:
        """A small word of the pages with its facts filled in."""
        value = self._words[name]
        return _filled(_sentence(value if isinstance(value, str) else " ".join(value)), facts)

    def lines(self, name: str) -> tuple[str, ...]:
        """The lines of a list among the small words."""
        return tuple(self._words[name])

    def shape(self, tint: str) -> str:
        """The word that stands beside the shape of `tint`."""
        return self._shapes[tint]

    def counted(self, name: str, number: int) -> str:
        """`number` written as a word with its noun, for example "three things"."""
        table = self._counted[name]
        return str(table.get(str(number), table["other"])).format(n=self.number(number))

    def calendar_date(self, day: date) -> str:
        """A date as it stands on a pack, written out; it belongs to no zone."""
        return format_date(day, "long", self.locale)

    def day(self, day: date) -> str:
        """The day on which something happened, written out, with its zone: all our days are UTC's."""
        return self._formats["day"].format(date=self.calendar_date(day))

    def moment(self, moment: datetime) -> str:
        """Date and time to the minute, written out, in UTC."""
        utc = moment.astimezone(UTC)
        written = self.calendar_date(utc.date())
        time = format_time(utc.time(), "short", locale=self.locale)
        return self._formats["moment"].format(date=written, time=time)

    def wait(self, seconds: float) -> str:
        """How long to wait, in whole minutes and never too short: "in 2 minutes"."""
        left = timedelta(minutes=math.ceil(seconds / 60))
        return format_timedelta(left, "minute", threshold=1, add_direction=True, locale=self.locale)

    def country(self, code: str | None) -> str | None:
        """The country's name for its ISO 3166-1 alpha-2 code, or None for an unknown one."""
        return self.locale.territories.get(code) if code else None

    def countries(self, codes: Sequence[str]) -> str | None:
        """The countries' names as one list; a code without a name stands for itself."""
        names = [self.country(code) or code for code in codes]
        return format_list(names, locale=self.locale) if names else None

    def number(self, value: float) -> str:
        """A number as this language writes it, at most one digit after the point."""
        return format_decimal(round(value, 1), locale=self.locale)


@cache
def catalogues() -> Mapping[str, Catalogue]:
    """Every language that has a file, by its tag; read once per process."""
    folder = resources.files("server.web.consumer") / "catalogue"
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    return {
        language: Catalogue(language, tomllib.loads(file.read_text(encoding="utf-8")))
        for file in sorted(files, key=lambda file: file.name)
        for language in [file.name.removesuffix(".toml")]
    }


def choose_catalogue(accepted: LanguageAccept) -> Catalogue:
    """The catalogue that suits the request's Accept-Language best; English when none does."""
    known = catalogues()
    return known[accepted.best_match(list(known), DEFAULT_LANGUAGE) or DEFAULT_LANGUAGE]


def placeholders(text: str) -> frozenset[str]:
    """The names of the facts that `text` shows."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


def _entry(table: Mapping[str, Any]) -> Entry:
    return Entry(
        heading=_wordings(table["heading"]),
        text=tuple(_wordings(item) for item in table["text"]),
        steps=tuple(_wordings(item) for item in table.get("steps", [])),
    )


def _wordings(item: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]) -> Wordings:
    alternatives = [item] if isinstance(item, str | Mapping) else item
    return tuple(_sentence(alternative) for alternative in alternatives)


def _sentence(item: str | Mapping[str, Any]) -> Sentence:
    table: Mapping[str, Any] = {"text": item} if isinstance(item, str) else item
    needs = placeholders(table["text"]) | frozenset(table.get("needs", []))
    return Sentence(text=table["text"], needs=needs, link=table.get("link"))


def _first_possible(wordings: Wordings, facts: Facts, links: Mapping[str, str]) -> Sentence | None:
    for sentence in wordings:
        linked = sentence.link is None or sentence.link in links
        if linked and all(facts.get(name) for name in sentence.needs):
            return sentence
    return None


def _filled(sentence: Sentence, facts: Facts) -> Markup:
    bold = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(sentence.text)))
    return Markup(bold).format(**{name: facts[name] for name in placeholders(sentence.text)})  # noqa: S704 - escaped above
