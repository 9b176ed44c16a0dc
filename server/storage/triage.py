"""Stage 7, alert: the state that staff give alerts, their history, and muted rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from server.domain.alerts.triage import Cause, Event
from server.storage.engine import count_rows, insert_or_nothing
from server.storage.schema import alert, alert_event, alert_mute


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One line of an alert's history. Without `actor` it happened by itself."""

    at: datetime
    actor: str | None
    kind: Event
    detail: str | None = None
    comment: str | None = None

    @property
    def cause(self) -> Cause | None:
        """The cause that the alert was closed with."""
        return Cause(self.detail) if self.kind is Event.CLOSED and self.detail else None

    @property
    def until(self) -> datetime | None:
        """When the snooze ends."""
        return datetime.fromisoformat(self.detail) if self.kind is Event.SNOOZED and self.detail else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteRecord:
    """A rule that is quiet for a batch: since when, by whom, why."""

    batch_row: int
    rule: str
    at: datetime
    actor: str
    reason: str


def lock_alerts(connection: sa.Connection, numbers: Sequence[int]) -> list[int]:
    """Lock these alerts until the transaction ends: the numbers of those that exist, in order."""
    query = sa.select(alert.c.id).where(alert.c.id.in_(numbers)).order_by(alert.c.id).with_for_update()
    return list(connection.execute(query).scalars())


def set_state(connection: sa.Connection, numbers: Sequence[int], **values: object) -> None:
    """Set columns of these alerts: `closed_at` with `cause`, `owner`, `snoozed_until`."""
    connection.execute(alert.update().where(alert.c.id.in_(numbers)).values(**values))


def append_event(connection: sa.Connection, numbers: Sequence[int], event: EventRecord) -> None:
    """Add a line to the history of each of these alerts."""
    line = {name: getattr(event, name) for name in EventRecord.__slots__}
    connection.execute(alert_event.insert(), [{"alert": number, **line} for number in numbers])


def events_of(connection: sa.Connection, number: int, *, limit: int) -> list[EventRecord]:
    """The history of an alert, newest first."""
    query = (
        sa.select(*(alert_event.c[name] for name in EventRecord.__slots__))
        .where(alert_event.c.alert == number)
        .order_by(alert_event.c.id.desc())
        .limit(limit)
    )
    return [EventRecord(**{**row, "kind": Event(row["kind"])}) for row in connection.execute(query).mappings()]


def mute(connection: sa.Connection, wanted: MuteRecord) -> bool:
    """Mute a rule for a batch; False when it is muted."""
    return insert_or_nothing(connection, alert_mute, **{name: getattr(wanted, name) for name in MuteRecord.__slots__})


def unmute(connection: sa.Connection, batch_row: int, rule: str) -> bool:
    """Unmute a rule for a batch; False when it is not muted."""
    here = (alert_mute.c.batch_row == batch_row) & (alert_mute.c.rule == rule)
    return connection.execute(alert_mute.delete().where(here)).rowcount > 0


def mutes_of(connection: sa.Connection, batch_row: int) -> list[MuteRecord]:
    """The rules that are quiet for a batch."""
    rows = connection.execute(sa.select(alert_mute).where(alert_mute.c.batch_row == batch_row)).mappings()
    return [MuteRecord(**row) for row in rows]


def alerts_of_rule(connection: sa.Connection, batch_row: int, rule: str, *, limit: int) -> list[int]:
    """The alerts of a rule on a batch that are not closed."""
    here = (alert.c.batch_row == batch_row) & (alert.c.rule == rule) & alert.c.closed_at.is_(None)
    return list(connection.execute(sa.select(alert.c.id).where(here).order_by(alert.c.id).limit(limit)).scalars())


def closed_by_cause(connection: sa.Connection, *, since: datetime | None = None) -> Mapping[str, Mapping[Cause, int]]:
    """How many alerts of a rule are closed with each cause, of rules that have any; closed `since` a moment, or all."""
    closed = alert.c.closed_at.is_not(None) if since is None else alert.c.closed_at >= since
    query = (
        sa.select(alert.c.rule, alert.c.cause, sa.func.count())
        .where(closed & alert.c.cause.is_not(None))
        .group_by(alert.c.rule, alert.c.cause)
    )
    found: dict[str, dict[Cause, int]] = {}
    for rule, cause, amount in connection.execute(query):
        found.setdefault(rule, {})[Cause(cause)] = int(amount)
    return found


def closed_since(connection: sa.Connection, moment: datetime) -> int:
    """How many alerts were closed since a moment and are closed."""
    return count_rows(connection, alert, alert.c.closed_at >= moment)
