"""Stage 7, alert: what staff do with alerts. Each act is a line of the alert's history and of the audit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from keys.base.errors import AuthcodeError
from server.domain.alerts.triage import AlertWorkInvalid, Cause, Event, read_comment
from server.runtime.context import Context
from server.services.staff.accounts import Staff
from server.storage import audit, triage
from server.storage.alerts import alert_by_id
from server.storage.batches import batch_by_row
from server.storage.engine import Connection

MAX_AT_ONCE = 50
"""Alerts that one form can act on: a page of the list."""

MAX_SNOOZE = timedelta(days=366)
"""An alert that should be quiet for longer is closed or muted."""


class AlertUnknown(AuthcodeError):
    """No alert has this number."""

    code = "alert_unknown"
    http_status = 404
    sentence = "There is no such alert; the list of alerts shows those that were raised."


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An act on alerts. Closing needs a `cause`, snoozing `until`, muting and closing as `other` a `comment`."""

    kind: Event
    cause: Cause | None = None
    until: datetime | None = None
    comment: str = ""


def work_on_alerts(ctx: Context, numbers: Collection[int], act: Act, *, staff: Staff) -> int:
    """Do one thing with these alerts; how many there were.

    Raises:
        AlertWorkInvalid: nothing was chosen, or something that the act needs is missing or out of range.
    """
    now = ctx.clock()
    comment = read_comment(act.comment)
    detail = _check(act, comment, now)
    with ctx.db.write() as connection:
        locked = triage.lock_alerts(connection, sorted(set(numbers))[:MAX_AT_ONCE])
        if not locked:
            raise AlertWorkInvalid("Choose at least one alert.")
        if act.kind is Event.MUTED:
            _mute(connection, locked, comment or "", staff, now)
            return len(locked)
        changes = _changes(act, staff, now)
        if changes:
            triage.set_state(connection, locked, **changes)
        event = triage.EventRecord(at=now, actor=staff.email, kind=act.kind, detail=detail, comment=comment)
        triage.append_event(connection, locked, event)
        # Never the comment, which may contain a person's name.
        facts = {"cause": act.cause and str(act.cause), "until": act.until and act.until.isoformat()}
        details = {name: value for name, value in facts.items() if value is not None}
        action = f"alert.{_AUDITED[act.kind]}"
        for number in locked:
            subject = f"alert {number}"
            audit.append(connection, at=now, actor=staff.email, action=action, subject=subject, details=details)
    return len(locked)


def unmute_rule(ctx: Context, batch_row: int, rule: str, *, staff: Staff) -> bool:
    """Unmute a rule for a batch; False when it is not muted."""
    now = ctx.clock()
    with ctx.db.write() as connection:
        lifted = triage.unmute(connection, batch_row, rule)
        if lifted:
            open_ones = triage.alerts_of_rule(connection, batch_row, rule, limit=MAX_AT_ONCE)
            if open_ones:
                triage.append_event(
                    connection, open_ones, triage.EventRecord(at=now, actor=staff.email, kind=Event.UNMUTED)
                )
            subject = _rule_of(connection, batch_row, rule)
            audit.append(connection, at=now, actor=staff.email, action="alert.unmute", subject=subject)
    return lifted


def _check(act: Act, comment: str | None, now: datetime) -> str | None:
    """Check an act: the detail of its line in the history."""
    if act.kind in (Event.COMMENT, Event.MUTED) and comment is None:
        raise AlertWorkInvalid("Write a comment." if act.kind is Event.COMMENT else "Say why it should be quiet.")
    if act.kind is Event.CLOSED:
        return _checked(act.cause, comment)
    if act.kind is Event.SNOOZED:
        if act.until is None or not now < act.until <= now + MAX_SNOOZE:
            raise AlertWorkInvalid(f"Choose a day from tomorrow on, at most {MAX_SNOOZE.days} days ahead.")
        return act.until.isoformat()
    return None


def _checked(cause: Cause | None, comment: str | None) -> Cause:
    if cause is None:
        raise AlertWorkInvalid("Choose the cause: the rule's precision is measured from it.")
    if cause is Cause.OTHER and comment is None:
        raise AlertWorkInvalid("Say in a comment what the other cause was.")
    return cause


def _mute(connection: Connection, numbers: Sequence[int], reason: str, staff: Staff, now: datetime) -> None:
    for number in numbers:
        record = alert_by_id(connection, number)
        if record is None or record.batch_row is None:
            raise AlertWorkInvalid("This alert belongs to no batch; a rule is muted for a batch.")
        row, rule = record.batch_row, record.rule
        muted = triage.MuteRecord(batch_row=row, rule=rule, at=now, actor=staff.email, reason=reason)
        if not triage.mute(connection, muted):
            continue
        named = triage.alerts_of_rule(connection, row, rule, limit=MAX_AT_ONCE)
        event = triage.EventRecord(at=now, actor=staff.email, kind=Event.MUTED, comment=reason)
        triage.append_event(connection, sorted({*named, number}), event)
        subject = _rule_of(connection, row, rule)
        audit.append(connection, at=now, actor=staff.email, action="alert.mute", subject=subject)


_AUDITED: Mapping[Event, str] = {
    Event.CLOSED: "close",
    Event.REOPENED: "reopen",
    Event.ASSIGNED: "assign",
    Event.RELEASED: "release",
    Event.SNOOZED: "snooze",
    Event.WOKEN: "wake",
    Event.COMMENT: "comment",
}


def _changes(act: Act, staff: Staff, now: datetime) -> Mapping[str, object]:
    """The columns of an alert that an act sets; closing ends a snooze."""
    changes: Mapping[Event, Mapping[str, object]] = {
        Event.CLOSED: {"closed_at": now, "cause": act.cause, "snoozed_until": None},
        Event.REOPENED: {"closed_at": None, "cause": None},
        Event.ASSIGNED: {"owner": staff.id},
        Event.RELEASED: {"owner": None},
        Event.SNOOZED: {"snoozed_until": act.until},
        Event.WOKEN: {"snoozed_until": None},
    }
    return changes.get(act.kind, {})


def _rule_of(connection: Connection, batch_row: int, rule: str) -> str:
    batch = batch_by_row(connection, batch_row)
    return f"{rule} of {batch.order_name if batch else batch_row}"
