"""Geometry of the dashboard's own drawings, in SVG units: the strip of a batch and the timeline by day.

The templates only place what is computed here; colours are classes of the stylesheet, since the pages' content
security policy allows no inline style.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from server.domain.range_act import Stretch
from server.services.dashboard import DayCount

STRIP_WIDTH = 1000
_LEAST_PIECE = 2.0  # units: a range of one code in a million must still be seen
MAX_DAYS = 60
"""Days a timeline shows at most; older ones are left out and the page says from when on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One stretch of the strip: x and width in SVG units, the class of its state, and what it is."""

    x: float
    width: float
    state: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day of a timeline: x and width, and for each series its y and height, baseline at `Timeline.height`."""

    day: str
    x: float
    width: float
    parts: tuple[tuple[str, float, float], ...]
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Bars by day in a box of `width` by `height` SVG units; `top` is the highest day's total."""

    width: float
    height: float
    top: int
    first: date
    last: date
    bars: tuple[Bar, ...]

    @property
    def series(self) -> frozenset[str]:
        """The series that have anything to show."""
        return frozenset(name for bar in self.bars for name, _, _ in bar.parts)


def strip(stretches: Sequence[Stretch], count: int) -> tuple[Piece, ...]:
    """The batch from index 0 on, left to right; tiny stretches keep a width that can be seen."""
    return tuple(
        Piece(
            x=round(piece.first / count * STRIP_WIDTH, 2),
            width=round(max(piece.count / count * STRIP_WIDTH, _LEAST_PIECE), 2),
            state=str(piece.state),
            label=f"{piece.first}-{piece.last}: {piece.state.replace('_', ' ')}",
        )
        for piece in stretches
    )


def dots(indices: Collection[int], count: int) -> tuple[float, ...]:
    """Where on the strip these indices lie (the middle of each)."""
    return tuple(round((index + 0.5) / count * STRIP_WIDTH, 2) for index in sorted(set(indices)))


def timeline(counts: Sequence[DayCount], *, today: datetime, width: float = 640, height: float = 120) -> Timeline:
    """Bars for every day from the first count (at most `MAX_DAYS` back, at least a week) to today."""
    last = today.astimezone(UTC).date()
    held = {count.day: count for count in counts}
    earliest = min((date.fromisoformat(day) for day in held), default=last)
    first = max(min(earliest, last - timedelta(days=6)), last - timedelta(days=MAX_DAYS - 1))
    days = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
    top = max((_total(held[day]) for day in days if day in held), default=0)
    slot = width / len(days)
    bars = tuple(
        _bar(held[day], x=n * slot, slot=slot, height=height, top=top)
        for n, day in enumerate(days)
        if day in held and top
    )
    return Timeline(width=width, height=height, top=top, first=first, last=last, bars=bars)


def _bar(count: DayCount, *, x: float, slot: float, height: float, top: int) -> Bar:
    parts = []
    reached = 0.0
    for name, amount in (("verified", count.verified), ("refused", count.refused), ("looks", count.looks)):
        if amount:
            tall = amount / top * height
            reached += tall
            parts.append((name, round(height - reached, 2), round(tall, 2)))
    label = f"{count.day}: {count.looks} looks, {count.verified} verified, {count.refused} refused"
    return Bar(day=count.day, x=round(x + slot * 0.15, 2), width=round(slot * 0.7, 2), parts=tuple(parts), label=label)


def _total(count: DayCount) -> int:
    return count.looks + count.verified + count.refused
