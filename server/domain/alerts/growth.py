"""Stage 7, alert: how an alert grows: when it becomes louder, and when it is news."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from server.domain.alerts.alert import Attempt, Crowd, Severity
from server.domain.alerts.reopen import reopens
from server.domain.alerts.triage import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowingAlert:
    """What of an alert's row changes as it grows. `loud_at` is when it last became news."""

    severity: Severity
    first_at: datetime
    last_at: datetime
    count: int = 0
    claims: int = 0
    places: int = 0
    closed_at: datetime | None = None
    cause: Cause | None = None
    loud_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Attempts, or looks, that an alert has not counted: when they began and ended, how many, and how loud they are.

    `claims` and `places` are those that are new to it. Looks have no known visitors.
    """

    severity: Severity
    first_at: datetime
    last_at: datetime
    count: int
    claims: int = 0
    places: int = 0
    of_looks: bool = False


def wants_crowd(alert: GrowingAlert, crowd: Crowd | None) -> bool:
    """Whether a crowd behind an alert would make it louder."""
    return crowd is not None and alert.severity.rank < Severity.ALERT.rank


def loudness(severity: Severity, crowd: Crowd | None, behind: Sequence[Attempt], at: datetime) -> Severity:
    """How loud an attempt makes its alert, with the latest attempts `behind` it: a crowd makes a note an alert."""
    return _louder(severity, Severity.ALERT if crowd is not None and crowd.is_among(behind, at) else Severity.NOTE)


def grow(alert: GrowingAlert, growth: Growth) -> tuple[GrowingAlert, bool]:
    """The grown alert, and whether that reopened it. Raised, louder or reopened is news; severity never falls."""
    severity = _louder(alert.severity, growth.severity)
    is_louder = severity is not alert.severity
    opens_again = alert.closed_at is not None and reopens(
        alert.closed_at,
        is_louder=is_louder,
        claims=growth.claims,
        looks_since=growth.first_at if growth.of_looks else None,
    )
    is_news = opens_again or is_louder or not alert.count
    grown = replace(
        alert,
        severity=severity,
        first_at=min(alert.first_at, growth.first_at),
        last_at=max(alert.last_at, growth.last_at),
        count=alert.count + growth.count,
        claims=alert.claims + growth.claims,
        places=alert.places + growth.places,
        loud_at=growth.last_at if is_news else alert.loud_at,
    )
    return replace(grown, closed_at=None, cause=None) if opens_again else grown, opens_again


def _louder(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=lambda severity: severity.rank)
