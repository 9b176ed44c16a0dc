"""Stage 7, alert: how many alerts lie where, how good each rule is, and what was done with one alert."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from server.domain.alerts.alert import AlertFilter
from server.domain.alerts.rules import all_rules
from server.domain.alerts.triage import Cause, Event, Precision, precision_of
from server.runtime.context import Context
from server.storage import triage as work
from server.storage.alerts import count_each, count_news
from server.storage.brands import all_brands
from server.storage.engine import Connection
from server.storage.scans import attempts_since

HISTORY_SHOWN = 100
"""Lines of an alert's history on its page: the latest."""

BUDGET_WINDOW = timedelta(days=7)
MOST_NEWS = 100
"""New alerts that are counted; beyond them it is said that there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """About how many alerts a week can be opened with care, and how many were closed in the last seven days."""

    a_week: int
    closed: int

    @property
    def left(self) -> int:
        """How many open alerts still fit into this week."""
        return max(0, self.a_week - self.closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietWeek:
    """Attempts to verify since Monday (UTC), and how many of the alerts closed in the last seven days were real."""

    scans: int
    precision: Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLine:
    """One line of an alert's history; `cause` and `until` where it is about them."""

    at: datetime
    actor: str | None
    kind: Event
    cause: Cause | None
    until: datetime | None
    comment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRecord:
    """How a rule did: its closed alerts by cause, the most frequent first, and its precision."""

    precision: Precision
    causes: tuple[tuple[Cause, int], ...]


def counted_views(ctx: Context, views: Sequence[AlertFilter]) -> tuple[int, ...]:
    """How many alerts each of these views shows."""
    now = ctx.clock()
    with ctx.db.read() as connection:
        return tuple(count_each(connection, [replace(view, now=now) for view in views]))


def news(ctx: Context, wanted: AlertFilter, *, after: datetime) -> int:
    """How many alerts that match became news after a moment, up to `MOST_NEWS`."""
    wanted = replace(wanted, now=ctx.clock())
    with ctx.db.read() as connection:
        return count_news(connection, wanted, after=after, limit=MOST_NEWS)


def quiet_week(ctx: Context) -> QuietWeek:
    """What stands where there is nothing to act on."""
    now = ctx.clock()
    monday = now - timedelta(days=now.weekday())
    with ctx.db.read() as connection:
        closed: Counter[Cause] = Counter()
        for causes in work.closed_by_cause(connection, since=now - BUDGET_WINDOW).values():
            closed.update(causes)
        return QuietWeek(scans=attempts_since(connection, monday), precision=precision_of(closed))


def budget(ctx: Context) -> Budget:
    """The alert budget of all brands of this server together."""
    with ctx.db.read() as connection:
        a_week = sum(brand.alert_budget for brand in all_brands(connection))
        return Budget(a_week=a_week, closed=work.closed_since(connection, ctx.clock() - BUDGET_WINDOW))


def rule_records(ctx: Context) -> Mapping[str, RuleRecord]:
    """How each rule did, by its name, from all closed alerts."""
    with ctx.db.read() as connection:
        return rule_records_of(connection)


def rule_records_of(connection: Connection) -> Mapping[str, RuleRecord]:
    """The same, in a reading that has begun."""
    closed = work.closed_by_cause(connection)
    return {rule.name: _record_of(closed.get(rule.name, {})) for rule in all_rules()}


def _record_of(causes: Mapping[Cause, int]) -> RuleRecord:
    by_frequency = tuple(sorted(causes.items(), key=lambda item: (-item[1], item[0])))
    return RuleRecord(precision=precision_of(causes), causes=by_frequency)


def stream_of(connection: Connection, alert: int) -> tuple[StreamLine, ...]:
    """What was done with an alert and said of it, newest first."""
    return tuple(_line(record) for record in work.events_of(connection, alert, limit=HISTORY_SHOWN))


def _line(record: work.EventRecord) -> StreamLine:
    return StreamLine(
        at=record.at,
        actor=record.actor,
        kind=record.kind,
        cause=Cause(record.detail) if record.kind is Event.CLOSED and record.detail else None,
        until=datetime.fromisoformat(record.detail) if record.kind is Event.SNOOZED and record.detail else None,
        comment=record.comment,
    )
