"""Stage 7, alert: attempts outside the markets that a unit was activated for. Grouped by batch."""

from server.domain.alerts.alert import Crowd, Finding, Severity, Subject
from server.domain.alerts.rule import Rule, UnitAttempt
from server.domain.alerts.storm import CROWD_WINDOW, OUTSIDE_ASKERS, OUTSIDE_PLACES
from server.domain.alerts.triage import Cause


def _is_outside(facts: UnitAttempt) -> Finding | None:
    """The first verification counts too; its holder's later scans do not, nor does an unknown country."""
    attempt, markets = facts.attempt, facts.markets
    again = facts.own and not attempt.burned
    inside = not markets or attempt.place.country is None or attempt.place.country in markets
    if attempt.staff or facts.conditions.sample or again or inside:
        return None
    crowd = Crowd(window=CROWD_WINDOW, askers=OUTSIDE_ASKERS, places=OUTSIDE_PLACES)
    return Finding(subject=Subject.of_batch(facts.unit.row), crowd=crowd)


RULE = Rule(
    name="outside_market",
    position=70,
    facts=UnitAttempt,
    condition=_is_outside,
    severity=Severity.NOTE,
    prior={Cause.OWN_RESCAN: 5, Cause.DIVERSION: 4, Cause.STAFF: 1},
    limits={"places": OUTSIDE_PLACES, "networks": OUTSIDE_ASKERS, "days": CROWD_WINDOW.days},
)
