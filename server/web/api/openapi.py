"""The description of the interface (OpenAPI 3.1), made of its operations and the types of their bodies and answers."""

import inspect
import re
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonRef, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, TooManyRequests

import server.web.api.codes
import server.web.api.stations  # noqa: F401 - these two declare the operations
from server.services.staff.api_tokens import TokenRefused
from server.storage.engine import RecordsUnreachable
from server.web.api.bodies import Body, DocumentBody
from server.web.api.operations import OPERATIONS, Operation, Refusal
from server.web.problem import BY_STATUS, Problem, RequestInvalid

OpenApi = dict[str, Any]
"""The description, or an object inside it."""

blueprint = Blueprint("openapi", __name__, url_prefix="/api/v1")

_REFERENCE: Final = "#/components/schemas/{model}"
_SELF: Final[OpenApi] = {
    "operationId": "openapi",
    "summary": "This document.",
    "responses": {"200": {"description": "OpenAPI 3.1.", "content": {"application/json": {}}}},
}


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The description of this interface."""
    return jsonify(document())


@cache
def document() -> OpenApi:
    """The whole document; do not change what it returns."""
    paths: dict[str, OpenApi] = {}
    for operation in OPERATIONS:
        path = re.sub(r"<(\w+)>", r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "authcode",
            "version": "1",
            "summary": "Look at one-time codes, and verify them once.",
            "description": "look, photos and verify answer 200 with a verdict for any text, not_ours included; a 4xx "
            "means that the request itself is unusable. JSON only, no CORS. Pass a code's exact text. What print "
            "stations send needs a token (RFC 6750), made by the operator with `authcode token new`.",
        },
        "paths": {**paths, "/api/v1/openapi.json": {"get": _SELF}},
        "components": {"schemas": _schemas(), "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


class _Schemas(GenerateJsonSchema):
    """JSON Schema as short as it goes: no titles, no defaults, enumerations in place, null as a second type."""

    def generate_inner(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401 - pydantic's own
        found = super().generate_inner(schema)
        named = self.get_schema_from_definitions(JsonRef(found["$ref"])) if "$ref" in found else None
        return {"enum": named["enum"]} if named and "enum" in named else found

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return {name: value for name, value in super().model_schema(schema).items() if name != "title"}

    def field_title_should_be_set(self, _schema: object) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        return {"enum": schema["expected"]}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if "enum" in inner:
            return {**inner, "enum": [*inner["enum"], None]}
        return {**inner, "type": [inner["type"], "null"]} if "type" in inner else {"anyOf": [inner, {"type": "null"}]}


def _schemas() -> OpenApi:
    """The answers and their parts by name."""
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    wanted.update(((operation.types["return"], "serialization"), None) for operation in OPERATIONS)
    _, found = models_json_schema(list(wanted), ref_template=_REFERENCE, schema_generator=_Schemas)
    return {name: schema for name, schema in found["$defs"].items() if "enum" not in schema}


def _described(operation: Operation) -> OpenApi:
    summary = " ".join((inspect.getdoc(operation.view) or "").split())
    described: OpenApi = {"operationId": operation.view.__name__, "summary": summary}
    if operation.scope is not None:
        described["description"] = f"Needs a token with the scope {operation.scope}."
        described["security"] = [{"token": [str(operation.scope)]}]
    if operation.parameters:
        described["parameters"] = [_parameter(operation, place, name) for place, name in operation.parameters]
    if "body" in operation.types:
        described["requestBody"] = _body(operation.types["body"])
    answer = {"$ref": _REFERENCE.format(model=operation.types["return"].__name__)}
    good = {"description": "The answer.", "content": {"application/json": {"schema": answer}}}
    return {**described, "responses": {"200": good, **_refusals(operation)}}


def _parameter(operation: Operation, place: str, name: str) -> OpenApi:
    default = inspect.signature(operation.view).parameters[name].default
    schema = TypeAdapter(operation.types[name]).json_schema(schema_generator=_Schemas)
    return {"name": name, "in": place, "required": default is inspect.Parameter.empty, "schema": schema}


def _body(kind: type[Body]) -> OpenApi:
    exact = issubclass(kind, DocumentBody)
    schema = {"type": "object"} if exact else kind.model_json_schema(schema_generator=_Schemas)
    return {"required": True, "content": {kind.media: {"schema": schema}}}


def _refusals(operation: Operation) -> OpenApi:
    """The refusals by status, each with its codes."""
    named: list[Refusal] = [*operation.refusals, TooManyRequests, RecordsUnreachable]
    if "body" in operation.types:
        named += [RequestInvalid, RequestEntityTooLarge]
    if operation.scope is not None:
        named += [TokenRefused, RequestEntityTooLarge]
    codes: dict[str, set[str]] = {}
    for refusal in (leaf for one in named for leaf in one.__subclasses__() or [one]):
        status, code = _status_and_code(refusal)
        codes.setdefault(str(status), set()).add(code)
    return {status: _problem(sorted(found)) for status, found in sorted(codes.items())}


def _status_and_code(refusal: Refusal) -> tuple[int, str]:
    if issubclass(refusal, HTTPException):
        status = HTTPStatus(refusal.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        return status, BY_STATUS[status][0]
    return refusal.http_status, refusal.code


def _problem(codes: list[str]) -> OpenApi:
    of_these = {"type": "object", "properties": {"code": {"enum": codes}}}
    schema = {"allOf": [{"$ref": _REFERENCE.format(model=Problem.__name__)}, of_these]}
    return {"description": "A problem document.", "content": {"application/problem+json": {"schema": schema}}}
