"""Stage 7, alert: a visitor other than its holder asks to verify a used code."""

from datetime import timedelta

from server.domain.alerts.alert import Finding, Severity, Subject
from server.domain.alerts.likely_cause import CROWD, LEAST_CROWD_REGIONS, MANY, Measured, facts_of_copies
from server.domain.alerts.rule import Rule, UnitAttempt
from server.domain.alerts.storm import BURST_ASKERS, is_burst
from server.domain.alerts.triage import Cause
from server.domain.places.place import Place

NOTE_WINDOW = timedelta(hours=48)
"""One other claim from the same region within this time is most likely the same household or the shop."""


def _is_duplicate(facts: UnitAttempt) -> Finding | None:
    first = facts.redemption
    if first is None or not facts.counts:
        return None
    near = facts.attempt.place == Place(country=first.country, region=first.region)
    soon = facts.attempt.at - first.at <= NOTE_WINDOW
    quiet = facts.others == 1 and near and soon and facts.others < facts.alert_from
    severity = Severity.NOTE if quiet else Severity.ALERT
    if is_burst(facts.attempt, [one for _, one in facts.around]):
        severity = Severity.HIGH
    return Finding(subject=Subject.of_code(facts.unit, facts.serial), severity=severity)


def _leaves_no_honest_pack(measured: Measured) -> bool:
    spread = measured.others >= MANY and measured.regions >= LEAST_CROWD_REGIONS
    return spread or measured.others >= CROWD


RULE = Rule(
    name="duplicate",
    position=10,
    facts=UnitAttempt,
    condition=_is_duplicate,
    severity=Severity.ALERT,
    prior={
        Cause.OWN_RESCAN: 5,
        Cause.CLONE: 2,
        Cause.STAFF: 1,
        Cause.BOT: 0.7,
        Cause.DIVERSION: 0.5,
        Cause.LATE_SYNC: 0.5,
        Cause.MISREAD: 0.3,
    },
    facts_of=facts_of_copies,
    proposes_lock=_leaves_no_honest_pack,
    limits={"burst": BURST_ASKERS},
    of_copies=True,
)
