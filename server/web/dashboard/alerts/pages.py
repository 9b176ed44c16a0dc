"""Stage 7, alert: the pages of alerts. The list in its saved views, one alert, and what staff do with them."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from keys.base.errors import AuthcodeError
from server.domain.alerts.rules import all_rules
from server.domain.alerts.triage import Cause, Event
from server.services.alerts.triage import Act, mute_rule, unmute_rule, work_on_alerts
from server.services.queries import dashboard as read
from server.services.queries.alert_views import MOST_NEWS, budget, counted_views, news, quiet_week, rule_records
from server.web.dashboard import charts
from server.web.dashboard import words as wording
from server.web.dashboard.alerts import map as maps
from server.web.dashboard.amounts import counted
from server.web.dashboard.filters import ListAddress, SavedView, alert_number, day_of, moment_of, page_number
from server.web.dashboard.people.login import staff
from server.web.dashboard.times import Times
from server.web.visit import context

ID = "int(max=9223372036854775807)"
"""What the database can look for; beyond it there is nothing."""

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


def init_alert_pages(blueprint: Blueprint) -> None:
    """Give the dashboard its pages of alerts."""
    blueprint.add_url_rule("/alerts", view_func=alert_list)
    blueprint.add_url_rule("/alerts/news", view_func=alert_news)
    blueprint.add_url_rule("/alerts/work", view_func=work_on_some, methods=["POST"])
    blueprint.add_url_rule(f"/alerts/<{ID}:alert_id>", view_func=alert)
    blueprint.add_url_rule(f"/alerts/<{ID}:alert_id>/work", view_func=work_on_one, methods=["POST"])
    blueprint.add_url_rule(f"/alerts/<{ID}:alert_id>/mute", view_func=mute, methods=["GET", "POST"])
    blueprint.add_url_rule(f"/batches/<{ID}:row>/unmute", view_func=unmute, methods=["POST"])
    blueprint.add_url_rule("/rules", view_func=rules)


def alert_list() -> str:
    """The alerts of a view, a row for each thing that happened."""
    return _list(ListAddress.read(request.args))


def alert_news() -> dict[str, int]:
    """How many alerts of a view became news since its list was drawn: its page asks for it while it is open."""
    address = ListAddress.read(request.args)
    after = moment_of(request.args.get("after", ""))
    return {"new": news(context(), address.wanted(staff().id), after=after) if after else 0}


def _list(address: ListAddress, *, problem: str | None = None, chosen: frozenset[int] = frozenset()) -> str:
    me = staff().id
    found = read.alerts(context(), address.wanted(me), page=address.page)
    views = list(SavedView)[:-1]
    amounts = counted_views(context(), [address.narrowed(view.shown(me)) for view in views])
    batch = next((row for row in found.alerts if row.batch_row == address.batch_row), None)
    return render_template(
        "dashboard/alerts.html",
        found=found,
        page_size=read.PAGE_SIZE,
        news=urlencode({"after": (found.newest or _BEFORE_ALL).isoformat()}),
        most_news=MOST_NEWS,
        quiet=None if found.alerts or not address.tells_quiet_week else quiet_week(context()),
        address=address,
        views=list(zip(views, amounts, strict=True)),
        counted={str(view): amount for view, amount in zip(views, amounts, strict=True)},
        budget=budget(context()),
        rules=[rule.name for rule in all_rules()],
        batch_name=batch.order if batch else address.batch_row,
        sparks={row.id: charts.spark(row.recent) for row in found.alerts},
        problem=problem,
        chosen=chosen,
        records=rule_records(context()),
        **_forms(),
    )


def work_on_some() -> Response | tuple[str, int]:
    """One act on all alerts that were chosen in the list; back to the same list."""
    address = ListAddress.read(dict(parse_qsl(request.form.get("back", ""))))
    chosen = frozenset(number for text in request.form.getlist("alert") if (number := alert_number(text)) is not None)
    try:
        act = _read_act(request.form)
        amount = work_on_alerts(context(), chosen, act, staff=staff())
    except AuthcodeError as refused:
        return _list(address, problem=str(refused), chosen=chosen), refused.http_status
    flash(f"{counted(amount, 'alert').capitalize()} {_DONE[act.kind]}.")
    return redirect(f"{url_for('.alert_list')}?{address.query}", HTTPStatus.SEE_OTHER)


def alert(alert_id: int) -> str:
    """One alert: why it fired, what happened by day and where, what people were told, and what was done with it."""
    return _alert(alert_id)


def _alert(alert_id: int, *, problem: str | None = None) -> str:
    detail = read.alert(context(), alert_id, page=page_number(request.args))
    unit = detail.alert.unit
    return render_template(
        "dashboard/alert.html",
        detail=detail,
        chart=charts.timeline(detail.days, today=context().clock()),
        pieces=charts.strip(detail.stretches, detail.batch_count) if detail.batch_count else (),
        place=charts.dots([unit.index], detail.batch_count) if unit and detail.batch_count else (),
        world=maps.world_map(detail.places),
        cities=maps.city_path(),
        problem=problem,
        form=request.form,
        **_forms(),
    )


def work_on_one(alert_id: int) -> Response | tuple[str, int]:
    """One act on one alert; back to its page, or to the list when it is closed."""
    try:
        act = _read_act(request.form)
        work_on_alerts(context(), [alert_id], act, staff=staff())
    except AuthcodeError as refused:
        return _alert(alert_id, problem=str(refused)), refused.http_status
    flash(f"This alert is {_DONE[act.kind]}." if act.kind is not Event.COMMENT else "Your comment is kept.")
    return redirect(url_for(".alert", alert_id=alert_id), HTTPStatus.SEE_OTHER)


def mute(alert_id: int) -> Response | tuple[str, int] | str:
    """Make a rule quiet for a whole batch: a page of its own, with its effect in counts and a reason."""
    detail = read.alert(context(), alert_id)
    found = detail.alert
    if found.batch_row is None:
        abort(HTTPStatus.NOT_FOUND)
    only = ListAddress(view=SavedView.ALL, rule=found.rule, batch_row=found.batch_row)
    (amount,) = counted_views(context(), [only.narrowed(only.view.shown(staff().id))])
    shown = {"detail": detail, "amount": amount, "form": request.form}
    if request.method == "GET":
        return render_template("dashboard/mute.html", **shown, problem=None)
    try:
        mute_rule(context(), alert_id, reason=request.form.get("comment", ""), staff=staff())
    except AuthcodeError as refused:
        return render_template("dashboard/mute.html", **shown, problem=str(refused)), refused.http_status
    flash(f"\u201c{wording.rule_name(found.rule).capitalize()}\u201d is muted for {found.order}.")
    return redirect(url_for(".alert", alert_id=alert_id), HTTPStatus.SEE_OTHER)


def unmute(row: int) -> Response:
    """Let a rule speak for a batch again."""
    wanted = request.form.get("rule", "")
    known = {rule.name for rule in all_rules()}
    if wanted in known and unmute_rule(context(), row, wanted, staff=staff()):
        flash(f"\u201c{wording.rule_name(wanted).capitalize()}\u201d speaks again.")
    return redirect(url_for(".batch", row=row), HTTPStatus.SEE_OTHER)


def rules() -> str:
    """How each rule did: its closed alerts by cause, and its measured precision."""
    return render_template("dashboard/rules.html", records=rule_records(context()))


def _read_act(form: MultiDict[str, str]) -> Act:
    """The act that a form's button asks for.

    Nothing else is checked here: what an act needs is the service's affair.
    """
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
    """What the forms of an act need besides the alert."""
    today = Times.of(staff().zone).today(context().clock())
    return {
        "causes": wording.CAUSE_GROUPS,
        "tomorrow": today + timedelta(days=1),
        "usual_snooze": today + _USUAL_SNOOZE,
        "me": staff(),
    }
