"""The part of the description that print stations use: each address names the scope that its token needs."""

from typing import Any

from server.domain.batches.range_act import ActKind
from server.domain.staff.scope import Scope

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_TEXT_OR_NULL: Json = {"type": ["string", "null"]}
_NUMBER: Json = {"type": "integer", "minimum": 0}
_MOMENT: Json = {"type": "string", "format": "date-time"}
_REFUSALS = ("400", "401", "403", "413", "429", "503")


def station_schemas() -> Json:
    """The answers to print stations, by name."""
    keyring = {
        "brand": _TEXT,
        "brand_id": _TEXT,
        "version": _NUMBER,
        "expires": _MOMENT,
        "keys_not_here": {
            "type": "array",
            "items": _TEXT,
            "description": "Key ids whose serial or MAC key this server lacks: `authcode keys send` brings them.",
        },
    }
    act = {
        "order": _TEXT,
        "kind": {"enum": list(map(str, ActKind))},
        "first": _NUMBER,
        "last": _NUMBER,
        "actor": _TEXT | {"description": "The token, as the history names it."},
        "at": _MOMENT,
    }
    batches = {"type": "array", "items": {"$ref": "#/components/schemas/Batch"}}
    return {
        "Keyring": _whole(keyring),
        "PublishedProduct": _whole({"sku": _TEXT, "name": _TEXT, "picture_type": _TEXT_OR_NULL}),
        "Registered": _registered(),
        "Acted": _whole(act),
        "Withdrawal": _withdrawal(),
        "Batch": _batch(),
        "Batches": _whole({"batches": batches, "total": _NUMBER, "page": _NUMBER, "pages": _NUMBER}),
    }


def _registered() -> Json:
    registered = {
        "order": _TEXT,
        "batch_number": _NUMBER,
        "product": _TEXT_OR_NULL,
        "product_known": {
            "type": "boolean",
            "description": "False where its product was never published here: shoppers read nothing of it.",
        },
        "count": _NUMBER,
        "key_id": _TEXT,
        "issued_at": _MOMENT,
        "registered_at": _MOMENT,
        "manifest_sha256": _TEXT | {"description": "Of the bytes that came, in hexadecimal."},
    }
    return _whole(registered)


def _withdrawal() -> Json:
    return _whole(
        {
            "key_id": _TEXT,
            "since": _MOMENT,
            "orders": _NUMBER | {"description": "Registered orders of this key."},
            "active_unburned": _NUMBER | {"description": "Units that can be verified today and were not; the sum of:"},
            "locked": _NUMBER | {"description": "In the world before; the brand has such units locked."},
            "as_usual": _NUMBER | {"description": "In the world before; the brand has them answered with a caution."},
            "not_ours": _NUMBER | {"description": "Activated or registered later."},
            "used": _NUMBER | {"description": "Units that were verified already; of these:"},
            "used_locked": _NUMBER | {"description": "Their holders will read `locked`."},
            "used_not_ours": _NUMBER | {"description": "Their holders will read `not_ours`."},
        }
    )


def _batch() -> Json:
    counts = {"type": "object", "properties": {}, "required": [], "additionalProperties": True}
    return _whole(
        {
            "order": _TEXT,
            "brand": _TEXT,
            "product": _TEXT_OR_NULL,
            "placement": _TEXT,
            "count": _NUMBER,
            "registered_at": _MOMENT,
            "states": counts | {"description": "Units by what is said of an unused one; they add up to `count`."},
            "verified": _NUMBER | {"description": "Units used now: one that was returned to unused does not count."},
            "refused": _NUMBER,
            "looks": _NUMBER,
            "alerts": _NUMBER,
            "notes": _NUMBER,
        }
    )


def station_paths() -> Json:
    """The addresses of print stations."""
    order = {"name": "order", "in": "path", "required": True, "schema": _TEXT}
    sku = {"name": "sku", "in": "path", "required": True, "schema": _TEXT}
    page = {"name": "page", "in": "query", "required": False, "schema": {"type": "integer", "minimum": 1}}
    publish = "Publish a newer keyring of the token's brand: exact bytes, signed by the root that is pinned here."
    product = "Publish a product of the token's brand, as `authcode product add` keeps it, picture included."
    register = (
        "Register an order by its manifest, inactive. The same bytes again: nothing changed, and the same "
        "answer, with what is known of its product now. Other bytes under a known order or batch number: 409."
    )
    act = (
        "Activate, void, recall, mark as samples, lock or unlock. An act adds to what stands, as one row; the order's "
        "latest act, sent again by the same token, is answered with that row."
    )
    key_id = {"name": "key_id", "in": "path", "required": True, "schema": _TEXT}
    since = {"name": "since", "in": "query", "required": True, "schema": _MOMENT}
    preview = "What withdrawing a key since a moment would touch, as its brand chose for such units; changes nothing."
    document = _sent({"type": "object"})
    return {
        "/api/v1/keys/{key_id}/withdrawal": {
            "get": _operation("withdrawal", preview, Scope.READ, "Withdrawal", "404", "409", named=[key_id, since])
        },
        "/api/v1/keyring": {"put": _operation("publish_keys", publish, Scope.KEYS, "Keyring", "409", body=document)},
        "/api/v1/products/{sku}": {
            "put": _operation("put_product", product, Scope.PRODUCT, "PublishedProduct", body=document, named=[sku])
        },
        "/api/v1/batches": {
            "post": _operation("register", register, Scope.REGISTER, "Registered", "409", body=document),
            "get": _operation("orders", "How the brand's orders stand.", Scope.READ, "Batches", named=[page]),
        },
        "/api/v1/batches/{order}": {
            "get": _operation("order", "How one order stands.", Scope.READ, "Batch", "404", named=[order])
        },
        "/api/v1/batches/{order}/acts": {
            "post": _operation("act", act, Scope.ACT, "Acted", "404", "409", body=_act_body(), named=[order])
        },
    }


def _act_body() -> Json:
    return _sent(
        {
            "type": "object",
            "properties": {
                "kind": {"enum": list(map(str, ActKind))},
                "range": _TEXT | {"description": "Indices `A-B` or `A`, both included; `all` is the whole order."},
                "lot": _TEXT_OR_NULL | {"description": "Of an activation."},
                "expires": {"type": ["string", "null"], "format": "date", "description": "Of an activation."},
                "markets": {"type": "array", "items": _TEXT, "description": "Of an activation; empty: everywhere."},
                "reason": _TEXT_OR_NULL
                | {"description": "A void, recall, lock or unlock needs it; shoppers read a recall's."},
                "link": _TEXT_OR_NULL | {"description": "Of a void or a recall."},
            },
            "required": ["kind", "range"],
            "additionalProperties": False,
        }
    )


def _operation(  # noqa: PLR0913 - what one address says of itself
    name: str,
    summary: str,
    scope: Scope,
    answer: str,
    *more: str,
    body: Json | None = None,
    named: list[Json] | None = None,
) -> Json:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    good = {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer}"}}}
    refused = {status: {"description": "A problem document.", "content": problem} for status in (*_REFUSALS, *more)}
    operation: Json = {
        "operationId": name,
        "summary": summary,
        "description": f"Needs a token with the scope {scope}.",
        "security": [{"token": [str(scope)]}],
        "responses": {"200": {"description": "The answer.", "content": good}, **refused},
    }
    if body is not None:
        operation["requestBody"] = body
    if named is not None:
        operation["parameters"] = named
    return operation


def _sent(schema: Json) -> Json:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _whole(properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
