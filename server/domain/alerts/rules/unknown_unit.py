"""Stage 7, alert: a good signature on a unit that no batch has: a late manifest or a leaked key. Grouped by key."""

from server.domain.alerts.alert import Finding, Severity, Subject
from server.domain.alerts.rule import KeyAttempt, Rule
from server.domain.alerts.triage import Cause


def _exists_nowhere(facts: KeyAttempt) -> Finding | None:
    if facts.attempt.staff or facts.registered or facts.withdrawn:
        return None
    return Finding(subject=Subject.of_key(facts.key_id))


RULE = Rule(
    name="unknown_unit",
    position=40,
    facts=KeyAttempt,
    condition=_exists_nowhere,
    severity=Severity.HIGH,
    prior={Cause.LEAK: 5, Cause.LATE_SYNC: 5},
)
