"""Stage 7, alert: the pages of alerts. The list in its saved views, one alert, and what staff do with them."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from keys.base.errors import AuthcodeError
from server.domain.alerts.rules import all_rules
from server.domain.alerts.triage import Cause, Event
from server.services.alerts.triage import Act, unmute_rule, work_on_alerts
from server.services.queries.alert import alert as find_alert
from server.services.queries.alerts import (
    MOST_NEWS,
    alerts,
    budget,
    counted_views,
    latest_news,
    news,
    quiet_week,
    rule_records,
)
from server.services.queries.page import PAGE_SIZE
from server.web.dashboard import charts, words
from server.web.dashboard.alerts.map import city_path, world_map
from server.web.dashboard.amounts import counted
from server.web.dashboard.blueprint import ID, blueprint
from server.web.dashboard.filters import ListAddress, SavedView, alert_number, day_of, moment_of, page_number
from server.web.dashboard.people.login import staff
from server.web.dashboard.times import Times
from server.web.visit import context

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_USUAL_SNOOZE = timedelta(days=7)
_DONE = {
    Event.CLOSED: "closed",
    Event.REOPENED: "open again",
    Event.ASSIGNED: "yours now",
    Event.RELEASED: "nobody's now",
    Event.SNOOZED: "put off",
    Event.WOKEN: "no longer put off",
    Event.COMMENT: "commented on",
    Event.MUTED: "muted",
}


@blueprint.get("/alerts/news")
def alert_news() -> dict[str, int]:
    """How many alerts of a view became news since its list was drawn; an open page polls it."""
    address = ListAddress.read(request.args)
    after = moment_of(request.args.get("after", ""))
    return {"new": news(context(), address.wanted(staff().id), after=after) if after else 0}


@blueprint.get("/alerts")
def alert_list(
    address: ListAddress | None = None, *, problem: str | None = None, chosen: frozenset[int] = frozenset()
) -> str:
    """The alerts of a view, a row for each thing that happened; shown again where an act on `chosen` was refused."""
    address, me = address or ListAddress.read(request.args), staff().id
    newest = latest_news(context())  # before the rows: what comes in between is announced twice rather than never
    found = alerts(context(), address.wanted(me), page=address.page)
    views = list(SavedView)[:-1]
    amounts = counted_views(context(), [address.narrowed(view.shown(me)) for view in views])
    orders = (row.order for row in found.rows if row.batch_row == address.batch_row)
    return render_template(
        "dashboard/alerts.html",
        found=found,
        page_size=PAGE_SIZE,
        news=urlencode({"after": (newest or _BEFORE_ALL).isoformat()}),
        most_news=MOST_NEWS,
        quiet=None if found.rows or not address.sums_up_week else quiet_week(context()),
        address=address,
        views=list(zip(views, amounts, strict=True)),
        counted={str(view): amount for view, amount in zip(views, amounts, strict=True)},
        budget=budget(context()),
        rules=[rule.name for rule in all_rules()],
        batch_name=next(orders, address.batch_row),
        sparks={row.id: charts.spark(row.recent) for row in found.rows},
        problem=problem,
        chosen=chosen,
        records=rule_records(context()),
        **_forms(),
    )


@blueprint.post("/alerts/work")
def work_on_some() -> Response | tuple[str, int]:
    """One act on all alerts that were chosen in the list; back to the same list."""
    address = ListAddress.read(dict(parse_qsl(request.form.get("back", ""))))
    chosen = frozenset(number for text in request.form.getlist("alert") if (number := alert_number(text)) is not None)
    try:
        act = _read_act(request.form)
        amount = work_on_alerts(context(), chosen, act, staff=staff())
    except AuthcodeError as refused:
        return alert_list(address, problem=str(refused), chosen=chosen), refused.http_status
    flash(f"{counted(amount, 'alert').capitalize()} {_DONE[act.kind]}.")
    return redirect(f"{url_for('.alert_list')}?{address.query}", HTTPStatus.SEE_OTHER)


@blueprint.get(f"/alerts/<{ID}:alert_id>")
def alert(alert_id: int, *, problem: str | None = None) -> str:
    """One alert: why it fired, what happened by day and where, what people read, and what was done with it."""
    detail = find_alert(context(), alert_id, page=page_number(request.args))
    unit = detail.alert.unit
    return render_template(
        "dashboard/alert.html",
        detail=detail,
        chart=charts.timeline(detail.days, today=context().clock()),
        pieces=charts.strip(detail.stretches, detail.batch_count) if detail.batch_count else (),
        place=charts.dots([unit.index], detail.batch_count) if unit and detail.batch_count else (),
        world=world_map(detail.places),
        cities=city_path(),
        problem=problem,
        form=request.form,
        **_forms(),
    )


@blueprint.post(f"/alerts/<{ID}:alert_id>/work")
def work_on_one(alert_id: int) -> Response | tuple[str, int]:
    """One act on one alert; back to its page, or to the list when it is closed."""
    try:
        act = _read_act(request.form)
        work_on_alerts(context(), [alert_id], act, staff=staff())
    except AuthcodeError as refused:
        return alert(alert_id, problem=str(refused)), refused.http_status
    flash(f"This alert is {_DONE[act.kind]}." if act.kind is not Event.COMMENT else "Your comment is kept.")
    return redirect(url_for(".alert", alert_id=alert_id), HTTPStatus.SEE_OTHER)


@blueprint.route(f"/alerts/<{ID}:alert_id>/mute", methods=["GET", "POST"])
def mute(alert_id: int) -> Response | tuple[str, int] | str:
    """Make a rule quiet for a whole batch: a page of its own, with its effect in counts and a reason."""
    detail = find_alert(context(), alert_id)
    found = detail.alert
    if found.batch_row is None:
        abort(HTTPStatus.NOT_FOUND)
    only = ListAddress(view=SavedView.ALL, rule=found.rule, batch_row=found.batch_row)
    (amount,) = counted_views(context(), [only.narrowed(only.view.shown(staff().id))])
    shown = {"detail": detail, "amount": amount, "form": request.form, "problem": None}
    if request.method == "GET":
        return render_template("dashboard/mute.html", **shown)
    try:
        act = Act(kind=Event.MUTED, comment=request.form.get("comment", ""))
        work_on_alerts(context(), [alert_id], act, staff=staff())
    except AuthcodeError as refused:
        return render_template("dashboard/mute.html", **shown | {"problem": str(refused)}), refused.http_status
    flash(f"\u201c{words.rule_name(found.rule).capitalize()}\u201d is muted for {found.order}.")
    return redirect(url_for(".alert", alert_id=alert_id), HTTPStatus.SEE_OTHER)


@blueprint.post(f"/batches/<{ID}:row>/unmute")
def unmute(row: int) -> Response:
    """Unmute a rule for a batch."""
    wanted = request.form.get("rule", "")
    known = {rule.name for rule in all_rules()}
    if wanted in known and unmute_rule(context(), row, wanted, staff=staff()):
        flash(f"\u201c{words.rule_name(wanted).capitalize()}\u201d speaks again.")
    return redirect(url_for(".batch", row=row), HTTPStatus.SEE_OTHER)


@blueprint.get("/rules")
def rules() -> str:
    """How each rule did: its closed alerts by cause, and its measured precision."""
    return render_template("dashboard/rules.html", records=rule_records(context()))


def _read_act(form: MultiDict[str, str]) -> Act:
    """The act of a form's button; the service checks what the act needs."""
    kind, cause = form.get("act", ""), form.get("cause", "")
    if kind not in list(_DONE):
        abort(HTTPStatus.BAD_REQUEST)
    until = day_of(form.get("until", ""))
    return Act(
        kind=Event(kind),
        cause=Cause(cause) if cause in list(Cause) else None,
        until=Times.of(staff().zone).begin(until) if until else None,
        comment=form.get("comment", ""),
    )


def _forms() -> dict[str, object]:
    """Values of the forms of an act, without the alert."""
    today = Times.of(staff().zone).today(context().clock())
    return {
        "causes": words.CAUSE_GROUPS,
        "tomorrow": today + timedelta(days=1),
        "usual_snooze": today + _USUAL_SNOOZE,
        "me": staff(),
    }
