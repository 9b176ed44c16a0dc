"""The words of shoppers' pages, from the catalogue `shoppers`, as HTML; their dates and countries.

Facts are escaped, and only the catalogue itself may set words in bold.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from types import MappingProxyType

from babel.dates import format_date, format_time, format_timedelta, get_timezone_gmt
from babel.lists import format_list
from markupsafe import Markup, escape
from werkzeug.datastructures import LanguageAccept

from server.web.catalogue import DEFAULT_LANGUAGE, Catalogue, Sentence, sources

SentenceFacts = Mapping[str, str | None]
"""Facts by the names that the sentences use; `None` and the empty string both mean unknown."""
NO_FACTS: SentenceFacts = MappingProxyType({})
_HEADING_OF = MappingProxyType({"look_cut": "cut"})  # a page without a heading of its own, and whose it has


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One next step or link: its text and its address, if it has one."""

    text: Markup
    href: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one page: the plain heading, the sentences that apply, the steps that can be taken."""

    heading: str
    sentences: tuple[Markup, ...]
    steps: tuple[Step, ...]


class ShopperCatalogue(Catalogue):
    """One language's words for shoppers, and its way to write dates and countries."""

    @property
    def pages(self) -> list[str]:
        """The names of the pages that have words."""
        return [*(key.removesuffix(".heading") for key in self.wordings if key.endswith(".heading")), *_HEADING_OF]

    def page(self, name: str, facts: SentenceFacts, links: Mapping[str, str]) -> Words:
        """The words of page `name`, with every sentence whose facts or link are missing left out."""
        heading = self.choose(f"{_HEADING_OF.get(name, name)}.heading", facts)
        text = (self.choose(part, facts) for part in self.parts(f"{name}.text"))
        steps = (self.choose(part, facts, links) for part in self.parts(f"{name}.step"))
        return Words(
            heading=heading.text.format(**facts) if heading else "",
            sentences=tuple(_filled(sentence, facts) for sentence in text if sentence),
            steps=tuple(Step(text=_filled(step, facts), href=links.get(step.link or "")) for step in steps if step),
        )

    def note(self, name: str, facts: SentenceFacts) -> Markup | None:
        """The sentence shown after the explanation, or None while one of its facts is unknown."""
        return self._markup(f"note.{name}", facts)

    def advise(self, code: str, facts: SentenceFacts) -> Markup:
        """Advice on a picture, by the scanner's advice code or the photo's refusal code, with its numbers."""
        key = f"advice.{code}"
        return self._markup(key if key in self.wordings else "advice.other", facts) or Markup()

    def word(self, name: str, **facts: str) -> Markup:
        """A small word of the pages with its facts filled in."""
        return self._markup(f"word.{name}", facts) or Markup()

    def lines(self, name: str) -> tuple[str, ...]:
        """The lines of a list among the small words."""
        return tuple(self.text(part) or "" for part in self.parts(f"word.{name}"))

    def counted(self, name: str, number: int) -> str | None:
        """`number` with its noun, small numbers as words, for example "three things"."""
        word = f"number.{number}"
        return self.plural(name, number, n=self.text(word) if word in self.wordings else self.number(number))

    def calendar_date(self, day: date) -> str:
        """A date as printed on a pack, written out; it belongs to no zone."""
        return format_date(day, "long", self.locale)

    def day(self, day: date, zone: tzinfo | None = None, *, ago: str | None = None) -> str:
        """The day on which something happened, written out: one of the market's `zone` alone, one of UTC so named.

        `ago` is how long that is ago, where it is known.
        """
        key = "format.day" if zone is None else "format.day_of_market"
        return self.text(key, date=self.calendar_date(day), ago=ago) or ""

    def day_of(self, moment: datetime, zone: tzinfo | None = None, *, now: datetime | None = None) -> str:
        """The day of a moment, in the market's `zone` or UTC, and how many days before `now` that is."""
        day = moment.astimezone(zone or UTC).date()
        return self.day(day, zone, ago=self.days_ago(day, now, zone) if now is not None else None)

    def ago(self, moment: datetime, now: datetime) -> str:
        """How long ago a moment is, in its largest unit from minutes on: "3 minutes ago"."""
        passed = max(now - moment, timedelta(minutes=1))
        return format_timedelta(-passed, "minute", threshold=1, add_direction=True, locale=self.locale)

    def days_ago(self, day: date, now: datetime, zone: tzinfo | None = None) -> str:
        """How long ago a day is, in whole days or larger units: "today", "3 days ago"."""
        days = now.astimezone(zone or UTC).date() - day
        if days < timedelta(days=1):
            return self.text("format.today") or ""
        return format_timedelta(-days, "day", threshold=1, add_direction=True, locale=self.locale)

    def moment(self, moment: datetime, zone: tzinfo | None = None) -> str:
        """Date and time to the minute, written out, in the market's `zone` or UTC, which it names: GMT+09:00, UTC."""
        there = moment.astimezone(zone or UTC)
        time = format_time(there.time(), "short", locale=self.locale)
        named = get_timezone_gmt(there, "long", self.locale) if zone is not None else "UTC"
        return self.text("format.moment", date=self.calendar_date(there.date()), time=time, zone=named) or ""

    def wait(self, seconds: float) -> str:
        """How long to wait, in whole minutes and never too short: "in 2 minutes"."""
        left = timedelta(minutes=math.ceil(seconds / 60))
        return format_timedelta(left, "minute", threshold=1, add_direction=True, locale=self.locale)

    def country(self, code: str | None) -> str | None:
        """The country's name for its ISO 3166-1 alpha-2 code, or None for an unknown one."""
        return self.locale.territories.get(code) if code else None

    def countries(self, codes: Sequence[str]) -> str | None:
        """The countries' names as one list; a code without a name is shown itself."""
        names = [self.country(code) or code for code in codes]
        return format_list(names, locale=self.locale) if names else None

    def _markup(self, key: str, facts: SentenceFacts) -> Markup | None:
        chosen = self.choose(key, facts)
        return _filled(chosen, facts) if chosen else None


@cache
def catalogues() -> Mapping[str, ShopperCatalogue]:
    """Every language that there is, by its tag; read once per process."""
    return {language: ShopperCatalogue(language, source) for language, source in sources("shoppers").items()}


def choose_catalogue(accepted: LanguageAccept) -> ShopperCatalogue:
    """The catalogue that suits the request's Accept-Language best; English when none does."""
    known = catalogues()
    return known[accepted.best_match(list(known), DEFAULT_LANGUAGE) or DEFAULT_LANGUAGE]


def _filled(sentence: Sentence, facts: SentenceFacts) -> Markup:
    bold = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(sentence.text)))
    return Markup(bold).format(**facts)  # noqa: S704 - escaped above
