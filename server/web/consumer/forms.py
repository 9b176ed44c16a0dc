"""What the forms of shoppers' pages share: their limit, where they come from, and the holder cookie of their answer."""

from flask import Response, request

from server.domain.codes.claim import HolderCookie
from server.web.origin import is_from_our_page, is_origin_shown, is_remembered
from server.web.visit import HOLDER_COOKIE, context, visitor

MAX_FORM_BYTES = 4096
"""A token, a claim or a typed serial, and room to spare; photos have the settings' limit."""

HIDDEN = ("origin_hidden",)
"""The note of a page that answers a form of which the browser did not say where it came from."""

_SECONDS_A_DAY = 24 * 3600


def is_ours() -> bool:
    """Whether the form of this request was sent from a page of ours."""
    return is_from_our_page(request, context().keyrings().prefixes)


def keeps_cookies() -> bool:
    """Whether a browser keeps a cookie of ours from the address of this request."""
    return is_remembered(request, context().keyrings().prefixes)


def with_cookie(response: Response, cookie: HolderCookie | None) -> Response:
    """Set the holder cookie, where the browser would keep it."""
    if cookie is not None and keeps_cookies():
        response.set_cookie(
            HOLDER_COOKIE,
            cookie.value,
            cookie.days * _SECONDS_A_DAY,
            secure=True,
            httponly=True,
            samesite="Lax",
        )
    return response


def with_own_cookie(response: Response, cookie: HolderCookie | None) -> Response:
    """The same in the answer to a form.

    Where any site may have sent it, no browser is given the cookie of a claim that it did not make.
    """
    return with_cookie(response, cookie if is_origin_shown(request) or visitor().cookie is not None else None)
