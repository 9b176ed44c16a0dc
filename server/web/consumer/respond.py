"""From a request to its page maker, and from a page to bytes: language, site, template and stylesheets."""

from dataclasses import replace
from http import HTTPStatus

from flask import Response, make_response, render_template, request

from authcode.code.payload import shown_host
from keys.format.keyring import KeyringSet
from server.services.codes.address import code_address
from server.services.codes.look import text_of_page
from server.web.consumer.accent import accent_address
from server.web.consumer.pages import PageMaker
from server.web.consumer.view import Page, Site
from server.web.consumer.words import ShopperCatalogue, choose_catalogue
from server.web.static_files import static_address
from server.web.visit import context, raw_target

_SECONDS_A_DAY = 24 * 3600


def catalogue() -> ShopperCatalogue:
    """The catalogue that suits this request's Accept-Language."""
    return choose_catalogue(request.accept_languages)


def page_maker() -> PageMaker:
    """The maker of pages in this visitor's language, for the brand of the request's host."""
    site = site_of(context().keyrings(), request.host)
    if site.brand_id is not None:
        site = replace(site, support=context().keyrings.brand(bytes.fromhex(site.brand_id)).support)
    return PageMaker(catalogue(), site, context().clock())


def page_address() -> str:
    """The address of the requested code's page, for its forms and redirects.

    Raises:
        NotOurs: the request names no code of a known key; no page of one has a form.
    """
    return code_address(context(), text_of_page(context(), *raw_target()))


def respond(page: Page, status: int = HTTPStatus.OK) -> Response:
    """Render a page in the visitor's language."""
    words = catalogue()
    response = make_response(rendered(page, words), status)
    response.content_language.add(words.language)
    response.vary.add("Accept-Language")
    return response


def rendered(page: Page, words: ShopperCatalogue) -> str:
    """A page as HTML."""
    stylesheet, icon = (static_address("consumer.style", name) for name in ("consumer.css", "icon.svg"))
    looks = {"stylesheet": stylesheet, "icon": icon, "accent": accent_address(page.site.brand_id)}
    return render_template("consumer/page.html", page=page, catalogue=words, **looks)


def site_of(keyrings: KeyringSet, host: str) -> Site:
    """The site of `host`: the brand that publishes it, else the only brand there is, else none.

    The host that is shown comes from a published keyring; the request's Host header only chooses among them.
    """
    every = [(keyring, shown_host(prefix)) for keyring in keyrings.keyrings for prefix in keyring.prefixes]
    named = [(keyring, published) for keyring, published in every if published == host.lower()]
    if not named and len(keyrings.keyrings) != 1:
        return Site(brand=None, host=every[0][1] if every else host)
    keyring, shown = (named or every)[0]
    return Site(brand=keyring.brand, host=shown, brand_id=keyring.brand_id.hex())
