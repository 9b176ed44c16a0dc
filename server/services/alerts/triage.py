"""Stage 7, alert: what staff do with alerts. Each act is a line of the alert's history and of the audit."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from keys.base.errors import AuthcodeError
from server.domain.alerts.triage import AlertWorkInvalid, Cause, Event, read_comment
from server.runtime.context import Context
from server.services.staff.accounts import Staff
from server.storage import audit
from server.storage import triage as work
from server.storage.alerts import alert_by_id
from server.storage.batches import batch_by_row
from server.storage.engine import Connection

MAX_AT_ONCE = 50
"""Alerts that one form can act on: a page of the list."""

MAX_SNOOZE = timedelta(days=366)
"""Whatever should be quiet for longer is closed or muted."""


class AlertUnknown(AuthcodeError):
    """No alert has this number."""

    code = "alert_unknown"
    http_status = 404
    sentence = "There is no such alert; the list of alerts shows those that were raised."


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody wants done with alerts: the kind, and what it needs.

    `cause` for closing, `until` for snoozing, a `comment` with any of them; muting and closing as `other` need one.
    """

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
        held = work.hold_alerts(connection, sorted(set(numbers))[:MAX_AT_ONCE])
        if not held:
            raise AlertWorkInvalid("Choose at least one alert.")
        _DO[act.kind](connection, held, act, staff, now)
        if act.kind not in (Event.MUTED, Event.UNMUTED):
            done = work.EventRecord(at=now, actor=staff.email, kind=act.kind, detail=detail, comment=comment)
            work.append_event(connection, held, done)
            told = _told(act)
            for number in held:
                action = f"alert.{_AUDITED[act.kind]}"
                audit.note(
                    connection, at=now, actor=staff.email, action=action, subject=f"alert {number}", details=told
                )
    return len(held)


def mute_rule(ctx: Context, alert_id: int, *, reason: str, staff: Staff) -> None:
    """Make an alert's rule quiet for its whole batch: its alerts are listed apart from then on."""
    work_on_alerts(ctx, [alert_id], Act(kind=Event.MUTED, comment=reason), staff=staff)


def unmute_rule(ctx: Context, batch_row: int, rule: str, *, staff: Staff) -> bool:
    """Let a rule speak for a batch again; False when it does already."""
    now = ctx.clock()
    with ctx.db.write() as connection:
        lifted = work.unmute(connection, batch_row, rule)
        if lifted:
            held = work.alerts_of_rule(connection, batch_row, rule, limit=MAX_AT_ONCE)
            if held:
                work.append_event(connection, held, work.EventRecord(at=now, actor=staff.email, kind=Event.UNMUTED))
            audit.note(
                connection,
                at=now,
                actor=staff.email,
                action="alert.unmute",
                subject=_rule_of(connection, batch_row, rule),
            )
    return lifted


def _check(act: Act, comment: str | None, now: datetime) -> str | None:
    """What the act adds to its line of the history, once nothing that it needs is missing."""
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


def _close(connection: Connection, held: Sequence[int], act: Act, _staff: Staff, now: datetime) -> None:
    assert act.cause is not None  # noqa: S101 - checked before
    work.close(connection, held, cause=act.cause, at=now)


def _mute(connection: Connection, held: Sequence[int], act: Act, staff: Staff, now: datetime) -> None:
    for number in held:
        record = alert_by_id(connection, number)
        if record is None or record.batch_row is None:
            raise AlertWorkInvalid("This alert belongs to no batch; a rule is muted for a batch.")
        reason = read_comment(act.comment) or ""
        quiet = work.MuteRecord(batch_row=record.batch_row, rule=record.rule, at=now, actor=staff.email, reason=reason)
        if not work.mute(connection, quiet):
            continue
        named = work.alerts_of_rule(connection, record.batch_row, record.rule, limit=MAX_AT_ONCE)
        muted = work.EventRecord(at=now, actor=staff.email, kind=Event.MUTED, comment=reason)
        work.append_event(connection, sorted({*named, number}), muted)
        subject = _rule_of(connection, record.batch_row, record.rule)
        audit.note(connection, at=now, actor=staff.email, action="alert.mute", subject=subject)


_Doing = Callable[[Connection, Sequence[int], Act, Staff, datetime], None]
_DO: Mapping[Event, _Doing] = {
    Event.CLOSED: _close,
    Event.REOPENED: lambda connection, held, _act, _staff, _now: work.reopen(connection, held),
    Event.ASSIGNED: lambda connection, held, _act, staff, _now: work.assign(connection, held, staff.id),
    Event.RELEASED: lambda connection, held, _act, _staff, _now: work.assign(connection, held, None),
    Event.SNOOZED: lambda connection, held, act, _staff, _now: work.snooze(connection, held, act.until),
    Event.WOKEN: lambda connection, held, _act, _staff, _now: work.snooze(connection, held, None),
    Event.COMMENT: lambda _connection, _held, _act, _staff, _now: None,
    Event.MUTED: _mute,
}
_AUDITED: Mapping[Event, str] = {
    Event.CLOSED: "close",
    Event.REOPENED: "reopen",
    Event.ASSIGNED: "assign",
    Event.RELEASED: "release",
    Event.SNOOZED: "snooze",
    Event.WOKEN: "wake",
    Event.COMMENT: "comment",
}


def _told(act: Act) -> Mapping[str, object]:
    """What the log says beside the act: never a comment, which may hold a person's name."""
    facts = {"cause": act.cause and str(act.cause), "until": act.until.isoformat() if act.until else None}
    return {name: value for name, value in facts.items() if value is not None}


def _rule_of(connection: Connection, batch_row: int, rule: str) -> str:
    batch = batch_by_row(connection, batch_row)
    return f"{rule} of {batch.order_name if batch else batch_row}"
