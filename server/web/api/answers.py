"""The JSON of looks and verdicts. The same facts always give the same bytes."""

from collections.abc import Mapping
from datetime import datetime

from authcode.code.foreign import ForeignText
from authcode.events import Touched
from authcode.log.proof import InclusionProof
from keys.format.keyring import Keyring
from scanner import Advice
from server.domain.batches.range_act import RangeAct
from server.domain.codes.redemption import Returned
from server.services.codes.facts import CodeFacts, ProductFacts, RecallFacts
from server.services.codes.look import Look
from server.services.codes.photo import PhotoLook, SymbolLook
from server.services.codes.receipts import CheckedProof, Ended, ProofStatus
from server.services.codes.redeem import Answer
from server.services.holders.acts import ActAnswer
from server.storage.batches import BatchRecord

Json = Mapping[str, object]


def look_json(look: Look) -> Json:
    """The answer to a look: `state`, then the facts."""
    return {"state": look.state, **_told(look.facts, look.foreign)}


def answer_json(answer: Answer) -> Json:
    """The answer to an attempt to verify: `verdict`, then the facts."""
    receipt = answer.receipt
    return {
        "verdict": answer.verdict,
        **_told(answer.facts, answer.foreign),
        "proof": receipt and receipt.proof,
        "keep_code": receipt and receipt.keep_code,
        "undo_until": receipt and receipt.undo_until and _moment(receipt.undo_until),
    }


def held_json(answer: ActAnswer) -> Json:
    """What a holder did: the code's state now, the facts, and the next owner's receipt where it was handed on."""
    receipt = answer.receipt
    return {
        "act": answer.act,
        "state": answer.verdict,
        **_facts(answer.facts),
        "hop": receipt and receipt.hop,
        "proof": receipt and receipt.proof,
        "keep_code": receipt and receipt.keep_code,
    }


def proof_json(checked: CheckedProof) -> Json:
    """What a proof says, and what is on record of it now."""
    return {"proof": checked.proof.claims(), **status_json(checked.status)}


def status_json(status: ProofStatus) -> Json:
    """What is on record of a proof now: `on_record`, what became of it, what was said of the unit since, the facts."""
    ended = None if status.ended is None else _ended(status.ended)
    return {"on_record": status.on_record, "ended": ended, "since": status.since, **_facts(status.facts)}


def _ended(ended: Ended) -> Json:
    return {"how": ended.how, "on": ended.at and ended.at.date().isoformat(), "by": ended.by}


def photo_json(photo: PhotoLook) -> Json:
    """The symbols of a picture with their looks and how many were left out, or advice."""
    symbols = [_symbol(symbol) for symbol in photo.symbols]
    return {"symbols": symbols, "left_out": photo.left_out, "advice": _advice(photo.advice)}


def _symbol(symbol: SymbolLook) -> Json:
    return {
        "text": symbol.text,
        "corners": [[round(x, 2), round(y, 2)] for x, y in symbol.corners],
        "ours": symbol.ours,
        **look_json(symbol.look),
    }


def _advice(advice: Advice | None) -> Json | None:
    return None if advice is None else {"code": advice.code, **advice.facts}


def _told(facts: CodeFacts | None, foreign: ForeignText | None) -> Json:
    """The facts, with `host` as where the code leads, whoever's it is."""
    if foreign is None:
        return {**_facts(facts), "foreign": None}
    listed = foreign.listed
    told = {
        "text": foreign.shortened,
        "host": foreign.host,
        "listed": listed and listed.listing,
        "brand": listed and listed.brand,
    }
    return {**_facts(facts), "host": foreign.host, "foreign": told}


_NO_FACTS: Json = {
    "brand": None,
    "product": None,
    "serial": None,
    "lot": None,
    "expires": None,
    "markets": [],
    "placement": None,
    "tier": None,
    "host": None,
    "recall": None,
    "void": None,
    "locked_reason": None,
    "caution": None,
    "first_verified_at": None,
    "first_country": None,
    "was_yours": False,
    "later": None,
    "returned": None,
    "hop": None,
}


def _facts(facts: CodeFacts | None) -> Json:
    if facts is None:
        return _NO_FACTS
    first = facts.first_verified_at or facts.first_verified_on
    return {
        "brand": facts.brand,
        "product": _product(facts.product),
        "serial": facts.serial_printed,
        "lot": facts.lot,
        "expires": None if facts.expires is None else facts.expires.isoformat(),
        "markets": list(facts.markets),
        "placement": facts.placement,
        "tier": facts.tier.name.lower(),
        "host": facts.host,
        "recall": _recall(facts.recall),
        "void": facts.void and {"at": _moment(facts.void.at)},
        "locked_reason": facts.locked_reason,
        "caution": facts.caution,
        "first_verified_at": _moment(first) if isinstance(first, datetime) else first and first.isoformat(),
        "first_country": facts.first_country,
        "was_yours": facts.was_yours,
        "later": facts.later and {"at": _moment(facts.later.at), "country": facts.later.country},
        "returned": facts.returned and _returned(facts.returned),
        "hop": facts.hop,
    }


def _returned(returned: Returned) -> Json:
    return {"on": returned.at.date().isoformat(), "by": returned.by}


def _product(product: ProductFacts | None) -> Json | None:
    if product is None:
        return None
    return {
        "sku": product.sku,
        "name": product.name,
        "gtin": product.gtin,
        "description": product.description,
        "features": list(product.features),
        "support": product.support,
        "placement_hint": product.placement_hint,
        "more_url": product.more_url,
    }


def _recall(recall: RecallFacts | None) -> Json | None:
    return None if recall is None else {"at": _moment(recall.at), "reason": recall.reason, "link": recall.link}


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def log_json(proof: InclusionProof) -> Json:
    """The proof of a redemption: its file, and what stands in it. The record is null once it was erased."""
    entry = proof.entry
    return {
        "index": proof.index,
        "leaf": None if entry is None else entry.leaf.hex(),
        "record": None if entry is None else entry.facts,
        "proof": proof.text,
    }


def keyring_json(keyring: Keyring, *, lacking: tuple[str, ...]) -> Json:
    """A keyring that is in force, and the keys whose serial or MAC keys are not here."""
    return {
        "brand": keyring.brand,
        "brand_id": keyring.brand_id.hex(),
        "version": keyring.version,
        "expires": _moment(keyring.expires),
        "keys_not_here": list(lacking),
    }


def registered_json(batch: BatchRecord, *, sha256: str, product_known: bool) -> Json:
    """A registered order: the same for the same bytes, whenever they come, but for what is known of its product now."""
    return {
        "order": batch.order_name,
        "batch_number": batch.number,
        "product": batch.product_sku,
        "product_known": product_known,
        "count": batch.count,
        "key_id": batch.key_id,
        "issued_at": _moment(batch.issued_at),
        "registered_at": _moment(batch.registered_at),
        "manifest_sha256": sha256,
    }


def touched_json(key_id: str, since: datetime, touched: Touched) -> Json:
    """What withdrawing a key would touch."""
    return {
        "key_id": key_id,
        "since": _moment(since),
        "orders": touched.orders,
        "active_unburned": touched.active_unburned,
        "locked": touched.locked,
        "as_usual": touched.as_usual,
        "not_ours": touched.not_ours,
        "used": touched.used,
        "used_locked": touched.used_locked,
        "used_not_ours": touched.used_not_ours,
    }


def act_json(order: str, act: RangeAct) -> Json:
    """An act on a range, as it stands in the order's history."""
    return {
        "order": order,
        "kind": act.kind,
        "first": act.first,
        "last": act.last,
        "actor": act.actor,
        "at": _moment(act.at),
    }
