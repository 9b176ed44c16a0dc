"""Stage 7, alert: codes are scanned before they were activated. Grouped by batch."""

from server.domain.alerts.alert import Finding, Severity, Subject
from server.domain.alerts.rule import Rule, UnitAttempt
from server.domain.alerts.triage import Cause


def _is_not_on_sale(facts: UnitAttempt) -> Finding | None:
    not_yet = not facts.conditions.activated and not facts.conditions.voided
    return Finding(subject=Subject.of_batch(facts.unit.row)) if facts.counts and not_yet else None


RULE = Rule(
    name="not_activated",
    position=20,
    facts=UnitAttempt,
    condition=_is_not_on_sale,
    severity=Severity.ALERT,
    prior={Cause.LATE_SYNC: 6, Cause.LEAK: 2, Cause.STAFF: 1.5, Cause.DIVERSION: 0.5},
)
