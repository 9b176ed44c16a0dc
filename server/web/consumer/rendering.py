"""From a page to bytes: the one template, the stylesheet's address, the site."""

from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from flask import Response, make_response, render_template, request, url_for

from keys.keyring import KeyringSet
from server.web.consumer.catalogue import Catalogue, choose_catalogue
from server.web.consumer.pages import PageMaker
from server.web.consumer.view import Page, Site
from server.web.visit import context

STATIC_FOLDER = Path(__file__).parent.parent / "static"
"""Stylesheets and icon: our own, nothing of anybody else's."""


def catalogue() -> Catalogue:
    """The catalogue that suits this request's Accept-Language."""
    return choose_catalogue(request.accept_languages)


def page_maker() -> PageMaker:
    """The maker of pages in this visitor's language, for the brand whose host was asked."""
    return PageMaker(catalogue(), site_of(context().keyrings(), request.host))


def respond(page: Page, status: int = HTTPStatus.OK) -> Response:
    """Render a page in the visitor's language."""
    words = catalogue()
    body = render_template(
        "consumer/page.html", page=page, catalogue=words, stylesheet=style("consumer.css"), icon=style("icon.svg")
    )
    response = make_response(body, status)
    response.content_language.add(words.language)
    response.vary.add("Accept-Language")
    return response


def site_of(keyrings: KeyringSet, host: str) -> Site:
    """Whose pages these are: the brand that publishes `host`, else the only brand there is, else nobody's.

    The host that is shown comes from a published keyring; the request's Host header only chooses among them.
    """
    every = [(keyring.brand, prefix) for keyring in keyrings.keyrings for prefix in keyring.prefixes]
    for brand, prefix in every:
        if _host_of(prefix) == host.lower():
            return Site(brand=brand, host=_host_of(prefix))
    brands = {brand for brand, _ in every}
    first_host = _host_of(every[0][1]) if every else host
    return Site(brand=every[0][0] if len(brands) == 1 else None, host=first_host)


@cache
def _version(filename: str) -> str:
    return sha256((STATIC_FOLDER / filename).read_bytes()).hexdigest()[:12]


def style(filename: str) -> str:
    """The address of one of our own static files; it changes with the file's content, so that it may be kept long."""
    return url_for("consumer.style", filename=filename, v=_version(filename))


def _host_of(prefix: str) -> str:
    return prefix.split("/")[2].lower()
