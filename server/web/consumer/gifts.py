"""Stage 6, redeem: the page of a gift's link: it shows what is given, and its button takes it over.

The address is a secret until it is used (docs/protocol.md §5 rule 8). A GET changes nothing, so that a messenger may
fetch a preview. The server does not know the code's own address, so the receipt is saved and printed from here too.
"""

from dataclasses import replace
from http import HTTPStatus

from flask import Response, request, url_for

from keys.base.errors import AuthcodeError
from server.domain.codes.claim import ClaimInvalid, ClaimTriesSpent
from server.domain.codes.gift import GiftUnknown
from server.domain.codes.holder_acts import ActNotNow
from server.domain.codes.page_token import PageTokenInvalid
from server.services.codes.redeem import PageForm
from server.services.holders.take_gift import GIFT_REFUSALS, GiftLook, Taken, look_at_gift, take_on_page
from server.web.consumer import problems, receipts
from server.web.consumer.forms import HIDDEN, MAX_FORM_BYTES, is_ours, keeps_cookies, with_cookie, with_own_cookie
from server.web.consumer.respond import page_maker, respond
from server.web.consumer.staff import offers_for_staff, refuse_staff
from server.web.consumer.view import Page, ReceiptView, TakeForm, Tint
from server.web.limits import refuse_more_wrong_tokens
from server.web.origin import is_origin_hidden, is_origin_shown
from server.web.visit import context, visitor


def show_gift(token: str) -> Response:
    """What is given, with the button that takes it over; who took it is shown their receipt again."""
    try:
        found = look_at_gift(context(), token, visitor())
    except GIFT_REFUSALS as refused:
        if isinstance(refused, GiftUnknown):
            refuse_more_wrong_tokens()
        return _refusal(refused)
    return with_cookie(respond(_look_page(token, found)), found.holder_cookie)


def take_gift(token: str) -> Response:
    """Take the gift over, or give its taker the receipt as a file.

    A browser that will be known by its cookie is redirected, so that going back or reloading sends nothing again.
    """
    refuse_staff()
    request.max_content_length = MAX_FORM_BYTES
    hidden = is_origin_hidden(request)
    if not (hidden or is_ours()):
        return _look_again(token)
    if "receipt" in request.form:
        return _look_again(token, notes=HIDDEN) if hidden else _receipt(token)
    claim = request.form.get("claim")
    form = PageForm(token=request.form.get("token"), claim=claim, origin_hidden=hidden)
    try:
        taken = take_on_page(context(), token, form, visitor())
    except (ClaimInvalid, PageTokenInvalid):
        known = claim if is_origin_shown(request) else None
        return _look_again(token, known, notes=HIDDEN if hidden else ("again_act",))
    except ClaimTriesSpent as spent:
        return problems.problem_page(spent.http_status)
    except GIFT_REFUSALS as refused:
        return _refusal(refused)
    return _answer(token, taken)


def _answer(token: str, taken: Taken) -> Response:
    remembered = keeps_cookies()
    if remembered and taken.known_by_cookie:
        known = Response(status=HTTPStatus.SEE_OTHER, headers={"Location": _address(token)})
        return with_cookie(known, taken.holder_cookie)
    page = _taken_page(token, taken, notes=() if remembered else ("not_remembered",))
    return with_own_cookie(respond(page), taken.holder_cookie)


def _receipt(token: str) -> Response:
    """The taker's receipt as a file; the page for everybody else."""
    try:
        found = look_at_gift(context(), token, visitor(), claim=request.form.get("claim"))
    except GIFT_REFUSALS as refused:
        return _refusal(refused)
    file = None
    if found.taken is not None:
        file = receipts.receipt_file(found.taken.receipt, found.taken.facts)
    return file or respond(_look_page(token, found))


def _look_again(token: str, claim: str | None = None, *, notes: tuple[str, ...] = ()) -> Response:
    """The page with a fresh token, where a form was not accepted; with the same claim if our page sent it."""
    try:
        found = look_at_gift(context(), token, visitor(), claim=claim)
    except GIFT_REFUSALS as refused:
        return _refusal(refused)
    return respond(_look_page(token, found, notes=notes), HTTPStatus.CONFLICT)


def _look_page(token: str, found: GiftLook, *, notes: tuple[str, ...] = ()) -> Page:
    if found.taken is not None:
        return _taken_page(token, found.taken, notes=notes)
    page = page_maker().act_page("gift_ask", found.facts, tint=Tint.NOTICE, notes=notes)
    if found.token is None or found.claim is None:
        return replace(page, offers=offers_for_staff(found.unit))
    return replace(page, take=TakeForm(action=_address(token), token=found.token, claim=found.claim))


def _taken_page(token: str, taken: Taken, *, notes: tuple[str, ...]) -> Page:
    view = ReceiptView(
        action=_address(token),
        keep_code=taken.receipt.keep_code,
        proof=f"/proof/{taken.receipt.proof}",
        claim=request.form.get("claim"),
        handed_on=True,
    )
    return page_maker().act_page("gift_taken", taken.facts, tint=Tint.FINE, receipt=view, notes=notes)


def _refusal(refused: AuthcodeError) -> Response:
    name = "gift_not_now" if isinstance(refused, ActNotNow) else refused.code
    page = page_maker().plain_page(name)
    return respond(page, refused.http_status)


def _address(token: str) -> str:
    return url_for("consumer.show_gift", token=token)
