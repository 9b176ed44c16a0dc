"""Stage 6, redeem: the shopper's pages. A code's own page looks by GET and verifies by POST; "Check a code" only looks.

The procedure of a burn is the service's (docs/protocol.md §2); this module holds what belongs to HTTP: the raw target,
the origin of a form, the holder cookie, and which page says the answer.
"""

from http import HTTPStatus

from flask import Blueprint, Response, abort, request

from authcode.code.payload import SERIAL_CHARACTERS, dropped_link
from authcode.code.serial import TypedSerialInvalid
from scanner.errors import PhotoError
from server.domain.codes.claim import ClaimInvalid
from server.domain.codes.holder_acts import ActNotNow, HolderUnknown
from server.domain.codes.keep_code import KeepCodeInvalid, KeepCodeTriesSpent
from server.domain.codes.page_token import PageTokenInvalid
from server.domain.codes.redemption import Verdict
from server.services.brands.publish_product import product_picture
from server.services.codes.attempts import Channel
from server.services.codes.look import OFFERED, Look, look_at_page, look_at_serial, text_of_page
from server.services.codes.photo import SymbolLook, read_photo
from server.services.codes.redeem import Answer, verify_on_page
from server.web.consumer import holder_acts as holding
from server.web.consumer import proofs
from server.web.consumer import receipts as keeping
from server.web.consumer.accent import init_accent
from server.web.consumer.pages import Seen
from server.web.consumer.pictures import numbers_of, picture_address
from server.web.consumer.problems import init_problem_pages
from server.web.consumer.respond import page_maker, respond
from server.web.consumer.view import Burn, Page, Tint
from server.web.metrics import count_answer
from server.web.origin import is_from_our_page, is_remembered
from server.web.static_files import send_static
from server.web.visit import HOLDER_COOKIE, HOLDER_COOKIE_DAYS, context, raw_target, visitor

MAX_FORM_BYTES = 4096
"""A token, a claim or a typed serial, and room to spare; photos have the settings' limit."""

_SECONDS_A_DAY = 24 * 3600
_SHORT_RULE = "/<code>"
_LINK_RULE = "/01/<gtin>/21/<serial>"

_PICTURE_MAX_AGE_S = 300

blueprint = Blueprint("consumer", __name__, template_folder="templates")
init_problem_pages(blueprint)
proofs.init_proof_pages(blueprint)
init_accent(blueprint)


@blueprint.get("/")
def home() -> Response:
    """The page "Check a code": send a picture or type the serial."""
    return respond(page_maker().home_page())


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Ask crawlers to stay away: a code's address is a secret until it is burned."""
    return Response("User-agent: *\nDisallow: /\n", mimetype="text/plain")


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """The icon where a browser looks for it unasked; it is no code."""
    return send_static("icon.svg")


@blueprint.get("/style/<path:filename>")
def style(filename: str) -> Response:
    """A static file of ours."""
    return send_static(filename)


@blueprint.get(_SHORT_RULE)
@blueprint.get(_LINK_RULE)
def look(**_parts: str) -> Response:
    """Look at the code that this address is: nothing changes, however often (docs/protocol.md §1)."""
    raw_path, query = raw_target()
    return respond(_look_page(look_at_page(context(), raw_path, query, visitor())))


@blueprint.post(_SHORT_RULE)
@blueprint.post(_LINK_RULE)
def burn(**_parts: str) -> Response:
    """Verify the code that this address is, with the page's token and claim (docs/protocol.md §2 rules 3 to 8).

    A form that was not sent from our page, or whose token does not hold, is answered with the look page (409).
    """
    request.max_content_length = MAX_FORM_BYTES
    raw_path, query = raw_target()
    if not is_from_our_page(request, context().keyrings().prefixes):
        fresh = look_at_page(context(), raw_path, query, visitor())
        return respond(_look_page(fresh, again=True), HTTPStatus.CONFLICT)
    if holding.is_asked():
        return _held()
    if keeping.is_asked():
        return _kept()
    text, claim = text_of_page(context(), raw_path, query), request.form.get("claim")
    try:
        answer = verify_on_page(context(), text, token=request.form.get("token"), claim=claim, visitor=visitor())
    except (ClaimInvalid, PageTokenInvalid) as refused:
        kept = claim if isinstance(refused, PageTokenInvalid) else None
        fresh = look_at_page(context(), raw_path, query, visitor(), claim=kept)
        return respond(_look_page(fresh, again=True), HTTPStatus.CONFLICT)
    return _verdict(answer)


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
        return respond(maker.unreadable_page(refused.code, numbers_of(refused)), refused.http_status)
    seen = [_seen_in_photo(symbol) for symbol in answer.symbols]
    if not seen:
        advice = answer.advice
        return respond(maker.unreadable_page(advice.code if advice else "no_code", advice.facts if advice else {}))
    shown_proof = proofs.linked_proof(answer.symbols[0].text)
    if len(seen) == 1 and shown_proof is not None and seen[0].verdict is Verdict.NOT_OURS:
        return proofs.proof_page(shown_proof)
    if len(seen) == 1:
        return respond(maker.code_page(seen[0], burn=None, answer=True))
    return respond(maker.cards_page(seen, left_out=answer.left_out))


@blueprint.post("/check/serial")
def check_serial() -> Response:
    """Look by a typed serial: the one look without a signature. Never burns."""
    request.max_content_length = MAX_FORM_BYTES
    maker, typed = page_maker(), request.form.get("serial", "")
    try:
        found = look_at_serial(context(), typed, visitor())
    except TypedSerialInvalid as refused:
        told = {"serial_length": str(SERIAL_CHARACTERS)}
        page = maker.typed_page("typed_unreadable", typed, tint=Tint.NOT_YET, told=told)
        return respond(page, refused.http_status)
    count_answer("serial", found.state)
    if found.state is Verdict.NOT_OURS:
        return respond(maker.typed_page("typed_unknown", typed, tint=Tint.CAREFUL))
    seen = Seen(
        verdict=found.state,
        facts=found.facts,
        foreign=None,
        channel=Channel.SERIAL,
        picture=picture_address(found.facts),
    )
    return respond(maker.code_page(seen, burn=None, answer=True))


def _held() -> Response:
    """Answer a holder's act; where there is none to answer, the page of the code as it stands."""
    raw_path, query = raw_target()
    try:
        return holding.answer(_own_address())
    except KeepCodeTriesSpent as refused:
        return respond(page_maker().plain_page("keep_spent", tint=Tint.NOT_YET), refused.http_status)
    except (HolderUnknown, KeepCodeInvalid, ActNotNow):
        return respond(_look_page(look_at_page(context(), raw_path, query, visitor())), HTTPStatus.CONFLICT)


def _kept() -> Response:
    """Answer a keep-code, or give the receipt as a file."""
    raw_path, query = raw_target()
    try:
        found = keeping.answer()
    except KeepCodeTriesSpent as refused:
        return respond(page_maker().plain_page("keep_spent", tint=Tint.NOT_YET), refused.http_status)
    except KeepCodeInvalid as refused:
        seen = look_at_page(context(), raw_path, query, visitor())
        return respond(_look_page(seen, notes=("keep_mistyped",)), refused.http_status)
    if found is None:
        wrong, seen = "keep_code" in request.form, look_at_page(context(), raw_path, query, visitor())
        page = _look_page(seen, again=not wrong, notes=("keep_wrong",) if wrong else ())
        return respond(page, HTTPStatus.OK if wrong else HTTPStatus.CONFLICT)
    if keeping.is_file_wanted(found):
        return keeping.receipt_file(found)
    return respond(_answer_page(found, notes=()))


def _look_page(found: Look, *, again: bool = False, notes: tuple[str, ...] = ()) -> Page:
    count_answer("look", found.state)
    raw_path, _ = raw_target()
    seen = Seen(
        verdict=found.state,
        facts=found.facts,
        foreign=found.foreign,
        channel=Channel.PAGE,
        picture=picture_address(found.facts),
        cut=found.token is None and dropped_link(raw_path, "") is not None,
    )
    tells = found.state not in {Verdict.UNUSED, Verdict.WITHHELD}
    burn_form = (
        Burn(action=_own_address(), token=found.token, claim=found.claim, tells=tells)
        if found.token and found.claim
        else None
    )
    own = found.facts is not None and found.facts.was_yours
    return page_maker().code_page(
        seen,
        burn=burn_form,
        notes=("again", *notes) if again and burn_form else notes,
        answer=again or bool(notes),
        receipt=keeping.receipt_view(found.receipt, _own_address(), found.state),
        keep_form=keeping.keep_form(found.state, own=own or seen.cut, action=_own_address()),
    )


def _verdict(answer: Answer) -> Response:
    remembered = is_remembered(request, context().keyrings().prefixes)
    first_time = answer.verdict is Verdict.GENUINE
    notes = ("not_remembered",) if first_time and not remembered else ()
    if answer.verdict in OFFERED:
        notes = ("told",)
    response = respond(_answer_page(answer, notes=notes))
    if answer.holder_cookie is not None and remembered:  # for whoever was refused too: one person counts once
        response.set_cookie(
            HOLDER_COOKIE,
            answer.holder_cookie,
            max_age=HOLDER_COOKIE_DAYS * _SECONDS_A_DAY,
            path="/",
            secure=True,
            httponly=True,
            samesite="Lax",
        )
    return response


def _answer_page(answer: Answer, *, notes: tuple[str, ...]) -> Page:
    count_answer("verify", answer.verdict, foreign=answer.foreign)
    seen = Seen(
        verdict=answer.verdict,
        facts=answer.facts,
        foreign=answer.foreign,
        channel=Channel.PAGE,
        picture=picture_address(answer.facts),
    )
    return page_maker().code_page(
        seen,
        burn=None,
        notes=notes,
        answer=True,
        receipt=keeping.receipt_view(answer.receipt, _own_address(), answer.verdict),
        keep_form=keeping.keep_form(
            answer.verdict, own=answer.facts is not None and answer.facts.was_yours, action=_own_address()
        ),
    )


def _seen_in_photo(symbol: SymbolLook) -> Seen:
    found = symbol.look
    count_answer("photo", found.state, foreign=found.foreign)
    return Seen(
        verdict=found.state,
        facts=found.facts,
        foreign=found.foreign,
        channel=Channel.PHOTO,
        picture=picture_address(found.facts),
        code_page=f"/{symbol.text.split('/', 3)[3]}" if found.facts is not None else None,
    )


def _own_address() -> str:
    """The address of the code's page for its own form: the path and the 8030 of this request, nothing else of it."""
    raw_path, query = raw_target()
    tail = next((item for item in query.split("&") if item.startswith("8030=")), "")
    return f"{raw_path}?{tail}" if tail else raw_path
