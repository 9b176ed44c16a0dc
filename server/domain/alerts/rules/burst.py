"""Stage 7, alert: many networks try one unused code within an hour; on a used code, its duplicate becomes louder."""

from server.domain.alerts.alert import Finding, Severity, Subject
from server.domain.alerts.rule import Rule, UnitAttempt
from server.domain.alerts.storm import BURST_ASKERS, is_burst
from server.domain.alerts.triage import Cause


def _is_burst_of_attempts(facts: UnitAttempt) -> Finding | None:
    around = [one for _, one in facts.around]
    if facts.redemption is not None or not facts.counts or not is_burst(facts.attempt, around):
        return None
    subject = Subject.of_code(facts.unit, facts.serial)
    return Finding(subject=subject, earlier=facts.around[::-1], only_if_new=True)


RULE = Rule(
    name="burst",
    position=90,
    facts=UnitAttempt,
    condition=_is_burst_of_attempts,
    severity=Severity.ALERT,
    prior={Cause.BOT: 4, Cause.CLONE: 4, Cause.LATE_SYNC: 1, Cause.STAFF: 1},
    limits={"burst": BURST_ASKERS},
)
