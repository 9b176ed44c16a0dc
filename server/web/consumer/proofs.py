"""Stage 6, redeem: the page of a proof, and the page that checks one; neither changes anything.

A proof's page shows the proof and what is on record now; it gives no rights (docs/protocol.md §2 rule 11).
"""

from http import HTTPStatus

from flask import Response, abort, request

from keys.proof import Proof, ProofRefused, linked_proof, proof_in
from scanner.errors import PhotoError
from server.services.codes.photo import scan_in_turn
from server.services.codes.receipts import check_proof
from server.web.consumer.receipt_pdf import proof_symbol, symbol_path
from server.web.consumer.receipts import pdf_response, proof_sheet
from server.web.consumer.respond import catalogue, page_maker, respond
from server.web.consumer.sentence_facts import advice_numbers, refusal_numbers
from server.web.consumer.view import ProofView
from server.web.visit import context


def proof_home() -> Response:
    """The page "Check a receipt": paste its text or link, or send a picture of it."""
    return respond(page_maker().proof_home_page())


def check_a_proof() -> Response:
    """Check what was pasted or photographed; changes nothing."""
    upload = request.files.get("photo")
    if upload is None:
        return show_proof(request.form.get("proof", ""))
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


def show_proof(pasted: str) -> Response:
    """The page of the proof in an address or a pasted text, or the reason why there is none."""
    maker, text = page_maker(), proof_in(pasted)
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


def _moment(proof: Proof) -> str:
    return catalogue().moment(proof.at)
