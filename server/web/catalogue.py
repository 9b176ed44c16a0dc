"""Texts of the pages, from the gettext files in `server/locale`: a domain for each audience, "shoppers" and "staff".

A message's id is a stable key, and its text is a template with named facts:

    msgid "alert.seen"
    msgstr "Seen on {day} in {country}"

    msgid "alert.seen/2"
    msgstr "Seen on {day}"

    msgid "alert.networks"
    msgid_plural "alert.networks"
    msgstr[0] "{n} network"
    msgstr[1] "{n} networks"

A wording is used only where all its facts are known; otherwise the key's next wording (`/2`, `/3`) takes its place, or
nothing does. None and the empty string both mean unknown:

    catalogue("staff").text("alert.seen", day="1 May", country=None)  # "Seen on 1 May"
    catalogue("staff").text("alert.seen", day=None, country=None)     # None
    catalogue("staff").plural("alert.networks", 3114)                 # "3,114 networks"

`key.1`, `key.2` are the parts of a text or list. A message's context (`msgctxt`) holds what no translator changes:
`link: place` is the part of the page that the sentence leads to, `needs: facts` the facts it depends on without showing
them (docs/adr/0026).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from gettext import c2py
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import count, takewhile
from string import Formatter

from babel import Locale, messages
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from keys.base.errors import AuthcodeError

DEFAULT_LANGUAGE = "en"


class CatalogueMissing(AuthcodeError):
    """The installation has no texts for the pages."""

    code = "catalogue_missing"
    http_status = 500
    sentence = "There are no texts of the domain {domain} in {folder}; install the server again from a built wheel"
    domain: str
    folder: Traversable


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One text: its template, the facts it depends on, and the part of the page it links to, if any."""

    text: str
    needs: frozenset[str]
    link: str | None = None


PluralForms = tuple[Sentence, ...]
"""The forms of one wording, in the order of the file's `Plural-Forms`; a single one where nothing is counted."""


class Catalogue:
    """The sentences of one domain in one language."""

    def __init__(self, language: str, source: messages.Catalog) -> None:
        """Take the messages of `language` (a BCP 47 tag); `source` names the locale of its numbers and dates."""
        self.language = language
        self.locale = source.locale or Locale.parse(language, sep="-")
        self._form_of = c2py(source.plural_expr)
        self.wordings = _wordings(source)

    def text(self, key: str, /, **facts: object) -> str | None:
        """The first wording of `key` whose facts are all known, filled in; None where there is none.

        Raises:
            KeyError: the catalogue has no such key.
        """
        chosen = self.choose(key, facts)
        return chosen.text.format(**facts) if chosen else None

    def plural(self, key: str, number: int, /, **facts: object) -> str | None:
        """Like `text`, in the plural form that `number` takes in this language; the fact `n` is the number, written."""
        known = {"n": self.number(number), **facts}
        chosen = self.choose(key, known, number=number)
        return chosen.text.format(**known) if chosen else None

    def choose(
        self, key: str, facts: Mapping[str, object], links: Collection[str] = (), *, number: int | None = None
    ) -> Sentence | None:
        """The first wording of `key` whose facts are known and whose link is among `links`, not filled in."""
        for forms in self.wordings[key]:
            sentence = forms[0 if number is None else self._form_of(number)]
            linked = sentence.link is None or sentence.link in links
            if linked and all(is_known(facts.get(name)) for name in sentence.needs):
                return sentence
        return None

    def parts(self, key: str) -> list[str]:
        """The keys `key.1`, `key.2`, ... that the catalogue has."""
        return list(takewhile(self.wordings.__contains__, (f"{key}.{number}" for number in count(1))))

    def number(self, value: float) -> str:
        """A number as this language writes it, at most one digit after the point."""
        return format_decimal(round(value, 1), locale=self.locale)


@cache
def catalogue(domain: str, language: str = DEFAULT_LANGUAGE) -> Catalogue:
    """The catalogue of a domain, "shoppers" or "staff"; read once per process."""
    return Catalogue(language, sources(domain)[language])


def sources(domain: str, folder: Traversable | None = None) -> dict[str, messages.Catalog]:
    """The messages of a domain by language, from `folder` (laid out as gettext does) or from `server/locale`.

    A source tree has the `.po` files and an installed wheel the `.mo` files that the build made of them.

    Raises:
        CatalogueMissing: there are none.
    """
    found = {}
    place = folder or resources.files("server") / "locale"
    for language in sorted(place.iterdir() if place.is_dir() else (), key=lambda item: item.name):
        source = language / "LC_MESSAGES" / f"{domain}.po"
        compiled = language / "LC_MESSAGES" / f"{domain}.mo"
        if source.is_file():
            with source.open("rb") as file:
                found[language.name] = read_po(file, abort_invalid=True)
        elif compiled.is_file():
            with compiled.open("rb") as file:
                found[language.name] = read_mo(file)
    if not found:
        raise CatalogueMissing(domain, place)
    return found


def placeholders(text: str) -> frozenset[str]:
    """The names of the facts that `text` shows."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


def is_known(fact: object) -> bool:
    """Whether a fact is known: None and the empty string both mean that it is not."""
    return fact is not None and fact != ""


def _wordings(source: messages.Catalog) -> dict[str, tuple[PluralForms, ...]]:
    """The wordings of each key; a message that is not translated yet, or marked as fuzzy, is none."""
    found: dict[str, tuple[PluralForms, ...]] = {}
    by_id = {_first(message.id): message for message in source if message.id and not message.fuzzy}
    for message_id, message in sorted(by_id.items()):
        texts = tuple(message.string or ()) if message.pluralizable else (str(message.string or ""),)
        if all(texts):
            key = message_id.partition("/")[0]
            found[key] = (*found.get(key, ()), tuple(_sentence(text, message.context) for text in texts))
    return found


def _first(message_id: str | list[str] | tuple[str, ...]) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


def _sentence(text: str, context: str | bytes | None) -> Sentence:
    written = context.decode() if isinstance(context, bytes) else context or ""  # Babel's read_mo leaves it encoded
    named = dict(part.split(": ") for part in written.split(", ")) if written else {}
    needs = placeholders(text) | frozenset(named.get("needs", "").split())
    return Sentence(text=text, needs=needs, link=named.get("link"))
