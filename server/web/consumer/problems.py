"""Pages for requests that cannot be answered, in the skeleton of every other page; they echo nothing of the request."""

from contextlib import suppress
from http import HTTPStatus
from typing import Final

from flask import Response, request
from werkzeug.exceptions import HTTPException

from authcode.code.payload import code_from_path
from authcode.code.verify import verify_code
from keys.base.errors import AuthcodeError
from scanner.errors import PhotosBusy
from server.services.codes.resolve import SerialKeyMissing
from server.storage.engine import RecordsUnreachable
from server.web.consumer.respond import catalogue, page_maker, respond
from server.web.consumer.staff import StaffNeverVerify
from server.web.limits import seconds_to_wait
from server.web.problem import log_ours, log_unexpected, with_headers_of, with_wait_of
from server.web.visit import context, raw_target

OFFLINE_RETRY_S: Final = 30
"""Seconds until the page of records out of reach loads itself again: time to read it, and few requests meanwhile."""


def problem_page(status: int, *, wait_s: int | None = None) -> Response:
    """The page for an HTTP status; one without words of its own has those of 400 or 500.

    `wait_s` is how long to wait before the next request, where that is known.
    """
    words, nearest = catalogue(), 500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400
    known = status if f"problem_{status:d}" in words.pages else nearest
    facts = {"wait": words.wait(wait_s) if wait_s is not None else None}
    return respond(page_maker().plain_page(f"problem_{known:d}", facts=facts), status)


def offline_page(status: int) -> Response:
    """The page while our records or the key to them are unreachable; it names the brand of a validly signed code.

    As the answer to a GET it loads itself again by the header `Refresh`; after a POST that would send the form again.
    """
    keyrings = context().keyrings()
    brand = None
    with suppress(AuthcodeError):
        brand = keyrings.brand(verify_code(code_from_path(*raw_target(), keyrings), keyrings).brand_id)
    repeats = request.method == "GET"
    facts = {"brand": brand.brand if brand else None, "retry_s": str(OFFLINE_RETRY_S) if repeats else None}
    answer = respond(page_maker().plain_page("offline", facts=facts), status)
    answer.headers["Retry-After"] = str(OFFLINE_RETRY_S)
    if repeats:
        answer.headers["Refresh"] = str(OFFLINE_RETRY_S)
    return answer


def http_problem_page(error: HTTPException) -> Response:
    """The page for what HTTP itself refuses."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    wait_s = seconds_to_wait() if status == HTTPStatus.TOO_MANY_REQUESTS else None
    return with_headers_of(error, problem_page(status, wait_s=wait_s))


def problem_of_ours(error: AuthcodeError) -> Response:
    """The page for an error of ours."""
    log_ours(error)
    if isinstance(error, RecordsUnreachable | SerialKeyMissing):
        return offline_page(error.http_status)
    if isinstance(error, PhotosBusy):
        return with_wait_of(error, respond(page_maker().plain_page("photos_busy"), error.http_status))
    if isinstance(error, StaffNeverVerify):
        return respond(page_maker().plain_page(error.code), error.http_status)
    return problem_page(error.http_status)


def unexpected_problem(error: Exception) -> Response:
    """The page for an error that nothing foresaw."""
    log_unexpected(error)
    return problem_page(HTTPStatus.INTERNAL_SERVER_ERROR)
