"""A shopper's page in advance, as staff see it before they decide: nothing on it can be sent."""

from markupsafe import Markup

from server.domain.codes.verdict import Verdict
from server.services.codes.facts import CodeFacts
from server.web.catalogue import DEFAULT_LANGUAGE
from server.web.consumer.pages import PageMaker, ShownCode, site_of_code
from server.web.consumer.respond import rendered
from server.web.consumer.words import catalogues
from server.web.previews import Preview
from server.web.visit import context


def shoppers_preview(facts: CodeFacts, verdict: Verdict) -> Preview:
    """The page of a code about which these facts are known, as it would read now."""
    catalogue = catalogues()[DEFAULT_LANGUAGE]  # the dashboard's own
    page = PageMaker(catalogue, site_of_code(facts), context().clock()).code_page(
        ShownCode(verdict=verdict, facts=facts)
    )
    return Preview(
        heading=page.words.heading,
        text=Markup(" ").join(page.words.sentences),
        steps=tuple(step.text for step in page.words.steps),
        html=rendered(page, catalogue),
    )
