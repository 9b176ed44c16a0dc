"""What a request of the interface brings: a JSON object, or a document whose exact bytes matter."""

import json

from flask import request

from server.web.problem import RequestInvalid

MAX_JSON_BYTES = 64 * 1024
"""A code has at most 512 characters; this leaves room for any text that a reader may have found in a symbol."""


def json_body() -> dict[str, object]:
    """The request's JSON object.

    Raises:
        RequestInvalid: it brings something else.
        RequestEntityTooLarge: more than `MAX_JSON_BYTES`.
    """
    try:
        body = json.loads(exact_body(MAX_JSON_BYTES))
    except (ValueError, RecursionError):
        raise RequestInvalid("the body is not JSON") from None
    if not isinstance(body, dict):
        raise RequestInvalid("the body must be an object")
    return body


def exact_body(most: int) -> bytes:
    """The bytes of a JSON document, as they came.

    Raises:
        RequestInvalid: it is announced as something else.
        RequestEntityTooLarge: more than `most` bytes.
    """
    request.max_content_length = most
    if request.mimetype != "application/json":
        raise RequestInvalid("send application/json")
    return request.get_data(cache=False)


def text_of(body: dict[str, object], name: str) -> str:
    """A text that the object must have.

    Raises:
        RequestInvalid: it has none of this name.
    """
    text = body.get(name)
    if not isinstance(text, str):
        raise RequestInvalid(f"{name} must be a text")
    return text


def text_or_none(body: dict[str, object], name: str) -> str | None:
    """A text that the object may have.

    Raises:
        RequestInvalid: something else stands there.
    """
    return None if body.get(name) is None else text_of(body, name)
