"""The dashboard's pages for errors, with the error's stable code."""

from contextlib import suppress
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from keys.base.errors import AuthcodeError
from server.storage.engine import RecordsUnreachable
from server.web.problem import log_ours, log_unexpected, with_headers_of

_BY_STATUS = {
    400: ("Nothing was done", "request_invalid", "What was sent cannot be read. Open the page again and repeat it."),
    401: ("Log in first", "login_needed", "You are not logged in, so nothing was done. Log in and repeat it."),
    404: ("There is no page here", "not_found", "There is nothing at this address of the dashboard."),
    405: ("Nothing was done", "method_not_allowed", "This address only takes what its page's form sends."),
    413: ("Nothing was done", "request_too_large", "More was sent than this form takes."),
    431: (
        "Nothing was done",
        "headers_too_large",
        "Your browser sent longer headers than this server reads. Delete its cookies for this site and log in again.",
    ),
    501: ("Nothing was done", "coding_unsupported", "The request came in a coding that this server does not read."),
    429: ("Please wait a moment", "too_many_requests", "Many requests came from your network; wait and try again."),
}
_ANY = ("That could not be done", "request_refused", "The request cannot be served.")
_DEFECT = ("Something went wrong here", "internal_error", "This is a defect of the server; its log shows where it is.")
_EXPIRED = (
    "Nothing was done",
    "form_expired",
    "This form is not from your present session, so nothing was done. Open the page again and repeat it.",
)


def init_problem_pages(blueprint: Blueprint) -> None:
    """Answer what goes wrong on the dashboard's pages with a page."""
    blueprint.register_error_handler(AuthcodeError, _of_ours)
    blueprint.register_error_handler(CSRFError, lambda _error: _page(HTTPStatus.BAD_REQUEST, *_EXPIRED))
    blueprint.register_error_handler(HTTPException, http_problem_page)
    blueprint.register_error_handler(Exception, _unexpected)


def http_problem_page(error: HTTPException) -> Response:
    """The page for what HTTP itself refuses."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    unknown = _DEFECT if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _ANY
    return with_headers_of(error, _page(status, *_BY_STATUS.get(status, unknown)))


def _of_ours(error: AuthcodeError) -> Response:
    log_ours(error)
    return _page(error.http_status, "That could not be done", error.code, str(error))


def _unexpected(error: Exception) -> Response:
    log_unexpected(error)
    return _page(HTTPStatus.INTERNAL_SERVER_ERROR, *_DEFECT)


def _page(status: int, heading: str, code: str, message: str) -> Response:
    with suppress(RecordsUnreachable):  # the second access finds no login: `init_login`
        _ = current_user.is_authenticated
    words = {"heading": heading, "message": message, "code": code}
    return make_response(render_template("dashboard/problem.html", **words, current_user=current_user), status)
