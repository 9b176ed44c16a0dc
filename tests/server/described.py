"""Every refusal that a test meets on the interface for programs has to stand in its description."""

import re
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request

from server.web.api.openapi import document

_PROBLEM = "application/problem+json"


def collect_undescribed(app: Flask, found: list[str]) -> None:
    """Have every refusal of `app` that its description does not name added to `found`."""

    @app.after_request
    def noted(answer: Response) -> Response:
        rule = request.url_rule
        if rule is not None and rule.rule.startswith("/api/v1/") and answer.mimetype == _PROBLEM:
            path = re.sub(r"<(\w+)>", r"{\1}", rule.rule)
            operation = document()["paths"][path].get(request.method.lower())
            code = (answer.get_json() or {}).get("code")
            known = operation is None or answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
            if not known and code not in _described(operation, answer.status_code):
                found.append(f"{request.method} {path}: {answer.status_code} {code}")
        return answer


def _described(operation: dict[str, Any], status: int) -> list[str]:
    answer = operation["responses"].get(str(status))
    return [] if answer is None else answer["content"][_PROBLEM]["schema"]["allOf"][1]["properties"]["code"]["enum"]
