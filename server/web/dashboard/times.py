"""Moments as one member of staff reads them: in their zone, with its offset, and in UTC.

The template `times.html` is the only place that writes them into a page.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from server.domain.places.time_zone import offset_text, zone_of


@dataclass(frozen=True, slots=True)
class Times:
    """Writes moments in `zone`; `name` is the zone's name as its owner chose it."""

    name: str
    zone: tzinfo

    @classmethod
    def of(cls, name: str | None) -> "Times":
        """The times of an account with this zone, UTC for None."""
        return cls(name or "UTC", zone_of(name))

    def here(self, moment: datetime, *, seconds: bool = False) -> str:
        """Date, time and offset in the reader's zone: `21 Nov 2026 15:05 +01:00`."""
        local = moment.astimezone(self.zone)
        return f"{local:{'%-d %b %Y %H:%M:%S' if seconds else '%-d %b %Y %H:%M'}} {offset_text(local)}"

    def day(self, moment: datetime) -> str:
        """The day in the reader's zone: `21 Nov 2026`."""
        return f"{moment.astimezone(self.zone):%-d %b %Y}"

    def today(self, now: datetime) -> date:
        """The day that it is for the reader."""
        return now.astimezone(self.zone).date()

    def begin(self, day: date) -> datetime:
        """The moment at which a day begins for the reader."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


def utc(moment: datetime) -> str:
    """Date and time in UTC, as shown next to the reader's and on paper."""
    return f"{moment.astimezone(UTC):%-d %b %Y %H:%M:%S} UTC"


def machine(moment: datetime) -> str:
    """A moment for programs: `2026-11-21T14:05:00Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
