"""What anybody may read: the published keyring, the proof keys, the log's heads and proofs, and the server's health."""

import json
import re

from flask import Blueprint, Response, current_app, jsonify, request

from server.domain.staff.scope import Scope
from server.services.brands.keyring import missing_keys, published_keyring
from server.services.log import heads, proofs
from server.services.log.clock import CLOCK_BEHIND, clock_behind
from server.services.staff.api_tokens import TokenRefused
from server.storage.migrate import require_current
from server.web.api.tokens import refused, station_with
from server.web.forwarded import ForwardedAddress
from server.web.metrics import metrics_page
from server.web.problem import RequestInvalid
from server.web.visit import context

blueprint = Blueprint("public", __name__)
blueprint.register_error_handler(TokenRefused, refused)

_LEAF = re.compile(r"[0-9a-fA-F]{64}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


@blueprint.get("/.well-known/authcode-keys.json")
def keyring() -> Response:
    """The signed keyring, exactly as its brand published it; `?brand=` (hexadecimal id) where there are several."""
    document = published_keyring(context(), brand_id=request.args.get("brand"), host=request.host)
    return Response(document, mimetype="application/json")


@blueprint.get("/log/key")
def log_key() -> Response:
    """The log's public key, on one line."""
    ctx = context()
    return _text(heads.log_key(ctx.db, ctx.keys.log_head).text + "\n")


@blueprint.get("/log/head")
def log_head() -> Response:
    """The newest signed head, a signed note (C2SP tlog-checkpoint)."""
    with context().db.read() as connection:
        return _text(heads.newest_head(connection).note)


@blueprint.get("/log/proof")
def log_proof() -> Response:
    """Prove that the leaf `?leaf=` (hexadecimal) is under the newest head (C2SP tlog-proof); its entry is not shown."""
    leaf = request.args.get("leaf", "")
    if _LEAF.fullmatch(leaf) is None:
        raise RequestInvalid("name the leaf by its 64 hexadecimal digits: ?leaf=")
    return _text(proofs.prove_leaf(context().db, bytes.fromhex(leaf)).text)


@blueprint.get("/log/consistency")
def log_consistency() -> Response:
    """Prove that the newest head continues the tree of `?old=` leaves."""
    old = request.args.get("old", "")
    if _SIZE.fullmatch(old) is None:
        raise RequestInvalid("name the size of the head that you kept: ?old=")
    return _text(proofs.prove_growth(context().db, int(old)).text)


def _text(body: str) -> Response:
    return Response(body, content_type="text/plain; charset=utf-8")


@blueprint.get("/.well-known/authcode-proof-keys.json")
def proof_keys() -> Response:
    """The keys that check this server's proofs, as a JSON Web Key Set (RFC 7517)."""
    return Response(json.dumps(context().keys.proofs.document()) + "\n", mimetype="application/jwk-set+json")


@blueprint.get("/metrics")
def metrics() -> Response:
    """The workers' counters, for Prometheus; volumes are confidential, so that a token is needed."""
    station_with(Scope.METRICS)
    return metrics_page()


@blueprint.get("/healthz")
def health() -> Response:
    """The process answers."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readiness() -> Response:
    """The process can work: its database answers with this version's tables. `warnings` names what wants attention."""
    ctx = context()
    require_current(ctx.db)
    warnings = [CLOCK_BEHIND] if clock_behind(ctx.db, now=ctx.clock()) else []
    warnings += [missing.warning for missing in missing_keys(ctx.keys, ctx.keyrings().keyrings)]
    forwarded: ForwardedAddress = current_app.extensions["authcode-forwarded"]
    return jsonify({"status": "ready", "warnings": warnings + forwarded.warnings()})
