"""What HTTP itself refuses, answered by the part of the server that the address belongs to, route or not."""

from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, TooManyRequests

from server.web.consumer.addresses import stray_answer
from server.web.consumer.problems import http_problem_page as shoppers_page
from server.web.dashboard.problems import http_problem_page as dashboards_page
from server.web.problem import http_problem

_FOR_PROGRAMS = ("/api/", "/.well-known/", "/log/", "/healthz", "/readyz", "/metrics")
_FOR_STAFF = "/staff"


def init_nowhere(app: Flask) -> None:
    """Answer programs with a problem document, staff with a page of the dashboard, others with a shoppers' page."""

    def for_reader(error: HTTPException) -> Response:
        """The answer for the reader of this address."""
        if request.path.startswith(_FOR_PROGRAMS):
            return http_problem(error)
        if request.path == _FOR_STAFF or request.path.startswith(f"{_FOR_STAFF}/"):
            return dashboards_page(error)
        try:
            stray = stray_answer() if request.url_rule is None and error.code == HTTPStatus.NOT_FOUND else None
        except TooManyRequests as refused:
            return shoppers_page(refused)
        return stray or shoppers_page(error)

    app.register_error_handler(HTTPException, for_reader)
    for status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):  # on the addresses of a blueprint as well
        app.register_error_handler(status, for_reader)
