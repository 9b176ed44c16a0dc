"""Stage 7, alert: a storm of looks at one code within an hour."""

from server.domain.alerts.alert import Finding, Severity, Subject
from server.domain.alerts.likely_cause import no_facts
from server.domain.alerts.rule import HourOfLooks, Rule
from server.domain.alerts.storm import LOOKS_IN_STORM, STORM_PLACES
from server.domain.alerts.triage import Cause
from server.domain.places.place import UNKNOWN


def _is_storm(facts: HourOfLooks) -> Finding | None:
    if sum(facts.by_place.values()) < LOOKS_IN_STORM:
        return None
    spread = len(facts.by_place.keys() - {UNKNOWN}) >= STORM_PLACES
    severity = Severity.ALERT if spread else Severity.NOTE
    return Finding(subject=Subject.of_code(facts.unit, facts.serial), severity=severity)


RULE = Rule(
    name="look_storm",
    position=100,
    facts=HourOfLooks,
    condition=_is_storm,
    severity=Severity.NOTE,
    prior={Cause.BOT: 6, Cause.CLONE: 3, Cause.OWN_RESCAN: 1},
    facts_of=no_facts,
    limits={"looks": LOOKS_IN_STORM, "places": STORM_PLACES},
)
