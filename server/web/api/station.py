"""Stage 1, batch: what a print station does over the network, with a token of its brand (docs/api.md, Print stations).

It brings what the brand's own keys signed; the token decides who may bring it, never what is true.
"""

import hashlib
import json
from dataclasses import replace
from datetime import date
from typing import Final

from flask import Blueprint, Response, request

from authcode.code.payload import GtinInvalid
from authcode.order.order import is_order_name
from authcode.order.products import MAX_PRODUCT_BYTES, ProductInvalid, read_product
from keys.base.errors import UnknownKey
from keys.base.instants import parse_instant
from keys.format.document import MAX_DOCUMENT_BYTES
from server.domain.batches.range_act import ActDetails, ActKind
from server.domain.staff.scope import Scope
from server.services.batches import range_acts
from server.services.batches import register as register_batch
from server.services.brands import keyring as publish_keyring
from server.services.brands import publish_product
from server.services.brands.edit_product import small_picture
from server.services.brands.withdrawal_preview import preview_withdrawal
from server.services.queries.dashboard import batch_list, batch_of_order
from server.services.queries.models import batch_facts
from server.services.staff.api_tokens import TokenRefused
from server.web.api.answers import Json, act_json, keyring_json, registered_json, touched_json
from server.web.api.bearer import refused, station_with
from server.web.api.bodies import exact_body, json_body, text_of, text_or_none
from server.web.problem import RequestInvalid
from server.web.visit import context

MAX_MANIFEST_BYTES: Final = 64 * 1024
"""A manifest with sixteen checksums and the longest names stays below a tenth of it."""

_ACT_FIELDS: Final = {
    ActKind.ACTIVATE: {"lot", "expires", "markets"},
    ActKind.VOID: {"reason", "link"},
    ActKind.RECALL: {"reason", "link"},
    ActKind.SAMPLE: set[str](),
    ActKind.LOCK: {"reason"},
    ActKind.UNLOCK: {"reason"},
}
WHOLE_ORDER: Final = "all"
"""The range of an act on every code of an order."""
_NEEDS_REASON: Final = {ActKind.VOID, ActKind.RECALL, ActKind.LOCK, ActKind.UNLOCK}
_MAX_PAGE_DIGITS: Final = 9

blueprint = Blueprint("station", __name__, url_prefix="/api/v1")
blueprint.register_error_handler(TokenRefused, refused)


@blueprint.put("/keyring")
def publish_keys() -> Response:
    """Take in a newer keyring of the token's brand: its exact bytes, signed by the root that is pinned here."""
    station, ctx = station_with(Scope.KEYS), context()
    document = exact_body(MAX_DOCUMENT_BYTES)
    keyring = publish_keyring.publish_keyring(ctx.db, document, server_id=None, now=ctx.clock(), by=station)
    return _answer(keyring_json(keyring, lacking=publish_keyring.keys_not_here(ctx, keyring)))


@blueprint.put("/products/<sku>")
def put_product(sku: str) -> Response:
    """Keep a product of the token's brand, its picture made anew, in place of an earlier one of the same SKU."""
    station, ctx = station_with(Scope.PRODUCT), context()
    document = exact_body(MAX_PRODUCT_BYTES)
    try:
        product = read_product(document)
    except GtinInvalid:  # its sentence shows the number, and nothing that came is echoed here
        raise ProductInvalid("its GTIN has a wrong length or check digit") from None
    if product.sku != sku:
        raise ProductInvalid("its sku is not the one in the address")
    if product.picture is not None:
        product = replace(product, picture=small_picture(ctx, product.picture))
    publish_product.publish_product(ctx.db, station.brand.brand_id, product, now=ctx.clock(), actor=station.actor)
    return _answer({"sku": product.sku, "name": product.name, "picture_type": product.picture_type})


@blueprint.post("/batches")
def register() -> Response:
    """Register an order by its manifest, inactive; the same bytes again change nothing."""
    station, ctx = station_with(Scope.REGISTER), context()
    document = exact_body(MAX_MANIFEST_BYTES)
    batch = register_batch.register_batch(ctx.db, document, now=ctx.clock(), station=station)
    known = register_batch.knows_product(ctx.db, batch)
    return _answer(registered_json(batch, sha256=hashlib.sha256(document).hexdigest(), product_known=known))


@blueprint.get("/batches")
def orders() -> Response:
    """How the brand's orders stand, the latest registered first, a page at a time."""
    station, ctx = station_with(Scope.READ), context()
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= _MAX_PAGE_DIGITS and int(text)):
        raise RequestInvalid("page must be a number from 1 on")
    found = batch_list(ctx.db, now=ctx.clock(), page=int(text), brand=station.brand.id)
    facts = [batch_facts(batch) for batch in found.batches]
    return _answer({"batches": facts, "total": found.total, "page": found.page, "pages": found.pages})


@blueprint.get("/batches/<order>")
def order(order: str) -> Response:
    """How one of the brand's orders stands."""
    station, ctx = station_with(Scope.READ), context()
    _check_name(order)
    return _answer(batch_facts(batch_of_order(ctx.db, order, now=ctx.clock(), brand_id=station.brand.brand_id)))


@blueprint.post("/batches/<order>/acts")
def act(order: str) -> Response:
    """Activate, void, recall, mark as samples, lock or unlock; the act that came last, sent again, changes nothing."""
    station, ctx = station_with(Scope.ACT), context()
    _check_name(order)
    kind, indices, details = _read_act(json_body())
    done = range_acts.act_on_range(
        ctx.db,
        order,
        kind,
        indices=indices,
        details=details,
        actor=station.actor,
        now=ctx.clock(),
        brand_id=station.brand.brand_id,
        once=True,
    )
    return _answer(act_json(order, done))


@blueprint.get("/keys/<key_id>/withdrawal")
def withdrawal(key_id: str) -> Response:
    """What withdrawing a key since `?since=` would touch; counts, and changes nothing."""
    station, ctx = station_with(Scope.READ), context()
    try:
        since = parse_instant(request.args.get("since", ""))
    except ValueError:
        raise RequestInvalid("since must be a moment such as 2026-03-01T08:30:00Z") from None
    if all(key.key_id != key_id for key in publish_keyring.keyring_of(station.brand).code_keys):
        raise UnknownKey("of this name")
    touched = preview_withdrawal(ctx.db, station.brand.brand_id, key_id, since=since, now=ctx.clock())
    return _answer(touched_json(key_id, since, touched))


def _check_name(order: str) -> None:
    if not is_order_name(order):
        raise RequestInvalid("an order's name has 1 to 64 letters, digits, dots, hyphens and underscores")


def _read_act(body: dict[str, object]) -> tuple[ActKind, str | None, ActDetails]:
    try:
        kind = ActKind(text_of(body, "kind"))
    except ValueError:
        raise RequestInvalid(f"kind must be one of {', '.join(ActKind)}") from None
    if not body.keys() <= {"kind", "range"} | _ACT_FIELDS[kind]:
        raise RequestInvalid(f"{kind} takes range{''.join(f', {name}' for name in sorted(_ACT_FIELDS[kind]))} alone")
    if kind in _NEEDS_REASON and not (text_or_none(body, "reason") or "").strip():
        raise RequestInvalid(f"{kind} needs a reason")
    markets = body.get("markets") or []
    if not isinstance(markets, list) or not all(isinstance(market, str) for market in markets):
        raise RequestInvalid("markets must be a list of texts")
    details = ActDetails(
        lot=text_or_none(body, "lot"),
        expires=_read_date(text_or_none(body, "expires")),
        markets=tuple(markets),
        reason=text_or_none(body, "reason"),
        link=text_or_none(body, "link"),
    )
    return kind, _read_range(body), details


def _read_range(body: dict[str, object]) -> str | None:
    """The indices as written, None for the whole order: that is said in so many words, never by leaving it out."""
    text = text_or_none(body, "range")
    if text is None:
        raise RequestInvalid(f'range must be indices such as 0-499, or "{WHOLE_ORDER}" for the whole order')
    return None if text == WHOLE_ORDER else text


def _read_date(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise RequestInvalid("expires must be a date such as 2028-03-31") from None


def _answer(body: Json) -> Response:
    return Response(json.dumps(body) + "\n", mimetype="application/json")
