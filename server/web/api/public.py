"""What anybody may read of the server: the published keyring, the proof keys, and whether it lives."""

import json

from flask import Blueprint, Response, jsonify, request

from server.services.publish_keyring import published_keyring
from server.storage.migrate import require_current
from server.web.visit import context

blueprint = Blueprint("public", __name__)


@blueprint.get("/.well-known/authcode-keys.json")
def keyring() -> Response:
    """The signed keyring, exactly as its brand published it; `?brand=` (hexadecimal id) where there are several."""
    document = published_keyring(context(), brand_id=request.args.get("brand"), host=request.host)
    return Response(document, mimetype="application/json")


@blueprint.get("/.well-known/authcode-proof-keys.json")
def proof_keys() -> Response:
    """The keys that check this server's proofs, as a JSON Web Key Set (RFC 7517)."""
    return Response(json.dumps(context().keys.proofs.document()) + "\n", mimetype="application/jwk-set+json")


@blueprint.get("/healthz")
def health() -> Response:
    """The process answers."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readiness() -> Response:
    """The process can work: its database answers and has this version's tables."""
    require_current(context().db)
    return jsonify({"status": "ready"})
