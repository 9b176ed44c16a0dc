"""Stage 6, redeem: the acts of a holder on a code's page, such as undo, hand on and erase (docs/protocol.md §5).

Each is two POSTs to the code's own address. The first answers with a page that describes what will happen and has a
token; its button sends the second. Both send what proves the holder: claim, keep-code or cookie.
"""

from dataclasses import replace
from http import HTTPStatus

from flask import Response, request

from server.domain.codes.holder_acts import CookieNotKept, HandOnLimit, HolderAct, RememberedFull, UndoOver
from server.domain.codes.page_token import PageTokenInvalid
from server.services.codes.facts import CodeFacts
from server.services.codes.look import text_of_page
from server.services.holders.act_request import ActAnswer, GiftLink, HolderCredentials
from server.services.holders.acts import act_on_page, preview_on_page
from server.web.consumer.forms import keeps_cookies, with_own_cookie
from server.web.consumer.receipt_pdf import proof_symbol, symbol_path
from server.web.consumer.respond import catalogue, page_address, page_maker, respond
from server.web.consumer.view import Confirm, GiftView, Page, ReceiptView, Tint
from server.web.visit import context, raw_target, visitor

_REFUSED = (UndoOver, HandOnLimit, RememberedFull, CookieNotKept)
"""Refusals with a page of their own, which the catalogue has by their code."""
_STAYS_HELD = frozenset({HolderAct.GIVE, HolderAct.WITHDRAW, HolderAct.REMEMBER, HolderAct.FORGET})
"""Acts after which the code's page is the holder's as before."""


def is_requested() -> bool:
    """Whether the form of this request is one of this module's."""
    return request.form.get("act") in set(HolderAct)


def answer() -> Response:
    """Describe what the requested act will do, or do it after its confirmation.

    Raises:
        HolderUnknown, KeepCodeInvalid, KeepCodeTriesSpent, ActNotNow: there is nothing to show but the code's page.
    """
    text = text_of_page(context(), *raw_target())
    act, token = HolderAct(request.form["act"]), request.form.get("token")
    claim, keep_code = request.form.get("claim"), request.form.get("keep_code")
    holder = HolderCredentials(visitor=visitor(), claim=claim, keep_code=keep_code)
    try:
        if act is HolderAct.REMEMBER and not keeps_cookies():
            raise CookieNotKept
        if token is None:
            asked = preview_on_page(context(), text, act, holder)
            return with_own_cookie(respond(_confirm_page(asked, holder)), asked.holder_cookie)
        try:
            done = act_on_page(context(), text, act, holder, token=token)
            return with_own_cookie(respond(_done_page(done, holder)), done.holder_cookie)
        except PageTokenInvalid as late:
            asked = preview_on_page(context(), text, act, holder)
            page = _confirm_page(asked, holder, notes=("again_act",))
            return with_own_cookie(respond(page, late.http_status), asked.holder_cookie)
    except _REFUSED as refused:
        return respond(page_maker().plain_page(refused.code), HTTPStatus.CONFLICT)


def _confirm_page(asked: ActAnswer, holder: HolderCredentials, *, notes: tuple[str, ...] = ()) -> Page:
    confirm = Confirm(
        action=page_address(), act=asked.act, token=asked.token or "", claim=holder.claim, proven_by=holder.keep_code
    )
    page = page_maker().act_page(_entry(asked, "ask"), asked.facts, tint=Tint.CAREFUL, notes=notes)
    return replace(page, confirm=confirm)


def _done_page(done: ActAnswer, holder: HolderCredentials) -> Page:
    """The result of an act. A receipt is the next owner's; after an undo the holder may still erase the record."""
    receipt = left = None
    if done.receipt is not None:
        code, proof = done.receipt.keep_code, f"/proof/{done.receipt.proof}"
        receipt = ReceiptView(action=page_address(), keep_code=code, proof=proof, proven_by=code, for_next=True)
    if done.act is HolderAct.UNDO:
        acts = (HolderAct.ERASE,)
        left = ReceiptView(
            action=page_address(), claim=holder.claim, proven_by=holder.keep_code, acts=acts, returned=True
        )
    page = page_maker().act_page(_entry(done, "done"), done.facts, tint=Tint.FINE, receipt=receipt)
    back = page_address() if done.act in _STAYS_HELD else None
    return replace(page, left=left, back=back, gift=None if done.gift is None else _gift_view(done.gift, done.facts))


def _gift_view(gift: GiftLink, facts: CodeFacts) -> GiftView:
    size, path = symbol_path(proof_symbol(gift.link))
    until = catalogue().moment(gift.until, facts.zone)
    return GiftView(link=gift.link, until=until, symbol_size=size, symbol_path=path)


def _entry(answer: ActAnswer, stage: str) -> str:
    """The catalogue's entry: after a return to unused an erasure finds no verified code."""
    return f"{answer.act}_{stage}" + ("_returned" if answer.ended else "")
