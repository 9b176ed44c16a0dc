"""Answers for addresses that are almost a code's: a redirect to the plain one, or what is missing.

A form that comes to a damaged address is answered alike, unread: the redirect opens the plain page, which has a form of
its own. Each address that resembles a code may cost eight signatures, so that they have a limit for each network.
"""

from http import HTTPStatus

from flask import Response, abort, request

from authcode.code.payload import has_code_form
from server.services.codes.address import is_cut_address, names_code, plain_address, resembles_code
from server.web.consumer.respond import page_maker, respond
from server.web.limits import refuse_more_stray_addresses
from server.web.visit import context, raw_target


def stray_answer() -> Response | None:
    """The answer for the address of no page: its code's page, or that a part is missing; None for any other.

    Raises:
        TooManyRequests: this network sent too many that resemble a code.
    """
    if request.method not in {"GET", "HEAD", "POST"}:
        return None
    raw_path, query = raw_target()
    text = f"{raw_path}?{query}" if query else raw_path
    if resembles_code(context(), text):
        refuse_more_stray_addresses()
        address = plain_address(context(), text)
        if address is not None:
            return see_other(address)
    return cut_page() if is_cut_address(context(), raw_path, query) else None


def look_elsewhere() -> Response | None:
    """The same for the routes of codes; None where the address has the form of a code's, which a look then answers.

    Raises:
        NotFound: it has not.
        TooManyRequests: this network sent too many that resemble a code.
    """
    raw_path, query = raw_target()
    if names_code(context(), raw_path, query):
        return None
    answer = stray_answer()
    if answer is None and not has_code_form(raw_path):
        abort(HTTPStatus.NOT_FOUND)
    return answer


def see_other(address: str) -> Response:
    """A redirect to an address that `code_address` made; 303, since a 308 would be kept and is not ours to promise."""
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": address})


def cut_page() -> Response:
    """The page that says that a part of a link is missing."""
    return respond(page_maker().plain_page("cut"), HTTPStatus.NOT_FOUND)
