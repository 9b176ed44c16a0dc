"""Stage 7, alert: voided codes are scanned. Grouped by batch: one lost reel is one alert."""

from server.domain.alerts.alert import Finding, Severity, Subject
from server.domain.alerts.rule import Rule, UnitAttempt
from server.domain.alerts.triage import Cause


def _is_waste(facts: UnitAttempt) -> Finding | None:
    return Finding(subject=Subject.of_batch(facts.unit.row)) if facts.counts and facts.conditions.voided else None


RULE = Rule(
    name="voided",
    position=30,
    facts=UnitAttempt,
    condition=_is_waste,
    severity=Severity.ALERT,
    prior={Cause.LEAK: 5, Cause.LATE_SYNC: 2.5, Cause.STAFF: 2, Cause.CLONE: 0.5},
)
