"""Staff's own pages: login, logout, password, and the audit of what everybody did."""

from http import HTTPStatus
from urllib.parse import urlencode

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_login import logout_user
from werkzeug.wrappers import Response

from keys.base.errors import AuthcodeError
from keys.base.typed_text import password_text
from server.services.queries.audit import audit_page
from server.services.staff.accounts import authenticate, end_sessions, set_password
from server.web.dashboard import words
from server.web.dashboard.blueprint import blueprint
from server.web.dashboard.filters import whole_number
from server.web.dashboard.people.login import next_page, staff, start_session
from server.web.problem import with_wait_of
from server.web.visit import context

_MAX_NAME_CHARACTERS = 254
_MAX_KIND_CHARACTERS = 40


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> Response | str:
    """Email and password; one text for every reason to refuse."""
    if request.method != "POST":  # a HEAD guesses no password
        return render_template("dashboard/login.html", problem=None, email="")
    now, email = context().clock(), request.form.get("email", "")
    network = context().pseudonyms.marks(request.remote_addr, 0, now=now).day
    try:
        account = authenticate(context().db, email, request.form.get("password", ""), now=now, network=network)
    except AuthcodeError as problem:
        body = render_template("dashboard/login.html", problem=str(problem), email=email)
        return with_wait_of(problem, make_response(body, problem.http_status))
    start_session(account)
    target = url_for(".password") if account.must_change_password else next_page(request.args.get("next"))
    return redirect(target, HTTPStatus.SEE_OTHER)


@blueprint.post("/logout")
def logout() -> Response:
    """End every session of this account: a copied cookie is worth nothing from now on."""
    end_sessions(context().db, staff(), now=context().clock())
    logout_user()
    return redirect(url_for(".login"), HTTPStatus.SEE_OTHER)


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> Response | tuple[str, int] | str:
    """Change the password; a one-time password leads nowhere else. Every other session of the account ends."""
    if request.method == "GET":
        return render_template("dashboard/password.html", problem=None)
    old, new = request.form.get("old", ""), request.form.get("new", "")
    if password_text(new) != password_text(request.form.get("again", "")):
        problem = "The two new passwords differ; type the new one twice."
        return render_template("dashboard/password.html", problem=problem), HTTPStatus.BAD_REQUEST
    try:
        changed = set_password(context().db, staff().id, old=old, new=new, now=context().clock())
    except AuthcodeError as refusal:
        return render_template("dashboard/password.html", problem=str(refusal)), refusal.http_status
    start_session(changed)
    flash("Your password is changed.")
    return redirect(url_for(".alert_list"), HTTPStatus.SEE_OTHER)


@blueprint.get("/audit")
def audit() -> str:
    """List the acts of staff, the latest first; person and kind of act are in the address."""
    person = request.args.get("person", "").strip()[:_MAX_NAME_CHARACTERS]
    kind = request.args.get("kind", "").strip()[:_MAX_KIND_CHARACTERS]
    before = whole_number(request.args.get("before"))
    found = audit_page(context().db, actor=person or None, kind=kind or None, before=before)

    def address(**changes: object) -> str:
        """The query of this page with other filters."""
        wanted = {"person": person, "kind": kind, **changes}
        return urlencode({name: value for name, value in wanted.items() if value})

    return render_template(
        "dashboard/audit.html", found=found, person=person, kind=kind, address=address, kinds=words.AUDIT_KINDS
    )
