"""Stage 6, redeem: what a code's page gives its holder to keep, and the keep-code that it takes back.

All are POSTs to the code's own address: the keep-code, the receipt to save, the receipt to print. None needs a script
or a cookie (docs/protocol.md §2 rules 11 to 13).
"""

from dataclasses import replace
from datetime import datetime, tzinfo
from http import HTTPStatus

from flask import Response, request

from server.domain.codes.holder_acts import HolderAct
from server.domain.codes.verdict import Verdict
from server.services.codes.facts import CodeFacts
from server.services.codes.look import text_of_page
from server.services.codes.receipts import Receipt
from server.services.codes.redeem import Answer
from server.services.holders.keep_codes import prove, receipt_on_page
from server.web.consumer.pages import ShownCode
from server.web.consumer.receipt_pdf import ReceiptSheet, receipt_pdf
from server.web.consumer.respond import catalogue, page_address
from server.web.consumer.view import Burn, Offers, ReceiptView
from server.web.visit import context, raw_target, visitor

_PDF_POLICY = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""Browsers show a PDF in a page of their own, which has styles; our PDF holds no script."""

_END_CHARS = 16

_PRINT = "print"
_SAVE = "save"
_HOLDER_ACTS = frozenset({Verdict.GENUINE, Verdict.VERIFIED_BY_YOU})
"""Verdicts with which a holder may undo the verification or hand it on."""
_TAKES_KEEP_CODE = frozenset({Verdict.WITHHELD, Verdict.ALREADY_VERIFIED, Verdict.LOCKED})
"""Verdicts with which a visitor may enter a keep-code. What is withheld may be their own verification: without the form
they could only verify it again, and would be recorded as a duplicate of themselves."""


def is_requested() -> bool:
    """Whether the form of this request is one of this module's."""
    return "keep_code" in request.form or "receipt" in request.form


def answer() -> Answer | None:
    """Answer a keep-code, or find the holder's receipt; None for anybody else.

    Raises:
        KeepCodeInvalid, KeepCodeTriesSpent: there is no answer.
    """
    text, typed = text_of_page(context(), *raw_target()), request.form.get("keep_code")
    if typed is None:
        return receipt_on_page(context(), text, claim=request.form.get("claim"), visitor=visitor())
    return prove(context(), text, keep_code=typed, visitor=visitor())


def receipt_file(receipt: Receipt | None, facts: CodeFacts | None) -> Response | None:
    """The holder's own copy as PDF, where the form asks for it: the proof, and the keep-code below a line to cut."""
    wanted = request.form.get("receipt")
    if receipt is None or facts is None or wanted not in {_PRINT, _SAVE}:
        return None
    words = catalogue()
    sheet = replace(
        proof_sheet(facts, receipt.proof, address=receipt.address, log_head=receipt.log_head),
        keep_heading=words.word("keep_code").unescape(),
        keep_code=receipt.keep_code,
        keep_lines=words.lines("keep_lines_handed_on" if receipt.hop else "keep_lines"),
    )
    return pdf_response(sheet, facts.serial, "inline" if wanted == _PRINT else "attachment")


def pdf_response(sheet: ReceiptSheet, serial: str, disposition: str) -> Response:
    """A receipt as PDF; the file's name has the serial of its code."""
    headers = {
        "Content-Disposition": f'{disposition}; filename="receipt-{serial}.pdf"',
        "Content-Security-Policy": _PDF_POLICY,
    }
    return Response(receipt_pdf(sheet), HTTPStatus.OK, headers, mimetype="application/pdf")


def proof_sheet(
    facts: CodeFacts, proof: str, *, address: str, log_head: str | None, moment: str | None = None
) -> ReceiptSheet:
    """The sheet of a proof of the server at `address`; `moment` is written out, or the facts' first verification."""
    words, own = catalogue(), facts.first_verified_at
    rows = (
        ("receipt_product", facts.product.name if facts.product else None),
        ("receipt_brand", facts.brand),
        ("serial", facts.serial_printed),
        ("lot", facts.lot),
        ("receipt_moment", moment or (words.moment(own, facts.zone) if own else None)),
    )
    return ReceiptSheet(
        heading=words.word("receipt_heading").unescape(),
        lines=words.lines("receipt_lines"),
        rows=tuple((words.word(label).unescape(), value) for label, value in rows if value),
        link=f"{address}/proof/{proof}",
        proof_label=words.word("proof_label").unescape(),
        proof_end=_end_of(proof),
        no_letters=words.word("receipt_no_letters", scripts="{scripts}").unescape(),
        symbols=words.word("receipt_symbols").unescape(),
        log_label=words.word("proof_log").unescape(),
        log_head=log_head,
    )


def _end_of(proof: str) -> str:
    """The last characters of a proof, in groups: 96 bits of its signature, so that two receipts can be compared."""
    end = proof[-_END_CHARS:]
    return " ".join(end[start : start + 4] for start in range(0, len(end), 4))


def offers_of(
    shown: ShownCode, receipt: Receipt | None, *, burn: Burn | None = None, known_by_cookie: bool = True
) -> Offers:
    """What the page of a code offers: to verify, the holder's receipt, or a stranger's "It was me"."""
    own = shown.cut or (shown.facts is not None and shown.facts.was_yours)
    asks = shown.verdict in _TAKES_KEEP_CODE and not own
    view = _receipt_view(receipt, shown, known_by_cookie=known_by_cookie) if receipt is not None else None
    return Offers(burn=burn, receipt=view, keep_action=page_address() if asks else None)


def _receipt_view(receipt: Receipt, shown: ShownCode, *, known_by_cookie: bool) -> ReceiptView:
    """The card on the holder's page; its forms send what proved the holder here: claim, keep-code or cookie."""
    until = receipt.undo_until if receipt.undo_until and context().clock() <= receipt.undo_until else None
    words, zone = catalogue(), shown.facts.zone if shown.facts else None
    by_keep_code = "keep_code" in request.form
    offered = {
        **dict.fromkeys((HolderAct.GIVE, HolderAct.HAND_ON), shown.verdict in _HOLDER_ACTS),
        HolderAct.UNDO: shown.verdict in _HOLDER_ACTS and until is not None,
        HolderAct.WITHDRAW: receipt.gift_until is not None,
        HolderAct.REMEMBER: by_keep_code and not known_by_cookie,
        HolderAct.FORGET: bool(receipt.remembered_since),
        HolderAct.ERASE: True,
    }
    return ReceiptView(
        keep_code=receipt.keep_code,
        proof=f"/proof/{receipt.proof}",
        action=page_address(),
        claim=request.form.get("claim"),
        proven_by=receipt.keep_code if by_keep_code else None,
        acts=tuple(act for act, possible in offered.items() if possible),
        handed_on=receipt.hop > 0,
        undo_until=_moment(until, zone),
        remembered_since=tuple(words.day_of(since, zone) for since in receipt.remembered_since),
        gift_until=_moment(receipt.gift_until, zone),
    )


def _moment(moment: datetime | None, zone: tzinfo | None) -> str | None:
    return None if moment is None else catalogue().moment(moment, zone)
