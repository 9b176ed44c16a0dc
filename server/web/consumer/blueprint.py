"""Stage 6, redeem: the shopper's pages. A code's own page looks by GET and verifies by POST; "Check a code" only looks.

The procedure of a burn is the service's (docs/protocol.md §2). This module has what belongs to HTTP: the raw target,
the origin of a form, the holder cookie, and the page for each answer.
"""

from http import HTTPStatus

from flask import Blueprint, Response, abort, request
from werkzeug.exceptions import HTTPException

from authcode.code.payload import SERIAL_CHARACTERS, dropped_link
from authcode.code.serial import TypedSerialInvalid
from authcode.order.order import Placement
from keys.base.errors import AuthcodeError
from keys.proof import linked_proof
from scanner.errors import PhotoError
from server.domain.codes.attempt_cases import TickMissing
from server.domain.codes.claim import ClaimInvalid
from server.domain.codes.holder_acts import ActNotNow, HolderUnknown
from server.domain.codes.keep_code import KeepCodeInvalid, KeepCodeTriesSpent
from server.domain.codes.page_token import PageTokenInvalid
from server.domain.codes.verdict import Verdict
from server.services.brands.publish_product import product_picture
from server.services.codes.address import code_address, plain_address
from server.services.codes.attempts import Channel
from server.services.codes.look import OFFERED, Look, look_at_page, look_at_serial, text_of_page
from server.services.codes.photo import SymbolLook, read_photo
from server.services.codes.redeem import Answer, PageForm, verify_on_page
from server.web.consumer import gifts, holder_acts, problems, proofs, receipts
from server.web.consumer.accent import accent_sheet
from server.web.consumer.addresses import look_elsewhere, see_other
from server.web.consumer.forms import HIDDEN, MAX_FORM_BYTES, is_ours, keeps_cookies, with_cookie, with_own_cookie
from server.web.consumer.pages import ShownCode
from server.web.consumer.respond import page_address, page_maker, respond
from server.web.consumer.sentence_facts import advice_numbers, refusal_numbers
from server.web.consumer.staff import offers_for_staff, refuse_staff
from server.web.consumer.view import Burn, Page, Tint
from server.web.metrics import count_answer
from server.web.origin import is_origin_hidden, is_origin_shown
from server.web.static_files import send_static
from server.web.visit import context, raw_target, visitor

_SHORT_RULE = "/<code>"
_LINK_RULE = "/01/<gtin>/21/<serial>"

_PICTURE_MAX_AGE_S = 300

blueprint = Blueprint("consumer", __name__, template_folder="templates")
blueprint.register_error_handler(HTTPException, problems.http_problem_page)
blueprint.register_error_handler(AuthcodeError, problems.problem_of_ours)
blueprint.register_error_handler(Exception, problems.unexpected_problem)
blueprint.get("/proof")(proofs.proof_home)
blueprint.post("/proof")(proofs.check_a_proof)
blueprint.get("/proof/<pasted>")(proofs.show_proof)
blueprint.get("/proof/<text>/receipt.pdf")(proofs.proof_file)
blueprint.get("/gift/<token>")(gifts.show_gift)
blueprint.post("/gift/<token>")(gifts.take_gift)
blueprint.get("/accent/<colour>.css")(accent_sheet)
blueprint.add_url_rule("/style/<path:filename>", "style", send_static)
# Browsers try this address by themselves; it is no code.
blueprint.add_url_rule("/favicon.ico", "favicon", send_static, defaults={"filename": "icon.svg"})


@blueprint.get("/")
def home() -> Response:
    """The page "Check a code": send a picture or type the serial."""
    return respond(page_maker().home_page())


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Ask crawlers to stay away: a code's address is a secret until it is burned."""
    return Response("User-agent: *\nDisallow: /\n", mimetype="text/plain")


@blueprint.get(_SHORT_RULE)
@blueprint.get(_LINK_RULE)
def look(**_parts: str) -> Response:
    """Look at the code of this address: nothing changes, however often (docs/protocol.md §1)."""
    elsewhere = look_elsewhere()
    if elsewhere is not None:
        return elsewhere
    found = _look()
    return with_cookie(respond(_look_page(found)), found.holder_cookie)


@blueprint.post(_SHORT_RULE)
@blueprint.post(_LINK_RULE)
def burn(**_parts: str) -> Response:
    """Verify the code of this address, with the page's token and claim (docs/protocol.md §2 rules 3 to 8).

    A damaged address of a code burns nothing and is answered like one that is opened: by a redirect to the plain one.
    A form that was not sent from our page, or whose token or tick is missing, is answered with the look page (409). One
    of unknown origin counts as ours if its claim was made for this browser. A verification whose browser will be known
    by its cookie is answered by a redirect to the code's page, so that going back or reloading sends nothing again.
    """
    refuse_staff()
    elsewhere = look_elsewhere()
    if elsewhere is not None:
        return elsewhere
    request.max_content_length = MAX_FORM_BYTES
    hidden = is_origin_hidden(request)
    if not (hidden or is_ours()):
        return _look_again()
    act = next((answer for wanted, answer in _ACTS if wanted()), None)
    if act is not None:
        return _look_again(notes=HIDDEN) if hidden else act()
    return _verify(origin_hidden=hidden)


@blueprint.get("/picture/<brand_id>/<sku>")
def picture(brand_id: str, sku: str) -> Response:
    """A product's picture, as its brand published it."""
    found = product_picture(context().db, brand_id, sku)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    content, media_type = found
    return Response(content, mimetype=media_type, headers={"Cache-Control": f"public, max-age={_PICTURE_MAX_AGE_S}"})


@blueprint.post("/check/photo")
def check_photo() -> Response:
    """Read a picture: a page for one code, a card each for several, advice for none. Never burns."""
    upload = request.files.get("photo")
    maker = page_maker()
    try:
        answer = read_photo(context(), upload.read() if upload else b"", visitor())
    except PhotoError as refused:
        return respond(maker.unreadable_page(refused.code, refusal_numbers(refused)), refused.http_status)
    codes = [_shown_in_photo(symbol) for symbol in answer.symbols]
    if not codes:
        return respond(maker.unreadable_page(*advice_numbers(answer.advice)))
    cookie = next((symbol.look.holder_cookie for symbol in answer.symbols if symbol.look.holder_cookie), None)
    if len(codes) > 1:
        return with_cookie(respond(maker.cards_page(codes, left_out=answer.left_out)), cookie)
    proof = linked_proof(answer.symbols[0].text)
    if proof is not None and codes[0].verdict is Verdict.NOT_OURS:
        return proofs.show_proof(proof)
    return with_cookie(respond(maker.code_page(codes[0], answer=True)), cookie)


@blueprint.post("/check/serial")
def check_serial() -> Response:
    """Look by a typed serial: the one look without a signature. Never burns. A code's link leads to its page."""
    request.max_content_length = MAX_FORM_BYTES
    maker, typed = page_maker(), request.form.get("serial", "")
    address = plain_address(context(), typed)
    if address is not None:
        return see_other(address)
    try:
        found = look_at_serial(context(), typed, visitor())
    except TypedSerialInvalid as refused:
        facts = {"serial_length": str(SERIAL_CHARACTERS)}
        page = maker.typed_page("typed_unreadable", typed, tint=Tint.NOTICE, facts=facts)
        return respond(page, refused.http_status)
    count_answer("serial", found.state)
    if found.state is Verdict.NOT_OURS:
        return respond(maker.typed_page("typed_unknown", typed, tint=Tint.CAREFUL))
    shown = ShownCode(verdict=found.state, facts=found.facts, channel=Channel.SERIAL)
    return with_cookie(respond(maker.code_page(shown, answer=True)), found.holder_cookie)


def _verify(*, origin_hidden: bool) -> Response:
    text, claim = text_of_page(context(), *raw_target()), request.form.get("claim")
    ticked = "bought" in request.form
    form = PageForm(token=request.form.get("token"), claim=claim, ticked=ticked, origin_hidden=origin_hidden)
    try:
        answer = verify_on_page(context(), text, form, visitor())
    except ClaimInvalid:
        return _look_again()
    except (TickMissing, PageTokenInvalid) as refused:
        notes = HIDDEN if origin_hidden else ()
        known = claim if is_origin_shown(request) else None
        return _look_again(known, notes=("tick_first",) if isinstance(refused, TickMissing) else notes)
    return _verdict(answer)


def _holder_act() -> Response:
    """Answer a holder's act, or show the code's page where it cannot be done."""
    try:
        return holder_acts.answer()
    except KeepCodeTriesSpent as refused:
        return respond(page_maker().plain_page("keep_spent"), refused.http_status)
    except (HolderUnknown, KeepCodeInvalid, ActNotNow):
        return _look_response(HTTPStatus.CONFLICT)


def _receipt() -> Response:
    """Answer a keep-code, or give the receipt as a file."""
    try:
        found = receipts.answer()
    except KeepCodeTriesSpent as refused:
        return respond(page_maker().plain_page("keep_spent"), refused.http_status)
    except KeepCodeInvalid as refused:
        return _look_response(refused.http_status, notes=("keep_mistyped",))
    if found is not None:
        answered = receipts.receipt_file(found.receipt, found.facts) or respond(_answer_page(found))
        return with_cookie(answered, found.holder_cookie)
    if "keep_code" in request.form:
        return _look_response(HTTPStatus.OK, notes=("keep_wrong",))
    return _look_again()


_ACTS = ((holder_acts.is_requested, _holder_act), (receipts.is_requested, _receipt))
"""What else the forms of a code's page send, and what answers it."""


def _look_response(status: int, *, notes: tuple[str, ...] = ()) -> Response:
    """The look page as the answer to a form of ours, with the cookie of a look."""
    found = _look()
    response = respond(_look_page(found, notes=notes), status)
    return with_cookie(response, found.holder_cookie if is_origin_shown(request) else None)


def _look(claim: str | None = None) -> Look:
    return look_at_page(context(), *raw_target(), visitor(), claim=claim)


def _look_page(found: Look, *, again: bool = False, notes: tuple[str, ...] = ()) -> Page:
    count_answer("look", found.state)
    raw_path, _ = raw_target()
    cut = found.token is None and dropped_link(raw_path, "") is not None
    shown = ShownCode(verdict=found.state, facts=found.facts, foreign=found.foreign, cut=cut)
    form = None
    if found.token and found.claim:
        tells = found.state not in {Verdict.UNUSED, Verdict.WITHHELD}
        visible = found.facts is not None and found.facts.placement is Placement.VISIBLE
        form = Burn(action=page_address(), token=found.token, claim=found.claim, tells=tells, visible=visible)
    staff = visitor().staff
    offers = offers_for_staff(found.unit) if staff else receipts.offers_of(shown, found.receipt, burn=form)
    noted = ("again", *notes) if again and form else notes
    answers = again or bool(notes) or found.state is Verdict.GENUINE
    return page_maker().code_page(shown, offers, notes=noted, answer=answers)


def _look_again(claim: str | None = None, *, notes: tuple[str, ...] = ()) -> Response:
    """The look page with a fresh token, where a form was not accepted; with the same claim if our page sent it.

    No cookie is set: what another site sent comes without the browser's own, which a new one would replace.
    """
    return respond(_look_page(_look(claim), again=not notes, notes=notes), HTTPStatus.CONFLICT)


def _verdict(answer: Answer) -> Response:
    own, remembered = answer.verdict in {Verdict.GENUINE, Verdict.VERIFIED_BY_YOU}, keeps_cookies()
    if own and remembered and answer.known_by_cookie:
        return with_cookie(see_other(page_address()), answer.holder_cookie)
    notes = ("told",) if answer.verdict in OFFERED else ()
    if answer.verdict is Verdict.GENUINE and not remembered:
        notes = ("not_remembered",)
    return with_own_cookie(respond(_answer_page(answer, notes=notes)), answer.holder_cookie)


def _answer_page(answer: Answer, *, notes: tuple[str, ...] = ()) -> Page:
    count_answer("verify", answer.verdict, foreign=answer.foreign)
    shown = ShownCode(verdict=answer.verdict, facts=answer.facts, foreign=answer.foreign)
    known = answer.known_by_cookie or not keeps_cookies()  # a browser that keeps no cookie cannot be remembered
    offers = receipts.offers_of(shown, answer.receipt, known_by_cookie=known)
    return page_maker().code_page(shown, offers, notes=notes, answer=True)


def _shown_in_photo(symbol: SymbolLook) -> ShownCode:
    found = symbol.look
    count_answer("photo", found.state, foreign=found.foreign)
    page = code_address(context(), symbol.text) if found.facts is not None else None
    return ShownCode(
        verdict=found.state, facts=found.facts, foreign=found.foreign, channel=Channel.PHOTO, code_page=page
    )
