"""Stage 6, redeem: the page of a proof, to show to anybody, and the page where anybody checks one.

Both only read. A proof's page says what it says and what is on record now; it gives no rights (docs/protocol.md §2
rule 11).
"""

import re
from http import HTTPStatus

from flask import Blueprint, Response, abort, request

from keys.proof import Proof, ProofRefused
from scanner.errors import PhotoError
from server.services.codes.facts import CodeFacts
from server.services.codes.photo import scan_in_turn
from server.services.codes.receipts import check_proof
from server.web.consumer.pictures import numbers_of, picture_address
from server.web.consumer.receipt_pdf import ReceiptSheet, proof_symbol, receipt_pdf, symbol_path
from server.web.consumer.receipts import pdf_response, receipt_rows
from server.web.consumer.respond import catalogue, page_maker, respond
from server.web.consumer.view import ProofView
from server.web.visit import context

MAX_PASTED_CHARS = 8192
"""A proof has some 500 characters; mails and chats put line breaks and a sentence or two around it."""

_LINK = re.compile(r"https?://\S{1,300}?/proof/([^/?#\s]+)", re.IGNORECASE)
_SPACES = re.compile(r"\s+")


def init_proof_pages(blueprint: Blueprint) -> None:
    """Put the pages on the shoppers' blueprint."""
    blueprint.get("/proof")(proof_home)
    blueprint.post("/proof")(check_a_proof)
    blueprint.get("/proof/<text>")(show_proof)
    blueprint.get("/proof/<text>/receipt.pdf")(proof_file)


def proof_home() -> Response:
    """The page "Check a receipt": paste its text or link, or send a picture of it."""
    return respond(page_maker().proof_home_page())


def check_a_proof() -> Response:
    """Check what was pasted or photographed; changes nothing."""
    upload = request.files.get("photo")
    if upload is None:
        return proof_page(proof_in(request.form.get("proof", "")))
    try:
        found = scan_in_turn(context(), upload.read(), request.remote_addr, accept=_is_proof)
    except PhotoError as refused:
        return respond(page_maker().proof_photo_page(refused.code, numbers_of(refused)), refused.http_status)
    if not found.symbols:
        advice = found.advice
        code, numbers = (advice.code, advice.facts) if advice else ("no_code", {})
        return respond(page_maker().proof_photo_page(code, numbers))
    linked = (linked_proof(symbol.text) for symbol in found.symbols)
    return proof_page(next((text for text in linked if text), ""))


def _is_proof(text: str) -> bool:
    return linked_proof(text) is not None


def show_proof(text: str) -> Response:
    """The page of one proof."""
    return proof_page(text)


def proof_file(text: str) -> Response:
    """A proof as PDF, to show: without the keep-code, which this page does not know."""
    try:
        checked = check_proof(context(), text)
    except ProofRefused:
        abort(HTTPStatus.NOT_FOUND)
    facts = checked.status.facts
    if facts is None:
        abort(HTTPStatus.NOT_FOUND)
    return pdf_response(receipt_pdf(_sheet(text, checked.proof, facts)), facts.serial, "attachment")


def proof_page(text: str) -> Response:
    """What a proof says and what is on record; or why the text is none."""
    maker = page_maker()
    try:
        checked = check_proof(context(), text)
    except ProofRefused as refused:
        return respond(maker.proof_refused_page(refused.code), refused.http_status)
    facts = checked.status.facts
    if facts is None:
        return respond(maker.proof_gone_page(_moment(checked.proof), checked.status.ended))
    size, path = symbol_path(proof_symbol(_link_of(text, checked.proof)))
    view = ProofView(
        text=text, file=f"/proof/{text}/receipt.pdf", symbol_size=size, symbol_path=path, head=checked.proof.log_head
    )
    shown = maker.proof_page(
        view, facts, since=checked.status.since, moment=_moment(checked.proof), picture=picture_address(facts)
    )
    return respond(shown)


def linked_proof(text: str) -> str | None:
    """The proof that a receipt's own link holds; the host takes no part, since only the signature counts."""
    found = _LINK.search(text)
    return found.group(1) if found else None


def proof_in(pasted: str) -> str:
    """The proof in what somebody pasted: a link, or a text with the spaces and line breaks that it met on its way."""
    if len(pasted) > MAX_PASTED_CHARS:
        return ""
    bare = _SPACES.sub("", pasted)
    return linked_proof(bare) or bare


def _moment(proof: Proof) -> str:
    return catalogue().moment(proof.at)


def _link_of(text: str, proof: Proof) -> str:
    return f"{proof.issuer}/proof/{text}"


def _sheet(text: str, proof: Proof, facts: CodeFacts) -> ReceiptSheet:
    words = catalogue()
    heading = str(words.word("receipt_heading"))
    return ReceiptSheet(
        title=heading,
        heading=heading,
        lines=tuple(words.lines("receipt_lines")),
        rows=receipt_rows(words, facts, _moment(proof)),
        link=_link_of(text, proof),
        proof_label=str(words.word("proof_label")),
        proof=text,
        log_label=str(words.word("proof_log")),
        log_head=proof.log_head,
    )
