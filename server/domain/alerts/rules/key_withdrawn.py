"""Stage 7, alert: a withdrawn key's code that was not in the world before. Grouped by key.

Where the unit was never registered, the key is still used to print; a registered one may be a lot activated late.
"""

from server.domain.alerts.alert import Finding, Severity, Subject
from server.domain.alerts.rule import KeyAttempt, Rule
from server.domain.alerts.triage import Cause


def _was_not_in_the_world(facts: KeyAttempt) -> Finding | None:
    if facts.attempt.staff or facts.sample or not facts.withdrawn:
        return None
    severity = Severity.ALERT if facts.registered else Severity.HIGH
    return Finding(subject=Subject.of_key(facts.key_id), severity=severity)


RULE = Rule(
    name="key_withdrawn",
    position=50,
    facts=KeyAttempt,
    condition=_was_not_in_the_world,
    severity=Severity.HIGH,
    prior={Cause.LEAK: 6, Cause.LATE_SYNC: 4},
)
