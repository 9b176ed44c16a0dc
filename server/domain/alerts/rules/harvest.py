"""Stage 7, alert: one network looks at many codes of a batch and verifies few. Grouped by batch."""

import math

from server.domain.alerts.alert import Finding, Severity, Subject
from server.domain.alerts.likely_cause import no_facts
from server.domain.alerts.rule import HourOfNetwork, Rule
from server.domain.alerts.triage import Cause

HARVEST_EXCESS = 60
"""Units that one network looked at in an hour and did not burn, more than those that it burned: sixty shoppers in a
shop who look at one or two packs each stay at half of it where every second verifies there, and a delivery of as many
packs reaches it."""

_DEVIATIONS = 2


def least_excess(workers: int) -> int:
    """The excess that one of so many workers must count: its share, and what chance adds to a share.

    By the bare share every sixth shop of sixty honest shoppers would be reported on a server with four workers, since
    one worker meets more of them than the others; with two standard deviations it is one in a thousand.
    """
    share = HARVEST_EXCESS / workers
    return math.ceil(share if workers == 1 else share + _DEVIATIONS * math.sqrt(share))


def _verifies_few(facts: HourOfNetwork) -> Finding | None:
    if facts.unburned - facts.burned < least_excess(facts.workers):
        return None
    return Finding(subject=Subject.of_batch(facts.batch_row))


RULE = Rule(
    name="harvest",
    position=110,
    facts=HourOfNetwork,
    condition=_verifies_few,
    severity=Severity.NOTE,
    prior={Cause.STAFF: 4, Cause.BOT: 3, Cause.LEAK: 3},
    facts_of=no_facts,
    limits={"excess": HARVEST_EXCESS},
)
