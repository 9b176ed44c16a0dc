"""Pages for requests that cannot be answered, in the skeleton of every other page; they echo nothing of the request."""

from contextlib import suppress
from http import HTTPStatus

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from authcode.payload import code_from_path
from authcode.verify import verify_code
from keys.errors import AuthcodeError
from server.storage.engine import RecordsUnreachable
from server.web.consumer.rendering import page_maker, respond
from server.web.problem import log_ours, log_unexpected, problem, with_headers_of
from server.web.visit import context, raw_target

_OWN_PAGES = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)
_FOR_PROGRAMS = ("/api/", "/.well-known/", "/healthz", "/readyz")


def init_problem_pages(blueprint: Blueprint) -> None:
    """Answer what goes wrong on the shopper's pages, and every address that nobody has, with a page."""
    blueprint.register_error_handler(HTTPException, _of_http)
    blueprint.register_error_handler(AuthcodeError, _of_ours)
    blueprint.register_error_handler(Exception, _unexpected)
    blueprint.app_errorhandler(HTTPStatus.NOT_FOUND)(_of_nobody)
    blueprint.app_errorhandler(HTTPStatus.METHOD_NOT_ALLOWED)(_of_nobody)


def problem_page(status: int) -> Response:
    """The page for an HTTP status; one without words of its own speaks as its neighbour does."""
    nearest = 500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400
    known = status if status in _OWN_PAGES else nearest
    return respond(page_maker().plain_page(f"problem_{known:d}"), status)


def offline_page(status: int) -> Response:
    """Our records are out of reach: no answer. Only a code whose signature holds is said to be its brand's."""
    raw_path, query = raw_target()
    keyrings = context().keyrings()
    told: dict[str, str | None] = {"brand": None}
    with suppress(AuthcodeError):
        vouched = verify_code(code_from_path(raw_path, query, keyrings), keyrings)
        brand = keyrings.brand(vouched.brand_id)
        told["brand"] = brand.brand if brand else None
    return respond(page_maker().plain_page("offline", told=told), status)


def _of_http(error: HTTPException) -> Response:
    return with_headers_of(error, problem_page(error.code or HTTPStatus.INTERNAL_SERVER_ERROR))


def _of_ours(error: AuthcodeError) -> Response:
    log_ours(error)
    if isinstance(error, RecordsUnreachable):
        return offline_page(error.http_status)
    return problem_page(error.http_status)


def _unexpected(error: Exception) -> Response:
    log_unexpected(error)
    return problem_page(HTTPStatus.INTERNAL_SERVER_ERROR)


def _of_nobody(error: HTTPException) -> Response:
    """An address or method that no route has: programs are told as programs, people with a page."""
    if not request.path.startswith(_FOR_PROGRAMS):
        return _of_http(error)
    if error.code == HTTPStatus.NOT_FOUND:
        return problem(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")
    answer = problem(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "This address does not take this method.")
    answer.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return answer
