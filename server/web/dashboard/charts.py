"""Geometry of the dashboard's own drawings, in SVG units: the strip of a batch and the timeline by day.

Colours are classes of the stylesheet, since the pages' content security policy allows no inline style.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from server.domain.batches.range_act import Stretch
from server.services.queries.rows import DayCount

STRIP_WIDTH = 1000
_LEAST_PIECE = 2.0  # units: a range of one code in a million must still be seen
_LEAST_BAR = 2.0
SPARK_WIDTH, SPARK_HEIGHT = 96, 20
MAX_PIECES = 500
"""Stretches that a strip draws at most: it is about a thousand pixels wide, and each needs two."""

MAX_DAYS = 60
"""Days a timeline shows at most; older ones are left out and the page says from when on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One stretch of the strip: x and width in SVG units, the class of its state, what it is, and its indices."""

    x: float
    width: float
    state: str
    label: str
    first: int
    last: int


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
    """The batch from index 0 on, left to right; tiny stretches keep a width that can be seen.

    Of very many stretches each pixel shows the largest that begins there.
    """
    shown = stretches if len(stretches) <= MAX_PIECES else _largest_by_pixel(stretches, count)
    return tuple(
        Piece(
            x=round(piece.first / count * STRIP_WIDTH, 2),
            width=round(max(piece.count / count * STRIP_WIDTH, _LEAST_PIECE), 2),
            state=str(piece.state),
            label=f"{piece.first}-{piece.last}: {piece.state.replace('_', ' ')}",
            first=piece.first,
            last=piece.last,
        )
        for piece in shown
    )


def _largest_by_pixel(stretches: Sequence[Stretch], count: int) -> list[Stretch]:
    largest: dict[int, Stretch] = {}
    for piece in stretches:
        pixel = piece.first * MAX_PIECES // count
        if pixel not in largest or piece.count > largest[pixel].count:
            largest[pixel] = piece
    return [largest[pixel] for pixel in sorted(largest)]


def spark(recent: Sequence[int]) -> str:
    """The path of a sparkline in a box of `SPARK_WIDTH` by `SPARK_HEIGHT`: a bar for each day that has anything."""
    top = max(recent, default=0)
    slot = SPARK_WIDTH / max(len(recent), 1)
    bars = []
    for number, amount in enumerate(recent):
        if amount:
            tall = max(amount / top * (SPARK_HEIGHT - 1), _LEAST_BAR)
            x = number * slot + slot * 0.15
            bars.append(f"M{x:.1f} {SPARK_HEIGHT}v-{tall:.1f}h{slot * 0.7:.1f}v{tall:.1f}z")
    return "".join(bars)


def dots(indices: Collection[int], count: int) -> tuple[float, ...]:
    """The x of these indices on the strip (the middle of each)."""
    return tuple(round((index + 0.5) / count * STRIP_WIDTH, 2) for index in sorted(set(indices)))


def timeline(counts: Sequence[DayCount], *, today: datetime, width: float = 640, height: float = 120) -> Timeline:
    """Bars for every day from the first count (at most `MAX_DAYS` back, at least a week) to today."""
    last = today.astimezone(UTC).date()
    held = {count.day: count for count in counts}
    earliest = min((date.fromisoformat(day) for day in held), default=last)
    first = max(min(earliest, last - timedelta(days=6)), last - timedelta(days=MAX_DAYS - 1))
    days = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
    top = max((held[day].total for day in days if day in held), default=0)
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
    looks = f"{count.looks} look{'' if count.looks == 1 else 's'}"
    label = f"{count.day}: {looks}, {count.verified} verified, {count.refused} refused"
    return Bar(day=count.day, x=round(x + slot * 0.15, 2), width=round(slot * 0.7, 2), parts=tuple(parts), label=label)
