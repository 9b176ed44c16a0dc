"""What would be known of a code if an act were done or a product were changed: for previews, nothing is written."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from authcode.code.payload import shown_host
from authcode.code.serial import Tier
from authcode.order.order import Placement
from server.domain.batches.range_act import ActDetails, ActKind, standing_of
from server.domain.codes.redemption import Verdict
from server.runtime.context import Context
from server.services.batches.withdrawals import withdrawals_of
from server.services.codes.facts import COPIES_FOUND, KEY_WITHDRAWN, CodeFacts, ProductFacts, RecallFacts, product_facts
from server.storage.batches import acts_covering, batch_by_row
from server.storage.brands import BrandRecord, brand_by_id

SAID_AFTER: Final[Mapping[ActKind, Verdict]] = {
    ActKind.ACTIVATE: Verdict.UNUSED,
    ActKind.VOID: Verdict.VOID,
    ActKind.RECALL: Verdict.RECALLED,
    ActKind.SAMPLE: Verdict.SAMPLE,
    ActKind.LOCK: Verdict.LOCKED,
    ActKind.UNLOCK: Verdict.UNUSED,
}
"""What is said of an unused code once an act covers it and nothing else does."""


def facts_after(  # noqa: PLR0913 - an act as it would be done
    ctx: Context, row: int, kind: ActKind, details: ActDetails, *, first: int, now: datetime
) -> tuple[CodeFacts, Verdict] | None:
    """What would be known and said of a range's first code after the act; None where there is no such batch.

    A withdrawn key goes on speaking: nothing that is done to its codes makes them ours, or lifts their lock.
    """
    with ctx.db.read() as connection:
        batch = batch_by_row(connection, row)
        if batch is None:
            return None
        brand = brand_by_id(connection, batch.brand)
        standing = standing_of(acts_covering(connection, row, first), first)
        withdrawal = withdrawals_of(connection, [batch])[row]
        said, reason = SAID_AFTER[kind], COPIES_FOUND if kind is ActKind.LOCK else None
        if withdrawal is not None and not standing.was_in_the_world(withdrawal):
            said = Verdict.NOT_OURS
        elif withdrawal is not None and withdrawal.locks and said is Verdict.UNUSED:
            said, reason = Verdict.LOCKED, KEY_WITHDRAWN
        activation = standing.activation
        lot = details if kind is ActKind.ACTIVATE or activation is None else activation.details
        told = RecallFacts(at=now, reason=details.reason, link=details.link)
        facts = facts_about(
            ctx,
            brand,
            product_facts(connection, batch, brand),
            placement=Placement(batch.placement),
            details=lot,
            recall=told if kind is ActKind.RECALL else None,
        )
    caution = KEY_WITHDRAWN if withdrawal is not None and not withdrawal.locks else None
    return replace(facts, locked_reason=reason, caution=caution), said


def facts_about(  # noqa: PLR0913 - what a page can tell
    ctx: Context,
    brand: BrandRecord,
    product: ProductFacts | None,
    *,
    placement: Placement | None = None,
    details: ActDetails | None = None,
    recall: RecallFacts | None = None,
) -> CodeFacts:
    """What is known of no code in particular: its brand, its product, and what an act says."""
    keyring = next(one for one in ctx.keyrings().keyrings if one.brand_id == brand.brand_id)
    known = details or ActDetails()
    return CodeFacts(
        brand=brand.name,
        brand_id=brand.brand_id.hex(),
        product=product,
        lot=known.lot,
        expires=known.expires,
        markets=known.markets,
        placement=placement,
        tier=Tier.SINGLE,
        host=shown_host(keyring.prefixes[0]),
        serial="",
        serial_printed="",
        recall=recall,
    )
