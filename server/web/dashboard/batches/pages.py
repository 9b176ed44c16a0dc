"""The pages of batches: their list, one batch, and the acts on a range of it."""

from http import HTTPStatus
from urllib.parse import urlencode

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from keys.base.errors import AuthcodeError
from server.domain.batches.range_act import ActKind, ActRequest, RangeInvalid
from server.domain.codes.unit import Unit
from server.services.batches.range_acts import ActivationRefused, ContactMissing, act_on_range, check_act
from server.services.brands.fact_previews import facts_after
from server.services.queries import batches
from server.web.dashboard import charts, words
from server.web.dashboard.batches.act_form import WantedAct, effect, read_act, selection
from server.web.dashboard.blueprint import ID, blueprint
from server.web.dashboard.filters import country_of, day_of, page_number
from server.web.dashboard.people.login import staff
from server.web.previews import preview
from server.web.visit import context

_ACTS_A_PAGE = 50


@blueprint.get("/batches")
def batch_list() -> str:
    """The batches, the latest first."""
    found = batches.batch_list(context().db, now=context().clock(), page=page_number(request.args))
    return render_template("dashboard/batches.html", found=found)


@blueprint.get(f"/batches/<{ID}:row>")
def batch(row: int) -> tuple[str, int]:
    """One batch: its strip, its balance, what happened to its codes, and the acts on it."""
    country, day = country_of(request.args), day_of(request.args.get("day", ""))
    page = batches.batch_page(context(), row, country=country, day=day)
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
    batch = batches.batch_to_act_on(context().db, row, now=context().clock())
    shown: dict[str, object] = {"batch": batch, "kind": ActKind(kind), "form": request.form or request.args}
    if request.method == "GET":
        return render_template("dashboard/act.html", **shown, problem=None)
    try:
        wanted = read_act(ActKind(kind), request.form, count=batch.count)
    except AuthcodeError as problem:
        return render_template("dashboard/act.html", **shown, problem=str(problem)), problem.http_status
    if request.form.get("confirm") != "yes":
        touched = effect(wanted, batch.stretches)
        facts = facts_after(context(), row, wanted.kind, wanted.details, first=wanted.first)
        shown["shopper"] = preview(*facts) if facts else None
        shown["refused"] = _refusal(row, wanted)
        return render_template("dashboard/confirm.html", **shown, wanted=wanted, touched=touched)
    requested = ActRequest(
        order=batch.order,
        kind=wanted.kind,
        indices=wanted.indices,
        details=wanted.details,
        actor=staff().email,
        brand_id=batch.brand_id,
    )
    done = act_on_range(context().db, requested, now=context().clock())
    flash(f"{words.act_sentence(done)}.")
    return redirect(url_for(".batch", row=row), HTTPStatus.SEE_OTHER)


def _refusal(row: int, wanted: WantedAct) -> str | None:
    """Why an act would be refused, shown before its confirmation."""
    try:
        check_act(context().db, row, wanted.kind, wanted.first, wanted.last)
    except (ContactMissing, ActivationRefused) as refusal:
        return f"{refusal} [{refusal.code}]"
    return None
