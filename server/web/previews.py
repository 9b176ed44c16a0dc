"""Previews of shoppers' pages, for staff who are about to decide on them.

Dashboard and shoppers' pages do not know each other; the application hands over the one function between them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app
from markupsafe import Markup

from server.domain.codes.verdict import Verdict
from server.services.codes.facts import CodeFacts

_NAME = "authcode-preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A shopper's page in advance: heading, text and steps, and the whole of it as HTML."""

    heading: str
    text: Markup
    steps: tuple[Markup, ...]
    html: str


Previewer = Callable[[CodeFacts, Verdict], Preview]


def init_previews(app: Flask, previewer: Previewer) -> None:
    """Take the function that makes previews."""
    app.extensions[_NAME] = previewer


def preview(facts: CodeFacts, verdict: Verdict) -> Preview:
    """The page of a code with these facts."""
    previewer: Previewer = current_app.extensions[_NAME]
    return previewer(facts, verdict)
