"""Stage 7, alert: the dashboard. Alerts, batches with what happened to their codes, the history of one code.

Every page shows what a service answers; what changes something is a POST with a CSRF token.
"""

from http import HTTPStatus

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response

from keys.errors import AuthcodeError
from server.domain.alert import Rule
from server.domain.range_act import ActKind
from server.domain.redemption import Unit
from server.services import dashboard as read
from server.services.range_acts import act_on_range
from server.services.staff_accounts import authenticate, end_sessions, set_password
from server.web.dashboard import charts, wording
from server.web.dashboard.acts import effect, read_act
from server.web.dashboard.filters import ListAddress, SavedView, page_number
from server.web.dashboard.login import guard, next_page, staff, start_session
from server.web.dashboard.problems import init_problem_pages
from server.web.dashboard.undoing import init_undo
from server.web.problem import with_wait_of
from server.web.static_files import send_static, static_address
from server.web.visit import context

blueprint = Blueprint(
    "dashboard",
    __name__,
    url_prefix="/staff",
    template_folder="templates",
)
blueprint.before_request(guard)
init_problem_pages(blueprint)
init_undo(blueprint)
blueprint.add_app_template_global(static_address)
_ID = "int(max=9223372036854775807)"  # what the database can look for; beyond it there is nothing


@blueprint.context_processor
def words() -> dict[str, object]:
    """What every template may use: the wording, the present time, and who is logged in."""
    return {"wording": wording, "now": context().clock(), "current_user": current_user}


@blueprint.get("/<path:_anywhere>")
def nowhere(_anywhere: str) -> Response:
    """Every other address below the dashboard's: asks for a login like the pages that exist."""
    abort(HTTPStatus.NOT_FOUND)


@blueprint.get("/style/<path:filename>")
def style(filename: str) -> Response:
    """A static file of ours."""
    return send_static(filename)


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> Response | tuple[str, int] | str:
    """Email and password; one text for every reason to refuse."""
    wanted = request.args.get("next")
    if request.method != "POST":  # a HEAD guesses no password
        return render_template("dashboard/login.html", problem=None, email="")
    email = request.form.get("email", "")
    try:
        account = authenticate(
            context().db,
            email,
            request.form.get("password", ""),
            now=context().clock(),
            network=context().pseudonyms.marks(request.remote_addr, 0, now=context().clock()).day,
        )
    except AuthcodeError as problem:
        body = render_template("dashboard/login.html", problem=str(problem), email=email)
        return with_wait_of(problem, make_response(body, problem.http_status))
    start_session(account)
    target = url_for(".password") if account.must_change_password else next_page(wanted)
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
    if new != request.form.get("again", ""):
        problem = "The two new passwords differ; type the new one twice."
        return render_template("dashboard/password.html", problem=problem), HTTPStatus.BAD_REQUEST
    try:
        changed = set_password(context().db, staff().id, old=old, new=new, now=context().clock())
    except AuthcodeError as refusal:
        return render_template("dashboard/password.html", problem=str(refusal)), refusal.http_status
    start_session(changed)
    flash("Your password is changed.")
    return redirect(url_for(".alert_list"), HTTPStatus.SEE_OTHER)


@blueprint.get("")
@blueprint.get("/")
def start() -> Response:
    """The dashboard opens with what wants attention."""
    return redirect(url_for(".alert_list"))


@blueprint.get("/alerts")
def alert_list() -> str:
    """The alerts of a view, a row for each thing that happened."""
    address = ListAddress.read(request.args)
    found = read.alerts(context(), address.wanted, page=address.page)
    batch = next((row for row in found.alerts if row.batch_row == address.batch_row), None)
    return render_template(
        "dashboard/alerts.html",
        found=found,
        address=address,
        views=list(SavedView),
        rules=list(Rule),
        batch_name=batch.order if batch else address.batch_row,
    )


@blueprint.get(f"/alerts/<{_ID}:alert_id>")
def alert(alert_id: int) -> str:
    """One alert: why it fired, what happened by day, what people were told, and the scans behind it."""
    detail = read.alert(context(), alert_id, page=page_number(request.args))
    return render_template(
        "dashboard/alert.html",
        detail=detail,
        chart=charts.timeline(detail.days, today=context().clock()),
    )


@blueprint.get("/batches")
def batch_list() -> str:
    """The batches, the latest first."""
    found = read.batch_list(context().db, now=context().clock(), page=page_number(request.args))
    return render_template("dashboard/batches.html", found=found)


@blueprint.get(f"/batches/<{_ID}:row>")
def batch(row: int) -> str:
    """One batch: its strip, its balance, what happened to its codes, and the acts on it."""
    page = read.batch_page(context(), row)
    indices = {scan.unit.index for scan in page.recent if scan.unit is not None}
    return render_template(
        "dashboard/batch.html",
        page=page,
        batch=page.batch,
        pieces=charts.strip(page.stretches, page.batch.count),
        dots=charts.dots(indices, page.batch.count),
        chart=charts.timeline(page.days, today=context().clock()),
        kinds=list(ActKind),
    )


@blueprint.route(f"/batches/<{_ID}:row>/<any(activate, void, recall, sample):kind>", methods=["GET", "POST"])
def act(row: int, kind: str) -> Response | tuple[str, int] | str:
    """One act in three steps: the form (GET), its effect in counts (POST), done (POST with `confirm`)."""
    batch = read.batch_to_act_on(context().db, row, now=context().clock())
    shown = {"batch": batch, "kind": ActKind(kind), "form": request.form}
    if request.method == "GET":
        return render_template("dashboard/act.html", **shown, problem=None)
    try:
        wanted = read_act(ActKind(kind), request.form, count=batch.count)
    except AuthcodeError as problem:
        return render_template("dashboard/act.html", **shown, problem=str(problem)), problem.http_status
    if request.form.get("confirm") != "yes":
        touched = effect(wanted, batch.stretches)
        return render_template("dashboard/confirm.html", **shown, wanted=wanted, touched=touched)
    done = act_on_range(
        context().db,
        batch.order,
        wanted.kind,
        indices=wanted.indices,
        details=wanted.details,
        actor=staff().email,
        now=context().clock(),
        brand_id=bytes.fromhex(batch.brand_id),
    )
    flash(f"{wording.act_sentence(done)}.")
    return redirect(url_for(".batch", row=row), HTTPStatus.SEE_OTHER)


@blueprint.route("/codes", methods=["GET", "POST"])
def find_code() -> Response | tuple[str, int] | str:
    """Find a code by its pasted text, its printed serial, or order and index. Sent by POST: a code is a secret."""
    if request.method == "GET":
        return render_template("dashboard/find.html", problem=None)
    try:
        unit = read.find_code(context(), request.form.get("code", "").strip())
    except AuthcodeError as problem:
        return render_template("dashboard/find.html", problem=str(problem)), problem.http_status
    return redirect(url_for(".code", unit_id=unit.id), HTTPStatus.SEE_OTHER)


@blueprint.get("/codes/<int:unit_id>")
def code(unit_id: int) -> str:
    """The history of one code: what is said of it now, who asked, which acts cover it."""
    try:
        unit = Unit.of_id(unit_id)
    except ValueError:
        abort(HTTPStatus.NOT_FOUND)
    return render_template(
        "dashboard/code.html", history=read.code_history(context(), unit, page=page_number(request.args))
    )
