"""Stage 7, alert: a keep-code that too many use: a forger can ship one with each copy of its code."""

from server.domain.alerts.alert import Finding, Severity, Subject
from server.domain.alerts.likely_cause import Measured
from server.domain.alerts.rule import KeepCodeUses, Rule
from server.domain.alerts.triage import Cause

KEEP_CODE_REGIONS = 3
"""Regions that a buyer and those at home plausibly ask from; a keep-code used from more is printed on copies."""

KEEP_CODE_USES = 20
"""Uses from which on a keep-code is no longer one buyer's."""


def _is_shared(facts: KeepCodeUses) -> Finding | None:
    """The first alert takes in the uses that came before it."""
    if len(facts.latest) < KEEP_CODE_USES and facts.regions <= KEEP_CODE_REGIONS:
        return None
    subject = Subject.of_code(facts.unit, facts.serial)
    return Finding(subject=subject, earlier=facts.latest, only_if_new=True)


def _is_printed_on_copies(measured: Measured) -> bool:
    return measured.scans >= KEEP_CODE_USES and measured.regions > KEEP_CODE_REGIONS


RULE = Rule(
    name="keep_code_shared",
    position=60,
    facts=KeepCodeUses,
    condition=_is_shared,
    severity=Severity.ALERT,
    prior={Cause.CLONE: 7, Cause.OWN_RESCAN: 2, Cause.STAFF: 1},
    proposes_lock=_is_printed_on_copies,
    limits={"uses": KEEP_CODE_USES, "regions": KEEP_CODE_REGIONS},
)
