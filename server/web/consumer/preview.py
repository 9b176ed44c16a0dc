"""A shopper's page in advance, as staff see it before they decide: nothing on it can be sent."""

from flask import render_template
from markupsafe import Markup

from server.domain.codes.verdict import Verdict
from server.services.codes.facts import CodeFacts
from server.web.consumer.accent import accent_address
from server.web.consumer.pages import PageMaker, ShownCode
from server.web.consumer.view import Site
from server.web.consumer.words import catalogues
from server.web.previews import Preview
from server.web.static_files import static_address

_LANGUAGE = "en"  # the dashboard's own


def shoppers_preview(facts: CodeFacts, verdict: Verdict) -> Preview:
    """The page of a code about which these facts are known."""
    catalogue = catalogues()[_LANGUAGE]
    maker = PageMaker(catalogue, Site(brand=facts.brand, host=facts.host, brand_id=facts.brand_id))
    page = maker.code_page(ShownCode(verdict=verdict, facts=facts))
    stylesheet, icon = (static_address("consumer.style", name) for name in ("consumer.css", "icon.svg"))
    looks = {"stylesheet": stylesheet, "icon": icon, "accent": accent_address(facts.brand_id)}
    return Preview(
        heading=page.words.heading,
        text=Markup(" ").join(page.words.sentences),
        steps=tuple(step.text for step in page.words.steps),
        html=render_template("consumer/page.html", page=page, catalogue=catalogue, **looks),
    )
