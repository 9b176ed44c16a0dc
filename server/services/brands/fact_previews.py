"""The facts of a code after an act or a change of its product, for previews. Reads only."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from authcode.code.payload import shown_host
from authcode.code.serial import Tier
from authcode.order.order import Placement
from server.domain.batches.range_act import ActDetails, ActKind, Standing, Withdrawal, standing_of
from server.domain.codes.verdict import Verdict
from server.runtime.context import Context
from server.services.batches.withdrawals import withdrawals_of
from server.services.codes.facts import COPIES_FOUND, KEY_WITHDRAWN, CodeFacts, RecallFacts, product_facts
from server.storage.batches import acts_covering, batch_by_row
from server.storage.brands import BrandRecord, brand_by_id
from server.storage.products import ProductRecord

VERDICT_AFTER: Final[Mapping[ActKind, Verdict]] = {
    ActKind.ACTIVATE: Verdict.UNUSED,
    ActKind.VOID: Verdict.VOID,
    ActKind.RECALL: Verdict.RECALLED,
    ActKind.SAMPLE: Verdict.SAMPLE,
    ActKind.LOCK: Verdict.LOCKED,
    ActKind.UNLOCK: Verdict.UNUSED,
}
"""The verdict on an unused code once an act covers it and nothing else does."""


def facts_after(
    ctx: Context, row: int, kind: ActKind, details: ActDetails, *, first: int
) -> tuple[CodeFacts, Verdict] | None:
    """The facts of a range's first code after the act, and its verdict; None where there is no such batch."""
    with ctx.db.read() as connection:
        batch = batch_by_row(connection, row)
        if batch is None:
            return None
        brand = brand_by_id(connection, batch.brand)
        standing = standing_of(acts_covering(connection, row, first), first)
        withdrawal = withdrawals_of(connection, [batch])[row]
        activation = None if kind is ActKind.ACTIVATE else standing.activation
        facts = facts_about(
            ctx,
            brand,
            product_facts(connection, batch, brand),
            placement=Placement(batch.placement),
            details=details if activation is None else activation.details,
        )
    if kind is ActKind.RECALL:
        facts = replace(facts, recall=RecallFacts(at=ctx.clock(), reason=details.reason, link=details.link))
    verdict, locked_reason = _verdict_after(kind, standing, withdrawal)
    caution = KEY_WITHDRAWN if withdrawal is not None and not withdrawal.locks else None
    return replace(facts, locked_reason=locked_reason, caution=caution), verdict


def _verdict_after(kind: ActKind, standing: Standing, withdrawal: Withdrawal | None) -> tuple[Verdict, str | None]:
    """The verdict after an act and, of a lock, its reason. The withdrawal of a key outlasts every act."""
    verdict = VERDICT_AFTER[kind]
    if withdrawal is not None and not standing.was_in_the_world(withdrawal):
        verdict = Verdict.NOT_OURS
    elif withdrawal is not None and withdrawal.locks and verdict is Verdict.UNUSED:
        return Verdict.LOCKED, KEY_WITHDRAWN
    return verdict, COPIES_FOUND if kind is ActKind.LOCK else None


def facts_about(
    ctx: Context,
    brand: BrandRecord,
    product: ProductRecord | None,
    *,
    placement: Placement | None = None,
    details: ActDetails | None = None,
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
    )
