"""Stage 7, alert: which attempts are worth telling, and how loudly (docs/protocol.md §2 rule 6).

Rules are pure functions of one attempt and what stood before it; event times come in. Own re-scans, samples and
staff never count; an expired or recalled pack raises nothing by that alone. There is one growing alert for each
(brand, rule, subject).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from server.domain.alerts.triage import Pile
from server.domain.codes.redemption import Conditions, FirstUse, Unit
from server.domain.places.place import Place

NOTE_WINDOW = timedelta(hours=48)
"""One other claim from the same region within this time is most likely the same household or the shop."""

DEFAULT_ALERT_FROM = 2
"""Other claims on one code from which on a duplicate is an alert whatever its place and time (per brand)."""


KEEP_CODE_REGIONS = 3
"""Regions that a buyer and those at home plausibly ask from; a keep-code used from more is printed on copies."""

KEEP_CODE_USES = 20
"""Uses from which on a keep-code is no longer one buyer's."""


class Rule(StrEnum):
    """Why an alert was raised."""

    DUPLICATE = "duplicate"
    NOT_ACTIVATED = "not_activated"
    VOIDED = "voided"
    UNKNOWN_UNIT = "unknown_unit"
    KEY_WITHDRAWN = "key_withdrawn"
    KEEP_CODE_SHARED = "keep_code_shared"
    OUTSIDE_MARKET = "outside_market"
    IMPOSSIBLE_TRAVEL = "impossible_travel"
    BURST = "burst"
    LOOK_STORM = "look_storm"


class Severity(StrEnum):
    """How loudly it is told: a note can wait, an alert wants a look, high wants it now."""

    NOTE = "note"
    ALERT = "alert"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for a note, growing with severity: an alert never becomes quieter."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to verify, as the rules see it. `mark` tells people apart on this unit, and says nothing else.

    `network` is the day's pseudonym of the network that asked, where it is known. `burned`: it was the first use.
    """

    at: datetime
    place: Place
    mark: bytes
    staff: bool = False
    network: bytes | None = None
    burned: bool = False

    @property
    def asker(self) -> bytes:
        """Who asked, for rules about many: all of one network on a day are one, and a claim that is made up is none."""
        return self.network or self.mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """So many distinct askers, or places where those count, within a time: what makes a note an alert."""

    window: timedelta
    askers: int
    places: int | None = None

    def is_among(self, attempts: Sequence[Attempt], at: datetime) -> bool:
        """Whether these attempts are such a crowd, counting those within the window around a moment."""
        near = [one for one in attempts if abs(one.at - at) <= self.window]
        if len({one.asker for one in near}) >= self.askers:
            return True
        return self.places is not None and len({one.place for one in near}) >= self.places


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDraft:
    """What an attempt adds to the alert of (brand, rule, subject). With a `crowd` behind it, a note is an alert."""

    rule: Rule
    subject: str
    severity: Severity
    crowd: Crowd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts are wanted; None means any. `severity` is the least one, `loudest` the greatest.

    `owner` is an account's number. A `pile` is judged at the moment `now`, which it needs.
    """

    rule: Rule | None = None
    severity: Severity | None = None
    loudest: Severity | None = None
    batch_row: int | None = None
    unit: Unit | None = None
    pile: Pile | None = None
    owner: int | None = None
    now: datetime | None = None
    ranked: bool = False


def _duplicate(  # noqa: PLR0913 - one attempt and everything that the rule looks at
    attempt: Attempt, unit: Unit, first: FirstUse, *, others: int, alert_from: int, burst: bool
) -> AlertDraft:
    near = attempt.place == Place(country=first.country, region=first.region)
    soon = attempt.at - first.at <= NOTE_WINDOW
    quiet = others == 1 and near and soon and others < alert_from
    severity = Severity.NOTE if quiet else Severity.ALERT
    return AlertDraft(rule=Rule.DUPLICATE, subject=f"unit:{unit.id}", severity=Severity.HIGH if burst else severity)


def drafts_for(  # noqa: PLR0913 - one attempt and everything that the rules look at
    attempt: Attempt,
    unit: Unit,
    conditions: Conditions,
    first: FirstUse | None,
    *,
    holder: bool,
    others: int,
    alert_from: int,
    burst: bool = False,
) -> tuple[AlertDraft, ...]:
    """The alerts one attempt on a registered unit adds to.

    `first` is the redemption that stood before the attempt, `holder` whether the attempt is its holder's own, `others`
    the number of distinct other claims with this one. Leaks are grouped by batch: one lost reel is one alert. A `burst`
    makes a duplicate louder, and is an alert of its own where there is none: it is one thing that happened.
    """
    if attempt.staff or conditions.sample or holder:
        return ()
    drafts: list[AlertDraft] = []
    if first is not None:
        drafts.append(_duplicate(attempt, unit, first, others=others, alert_from=alert_from, burst=burst))
    elif burst:
        drafts.append(AlertDraft(rule=Rule.BURST, subject=f"unit:{unit.id}", severity=Severity.ALERT))
    if conditions.voided:
        drafts.append(AlertDraft(rule=Rule.VOIDED, subject=f"batch:{unit.row}", severity=Severity.ALERT))
    elif not conditions.activated:
        drafts.append(AlertDraft(rule=Rule.NOT_ACTIVATED, subject=f"batch:{unit.row}", severity=Severity.ALERT))
    return tuple(drafts)


def draft_for_keep_code(unit: Unit, *, uses: int, regions: int) -> AlertDraft | None:
    """The alert for a keep-code that too many use: a forger can ship one with each copy of its code."""
    if uses < KEEP_CODE_USES and regions <= KEEP_CODE_REGIONS:
        return None
    return AlertDraft(rule=Rule.KEEP_CODE_SHARED, subject=f"unit:{unit.id}", severity=Severity.ALERT)


def draft_for_unknown(attempt: Attempt, *, key_id: str) -> AlertDraft | None:
    """The alert for a good signature on a unit that does not exist: a late manifest or a leaked key, never a guess.

    Grouped by key: whoever holds a leaked one chooses batch numbers at will, and is still one thing that happened.
    """
    if attempt.staff:
        return None
    return AlertDraft(rule=Rule.UNKNOWN_UNIT, subject=f"key:{key_id}", severity=Severity.HIGH)


def draft_for_withdrawn_key(attempt: Attempt, *, key_id: str, registered: bool) -> AlertDraft | None:
    """The alert for a code of a withdrawn key that was not in the world before.

    Of a unit that nobody registered it says that somebody still prints with the key. A registered one may be a lot that
    was activated too late. Grouped by key, like the codes that no batch has.
    """
    if attempt.staff:
        return None
    severity = Severity.ALERT if registered else Severity.HIGH
    return AlertDraft(rule=Rule.KEY_WITHDRAWN, subject=f"key:{key_id}", severity=severity)
