"""Stage 7, alert: rules, and the facts that they are given. Each rule is a file in `rules/`.

Event times decide, not arrival. Own re-scans, samples and staff never count; an expired or recalled pack raises nothing
by that alone (docs/protocol.md §2 rule 6).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from server.domain.alerts.alert import Attempt, Finding, NumberedAttempt, Severity
from server.domain.alerts.likely_cause import Fact, Measured, facts_of_askers
from server.domain.alerts.triage import Cause
from server.domain.codes.redemption import Redemption
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Conditions
from server.domain.places.place import UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAttempt:
    """An attempt on a registered unit. `redemption` is the one before it, `own` whether it is the holder's.

    `others` counts the distinct other claims on a used unit, this one included; `around` are attempts on the unit in
    the hours around it, latest first; `markets` are those it was activated for, `alert_from` is the brand's threshold.
    """

    attempt: Attempt
    unit: Unit
    serial: str | None
    conditions: Conditions
    redemption: Redemption | None
    own: bool
    others: int = 0
    alert_from: int
    markets: Collection[str] = ()
    around: Sequence[NumberedAttempt] = ()

    @property
    def counts(self) -> bool:
        """Whether neither holder nor staff made it, and the unit is no sample."""
        return not (self.own or self.attempt.staff or self.conditions.sample)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAttempt:
    """An attempt on a code that only its key's signature speaks for: of no `registered` unit, or of a withdrawn key."""

    attempt: Attempt
    key_id: str
    withdrawn: bool
    registered: bool
    sample: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCodeUses:
    """The latest uses of a unit's keep-code, as many as a rule asks for."""

    unit: Unit
    serial: str | None
    latest: Sequence[NumberedAttempt]

    @property
    def regions(self) -> int:
        """The known regions among them."""
        return len({attempt.place.key for _, attempt in self.latest} - {UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOfLooks:
    """The looks at a unit within one hour, by place."""

    unit: Unit
    serial: str | None
    by_place: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOfNetwork:
    """The units of a batch that one network looked at within one hour, while they were unburned.

    `burned` of them that network burned itself since, `unburned` it did not: what others burn excuses nobody. The
    numbers are those of one of so many `workers`.
    """

    batch_row: int
    unburned: int
    burned: int
    workers: int


Facts = UnitAttempt | KeyAttempt | KeepCodeUses | HourOfLooks | HourOfNetwork
F = TypeVar("F", bound=Facts)


def _never(_measured: Measured) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[F]):
    """Why an alert is raised. Its words are in the staff catalogue, under `rule.<name>`.

    `name` is what is stored (at most 20 characters), `position` where the rule is listed, `facts` what the condition is
    given and so what has to be stored for it, `severity` how loud its alerts are unless a finding says otherwise.
    `prior` weighs the likely causes (ten closed alerts together), `facts_of` measures what speaks for them, and
    `proposes_lock` says when the page proposes a lock; `limits` are the thresholds that its words name. `of_copies`:
    its alerts count the people with one used code, so that the first verifier is one and copies are estimated.
    """

    name: str
    position: int
    facts: type[F]
    condition: Callable[[F], Finding | None]
    severity: Severity
    prior: Mapping[Cause, float]
    facts_of: Callable[[Measured], tuple[Fact, ...]] = facts_of_askers
    proposes_lock: Callable[[Measured], bool] = _never
    limits: Mapping[str, int] = field(default_factory=dict)
    of_copies: bool = False

    @property
    def of_looks(self) -> bool:
        """Whether it counts looks, which make no scans."""
        return self.facts in {HourOfLooks, HourOfNetwork}
