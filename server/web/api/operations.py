"""The operations of the interface: a handler declares its route, scope and refusals; its types are body and answer."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, wraps
from typing import Any, Final, TypeVar, get_type_hints

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from keys.base.errors import AuthcodeError
from keys.base.instants import parse_instant
from server.domain.staff.scope import Scope
from server.web.api.answers import AnswerModel
from server.web.api.tokens import station_with
from server.web.problem import RequestInvalid

Refusal = type[AuthcodeError | HTTPException]
View = TypeVar("View", bound=Callable[..., AnswerModel])

_MAX_PAGE_DIGITS: Final = 9


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A handler with its route and the errors of its own that it may raise."""

    view: Callable[..., AnswerModel]
    method: str
    path: str
    scope: Scope | None
    refusals: tuple[Refusal, ...]

    @cached_property
    def types(self) -> dict[str, Any]:
        """The types of the handler's parameters, and that of its answer as `return`."""
        return get_type_hints(self.view, include_extras=True)

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """Where each parameter of the address is, `path` or `query`, with its name."""
        in_path = re.findall(r"<(\w+)>", self.path)
        return [
            ("path" if name in in_path else "query", name)
            for name in self.types
            if name not in {"station", "body", "return"}
        ]

    def answer(self, **given: object) -> Response:
        """The answer to the present request: token, query and body are read in this order."""
        if self.scope is not None:
            given["station"] = station_with(self.scope)
        given.update((name, _QUERY[name](name)) for place, name in self.parameters if place == "query")
        if "body" in self.types:
            given["body"] = self.types["body"].read()
        return Response(json.dumps(self.view(**given).model_dump(mode="json")) + "\n", mimetype="application/json")


OPERATIONS: Final[list[Operation]] = []
"""Every operation, in the order of the description."""


def operation(
    blueprint: Blueprint, route: str, *refusals: Refusal, scope: Scope | None = None
) -> Callable[[View], View]:
    """Serve a handler at a route such as `POST /look`, and describe it.

    Its docstring is the summary, its return type the answer. Of its parameters `body` is read from the request,
    `station` is who sent a token with `scope`, and those that are not in the route come from the query. `refusals` are
    the errors of its own that it may raise (a class with subclasses means all of these).
    """

    def _declare(view: View) -> View:
        method, path = route.split()
        full = f"{blueprint.url_prefix}{path}"
        made = Operation(view=view, method=method, path=full, scope=scope, refusals=refusals)
        OPERATIONS.append(made)

        @wraps(view)  # rate limits are kept by the qualified name of what is served
        def _served(**given: str) -> Response:
            return made.answer(**given)

        blueprint.add_url_rule(path, view.__name__, _served, methods=[method])
        return view

    return _declare


def _page(name: str) -> int:
    text = request.args.get(name, "1")
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= _MAX_PAGE_DIGITS and int(text)):
        raise RequestInvalid(f"{name} must be a number from 1 on")
    return int(text)


def _moment(name: str) -> datetime:
    try:
        return parse_instant(request.args.get(name, ""))
    except ValueError:
        raise RequestInvalid(f"{name} must be a moment such as 2026-03-01T08:30:00Z") from None


_QUERY: Final[Mapping[str, Callable[[str], object]]] = {"page": _page, "since": _moment}
"""How each parameter of a query is read."""
