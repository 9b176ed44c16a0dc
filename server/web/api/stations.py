"""Stage 1, batch: what a print station does over the network, with a token of its brand (docs/api.md, Print stations).

It brings what the brand's own keys signed; the token decides who may bring it, never what is true.
"""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from flask import Blueprint
from pydantic import Field

from authcode.code.payload import GtinInvalid
from authcode.order.manifest import ManifestInvalid, ManifestSignatureInvalid
from authcode.order.order import is_order_name
from authcode.order.products import ProductInvalid, read_product
from keys.base import errors
from server.domain.batches.range_act import ActDetails, ActRequest, RangeInvalid
from server.domain.staff.scope import Scope
from server.services.batches.range_acts import ActivationRefused, ContactMissing, OrderUnknown, act_on_range
from server.services.batches.register import BatchConflict, ManifestForOtherServer, knows_product, register_batch
from server.services.brands.edit_product import small_picture
from server.services.brands.keyring import keyring_of, keys_not_here, publish_keyring
from server.services.brands.publish_product import publish_product
from server.services.brands.withdrawal_preview import preview_withdrawal
from server.services.queries.batches import batch_facts, batch_list, batch_of_order
from server.services.staff.api_tokens import Station, TokenForOtherBrand, TokenRefused
from server.web.api import answers
from server.web.api.bodies import WHOLE_ORDER, ActBody, DocumentBody, ManifestBody, ProductBody
from server.web.api.codes import PICTURE_REFUSALS
from server.web.api.operations import operation
from server.web.api.tokens import refused
from server.web.problem import RequestInvalid
from server.web.visit import context

PageNumber = Annotated[int, Field(ge=1)]

blueprint = Blueprint("station", __name__, url_prefix="/api/v1")
blueprint.register_error_handler(TokenRefused, refused)


@operation(
    blueprint,
    "GET /keys/<key_id>/withdrawal",
    *(RequestInvalid, errors.UnknownKey, errors.KeyStateRefused),
    scope=Scope.READ,
)
def withdrawal(station: Station, key_id: str, since: datetime) -> answers.Withdrawal:
    """Preview withdrawing a key since a moment: the affected units, as its brand chose for them. Changes nothing."""
    ctx = context()
    if all(key.key_id != key_id for key in keyring_of(station.brand).code_keys):
        raise errors.UnknownKey("of this name")
    touched = preview_withdrawal(ctx.db, station.brand.brand_id, key_id, since=since, now=ctx.clock())
    return answers.Withdrawal.of(touched, key_id=key_id, since=since)


@operation(
    blueprint,
    "PUT /keyring",
    *(errors.DocumentInvalid, errors.KeyringInvalid, errors.KeyringSignatureInvalid, errors.SuccessionInvalid),
    *(errors.PrefixInvalid, errors.PublicKeyInvalid, errors.RootChanged, errors.KeyringRollback, errors.KeyIdTaken),
    *(errors.KeyStateRefused, errors.BrandConflict, errors.NameMixesScripts, TokenForOtherBrand),
    scope=Scope.KEYS,
)
def publish_keys(station: Station, body: DocumentBody) -> answers.Keyring:
    """Publish a newer keyring of the token's brand: exact bytes, signed by the root that is pinned here."""
    ctx = context()
    keyring = publish_keyring(ctx.db, body.content, server_id=None, now=ctx.clock(), by=station)
    return answers.Keyring.of(keyring, keys_not_here=keys_not_here(ctx, keyring))


@operation(blueprint, "PUT /products/<sku>", ProductInvalid, *PICTURE_REFUSALS, scope=Scope.PRODUCT)
def put_product(station: Station, sku: str, body: ProductBody) -> answers.PublishedProduct:
    """Publish a product of the token's brand, as `authcode product add` keeps it, picture included."""
    ctx = context()
    try:
        product = read_product(body.content)
    except GtinInvalid:  # its sentence shows the number, and nothing that came is echoed here
        raise ProductInvalid("its GTIN has a wrong length or check digit") from None
    if product.sku != sku:
        raise ProductInvalid("its sku is not the one in the address")
    if product.picture is not None:
        product = replace(product, picture=small_picture(ctx, product.picture))
    publish_product(ctx.db, station.brand.brand_id, product, now=ctx.clock(), actor=station.actor)
    return answers.PublishedProduct.of(product)


@operation(
    blueprint,
    "POST /batches",
    *(ManifestInvalid, ManifestSignatureInvalid, ManifestForOtherServer, BatchConflict, TokenForOtherBrand),
    scope=Scope.REGISTER,
)
def register(station: Station, body: ManifestBody) -> answers.Registered:
    """Register an order by its manifest, inactive.

    The same bytes again: nothing changed, and the same answer, with what is known of its product now. Other bytes
    under a known order or batch number: 409.
    """
    ctx = context()
    batch = register_batch(ctx.db, body.content, now=ctx.clock(), station=station)
    known = knows_product(ctx.db, batch)
    sha256 = hashlib.sha256(body.content).hexdigest()
    return answers.Registered.of(batch, product_known=known, manifest_sha256=sha256)


@operation(blueprint, "GET /batches", RequestInvalid, scope=Scope.READ)
def orders(station: Station, page: PageNumber = 1) -> answers.Batches:
    """List the states of the brand's orders."""
    ctx = context()
    found = batch_list(ctx.db, now=ctx.clock(), page=page, brand=station.brand.id)
    return answers.Batches.of(found, batches=tuple(map(batch_facts, found.rows)))


@operation(blueprint, "GET /batches/<order>", RequestInvalid, OrderUnknown, scope=Scope.READ)
def order(station: Station, order: str) -> answers.Batch:
    """Show the state of one order."""
    ctx = context()
    _check_name(order)
    found = batch_of_order(ctx.db, order, now=ctx.clock(), brand_id=station.brand.brand_id)
    return answers.Batch.model_validate(batch_facts(found))


@operation(
    blueprint,
    "POST /batches/<order>/acts",
    OrderUnknown,
    RangeInvalid,
    ContactMissing,
    ActivationRefused,
    scope=Scope.ACT,
)
def act(station: Station, order: str, body: ActBody) -> answers.Acted:
    """Activate, void, recall, mark as samples, lock or unlock.

    An act is added to the order's history as one row; the order's latest act, sent again by the same token, is
    answered with that row.
    """
    ctx = context()
    _check_name(order)
    request = ActRequest(
        order=order,
        kind=body.kind,
        indices=None if body.range == WHOLE_ORDER else body.range,
        details=ActDetails(**body.model_dump(exclude={"kind", "range"})),
        actor=station.actor,
        brand_id=station.brand.brand_id,
    )
    done = act_on_range(ctx.db, request, now=ctx.clock(), once=True)
    return answers.Acted.of(done, order=order)


def _check_name(order: str) -> None:
    if not is_order_name(order):
        raise RequestInvalid("an order's name has 1 to 64 letters, digits, dots, hyphens and underscores")
