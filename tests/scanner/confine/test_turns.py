"""Turns: the sender who took least comes first, one hand never fills the places, and nobody waits for ever."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest

from scanner.confine.turns import WORK_PER_S, FairTurns
from scanner.errors import PhotosBusy

SMALL, LARGE = WORK_PER_S // 10, WORK_PER_S * 6


class Queue:
    """Senders in threads of their own, each of which writes its name when it has its turn."""

    def __init__(self, *, waiting: int = 2, wait_s: float = 20.0) -> None:
        self.now, self.served, self.refused = 0.0, [], []
        self.turns = FairTurns(places=1, waiting=waiting, wait_s=wait_s, clock=lambda: self.now)
        self._threads: list[threading.Thread] = []

    def arrive(self, sender: str | None, work: int) -> None:
        before = len(self.turns._waiters)  # noqa: SLF001 - to know that it stands in the queue
        thread = threading.Thread(target=self._wait, args=(sender, work))
        thread.start()
        self._threads.append(thread)
        while thread.is_alive() and len(self.turns._waiters) == before and sender not in self.refused:  # noqa: SLF001
            thread.join(0.01)
            if before == 2:
                break

    def _wait(self, sender: str | None, work: int) -> None:
        try:
            with self.turns.turn(sender, work=work):
                self.served.append(sender)
        except PhotosBusy:
            self.refused.append(sender)

    def end(self) -> None:
        for thread in self._threads:
            thread.join()


@pytest.fixture
def queue() -> Iterator[Queue]:
    made = Queue()
    yield made
    made.end()


def test_a_cheap_picture_goes_before_costly_ones_that_came_earlier(queue: Queue) -> None:
    with queue.turns.turn("first", work=SMALL):
        queue.arrive("hostile", LARGE)
        queue.arrive("honest", SMALL)
    queue.end()
    assert queue.served == ["honest", "hostile"]


def test_where_too_many_wait_the_costliest_gives_way(queue: Queue) -> None:
    with queue.turns.turn("first", work=SMALL):
        queue.arrive("hostile 1", LARGE)
        queue.arrive("hostile 2", LARGE)
        queue.arrive("honest", SMALL)
        until = threading.Event()
        while not queue.refused:
            until.wait(0.01)
    queue.end()
    assert queue.refused == ["hostile 2"]
    assert queue.served == ["honest", "hostile 1"]


def test_who_took_much_of_late_comes_after_who_took_nothing(queue: Queue) -> None:
    with queue.turns.turn("greedy", work=SMALL):
        queue.now += 2.0
    with queue.turns.turn("first", work=SMALL):
        queue.arrive("greedy", SMALL)
        queue.arrive("honest", 2 * SMALL)
    queue.end()
    assert queue.served == ["honest", "greedy"]


def test_what_a_sender_took_is_forgotten(queue: Queue) -> None:
    with queue.turns.turn("greedy", work=SMALL):
        queue.now += 2.0
    queue.now += 3600.0
    with queue.turns.turn("first", work=SMALL):
        queue.arrive("greedy", SMALL)
        queue.arrive("honest", 2 * SMALL)
    queue.end()
    assert queue.served == ["greedy", "honest"]


def test_one_sender_has_one_picture_read_and_one_waiting(queue: Queue) -> None:
    with ExitStack() as held:
        held.enter_context(queue.turns.turn("hand", work=SMALL))
        queue.arrive("hand", SMALL)
        with pytest.raises(PhotosBusy):
            held.enter_context(queue.turns.turn("hand", work=SMALL))
    queue.end()
    assert queue.served == ["hand"]


def test_senders_without_a_name_do_not_count_together(queue: Queue) -> None:
    with queue.turns.turn(None, work=SMALL):
        queue.arrive(None, SMALL)
        queue.arrive(None, SMALL)
    queue.end()
    assert queue.served == [None, None]


@pytest.mark.parametrize("waiting", [0, 1])
def test_who_waits_too_long_or_finds_no_room_is_told_so(waiting: int) -> None:
    queue = Queue(waiting=waiting, wait_s=0.05)
    with queue.turns.turn("first", work=SMALL), pytest.raises(PhotosBusy):
        enter(queue.turns.turn("second", work=SMALL))
    with queue.turns.turn("second", work=SMALL):
        pass


def enter(turn: AbstractContextManager[None]) -> None:
    with turn:
        raise AssertionError("nobody has left")


def test_a_failure_gives_the_place_back() -> None:
    turns = FairTurns(places=1, waiting=0, wait_s=0.05)

    def fail() -> None:
        with turns.turn("one", work=SMALL):
            raise ValueError("broken")

    do: Callable[[], None] = fail
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            do()
