"""Stage 7, alert: the list of alerts, how many there are in each view, and how good each rule is. Reads only."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from server.domain.alerts.alert import AlertFilter
from server.domain.alerts.rules import all_rules
from server.domain.alerts.triage import Cause, Precision, precision_of
from server.runtime.context import Context
from server.services.queries.page import ListPage, page_of
from server.services.queries.rows import AlertRow, alert_rows_of
from server.storage import alerts as alert_rows
from server.storage.brands import all_brands
from server.storage.scans import attempts_since
from server.storage.triage import closed_by_cause, closed_since

_WEEK = timedelta(days=7)
MOST_NEWS = 100
"""New alerts that are counted; of more the page only says that there are more."""


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
class RuleRecord:
    """How a rule did: its closed alerts by cause, the most frequent first, and its precision."""

    precision: Precision
    causes: tuple[tuple[Cause, int], ...]


def alerts(ctx: Context, wanted: AlertFilter, *, page: int = 1) -> ListPage[AlertRow]:
    """One page of the alerts that match."""
    now = ctx.clock()
    wanted = replace(wanted, now=now)
    with ctx.db.read() as connection:
        return page_of(
            page,
            alert_rows.count_each(connection, [wanted])[0],
            partial(alert_rows.alerts_like, connection, wanted),
            partial(alert_rows_of, connection, now=now),
        )


def latest_news(ctx: Context) -> datetime | None:
    """When an alert last became news; None where none ever did."""
    with ctx.db.read() as connection:
        return alert_rows.latest_news(connection)


def counted_views(ctx: Context, views: Sequence[AlertFilter]) -> tuple[int, ...]:
    """How many alerts each of these views shows."""
    now = ctx.clock()
    with ctx.db.read() as connection:
        return tuple(alert_rows.count_each(connection, [replace(view, now=now) for view in views]))


def news(ctx: Context, wanted: AlertFilter, *, after: datetime) -> int:
    """How many alerts that match became news after a moment, up to `MOST_NEWS`."""
    wanted = replace(wanted, now=ctx.clock())
    with ctx.db.read() as connection:
        return alert_rows.count_news(connection, wanted, after=after, limit=MOST_NEWS)


def quiet_week(ctx: Context) -> QuietWeek:
    """What the empty list shows."""
    now = ctx.clock()
    monday = now - timedelta(days=now.weekday())
    with ctx.db.read() as connection:
        closed: Counter[Cause] = Counter()
        for causes in closed_by_cause(connection, since=now - _WEEK).values():
            closed.update(causes)
        return QuietWeek(scans=attempts_since(connection, monday), precision=precision_of(closed))


def budget(ctx: Context) -> Budget:
    """The alert budget of all brands of this server together."""
    with ctx.db.read() as connection:
        a_week = sum(brand.alert_budget for brand in all_brands(connection))
        return Budget(a_week=a_week, closed=closed_since(connection, ctx.clock() - _WEEK))


def rule_records(ctx: Context) -> Mapping[str, RuleRecord]:
    """How each rule did, by its name, from all closed alerts."""
    with ctx.db.read() as connection:
        closed = closed_by_cause(connection)
    return {rule.name: record_of(closed.get(rule.name, {})) for rule in all_rules()}


def record_of(causes: Mapping[Cause, int]) -> RuleRecord:
    """How a rule did whose alerts were closed with these causes."""
    by_frequency = tuple(sorted(causes.items(), key=lambda item: (-item[1], item[0])))
    return RuleRecord(precision=precision_of(causes), causes=by_frequency)
