"""Stage 5, verify, and Stage 6, redeem: look, photos, verify and proofs for programs (docs/protocol.md §2 rule 10).

The first three answer 200 with a verdict for any text, `not_ours` included; a 4xx says that the request is unusable.
"""

import json

from flask import Blueprint, Response, jsonify, request

from server.domain.codes.holder_acts import HolderAct
from server.services.codes import look as look_at_code
from server.services.codes import redeem as redeem_code
from server.services.codes.attempts import Channel
from server.services.codes.photo import read_photo
from server.services.codes.receipts import check_proof, proof_status
from server.services.codes.redeem import Answer
from server.services.holders.acts import HolderCredentials, act_for_program
from server.services.holders.keep_codes import prove, unit_of_keep_code
from server.services.log.heads import sign_newest_head
from server.services.log.proofs import prove_unit, unit_of_claim
from server.web.api.answers import (
    Json,
    answer_json,
    held_json,
    log_json,
    look_json,
    photo_json,
    proof_json,
    status_json,
)
from server.web.api.bodies import json_body, text_of
from server.web.api.openapi import document
from server.web.metrics import count_answer
from server.web.problem import RequestInvalid
from server.web.visit import context, program

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.post("/look")
def look() -> Response:
    """Look at a code: nothing changes."""
    body = json_body()
    seen = look_at_code.look(context(), text_of(body, "code"), program(), Channel.API)
    count_answer("look", seen.state, foreign=seen.foreign)
    return _answer(look_json(seen))


@blueprint.post("/verify")
def verify() -> Response:
    """Verify a code once, for the client that its claim names; or prove to be its holder by the keep-code."""
    body = json_body()
    code = text_of(body, "code")
    if "keep_code" in body:
        if "claim" in body:
            raise RequestInvalid("send a claim or a keep_code, not both")
        keep_code = text_of(body, "keep_code")
        answer = prove(context(), code, keep_code=keep_code, visitor=program()) or _looked(code)
    else:
        answer = redeem_code.verify(context(), code, claim=text_of(body, "claim"), visitor=program())
    count_answer("verify", answer.verdict, foreign=answer.foreign)
    return _answer(answer_json(answer))


def _looked(code: str) -> Answer:
    """The answer to a wrong keep-code: that of a look, under its limits."""
    seen = look_at_code.look(context(), code, program(), Channel.API)
    return Answer(verdict=seen.state, facts=seen.facts)


@blueprint.post("/undo")
def undo() -> Response:
    """Return a code to unused, for who verified it."""
    return _acted(HolderAct.UNDO)


@blueprint.post("/hand-on")
def hand_on() -> Response:
    """Give a verification to the next owner, who gets a keep-code of their own."""
    return _acted(HolderAct.HAND_ON)


@blueprint.post("/erase")
def erase() -> Response:
    """Forget who verified a code, and where; it stays used."""
    return _acted(HolderAct.ERASE)


def _acted(act: HolderAct) -> Response:
    body = json_body()
    if ("claim" in body) == ("keep_code" in body):
        raise RequestInvalid("send a claim or a keep_code, and not both")
    shown = {name: text_of(body, name) for name in ("claim", "keep_code") if name in body}
    holder = HolderCredentials(visitor=program(), **shown)
    return _answer(held_json(act_for_program(context(), text_of(body, "code"), act, holder)))


@blueprint.post("/photos")
def photos() -> Response:
    """Look at every code in a picture."""
    upload = request.files.get("photo")
    if upload is None:
        raise RequestInvalid("send the picture as multipart/form-data in a field named photo")
    found = read_photo(context(), upload.read(), program())
    for symbol in found.symbols:
        count_answer("photo", symbol.look.state, foreign=symbol.look.foreign)
    return _answer(photo_json(found))


@blueprint.post("/log/proof")
def log_proof() -> Response:
    """The proof of a redemption in the log, for the claim that verified it or its holder's keep-code."""
    body = json_body()
    code = text_of(body, "code")
    if ("claim" in body) == ("keep_code" in body):
        raise RequestInvalid("send a claim or a keep_code, and not both")
    ctx = context()
    if "claim" in body:
        unit = unit_of_claim(ctx, code, claim=text_of(body, "claim"), visitor=program())
    else:
        unit = unit_of_keep_code(ctx, code, keep_code=text_of(body, "keep_code"), visitor=program())
    sign_newest_head(ctx.db, ctx.keys.log_head, now=ctx.clock())
    return _answer(log_json(prove_unit(ctx.db, unit)))


@blueprint.post("/proofs")
def check() -> Response:
    """Check a whole proof: its signature, and what is on record of it now."""
    return _answer(proof_json(check_proof(context(), text_of(json_body(), "proof"))))


@blueprint.get("/proofs/<number>")
def status(number: str) -> Response:
    """What is on record now of the proof with this number."""
    return _answer(status_json(proof_status(context(), number)))


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The description of this interface (OpenAPI 3.1)."""
    return jsonify(document())


def _answer(body: Json) -> Response:
    return Response(json.dumps(body) + "\n", mimetype="application/json")
