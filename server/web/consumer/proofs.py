"""Stage 6, redeem: the page of a proof, and the page that checks one; neither changes anything.

A proof's page shows the proof and what is on record now; it gives no rights (docs/protocol.md §2 rule 11).
"""

import re
from http import HTTPStatus

from flask import Response, abort, request

from keys.proof import Proof, ProofRefused
from scanner.errors import PhotoError
from server.services.codes.photo import scan_in_turn
from server.services.codes.receipts import check_proof
from server.web.consumer.receipt_pdf import proof_symbol, symbol_path
from server.web.consumer.receipts import pdf_response, proof_sheet
from server.web.consumer.respond import catalogue, page_maker, respond
from server.web.consumer.sentence_facts import advice_numbers, refusal_numbers
from server.web.consumer.view import ProofView
from server.web.visit import context

MAX_PASTED_CHARS = 8192
"""A proof has some 500 characters; mails and chats put line breaks and a sentence or two around it."""

_LINK = re.compile(r"https?://\S{1,300}?/proof/([^/?#\s]+)", re.IGNORECASE)
_SPACES = re.compile(r"\s+")


def proof_home() -> Response:
    """The page "Check a receipt": paste its text or link, or send a picture of it."""
    return respond(page_maker().proof_home_page())


def check_a_proof() -> Response:
    """Check what was pasted or photographed; changes nothing."""
    upload = request.files.get("photo")
    if upload is None:
        return show_proof(proof_in(request.form.get("proof", "")))
    try:
        found = scan_in_turn(
            context(), upload.read(), request.remote_addr, accept=lambda text: bool(linked_proof(text))
        )
    except PhotoError as refused:
        return respond(page_maker().proof_photo_page(refused.code, refusal_numbers(refused)), refused.http_status)
    if not found.symbols:
        return respond(page_maker().proof_photo_page(*advice_numbers(found.advice)))
    linked = (linked_proof(symbol.text) for symbol in found.symbols)
    return show_proof(next((text for text in linked if text), ""))


def proof_file(text: str) -> Response:
    """A proof as PDF, without the keep-code, which this page does not know."""
    try:
        checked = check_proof(context(), text)
    except ProofRefused:
        abort(HTTPStatus.NOT_FOUND)
    facts = checked.status.facts
    if facts is None:
        abort(HTTPStatus.NOT_FOUND)
    proof = checked.proof
    sheet = proof_sheet(facts, text, address=proof.issuer, log_head=proof.log_head, moment=_moment(proof))
    return pdf_response(sheet, facts.serial, "attachment")


def show_proof(text: str) -> Response:
    """The page of a proof, or the reason why the text is none."""
    maker = page_maker()
    try:
        checked = check_proof(context(), text)
    except ProofRefused as refused:
        return respond(maker.proof_answer_page(refused.code), refused.http_status)
    facts = checked.status.facts
    if facts is None:
        return respond(maker.proof_gone_page(_moment(checked.proof), checked.status.ended))
    size, path = symbol_path(proof_symbol(f"{checked.proof.issuer}/proof/{text}"))
    view = ProofView(
        text=text, file=f"/proof/{text}/receipt.pdf", symbol_size=size, symbol_path=path, head=checked.proof.log_head
    )
    return respond(maker.proof_page(view, facts, since=checked.status.since, moment=_moment(checked.proof)))


def linked_proof(text: str) -> str | None:
    """The proof in a receipt's link; any host will do, since only the signature counts."""
    found = _LINK.search(text)
    return found.group(1) if found else None


def proof_in(pasted: str) -> str:
    """The proof in pasted text: a link, or the proof itself, with any spaces and line breaks."""
    if len(pasted) > MAX_PASTED_CHARS:
        return ""
    bare = _SPACES.sub("", pasted)
    return linked_proof(bare) or bare


def _moment(proof: Proof) -> str:
    return catalogue().moment(proof.at)
