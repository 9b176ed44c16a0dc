"""The operations of the interface: a handler declares its route, scope and refusals; its types are body and answer."""

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar, get_type_hints

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, TooManyRequests

from keys.base.errors import AuthcodeError
from keys.base.instants import parse_instant
from server.domain.staff.scope import Scope
from server.services.staff.api_tokens import TokenRefused
from server.storage.engine import RecordsUnreachable
from server.web.api.answers import AnswerModel
from server.web.api.tokens import station_with
from server.web.problem import RequestInvalid

Refusal = type[AuthcodeError | HTTPException]
View = TypeVar("View", bound=Callable[..., AnswerModel])

_MAX_PAGE_DIGITS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A handler with its route. `types` are those of its parameters, and its answer's as `return`."""

    view: Callable[..., AnswerModel]
    method: str
    path: str
    types: Mapping[str, Any]
    scope: Scope | None
    refusals: tuple[Refusal, ...]

    @property
    def query(self) -> Mapping[str, inspect.Parameter]:
        """The parameters that come after `?`."""
        others = {"station", "body", *re.findall(r"<(\w+)>", self.path)}
        return {name: one for name, one in inspect.signature(self.view).parameters.items() if name not in others}

    @property
    def readers(self) -> Mapping[str, Callable[[], object]]:
        """How the parameters that are not in the path are read from a request, in this order."""
        readers: dict[str, Callable[[], object]] = {}
        if self.scope is not None:
            readers["station"] = partial(station_with, self.scope)
        readers |= {name: partial(_QUERY[self.types[name]], name) for name in self.query}
        return readers | ({"body": self.types["body"].read} if "body" in self.types else {})


OPERATIONS: Final[list[Operation]] = []
"""Every operation, in the order of the description."""


def operation(
    blueprint: Blueprint, route: str, *refusals: Refusal, scope: Scope | None = None
) -> Callable[[View], View]:
    """Serve a handler at a route such as `POST /look`, and describe it.

    Its docstring is the summary, its return type the answer. Of its parameters `body` is read from the request,
    `station` is who sent a token with `scope`, and those that are not in the route come from the query. `refusals` are
    the errors of its own that it may raise (a class with subclasses stands for these).
    """

    def declare(view: View) -> View:
        method, path = route.split()
        types = get_type_hints(view)
        common: list[Refusal] = [TooManyRequests, RecordsUnreachable]
        common += [RequestInvalid] if "body" in types else []
        common += [TokenRefused] if scope is not None else []
        common += [RequestEntityTooLarge] if "body" in types or scope is not None else []
        made = Operation(
            view=view,
            method=method,
            path=f"{blueprint.url_prefix}{path}",
            types=types,
            scope=scope,
            refusals=(*refusals, *common),
        )
        OPERATIONS.append(made)
        readers = made.readers

        def answered(**given: object) -> Response:
            answer = view(**given, **{name: read() for name, read in readers.items()})
            return Response(json.dumps(answer.model_dump(mode="json")) + "\n", mimetype="application/json")

        blueprint.add_url_rule(path, view.__name__, answered, methods=[method])
        return view

    return declare


def _number(name: str) -> int:
    text = request.args.get(name, "1")
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= _MAX_PAGE_DIGITS and int(text)):
        raise RequestInvalid(f"{name} must be a number from 1 on")
    return int(text)


def _moment(name: str) -> datetime:
    try:
        return parse_instant(request.args.get(name, ""))
    except ValueError:
        raise RequestInvalid(f"{name} must be a moment such as 2026-03-01T08:30:00Z") from None


_QUERY: Final[Mapping[type, Callable[[str], Any]]] = {int: _number, datetime: _moment}
"""How a parameter of the query is read, by its type."""
