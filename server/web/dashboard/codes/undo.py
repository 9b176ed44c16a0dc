"""Stage 7, alert: the form on a code's page with which staff return it to unused, once (docs/protocol.md §5)."""

from http import HTTPStatus

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from keys.base.errors import AuthcodeError
from server.domain.codes.redemption import Unit
from server.services.batches.undo import undo_by_staff
from server.web.dashboard.people.login import staff
from server.web.visit import context

_ENDED = "Nothing was changed: this verification has ended since. How the code stands now is on its present page."


def init_undo(blueprint: Blueprint) -> None:
    """Put the form's address on the dashboard's blueprint."""
    blueprint.post("/codes/<int:unit_id>/undo")(undo_code)


def undo_code(unit_id: int) -> Response:
    """Return one code to unused, with a reason, after the box was ticked that says what it does."""
    try:
        unit = Unit.of_id(unit_id)
    except ValueError:
        abort(HTTPStatus.NOT_FOUND)
    back = redirect(url_for("dashboard.code", unit_id=unit.id), HTTPStatus.SEE_OTHER)
    if request.form.get("understood") != "yes":
        flash("Nothing was changed: tick the box that says what it does.")
        return back
    try:
        done = undo_by_staff(context(), [unit], reason=request.form.get("reason", ""), actor=staff().email)
    except AuthcodeError as problem:
        flash(str(problem))
        return back
    if not done.returned:
        flash(_ENDED if done.ended else "Nothing was changed: the code is not used, or staff returned it before.")
        return back
    flash("Returned to unused.")
    (ended,) = done.returned
    following = Unit(row=ended.row, index=ended.index, life=ended.life + 1)
    return redirect(url_for("dashboard.code", unit_id=following.id), HTTPStatus.SEE_OTHER)
