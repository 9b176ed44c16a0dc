"""Stage 6, redeem: what a code's page gives its holder to keep, and takes from whoever says "it was me".

All three are POSTs to the code's own address: the keep-code, the receipt to save, the receipt to print. None needs a
script or a cookie (docs/protocol.md §2 rules 11 to 13).
"""

from http import HTTPStatus

from flask import Response, request

from server.domain.codes.holder_acts import HolderAct
from server.domain.codes.redemption import Verdict
from server.services.codes.facts import CodeFacts
from server.services.codes.look import text_of_page
from server.services.codes.receipts import Receipt
from server.services.codes.redeem import Answer
from server.services.holders.keep_codes import prove, receipt_on_page
from server.web.consumer.receipt_pdf import ReceiptSheet, receipt_pdf
from server.web.consumer.respond import catalogue
from server.web.consumer.view import KeepForm, ReceiptView
from server.web.consumer.words import ShopperCatalogue
from server.web.visit import context, raw_target, visitor

_PDF_POLICY = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""Browsers show a PDF through a page of their own, which has styles; a PDF of ours holds no script."""

PRINT = "print"
SAVE = "save"
_STANDS = frozenset({Verdict.GENUINE, Verdict.VERIFIED_BY_YOU})
"""States in which a holder may undo the verification or hand it on."""
TAKES_KEEP_CODE = frozenset({Verdict.WITHHELD, Verdict.ALREADY_VERIFIED, Verdict.LOCKED})
"""States in which a visitor may say "it was me". What is withheld may be their own verification: without this they
would be offered nothing but to verify it again, and be recorded as a duplicate of themselves."""


def is_asked() -> bool:
    """Whether the form at hand is one of this module's."""
    return "keep_code" in request.form or "receipt" in request.form


def answer() -> Answer | None:
    """Answer a keep-code, or find the receipt of who holds the code; None for anybody else.

    Raises:
        KeepCodeInvalid, KeepCodeTriesSpent: there is no answer.
    """
    text, typed = text_of_page(context(), *raw_target()), request.form.get("keep_code")
    if typed is None:
        return receipt_on_page(context(), text, claim=request.form.get("claim"), visitor=visitor())
    return prove(context(), text, keep_code=typed, visitor=visitor())


def is_file_wanted(found: Answer) -> bool:
    """Whether the answer is the receipt as a file."""
    return found.receipt is not None and request.form.get("receipt") in {PRINT, SAVE}


def receipt_file(found: Answer) -> Response:
    """The holder's own copy as PDF: the proof to show, and the keep-code below a line to cut along."""
    assert found.receipt is not None  # noqa: S101 - the caller asked `is_file_wanted`
    assert found.facts is not None  # noqa: S101 - nobody holds an unknown code
    sheet = own_sheet(catalogue(), found.receipt, found.facts)
    shown = "inline" if request.form.get("receipt") == PRINT else "attachment"
    return pdf_response(receipt_pdf(sheet), found.facts.serial, shown)


def pdf_response(content: bytes, serial: str, disposition: str) -> Response:
    """A PDF under a name that tells which code it belongs to."""
    headers = {
        "Content-Disposition": f'{disposition}; filename="receipt-{serial}.pdf"',
        "Content-Security-Policy": _PDF_POLICY,
    }
    return Response(content, HTTPStatus.OK, headers, mimetype="application/pdf")


def own_sheet(words: ShopperCatalogue, receipt: Receipt, facts: CodeFacts) -> ReceiptSheet:
    """The holder's own copy of a receipt."""
    return ReceiptSheet(
        title=str(words.word("receipt_heading")),
        heading=str(words.word("receipt_heading")),
        lines=tuple(words.lines("receipt_lines")),
        rows=receipt_rows(words, facts),
        link=f"{receipt.address}/proof/{receipt.proof}",
        proof_label=str(words.word("proof_label")),
        proof=receipt.proof,
        log_label=str(words.word("proof_log")),
        log_head=receipt.log_head,
        keep_heading=str(words.word("keep_code")),
        keep_code=receipt.keep_code,
        keep_lines=tuple(words.lines("keep_lines_handed_on" if receipt.hop else "keep_lines")),
    )


def receipt_rows(words: ShopperCatalogue, facts: CodeFacts, moment: str | None = None) -> tuple[tuple[str, str], ...]:
    """What a receipt names: product, brand, serial, lot, and when the code was verified (`moment` where it is told)."""
    own = facts.first_verified_at
    rows = (
        ("receipt_product", facts.product.name if facts.product else None),
        ("receipt_brand", facts.brand),
        ("serial", facts.serial_printed),
        ("lot", facts.lot),
        ("receipt_moment", moment or (words.moment(own) if own else None)),
    )
    return tuple((str(words.word(label)), value) for label, value in rows if value)


def receipt_view(receipt: Receipt | None, action: str, verdict: Verdict | None) -> ReceiptView | None:
    """The card on the holder's page; its forms bring what proved the holder here: claim, keep-code or cookie."""
    if receipt is None:
        return None
    acts: tuple[HolderAct, ...] = (HolderAct.ERASE,)
    until = receipt.undo_until if receipt.undo_until and context().clock() <= receipt.undo_until else None
    if verdict in _STANDS:
        acts = (HolderAct.HAND_ON, *((HolderAct.UNDO,) if until else ()), HolderAct.ERASE)
    return ReceiptView(
        keep_code=receipt.keep_code,
        proof=f"/proof/{receipt.proof}",
        action=action,
        claim=request.form.get("claim"),
        proven_by=receipt.keep_code if "keep_code" in request.form else None,
        acts=tuple(acts),
        handed_on=receipt.hop > 0,
        undo_until=catalogue().moment(until) if until else None,
    )


def keep_form(verdict: Verdict | None, *, own: bool, action: str) -> KeepForm | None:
    """The form "It was me", where the page is a stranger's so far."""
    return KeepForm(action=action) if verdict in TAKES_KEEP_CODE and not own else None
