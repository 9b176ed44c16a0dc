"""Stage 7, alert: attempts on one unit that no traveller can have made with the pack."""

from server.domain.alerts.alert import Crowd, Finding, Severity, Subject
from server.domain.alerts.rule import Rule, UnitAttempt
from server.domain.alerts.storm import CROWD_WINDOW, TRAVEL_ASKERS, TRAVEL_KMH, TRAVEL_SLACK_KM, contradicts
from server.domain.alerts.triage import Cause


def _is_too_far(facts: UnitAttempt) -> Finding | None:
    """Where an attempt contradicts earlier ones, the latest of those is in the alert too."""
    other = next((one for one in facts.around if contradicts(facts.attempt, one[1])), None)
    if other is None or not facts.counts:
        return None
    crowd = Crowd(window=CROWD_WINDOW, askers=TRAVEL_ASKERS)
    return Finding(subject=Subject.of_code(facts.unit, facts.serial), crowd=crowd, earlier=[other])


RULE = Rule(
    name="impossible_travel",
    position=80,
    facts=UnitAttempt,
    condition=_is_too_far,
    severity=Severity.NOTE,
    prior={Cause.OWN_RESCAN: 5, Cause.CLONE: 4, Cause.BOT: 1},
    limits={"km": TRAVEL_KMH, "slack": TRAVEL_SLACK_KM, "networks": TRAVEL_ASKERS, "days": CROWD_WINDOW.days},
)
