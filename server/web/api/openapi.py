"""The description of the interface for programs (OpenAPI 3.1)."""

from functools import cache
from typing import Any

from keys.format.domains import Listing
from server.domain.codes.holder_acts import HolderAct
from server.domain.codes.redemption import Verdict
from server.web.api.openapi_refusals import with_refusals
from server.web.api.openapi_station import station_paths, station_schemas

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_DATE: Json = {"type": "string", "format": "date"}
_ENDED: Json = {"enum": ["returned", "handed_on", "erased"]}
_TEXT_OR_NULL: Json = {"type": ["string", "null"]}


def _object(properties: Json, *, optional: tuple[str, ...] = (), more: bool = False) -> Json:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": more}


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _facts() -> Json:
    return {
        "brand": _TEXT_OR_NULL,
        "product": _or_null(_ref("Product")),
        "serial": _TEXT_OR_NULL | {"description": "The printed serial, in groups with its check character."},
        "lot": _TEXT_OR_NULL,
        "expires": {"type": ["string", "null"], "format": "date"},
        "markets": {"type": "array", "items": _TEXT, "description": "ISO 3166-1 alpha-2; empty: everywhere."},
        "placement": {"enum": ["visible", "inside", "scratch", None]},
        "tier": {"enum": ["single", "outer", "inner", None]},
        "host": _TEXT_OR_NULL
        | {
            "description": "Where the code leads: the brand's host for one of ours, the other host for a "
            "foreign code, null where readers could disagree or it leads nowhere."
        },
        "recall": _or_null(_ref("Act")),
        "void": _or_null(_object({"at": {"type": "string", "format": "date-time"}}))
        | {"description": "Since when the code is withdrawn; the reason is the brand's own affair."},
        "locked_reason": {"enum": ["copies_found", "key_withdrawn", None]},
        "caution": {
            "enum": ["key_withdrawn", None],
            "description": "What is worth knowing beside any state: that the key which vouched for the code was "
            "withdrawn after the code was in the world, and its brand has such codes answered as usual.",
        },
        "first_verified_at": _TEXT_OR_NULL
        | {"description": "A moment (RFC 3339, UTC) for who verified; the day alone for everybody else."},
        "first_country": _TEXT_OR_NULL,
        "was_yours": {"type": "boolean", "description": "Whether this claim verified the code."},
        "later": _or_null(_object({"at": {"type": "string", "format": "date-time"}, "country": _TEXT_OR_NULL}))
        | {"description": "The latest attempt of somebody else, told to who verified."},
        "returned": _or_null(_object({"on": _DATE, "by": {"enum": ["holder", "staff"]}}))
        | {"description": "That the code was used before, and returned to unused on this day; never null again."},
        "hop": {"type": ["integer", "null"], "description": "How often it was handed on; null for strangers."},
        "foreign": _or_null(_foreign()),
    }


def _foreign() -> Json:
    listed = {"enum": [*(listing.value for listing in Listing), None]}
    return _object(
        {
            "text": _TEXT,
            "host": _TEXT_OR_NULL,
            "listed": listed | {"description": "What a brand's signed lists say of that host: null says nothing."},
            "brand": _TEXT_OR_NULL | {"description": "The brand that lists the host."},
        }
    )


def _receipt() -> Json:
    return {
        "proof": _TEXT_OR_NULL
        | {"description": "A signed text for who verified, to show to anybody; gives no rights."},
        "keep_code": _TEXT_OR_NULL | {"description": "For who verified, to keep: with the code it means the holder."},
    }


def _act() -> Json:
    state = {"enum": [verdict.value for verdict in Verdict]}
    facts = {name: schema for name, schema in _facts().items() if name != "foreign"}
    return _object({"act": {"enum": [act.value for act in HolderAct]}, "state": state, **facts, **_receipt()})


def _claims() -> Json:
    whole = {"type": "integer", "minimum": 0}
    claims = {
        "iss": _TEXT,
        "jti": _TEXT,
        "iat": whole,
        "brand": _TEXT,
        "gtin": _TEXT,
        "serial": _TEXT,
        "life": whole,
        "hop": whole,
        "log": _TEXT | {"description": "The log's last head before iat: origin, size and root."},
    }
    return _object(claims, optional=("gtin", "log"))


def _status(state: Json) -> Json:
    facts = {name: schema for name, schema in _facts().items() if name != "foreign"}
    return {
        "on_record": {"type": "boolean", "description": "Whether the verification stands as the proof says it."},
        "ended": _or_null(_object({"how": _ENDED, "on": _or_null(_DATE), "by": {"enum": ["holder", "staff", None]}}))
        | {"description": "What became of a verification that stands no more."},
        "since": _or_null(state) | {"description": "What now stands before its use: recalled, void, locked, ..."},
        **facts,
    }


def _schemas() -> Json:
    state = {"enum": [verdict.value for verdict in Verdict]}
    corner = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    symbol = {
        "text": _TEXT,
        "corners": {"type": "array", "items": corner, "minItems": 4, "maxItems": 4},
        "ours": {"type": "boolean"},
        "state": state,
        **_facts(),
    }
    advice = _or_null(_object({"code": _TEXT}, more=True))
    undo_until = _TEXT_OR_NULL | {"description": "For who verified: until when it may be undone (RFC 3339, UTC)."}
    return {
        **_parts(),
        **station_schemas(),
        "Look": _object({"state": state, **_facts()}),
        "Answer": _object({"verdict": state, **_facts(), **_receipt(), "undo_until": undo_until}),
        "Held": _act(),
        "Proof": _object({"proof": _claims(), **_status(state)}),
        "ProofStatus": _object(_status(state)),
        "Symbol": _object(symbol),
        "LogProof": _object(
            {
                "index": {"type": "integer"},
                "leaf": _TEXT_OR_NULL | {"description": "Hexadecimal; null once the record was erased."},
                "record": {"type": ["object", "null"], "description": "What the log says of this verification."},
                "proof": _TEXT | {"description": "The file that `authcode log check` takes (C2SP tlog-proof)."},
            }
        ),
        "Photo": _object(
            {
                "symbols": {"type": "array", "items": _ref("Symbol"), "description": "At most 32 of a picture."},
                "left_out": {
                    "type": "integer",
                    "description": "Symbols that were read beside these and not looked up.",
                },
                "advice": advice,
            }
        ),
    }


def _parts() -> Json:
    product = {
        "sku": _TEXT,
        "name": _TEXT,
        "gtin": _TEXT_OR_NULL,
        "description": _TEXT_OR_NULL,
        "features": {"type": "array", "items": _TEXT},
        "support": _TEXT_OR_NULL,
        "placement_hint": _TEXT_OR_NULL,
        "more_url": _TEXT_OR_NULL,
    }
    act = {"at": {"type": "string", "format": "date-time"}, "reason": _TEXT_OR_NULL, "link": _TEXT_OR_NULL}
    problem = {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": _TEXT | {"description": "Stable; the sentence in `detail` is not."},
        "detail": _TEXT,
    }
    return {"Product": _object(product), "Act": _object(act), "Problem": _object(problem)}


def _json_body(properties: Json, *, optional: tuple[str, ...] = ()) -> Json:
    schema = _object(properties, optional=optional, more=True)
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _answers(schema: str, *refusals: str) -> Json:
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    refused = {status: {"description": "A problem document.", "content": problem} for status in refusals}
    good = {"description": "The answer.", "content": {"application/json": {"schema": _ref(schema)}}}
    return {"200": good, **refused}


def _posted(name: str, summary: str, body: Json, answer: str, *refusals: str) -> Json:
    responses = _answers(answer, "400", *refusals, "413", "429", "503")
    return {"post": {"operationId": name, "summary": summary, "requestBody": body, "responses": responses}}


def _holder_paths(code: Json, claim: Json, keep_code: Json) -> Json:
    """What a holder may do, shown by claim or keep-code (one of them)."""
    body = _json_body({"code": code, "claim": claim, "keep_code": keep_code}, optional=("claim", "keep_code"))
    summaries = {
        "undo": "Return a code to unused, within the window and once; it says so for good.",
        "hand-on": "Hand a verification on: the next owner's keep-code, the old one dead.",
        "erase": "Forget who verified a code and where; it stays used. Tell your user what it does, and ask, first.",
    }
    return {
        f"/api/v1/{name}": _posted(name.replace("-", "_"), summary, body, "Held", "404", "409")
        for name, summary in summaries.items()
    }


def _proof_status() -> Json:
    return {
        "operationId": "status",
        "summary": "What is on record now of the proof with this number (its jti).",
        "parameters": [{"name": "number", "in": "path", "required": True, "schema": _TEXT}],
        "responses": _answers("ProofStatus", "404", "429", "503"),
    }


def _paths() -> Json:
    code = _TEXT | {"description": "The exact text of the symbol; any text is answered."}
    claim = {
        "type": "string",
        "pattern": "^[!-~]{1,64}$",
        "description": "Who asks, and the holder's key: draw it at random (a UUID), keep it for retries and secret. "
        "Below 22 characters it can be guessed: after 10 wrong ones of a network on a used code in a day (50 from "
        "anywhere) it is not compared any more.",
    }
    keep_code = _TEXT | {"description": "In place of a claim: twelve characters, as a person types them."}
    proof = _json_body({"proof": _TEXT | {"description": "The whole proof: three parts with dots between them."}})
    photo = {"type": "string", "contentMediaType": "application/octet-stream"}
    picture = {"required": True, "content": {"multipart/form-data": {"schema": _object({"photo": photo}, more=True)}}}
    shown = _json_body({"code": code, "claim": claim, "keep_code": keep_code}, optional=("claim", "keep_code"))
    own = {"200": {"description": "OpenAPI 3.1.", "content": {"application/json": {}}}}
    looking = "Look at a code: its state and what is known; nothing changes."
    verifying = (
        "Verify a code once. The same claim is answered alike within the repeat window. "
        "A script that has a code can use it up: nothing here stops malice."
    )
    proving = (
        "Prove to who holds a code, by claim or keep_code, that its verification stands in the log. 404 for anybody "
        "else. The public side of the log is text: GET /log/key, /log/head, /log/proof?leaf= and /log/consistency?old=."
    )
    return {
        "/api/v1/look": _posted("look", looking, _json_body({"code": code}), "Look"),
        "/api/v1/verify": _posted("verify", verifying, shown, "Answer"),
        **_holder_paths(code, claim, keep_code),
        "/api/v1/proofs": _posted("check", "Check a proof; it gives no rights.", proof, "Proof"),
        "/api/v1/proofs/{number}": {"get": _proof_status()},
        "/api/v1/photos": _posted("photos", "Look at every code in a JPEG, PNG or WebP picture.", picture, "Photo"),
        "/api/v1/log/proof": _posted("log_proof", proving, shown, "LogProof", "404"),
        **station_paths(),
        "/api/v1/openapi.json": {"get": {"operationId": "openapi", "summary": "This document.", "responses": own}},
    }


@cache
def document() -> Json:
    """The whole document; do not change what it returns."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "authcode",
            "version": "1",
            "summary": "Look at one-time codes, and verify them once.",
            "description": "look, photos and verify answer 200 with a verdict for any text, not_ours included; a 4xx "
            "says that the request itself is unusable. JSON only, no CORS. Pass a code's exact text. What print "
            "stations send needs a token (RFC 6750), made by the operator with `authcode token new`.",
        },
        "paths": with_refusals(_paths()),
        "components": {"schemas": _schemas(), "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
