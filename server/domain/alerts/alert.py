"""Stage 7, alert: attempts as rules see them, severities, subjects, findings. One alert a (brand, rule, subject)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from server.domain.alerts.triage import Pile
from server.domain.codes.unit import Unit
from server.domain.places.place import Place

DEFAULT_ALERT_FROM = 2
"""Other claims on one code from which on a duplicate is an alert at any place and time (per brand)."""


class Severity(StrEnum):
    """How loud an alert is: a note can wait, an alert wants a look, high wants it now."""

    NOTE = "note"
    ALERT = "alert"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for a note, growing with severity: an alert never becomes quieter."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to verify, as the rules see it. `mark` distinguishes people on this unit and carries nothing else.

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
        """The asker, for rules about crowds: one network on a day is one asker, however many claims it makes up."""
        return self.network or self.mark


NumberedAttempt = tuple[int, Attempt]
"""An attempt with its number in the history."""


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
class Subject:
    """What an alert is about: one code, a batch or a key. `key` distinguishes it from its rule's other subjects."""

    key: str
    batch_row: int | None = None
    unit: int | None = None
    serial: str | None = None

    @classmethod
    def of_code(cls, unit: Unit, serial: str | None) -> "Subject":
        """One code, with the serial that it showed."""
        return cls(key=f"unit:{unit.id}", batch_row=unit.row, unit=unit.id, serial=serial)

    @classmethod
    def of_batch(cls, row: int) -> "Subject":
        """A batch: one lost reel is one alert."""
        return cls(key=f"batch:{row}", batch_row=row)

    @classmethod
    def of_key(cls, key_id: str) -> "Subject":
        """A key: a thief of one chooses batch numbers at will, and is still one thing that happened."""
        return cls(key=f"key:{key_id}")

    @staticmethod
    def key_id_in(key: str) -> str | None:
        """The id of the key that a subject's `key` names, None for a code or a batch."""
        kind, _, key_id = key.partition(":")
        return key_id if kind == "key" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule's condition found: the alert of this subject grows.

    `severity` is the rule's own where it is None; with a `crowd` behind the alert, a note is an alert. `earlier`
    attempts belong to the alert too, oldest first: always, or only while it is new (`only_if_new`).
    """

    subject: Subject
    severity: Severity | None = None
    crowd: Crowd | None = None
    earlier: Sequence[NumberedAttempt] = ()
    only_if_new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts are wanted; None means any. `severity` is the least one, `loudest` the greatest.

    `rule` is a rule's name, `owner` an account's number. A `pile` is judged at the moment `now`, which it needs.
    """

    rule: str | None = None
    severity: Severity | None = None
    loudest: Severity | None = None
    batch_row: int | None = None
    unit: Unit | None = None
    pile: Pile | None = None
    owner: int | None = None
    now: datetime | None = None
    ranked: bool = False
