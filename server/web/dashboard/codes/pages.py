"""The pages of codes: the search, the history of one code, and the form that returns it to unused.

The search takes what it searches for by POST, since a code is a secret.
"""

from http import HTTPStatus

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from keys.base.errors import AuthcodeError
from server.domain.codes.unit import Unit
from server.services.batches.find import ScannerFault, search_code
from server.services.batches.undo import undo_by_staff
from server.services.queries.batches import find_batch
from server.services.queries.codes import code_history
from server.services.queries.photo_search import find_in_photo
from server.web.dashboard.blueprint import blueprint
from server.web.dashboard.codes.photo_words import why_no_code
from server.web.dashboard.filters import page_number
from server.web.dashboard.people.login import staff
from server.web.previews import preview
from server.web.problem import with_wait_of
from server.web.visit import context

_FAULTS = {
    ScannerFault.CAPS_LOCK: "Caps Lock was on when this was scanned: turn it off, or other programs cannot read it.",
    ScannerFault.LAYOUT: (
        "Your scanner types in another keyboard layout than this computer's: set the scanner to the computer's."
    ),
}


@blueprint.route("/codes", methods=["GET", "POST"])
def find_code() -> Response | tuple[str, int] | str:
    """Find a code by its text, its serial, order and index, or a line of a code list; a batch by its order."""
    if request.method == "GET":
        return render_template("dashboard/find.html", problem=None)
    text = request.form.get("code", "").strip()
    try:
        row = find_batch(context().db, text)
        if row is not None:
            return redirect(url_for(".batch", row=row), HTTPStatus.SEE_OTHER)
        found = search_code(context(), text)
    except AuthcodeError as problem:
        return render_template("dashboard/find.html", problem=str(problem)), problem.http_status
    if found.fault is not None:
        flash(_FAULTS[found.fault])
    return redirect(url_for(".code", unit_id=found.unit.id), HTTPStatus.SEE_OTHER)


@blueprint.post("/codes/photo")
def find_photo() -> Response:
    """Find the codes of a picture: one leads to its history, several are listed. It changes nothing."""
    upload = request.files.get("photo")
    try:
        found = find_in_photo(context(), upload.read() if upload else b"", request.remote_addr)
    except AuthcodeError as refused:
        sentence = str(refused)
        body = render_template("dashboard/find.html", problem=sentence[:1].upper() + sentence[1:])
        return with_wait_of(refused, make_response(body, max(refused.http_status, HTTPStatus.BAD_REQUEST)))
    if len(found.codes) == 1:
        return redirect(url_for(".code", unit_id=found.codes[0].unit.id), HTTPStatus.SEE_OTHER)
    problem, status = (None, HTTPStatus.OK) if found.codes else (why_no_code(found), HTTPStatus.NOT_FOUND)
    return make_response(render_template("dashboard/find.html", problem=problem, found=found), status)


@blueprint.get("/codes/<int:unit_id>")
def code(unit_id: int) -> str:
    """The history of one code: its state, its attempts, the acts that cover it, and what a shopper sees."""
    history = code_history(context(), _unit(unit_id), page=page_number(request.args))
    reads = preview(history.shopper_facts, history.state) if history.ended is None else None
    return render_template("dashboard/code.html", history=history, reads=reads)


@blueprint.post("/codes/<int:unit_id>/undo")
def undo_code(unit_id: int) -> Response:
    """Return one code to unused, with a reason, once its box is ticked (docs/protocol.md §5)."""
    unit = _unit(unit_id)
    if request.form.get("understood") != "yes":
        flash("Nothing was changed: tick the box that says what it does.")
        return _to_code(unit)
    try:
        done = undo_by_staff(context(), [unit], reason=request.form.get("reason", ""), actor=staff().email)
    except AuthcodeError as problem:
        flash(str(problem))
        return _to_code(unit)
    if done.returned:
        flash("Returned to unused.")
        (ended,) = done.returned
        return _to_code(Unit(row=ended.row, index=ended.index, life=ended.life + 1))
    flash(
        "Nothing was changed: this verification has ended since. How the code stands now is on its present page."
        if done.ended
        else "Nothing was changed: the code is not used, or staff returned it before."
    )
    return _to_code(unit)


def _unit(unit_id: int) -> Unit:
    try:
        return Unit.of_id(unit_id)
    except ValueError:
        abort(HTTPStatus.NOT_FOUND)


def _to_code(unit: Unit) -> Response:
    return redirect(url_for(".code", unit_id=unit.id), HTTPStatus.SEE_OTHER)
