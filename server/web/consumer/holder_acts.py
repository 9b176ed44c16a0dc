"""Stage 6, redeem: what a holder does on a code's page: undo, hand on, erase (docs/protocol.md §5).

Each is two POSTs to the code's own address. The first answers with a page that says plainly what will happen, and
carries a token; its button sends the second. Both bring what shows the holder: claim, keep-code or cookie.
"""

from http import HTTPStatus

from flask import Response, request

from server.domain.codes.holder_acts import HandOnLimit, HolderAct, UndoOver
from server.domain.codes.page_token import PageTokenInvalid
from server.services.codes.look import text_of_page
from server.services.holders.acts import ActAnswer, HolderCredentials, act_on_page, ask_on_page
from server.web.consumer.pictures import picture_address
from server.web.consumer.respond import page_maker, respond
from server.web.consumer.view import Confirm, Page, ReceiptView, Tint
from server.web.visit import context, raw_target, visitor

_REFUSED = {UndoOver: "undo_over", HandOnLimit: "hand_on_limit"}


def is_asked() -> bool:
    """Whether the form at hand is one of this module's."""
    return request.form.get("act") in set(HolderAct)


def answer(action: str) -> Response:
    """Say what the act at hand will do, or do it once that was confirmed; `action` is the code's own address.

    Raises:
        HolderUnknown, KeepCodeInvalid, KeepCodeTriesSpent, ActNotNow: there is nothing to say here but the code's page.
    """
    text = text_of_page(context(), *raw_target())
    act, holder, token = HolderAct(request.form["act"]), _holder(), request.form.get("token")
    try:
        if token is None:
            asked = ask_on_page(context(), text, act, holder)
            return respond(_ask_page(asked, action))
        try:
            return respond(_done_page(act_on_page(context(), text, act, holder, token=token), action))
        except PageTokenInvalid as late:
            asked = ask_on_page(context(), text, act, holder)
            return respond(_ask_page(asked, action, notes=("again_act",)), late.http_status)
    except (UndoOver, HandOnLimit) as refused:
        return respond(page_maker().plain_page(_REFUSED[type(refused)], tint=Tint.NOT_YET), HTTPStatus.CONFLICT)


def _holder() -> HolderCredentials:
    claim, keep_code = request.form.get("claim"), request.form.get("keep_code")
    return HolderCredentials(visitor=visitor(), claim=claim, keep_code=keep_code)


def _ask_page(asked: ActAnswer, action: str, *, notes: tuple[str, ...] = ()) -> Page:
    confirm = Confirm(
        action=action,
        act=asked.act,
        token=asked.token or "",
        claim=request.form.get("claim"),
        proven_by=request.form.get("keep_code"),
    )
    picture = picture_address(asked.facts)
    return page_maker().act_page(
        _entry(asked, "ask"), asked.facts, tint=Tint.CAREFUL, picture=picture, confirm=confirm, notes=notes
    )


def _done_page(done: ActAnswer, action: str) -> Page:
    receipt = None
    if done.receipt is not None:
        code = done.receipt.keep_code
        proof = f"/proof/{done.receipt.proof}"
        receipt = ReceiptView(keep_code=code, proof=proof, action=action, claim=None, proven_by=code, for_next=True)
    picture = picture_address(done.facts)
    return page_maker().act_page(
        _entry(done, "done"),
        done.facts,
        tint=Tint.FINE,
        picture=picture,
        receipt=receipt,
        left=_left(action) if done.act is HolderAct.UNDO else None,
    )


def _entry(answer: ActAnswer, stage: str) -> str:
    """The catalogue's entry: after a return to unused an erasure finds no verified code."""
    return f"{answer.act}_{stage}" + ("_returned" if answer.ended else "")


def _left(action: str) -> ReceiptView:
    """What is left to whoever undid a verification: to have erased what is kept of it."""
    claim, keep_code = request.form.get("claim"), request.form.get("keep_code")
    acts = (HolderAct.ERASE,)
    return ReceiptView(
        keep_code="", proof="", action=action, claim=claim, proven_by=keep_code, acts=acts, returned=True
    )
