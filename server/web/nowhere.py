"""Addresses and methods that no route has: each part of the server speaks for what lies below its own address."""

from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from server.web.consumer.problems import http_problem_page as shoppers_page
from server.web.dashboard.problems import http_problem_page as dashboards_page
from server.web.problem import http_problem

_FOR_PROGRAMS = ("/api/", "/.well-known/", "/healthz", "/readyz", "/metrics")
_FOR_STAFF = "/staff"


def init_nowhere(app: Flask) -> None:
    """Programs are told as programs, staff with a page of the dashboard, everybody else with a shopper's page."""

    def of_nobody(error: HTTPException) -> Response:
        """The answer in the words of whoever asked."""
        if request.path.startswith(_FOR_PROGRAMS):
            return http_problem(error)
        if request.path == _FOR_STAFF or request.path.startswith(f"{_FOR_STAFF}/"):
            return dashboards_page(error)
        return shoppers_page(error)

    app.register_error_handler(HTTPStatus.NOT_FOUND, of_nobody)
    app.register_error_handler(HTTPStatus.METHOD_NOT_ALLOWED, of_nobody)
