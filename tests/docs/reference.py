"""The reference part of docs/api.md, made from the description of the interface; `make reference` writes it anew."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from server.web.api.openapi import document

OpenApi = dict[str, Any]

PAGE: Final = Path(__file__).parents[2] / "docs" / "api.md"
MARK: Final = "<!-- From here on: made by `make reference` from the OpenAPI document, and held to it by a test. -->"
_METHODS: Final = ("get", "post", "put", "delete")
_LIMITS: Final = {
    "minimum": "from {}",
    "maximum": "to {}",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "`{}`",
}
_WORDS: Final = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
_WORDS_OF_FORMATS: Final = {"date": "date", "date-time": "moment (RFC 3339, UTC)"}


def reference() -> str:
    """Every address with its fields, answers, refusals and scope; then every object of the answers."""
    described = document()
    lines = [MARK, "", "## Reference", "", "Fields are required unless it says otherwise.", ""]
    for path, ways in described["paths"].items():
        for method in _METHODS:
            if method in ways:
                lines += [*_operation(f"{method.upper()} {path}", ways[method]), ""]
    for name, schema in sorted(described["components"]["schemas"].items()):
        lines += [f"### {name}", "", *_fields(schema), ""]
    return "\n".join(lines)


def written() -> str:
    """What stands on the page."""
    return MARK + PAGE.read_text(encoding="utf-8").partition(MARK)[2]


def _operation(title: str, operation: OpenApi) -> Iterator[str]:
    yield f"### `{title}`"
    yield ""
    yield operation["summary"]
    yield ""
    for security in operation.get("security", []):
        yield f"Scope of the token: {', '.join(f'`{scope}`' for scope in security['token'])}."
        yield ""
    for parameter in operation.get("parameters", []):
        needed = "" if parameter["required"] else ", optional"
        place = "in the address" if parameter["in"] == "path" else "after `?`"
        yield f"`{parameter['name']}` {place}: {_type(parameter['schema'])}{needed}."
        yield ""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Takes `{media}`:"
        yield ""
        yield from _fields(content["schema"])
        yield ""
    yield "| status | answer |"
    yield "| --- | --- |"
    for status, answer in operation["responses"].items():
        yield f"| {status} {HTTPStatus(int(status)).phrase} | {_answer(answer)} |"


def _answer(answer: OpenApi) -> str:
    said = []
    for content in answer["content"].values():
        schema = content.get("schema", {})
        if "allOf" in schema:
            said += _codes(schema)
        else:
            said.append(_type(schema) if schema else answer["description"])
    return ", ".join(said)


def _codes(schema: OpenApi) -> list[str]:
    return [
        f"`{code}`" for part in schema["allOf"] if "properties" in part for code in part["properties"]["code"]["enum"]
    ]


def _fields(schema: OpenApi) -> Iterator[str]:
    if not schema.get("properties"):
        yield "A JSON object; see above."
        return
    yield "| field | type | |"
    yield "| --- | --- | --- |"
    for name, field in schema["properties"].items():
        notes = [field["description"]] if "description" in field else []
        if name not in schema["required"]:
            notes.insert(0, "Optional.")
        yield f"| `{name}` | {_type(field)} | {' '.join(notes)} |".replace("  |", " |")


def _type(schema: OpenApi) -> str:
    text = _kind(schema)
    limits = [said.format(schema[name]) for name, said in _LIMITS.items() if name in schema]
    return text + (f" ({', '.join(limits)})" if limits else "")


def _kind(schema: OpenApi) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join("null" if value is None else f"`{value}`" for value in schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(_simple(kind, schema) for kind in kinds)


def _simple(kind: str, schema: OpenApi) -> str:
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    if kind == "object":
        inner = ", ".join(f"`{name}`: {_type(field)}" for name, field in schema.get("properties", {}).items())
        return f"object ({inner})" if inner else "object"
    if kind == "string":
        binary = "contentMediaType" in schema
        return "file" if binary else _WORDS_OF_FORMATS.get(schema.get("format", ""), "text")
    return _WORDS.get(kind, kind)


def main() -> None:
    """Write the reference below what people wrote."""
    page = PAGE.read_text(encoding="utf-8").partition(MARK)[0].rstrip("\n")
    PAGE.write_text(re.sub(r"\n{3,}", "\n\n", f"{page}\n\n{reference()}"), encoding="utf-8")


if __name__ == "__main__":
    main()
