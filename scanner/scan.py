"""Stage 4, decode: all QR symbols of one picture, as cheaply as it can be had and within a deadline.

zxing-cpp reads three pictures of four as they are. For the rest there is a ladder: what was located and not decoded is
laid flat, the picture is prepared rung by rung, and WeChat's decoder, which mends most and costs most, comes last.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from scanner.engines import Corners, Point, Reading, corners_of, has_wechat, read_with_wechat, read_with_zxing
from scanner.errors import PhotoUnreadable
from scanner.find.cylinder import unrolled
from scanner.find.leftover import seems_left
from scanner.find.localise import crowding, find_finders
from scanner.find.pose import find_pose
from scanner.find.rectify import cut_out, flatten, halve, shrink, stretch_corners
from scanner.photo.open import Bgr, Gray, open_views
from scanner.quality import Advice, advise
from scanner.steps.gamma import darken
from scanner.steps.ladder import LADDER_PX, LATE_RUNGS, RUNGS, RUNGS_FOR_MORE, Rung

DEADLINE_S = 1.0
"""Wall-clock seconds for one picture: what a person waits without wondering."""

WECHAT_PX = 800
"""Longest side for WeChat's decoder: at 1,600 px it read two codes of 300 more for twice the time."""

WECHAT_MAX_HITS = 600
"""Most finder-like sequences along 32 rows that WeChat's decoder is given: noise (1,600 of them) cost it 2.6 s."""

POSE_PX = 1600
"""Longest side in which finder patterns are looked for."""

MAX_WECHAT_CROPS = 2
"""Most located symbols given to WeChat's decoder, largest first, at up to .1 s each."""

MAX_CROPS = 6
"""Most located symbols laid flat, largest first."""

_FIRST_SHARE = 0.6
_SMALLEST_PX = 800
_READ_S_PER_MP = 0.01
_READ_S_PER_FINDER_PAIR = 2.5e-9
_RUNG_S_PER_MP = 0.03
_POSE_S_PER_MP = 0.03
_WECHAT_S_PER_MP = 0.6
_CHANNELS = 3
_NEAR = 0.35
_MEASURABLE_S = 0.005
_SMALLEST_PART_PX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSymbol:
    """One QR symbol that was read.

    Attributes:
        text: the contents, exactly; untrusted.
        corners: top left, top right, bottom right, bottom left in the symbol's own orientation, without its quiet
            zone, as (x, y) in pixels of the picture that was given.
    """

    text: str
    corners: Corners


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoScan:
    """The symbols of one photo; `advice` is None when at least one symbol was read."""

    symbols: tuple[ReadSymbol, ...]
    advice: Advice | None


def read_symbols(
    bgr: Bgr,
    *,
    deadline_s: float = DEADLINE_S,
    accept: Callable[[str], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> list[ReadSymbol]:
    """Every QR symbol of `bgr` (`uint8[h, w, 3]`, blue first), whether ours or not.

    Args:
        bgr: the picture, upright or not; any size, large ones are read in a smaller view where time is short.
        deadline_s: seconds by `clock`; no step is begun that is likely to end later. The first reading always happens.
        accept: whether a text is one that is looked for (a code that verifies); without it any text is.
        clock: seconds that only grow.

    Raises:
        ValueError: `bgr` is not `uint8[h, w, 3]`.
    """
    return _search(_grey(bgr), deadline_s, accept, clock).symbols


def scan_photo(
    data: bytes,
    *,
    accept: Callable[[str], bool] | None = None,
    deadline_s: float = DEADLINE_S,
    clock: Callable[[], float] = time.monotonic,
) -> PhotoScan:
    """Open untrusted `data` and read it; with nothing read, say what to do better.

    Raises:
        PhotoError: `data` is refused (`scanner.photo.open.open_photo`).
    """
    opened, end = open_views(data), clock() + deadline_s
    advice: Advice | None = None
    for gray in opened.views:
        search = _search(gray, end - clock(), accept, clock)
        if search.symbols:
            return PhotoScan(symbols=tuple(search.symbols), advice=None)
        advice = advice or advise(gray, search.located)
    if opened.broken or advice is None:
        raise opened.broken or PhotoUnreadable("PDF")  # a PDF without a page
    return PhotoScan(symbols=(), advice=advice)


def _grey(bgr: Bgr) -> Gray:
    if bgr.dtype != np.uint8 or bgr.ndim != _CHANNELS or bgr.shape[2] != _CHANNELS or not bgr.size:
        raise ValueError(f"a picture is uint8[h, w, 3], not {bgr.dtype}{list(bgr.shape)}")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def _search(
    gray: Gray, deadline_s: float, accept: Callable[[str], bool] | None, clock: Callable[[], float]
) -> "_Search":
    """Go down the ladder until something wanted was read and nothing seems left, or time is up.

    1. zxing-cpp on the picture, as large as time allows.   2. Located symbols, flattened.   3. While nothing wanted was
    read: the rungs, a symbol around a bottle unrolled, WeChat's decoder, the late rungs.   4. While more seems left:
    the rungs for more.
    """
    search = _Search(gray, deadline_s, accept, clock)
    search.read_as_it_is()  # (1)
    if not search.finished():
        search.read_flattened()  # (2)
    rungs, late_rungs = partial(search.climb, RUNGS), partial(search.climb, LATE_RUNGS)
    for step in (rungs, search.read_unrolled, search.read_with_wechat, late_rungs):
        if not search.wanted:
            step()  # (3)
    if search.wanted:
        search.climb(RUNGS_FOR_MORE)  # (4)
    return search


class _Search:
    """One picture on its way down: what was read, what was located only, and the time that is left."""

    def __init__(
        self, gray: Gray, deadline_s: float, accept: Callable[[str], bool] | None, clock: Callable[[], float]
    ) -> None:
        self.symbols: list[ReadSymbol] = []
        self.located: list[Corners] = []
        self._gray, self._accept, self._clock = gray, accept, clock
        self._began, self._began_cpu = clock(), time.process_time()
        self._end = self._began + deadline_s
        self.wanted = False
        self._seems_left: bool | None = None

    def finished(self) -> bool:
        """Whether something wanted was read, and nothing located and no other finder pattern waits."""
        return self.wanted and not self.located and not self._more()

    def _more(self) -> bool:
        """Whether a picture of which something was read seems to hold more."""
        if self._seems_left is None:
            self._seems_left = seems_left(self._gray, [symbol.corners for symbol in self.symbols])
        return self._seems_left

    def read_as_it_is(self) -> None:
        """Halve the picture until reading it is likely to leave time for the rest, then read it."""
        view = self._gray
        while max(view.shape) > _SMALLEST_PX and not self._fits(_reading_s(view) / _FIRST_SHARE):
            view = shrink(view, max(_SMALLEST_PX, max(view.shape) // 2))
        self._take_in(read_with_zxing(view), view)

    def read_flattened(self) -> None:
        """Lay located symbols flat and read them with the bright tones drawn apart, then as they are."""
        for corners in sorted(self.located, key=_side, reverse=True)[:MAX_CROPS]:
            flat = flatten(self._gray, corners)
            if self._fits(2 * _reading_s(flat)):
                for text in (_texts(read_with_zxing(darken(flat))) or _texts(read_with_zxing(flat)))[:1]:
                    self._keep(text, corners)

    def climb(self, rungs: Sequence[Rung]) -> None:
        """Prepare the picture rung by rung until it is `finished`; the slowest rung is the measure of the next."""
        if self.finished():
            return
        view = halve(self._gray, LADDER_PX)
        slowest_s = _reading_s(view) + _RUNG_S_PER_MP * view.size / 1e6
        for rung in rungs:
            if self.finished() or not self._fits(slowest_s):
                return
            if max(view.shape) <= rung.side_px:
                began = self._clock()
                prepared = rung.prepare(view)
                self._take_in(read_with_zxing(prepared), prepared)
                slowest_s = max(slowest_s, self._clock() - began)

    def read_unrolled(self) -> None:
        """Unroll the symbol whose finder patterns lie as around a bottle, and read it."""
        view = shrink(self._gray, POSE_PX)
        if not self._fits(_POSE_S_PER_MP * view.size / 1e6):
            return
        pose = find_pose(find_finders(view))
        if pose is None:
            return
        scale = self._gray.shape[1] / view.shape[1]
        for flat in unrolled(self._gray, pose, scale):
            if self.wanted or not self._fits(_reading_s(flat)):
                return
            for text in _texts(read_with_zxing(flat))[:1]:
                self._keep(text, corners_of(pose.outer * scale))

    def read_with_wechat(self) -> None:
        """Give WeChat's decoder the located symbols at their own size, then the whole picture, until one is wanted."""
        if not has_wechat():
            return
        for corners in sorted(self.located, key=_side, reverse=True)[:MAX_WECHAT_CROPS]:
            self._ask_wechat(*cut_out(self._gray, corners))
        self._ask_wechat(self._gray, (0, 0))

    def _ask_wechat(self, part: Gray, origin: tuple[int, int]) -> None:
        """Give WeChat's decoder a part of the picture, which it names one symbol of at most, while none is wanted."""
        if self.wanted or min(part.shape) < _SMALLEST_PART_PX:
            return
        view = shrink(part, WECHAT_PX)
        if self._fits(_WECHAT_S_PER_MP * view.size / 1e6) and crowding(view).hits <= WECHAT_MAX_HITS:
            for reading in read_with_wechat(view):
                corners = stretch_corners(reading.corners, from_shape=view.shape, to_shape=part.shape)
                self._keep(str(reading.text), corners_of(np.array(corners) + origin))

    def _fits(self, seconds: float) -> bool:
        """Whether a step is likely to end in time; on a busy machine all take longer, as those before it did."""
        now, cpu_s = self._clock(), time.process_time() - self._began_cpu
        waiting = (now - self._began) / cpu_s if cpu_s > _MEASURABLE_S else 1.0
        return now + seconds * max(1.0, waiting) <= self._end

    def _take_in(self, readings: list[Reading], view: Gray) -> None:
        """Keep what a view of the picture gave, in pixels of the picture."""
        for reading in readings:
            corners = stretch_corners(reading.corners, from_shape=view.shape, to_shape=self._gray.shape)
            if reading.text is not None:
                self._keep(reading.text, corners)
            else:
                known = [symbol.corners for symbol in self.symbols] + self.located
                if _side(corners) > 0 and not any(_near(corners, other) for other in known):
                    self.located.append(corners)

    def _keep(self, text: str, corners: Corners) -> None:
        """Keep a symbol once: one text at one place; what was located there is read now."""
        self.located = [waiting for waiting in self.located if not _near(waiting, corners)]
        if any(text == symbol.text and _near(corners, symbol.corners) for symbol in self.symbols):
            return
        self.symbols.append(ReadSymbol(text=text, corners=corners))
        self._seems_left = None
        self.wanted = self.wanted or self._accept is None or self._accept(text)


def _reading_s(view: Gray) -> float:
    """Seconds that zxing-cpp is likely to take: by size, and by the square of what looks like finder patterns."""
    return _READ_S_PER_MP * view.size / 1e6 + _READ_S_PER_FINDER_PAIR * crowding(view).finders ** 2


def _texts(readings: list[Reading]) -> list[str]:
    return [reading.text for reading in readings if reading.text is not None]


def _side(corners: Corners) -> float:
    """Longest side of a quadrangle in pixels."""
    return max(math.dist(corners[at - 1], corners[at]) for at in range(len(corners)))


def _near(one: Corners, other: Corners) -> bool:
    """Whether two quadrangles mean one symbol: their middles are closer than a third of a side."""
    return math.dist(_middle(one), _middle(other)) < _NEAR * max(_side(one), _side(other))


def _middle(corners: Corners) -> Point:
    return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)
