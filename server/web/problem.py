"""Errors as problem documents (RFC 9457) with a stable `code`; never an echo of the input, never a traceback.

Pages and documents share what is logged about an error, and the headers that it brings.
"""

import json
import logging
import traceback
from http import HTTPStatus

from flask import Flask, Response, request
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException

from keys.base.errors import AuthcodeError

_LOG = logging.getLogger("authcode.web")

BY_STATUS = {
    400: ("request_invalid", "The request cannot be read; compare it with /api/v1/openapi.json."),
    401: ("login_needed", "Log in first."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    413: ("request_too_large", "The request is larger than this address takes."),
    415: ("media_type_unsupported", "This address takes another media type; compare it with /api/v1/openapi.json."),
    429: ("too_many_requests", "Too many requests from this network; wait a little."),
    431: (
        "headers_too_large",
        "The headers of the request are longer than this server reads; send less of them.",
    ),
    500: ("internal_error", "Something went wrong here; nothing was used up. Try again later."),
    501: ("coding_unsupported", "This server takes no transfer coding but `chunked`; send the body with its length."),
}
"""Code and sentence of what HTTP itself refuses."""
_ANY = ("request_refused", "The request cannot be served.")


class Problem(BaseModel, frozen=True, extra="forbid"):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable; the sentence in `detail` is not.")
    detail: str


class RequestInvalid(AuthcodeError):
    """A request whose body is not what the address takes."""

    code = "request_invalid"
    http_status = 400
    sentence = "The request cannot be read: {needed}; compare it with /api/v1/openapi.json."
    needed: str


def problem(status: int, code: str, detail: str) -> Response:
    """One problem document."""
    title = HTTPStatus(status).phrase
    document = Problem(type="about:blank", title=title, status=status, code=code, detail=detail).model_dump()
    return Response(json.dumps(document) + "\n", status=status, mimetype="application/problem+json")


def http_problem(error: HTTPException) -> Response:
    """The document for what HTTP itself refuses."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    return with_headers_of(error, problem(status, *BY_STATUS.get(status, _ANY)))


def init_problems(app: Flask) -> None:
    """Answer what no blueprint has pages for with a problem document; `init_nowhere` does what HTTP itself refuses."""

    @app.errorhandler(AuthcodeError)
    def of_ours(error: AuthcodeError) -> Response:
        """A foreseen error as a problem document, with its own code."""
        log_ours(error)
        return with_wait_of(error, problem(error.http_status, error.code, str(error)))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        """A defect of ours: it is logged, and the answer does not describe it."""
        log_unexpected(error)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, *BY_STATUS[HTTPStatus.INTERNAL_SERVER_ERROR])


def log_ours(error: AuthcodeError) -> None:
    """Log an error of ours if it is the server's fault, not the request's."""
    if error.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("%s at %s: %s", error.code, route(), error)


def log_unexpected(error: BaseException | None) -> None:
    """Log a defect by its kind, its route and its frames.

    Frames only: the text of an exception may hold the input, and the path of a code is a secret.
    """
    frames = "".join(traceback.format_tb(error.__traceback__)) if error else ""
    _LOG.error("%s at %s\n%s", type(error).__name__, route(), frames)


def with_headers_of(error: HTTPException, answer: Response) -> Response:
    """The answer with the headers that its error brings, such as `Allow`; the body's own are kept."""
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            answer.headers[name] = value
    return answer


def with_wait_of(error: AuthcodeError, answer: Response) -> Response:
    """The answer with `Retry-After` where the error knows how long to wait."""
    wait_s: int | None = getattr(error, "retry_after_s", None)
    if wait_s is not None:
        answer.headers["Retry-After"] = str(wait_s)
    return answer


def route() -> str:
    """Method and route template of the present request, which is all that a log may hold of it."""
    rule = request.url_rule.rule if request.url_rule else "(no route)"
    return f"{request.method} {rule}"
