"""Stage 7, alert: what is most likely behind an alert, in words.

A cause's weight is what staff found before (alerts of the rule that they closed, by cause) on top of a prior worth ten
closed alerts, times a factor for each measured fact that speaks for or against it. The prior is the field's experience,
in which most alerts are no crime (European medicines verification: own re-scans, staff and late synchronisation
before anything else). The factors are judgements, written down here; they are no measurement, and facts are taken as if
they did not hang together. So the answer is three words and never a number, and ten closed alerts weigh as much as the
prior.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.domain.alerts.triage import Cause

MANY = 10
"""Other people from which on no household, shop or chain of owners is left as an explanation."""

CROWD = 30
"""The same where no place is known."""

SOME = 3
"""Other people from which on it is less likely one buyer who shows the pack to others."""

LEAST_CROWD_REGIONS = 3
"""Regions from which on many people were not all near one pack: the protocol's three distinct places."""

_MOST_LIKELY, _POSSIBLE = 0.5, 0.1


class Likelihood(StrEnum):
    """How likely a cause is."""

    MOST_LIKELY = "most likely"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"


class Fact(StrEnum):
    """What was measured on an alert and speaks for or against a cause."""

    ONE_NETWORK = "one_network"
    ONE_OTHER_NEAR = "one_other_near"
    SOME_OTHERS = "some_others"
    MANY_OTHERS = "many_others"
    SOME_REGIONS = "some_regions"
    MANY_REGIONS = "many_regions"
    ONE_ASKER = "one_asker"
    MANY_ASKERS = "many_askers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """The causes by how likely they are, the likeliest first, and the facts that this rests on."""

    causes: tuple[tuple[Cause, Likelihood], ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What an alert has measured: distinct askers other than the holder, known regions, and the number of scans."""

    others: int
    regions: int
    scans: int
    networks: int | None = None
    """Number of networks that they came from, None where that is not known."""


_FACTORS: Final[Mapping[Fact, Mapping[Cause, float]]] = {
    Fact.ONE_NETWORK: {Cause.OWN_RESCAN: 3, Cause.BOT: 10, Cause.STAFF: 2, Cause.CLONE: 0.2, Cause.DIVERSION: 0.2},
    Fact.ONE_OTHER_NEAR: {Cause.OWN_RESCAN: 3, Cause.CLONE: 0.3, Cause.DIVERSION: 0.3},
    Fact.SOME_OTHERS: {Cause.CLONE: 3, Cause.OWN_RESCAN: 0.5},
    Fact.MANY_OTHERS: {Cause.CLONE: 20, Cause.BOT: 2, Cause.OWN_RESCAN: 0.1, Cause.MISREAD: 0.1},
    Fact.SOME_REGIONS: {Cause.CLONE: 2, Cause.DIVERSION: 2, Cause.OWN_RESCAN: 0.7},
    Fact.MANY_REGIONS: {Cause.CLONE: 5, Cause.DIVERSION: 2, Cause.OWN_RESCAN: 0.2, Cause.STAFF: 0.3},
    Fact.ONE_ASKER: {Cause.STAFF: 3},
    Fact.MANY_ASKERS: {Cause.LATE_SYNC: 2, Cause.LEAK: 2, Cause.DIVERSION: 3, Cause.STAFF: 0.1, Cause.OWN_RESCAN: 0.5},
}


def no_facts(_measured: Measured) -> tuple[Fact, ...]:
    """The facts in numbers of looks: none, since nothing is known of who looks."""
    return ()


def facts_of_askers(measured: Measured) -> tuple[Fact, ...]:
    """The facts in the number of askers."""
    candidates = ((Fact.ONE_ASKER, measured.others <= 1), (Fact.MANY_ASKERS, measured.others >= MANY))
    return tuple(fact for fact, holds in candidates if holds)


def facts_of_copies(measured: Measured) -> tuple[Fact, ...]:
    """The facts in the number of other askers for one used code, and in their places."""
    if measured.networks == 1 and measured.others > 1 and measured.regions <= 1:
        return (Fact.ONE_NETWORK,)  # claims that one script makes up are no crowd
    facts = []
    if measured.others <= 1 and measured.regions <= 1:
        facts.append(Fact.ONE_OTHER_NEAR)
    elif measured.others >= MANY:
        facts.append(Fact.MANY_OTHERS)
    elif measured.others >= SOME:
        facts.append(Fact.SOME_OTHERS)
    if measured.regions >= LEAST_CROWD_REGIONS:
        facts.append(Fact.MANY_REGIONS)
    elif measured.regions > 1:
        facts.append(Fact.SOME_REGIONS)
    return tuple(facts)


def likely_causes(prior: Mapping[Cause, float], facts: tuple[Fact, ...], closed: Sequence[tuple[Cause, int]]) -> Guess:
    """What is most likely behind an alert, given what its rule's closed alerts turned out to be."""
    weights = dict(prior)
    for cause, amount in closed:
        if cause is not Cause.OTHER:
            weights[cause] = weights.get(cause, 0.0) + amount
    for fact in facts:
        weights = {cause: weight * _FACTORS[fact].get(cause, 1.0) for cause, weight in weights.items()}
    total = sum(weights.values())
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return Guess(causes=tuple((cause, _word(weight / total)) for cause, weight in ordered), facts=facts)


def _word(share: float) -> Likelihood:
    if share >= _MOST_LIKELY:
        return Likelihood.MOST_LIKELY
    return Likelihood.POSSIBLE if share >= _POSSIBLE else Likelihood.UNLIKELY
