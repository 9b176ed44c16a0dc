"""Stage 7, alert: the dashboard. Alerts, batches with what happened to their codes, the history of one code.

Every page shows what a service answers; what changes something is a POST with a CSRF token.
"""

from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response

from keys.base.errors import AuthcodeError
from server.domain.batches.range_act import ActKind, ActRequest, RangeInvalid
from server.domain.codes.redemption import Unit
from server.services.batches.range_acts import ActivationRefused, act_on_range, check_activation
from server.services.brands.fact_previews import facts_after
from server.services.queries import dashboard as read
from server.services.staff.accounts import authenticate, end_sessions, set_password
from server.web.dashboard import charts
from server.web.dashboard import words as wording
from server.web.dashboard.alerts.pages import ID, init_alert_pages
from server.web.dashboard.batches.acts import WantedAct, effect, read_act, selection
from server.web.dashboard.codes.find import init_finding
from server.web.dashboard.codes.undo import init_undo
from server.web.dashboard.filters import chart_day, country_of, page_number
from server.web.dashboard.people.audit import init_audit_page
from server.web.dashboard.people.login import guard, next_page, staff, start_session
from server.web.dashboard.problems import init_problem_pages
from server.web.dashboard.products.pages import init_product_pages
from server.web.dashboard.times import Times, machine, utc
from server.web.previews import preview
from server.web.problem import with_wait_of
from server.web.security import CONTENT_POLICY
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
_ACTS_A_PAGE = 50
init_alert_pages(blueprint)
init_audit_page(blueprint)
init_finding(blueprint)
init_product_pages(blueprint)


@blueprint.after_request
def allow_our_script(response: Response) -> Response:
    """These pages may run the one script that this server sends, which asks it for news; all works without it."""
    allowed = f"{CONTENT_POLICY}; script-src 'self'; connect-src 'self'; frame-src 'self'"
    response.headers.setdefault("Content-Security-Policy", allowed)
    return response


@blueprint.context_processor
def words() -> dict[str, object]:
    """What every template may use: the wording, the present time, how moments are written, and who is logged in."""
    times = Times.of(staff().zone if current_user.is_authenticated else None)
    clock = {"now": context().clock(), "times": times, "machine": machine, "utc": utc}
    return {"wording": wording, "current_user": current_user, **clock}


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


@blueprint.get("/batches")
def batch_list() -> str:
    """The batches, the latest first."""
    found = read.batch_list(context().db, now=context().clock(), page=page_number(request.args))
    return render_template("dashboard/batches.html", found=found)


@blueprint.get(f"/batches/<{ID}:row>")
def batch(row: int) -> tuple[str, int]:
    """One batch: its strip, its balance, what happened to its codes, and the acts on it."""
    country, day = country_of(request.args), chart_day(request.args)
    page = read.batch_page(context(), row, country=country, day=day)
    histories = max(1, -(-len(page.acts) // _ACTS_A_PAGE))
    selected, problem = None, None
    try:
        selected = selection(request.args, count=page.batch.count)
    except RangeInvalid as refused:
        problem = refused
    shown = render_template(
        "dashboard/batch.html",
        page=page,
        batch=page.batch,
        pieces=charts.strip(page.stretches, page.batch.count),
        dots=charts.dots(page.scanned, page.batch.count),
        country=country,
        day=day,
        narrowed=lambda **to: urlencode({k: v for k, v in {"country": country, "day": day, **to}.items() if v}),
        selected=selected,
        problem=problem,
        history=min(page_number(request.args), histories),
        histories=histories,
        acts_a_page=_ACTS_A_PAGE,
        unit_id=Unit(row=row, index=selected[0]).id if selected else None,
        chart=charts.timeline(page.days, today=context().clock()),
        kinds=list(ActKind),
    )
    return shown, problem.http_status if problem else HTTPStatus.OK


@blueprint.route(f"/batches/<{ID}:row>/<any({', '.join(ActKind)}):kind>", methods=["GET", "POST"])
def act(row: int, kind: str) -> Response | tuple[str, int] | str:
    """One act in three steps: the form (GET), its effect in counts (POST), done (POST with `confirm`)."""
    batch = read.batch_to_act_on(context().db, row, now=context().clock())
    shown: dict[str, object] = {"batch": batch, "kind": ActKind(kind), "form": request.form or request.args}
    if request.method == "GET":
        return render_template("dashboard/act.html", **shown, problem=None)
    try:
        wanted = read_act(ActKind(kind), request.form, count=batch.count)
    except AuthcodeError as problem:
        return render_template("dashboard/act.html", **shown, problem=str(problem)), problem.http_status
    if request.form.get("confirm") != "yes":
        touched = effect(wanted, batch.stretches)
        told = facts_after(context(), row, wanted.kind, wanted.details, first=wanted.first)
        shown["told"] = preview(*told) if told else None
        shown["refused"] = _why_not(row, wanted)
        return render_template("dashboard/confirm.html", **shown, wanted=wanted, touched=touched)
    asked = ActRequest(
        order=batch.order,
        kind=wanted.kind,
        indices=wanted.indices,
        details=wanted.details,
        actor=staff().email,
        brand_id=bytes.fromhex(batch.brand_id),
    )
    done = act_on_range(context().db, asked, now=context().clock())
    flash(f"{wording.act_sentence(done)}.")
    return redirect(url_for(".batch", row=row), HTTPStatus.SEE_OTHER)


def _why_not(row: int, wanted: WantedAct) -> str | None:
    """Why an act would be refused, told before anybody is asked to confirm it."""
    if wanted.kind is ActKind.ACTIVATE:
        try:
            check_activation(context().db, row, wanted.first, wanted.last)
        except ActivationRefused as refusal:
            return f"{refusal} [{refusal.code}]"
    return None


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
