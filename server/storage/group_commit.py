"""Attempts that wait for the writer's turn are done in one transaction and committed together (ADR 0013).

SQLite has one writer, and a commit to disk takes longer than everything before it. The first attempt leads a batch: it
takes along all that wait, and each is answered once their common commit is durable. While one commit goes to disk, the
next batch gathers by itself.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar

import sqlalchemy as sa

MAX_BATCH: Final = 64
"""Attempts in one transaction: other processes and acts of staff wait for it, some tens of milliseconds at most."""

_Result = TypeVar("_Result")
_Work = Callable[[sa.Connection], Any]


class _Attempt:
    """One piece of work on its way: what it gave, or what went wrong with it."""

    def __init__(self, work: _Work) -> None:
        self.leads = False
        self.called = threading.Event()
        self._work = work
        self._gave: Any = None
        self._problem: BaseException | None = None

    def run_alone(self, connection: sa.Connection) -> None:
        """Do the work; where it fails, the transaction does."""
        self._gave = self._work(connection)

    def run_among_others(self, connection: sa.Connection) -> None:
        """Do the work; where it fails, what it wrote is undone, and nothing of the others'."""
        part = connection.begin_nested()
        try:
            self._gave = self._work(connection)
        except Exception as problem:  # noqa: BLE001 - it is raised in the thread whose work it is
            part.rollback()
            self._problem = problem
        else:
            part.commit()

    def fail(self, problem: BaseException) -> None:
        """The whole transaction failed: it never happened, even where this part succeeded."""
        self._problem = problem

    def outcome(self) -> Any:  # noqa: ANN401 - the result of any work
        """What the work gave; raises what went wrong."""
        if self._problem is not None:
            raise self._problem
        return self._gave


class GroupCommit:
    """The attempts of one process."""

    def __init__(self, write: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        """`write` opens a transaction that is durable when its block ends."""
        self._write = write
        self._lock = threading.Lock()
        self._waiting: list[_Attempt] = []
        self._led = False

    def attempt(self, work: Callable[[sa.Connection], _Result]) -> _Result:
        """What `work` gives, after it ran in a transaction that is durable; it may run in another thread."""
        own = _Attempt(work)
        with self._lock:
            self._waiting.append(own)
            if not self._led:
                self._call_next()
        own.called.wait()
        if own.leads:
            self._lead()
        result: _Result = own.outcome()
        return result

    def _call_next(self) -> None:
        """Make the first who waits the leader, if anybody does; the lock is held."""
        self._led = bool(self._waiting)
        if self._led:
            self._waiting[0].leads = True
            self._waiting[0].called.set()

    def _lead(self) -> None:
        batch: list[_Attempt] = []
        try:
            with self._write() as connection:
                with self._lock:  # as late as possible: until the turn came, more have gathered
                    batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                if len(batch) == 1:
                    batch[0].run_alone(connection)
                else:
                    for attempt in batch:
                        attempt.run_among_others(connection)
        except BaseException as problem:  # noqa: BLE001 - no part of it happened, and each caller has to know
            batch = batch or self._taken_without_a_turn()
            for attempt in batch:
                attempt.fail(problem)
        finally:
            with self._lock:
                self._call_next()
            for attempt in batch:
                attempt.called.set()

    def _taken_without_a_turn(self) -> list[_Attempt]:
        """The leader alone, where no transaction could be opened: the next one tries again."""
        with self._lock:
            return [self._waiting.pop(0)]
