"""Stage 4, decode: whose picture is read next, where more come than can be read (docs/adr/0041).

A place goes to the sender who took least of late and asks for least. Ten networks with pictures made to be slow wait
for each other; a photo from an eleventh goes before them.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from scanner.errors import PhotosBusy

WORK_PER_S = 100_000_000
"""Pixels times scans that a decoder goes through in a second: what makes an announced cost comparable with time."""

FORGOTTEN_S = 60.0
"""Seconds in which half of what a sender took is forgotten."""

MAX_SENDERS = 10_000
"""Senders that are remembered; beyond it all are forgotten, which costs honest ones nothing."""


@dataclass(eq=False, slots=True, kw_only=True)
class _Waiter:
    sender: str | None
    cost_s: float
    number: int
    granted: bool = False
    decided: threading.Event = field(default_factory=threading.Event)


class FairTurns:
    """Places for reading, and the few who wait for one. Threads share it."""

    def __init__(
        self, *, places: int, waiting: int, wait_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Set how many are read at once, how many may wait, and for how long."""
        self._free, self._most_waiting, self._wait_s, self._clock = places, waiting, wait_s, clock
        self._lock = threading.Lock()
        self._waiters: list[_Waiter] = []
        self._reading: set[str] = set()
        self._taken: dict[str, tuple[float, float]] = {}
        self._numbers = itertools.count()

    @contextmanager
    def turn(self, sender: str | None, *, work: int) -> Iterator[None]:
        """Wait for a place and hold it.

        A sender, such as a network, has one picture read and one waiting at a time; None is anybody. `work` is what the
        picture's header announces, in pixels times scans. Where too many wait, the costliest gives way.

        Raises:
            PhotosBusy: too many wait, or this one waited too long.
        """
        waiter = self._queue(sender, work)
        waiter.decided.wait(self._wait_s)
        with self._lock:
            if not waiter.granted:
                if waiter in self._waiters:  # not evicted
                    self._waiters.remove(waiter)
                raise PhotosBusy
        began = self._clock()
        try:
            yield
        finally:
            with self._lock:
                self._free += 1
                if sender is not None:
                    self._reading.discard(sender)
                    self._charge(sender, self._clock() - began)
                self._grant()

    def _queue(self, sender: str | None, work: int) -> _Waiter:
        with self._lock:
            if sender is not None and any(waiter.sender == sender for waiter in self._waiters):
                raise PhotosBusy
            cost_s = self._spent_s(sender) + work / WORK_PER_S
            waiter = _Waiter(sender=sender, cost_s=cost_s, number=next(self._numbers))
            self._waiters.append(waiter)
            self._grant()
            if len(self._waiters) > self._most_waiting:
                last = max(self._waiters, key=lambda one: (one.cost_s, one.number))
                self._waiters.remove(last)
                last.decided.set()
            return waiter

    def _grant(self) -> None:
        """Give free places to the cheapest who wait and have none."""
        for waiter in sorted(self._waiters, key=lambda one: (one.cost_s, one.number)):
            if self._free and waiter.sender not in self._reading:
                self._free -= 1
                self._waiters.remove(waiter)
                if waiter.sender is not None:
                    self._reading.add(waiter.sender)
                waiter.granted = True
                waiter.decided.set()

    def _spent_s(self, sender: str | None) -> float:
        spent, at = self._taken.get(sender or "", (0.0, 0.0))
        return float(spent * 0.5 ** ((self._clock() - at) / FORGOTTEN_S))

    def _charge(self, sender: str, seconds: float) -> None:
        spent = self._spent_s(sender) + seconds
        if len(self._taken) >= MAX_SENDERS:
            self._taken.clear()
        self._taken[sender] = (spent, self._clock())
