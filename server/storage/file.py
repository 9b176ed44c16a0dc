"""SQLite: how its file is opened, how transactions begin, and how long they wait for other writers.

A page answers within three seconds, and a file whose lock somebody keeps looks like a busy one. So a shopper's
verification waits as long as others commit, and gives up when for a while none did.
"""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

LOCK_WAIT_S: Final = 0.8
"""A shopper's writer gives up when nobody commits for so long: once in the line of its process, twice at the file.

Together they leave time for the page. A commit takes some milliseconds.
"""

PATIENCE_S: Final = 20.0
"""How long every other writer waits, and a shopper's while others commit: SQLite's own waiting is unfair."""

_WRITES, _HURRIED = "authcode_write", "authcode_hurried"


def init_file(engine: sa.Engine) -> None:
    """Prepare an engine for a file that must exist, and notice when it is gone or another one has its name."""
    file = Path(engine.url.database or "")

    def connect(_dialect: object, _record: object, _cargs: object, _cparams: object) -> None:
        if not file.exists():
            raise sqlite3.OperationalError("no such file")  # SQLite would make an empty one

    def prepare(connection: Any, record: ConnectionPoolEntry) -> None:  # noqa: ANN401 - the driver's own connection type
        connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
        wait_ms = int(LOCK_WAIT_S * 1000)
        for pragma in (f"busy_timeout={wait_ms}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        record.info["file"] = _identity(file)

    def check_out(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        if _identity(file) != record.info["file"]:
            raise DisconnectionError  # what is written to a file that was moved away or deleted would be lost

    sa.event.listen(engine, "do_connect", connect)
    sa.event.listen(engine, "connect", prepare)
    sa.event.listen(engine, "checkout", check_out)
    sa.event.listen(engine, "begin", _begin)


def writer(connection: sa.Connection, *, hurried: bool) -> sa.Connection:
    """The connection, for a transaction that writes."""
    return connection.execution_options(**{_WRITES: True, _HURRIED: hurried})


class WriterLine:
    """One writer at a time in this process: SQLite's own waiting is unfair, and its threads would poll."""

    def __init__(self) -> None:
        """Nobody writes."""
        self._lock = threading.Lock()
        self._turns = 0

    @contextlib.contextmanager
    def turn(self, *, hurried: bool) -> Iterator[None]:
        """Be the one writer of this process.

        Raises:
            TimeoutError: it was not its turn in time.
        """
        until, seen = time.monotonic() + PATIENCE_S, self._turns
        while not self._lock.acquire(timeout=LOCK_WAIT_S if hurried else PATIENCE_S):
            if self._turns == seen or time.monotonic() > until:
                raise TimeoutError
            seen = self._turns
        try:
            yield
        finally:
            self._turns += 1
            self._lock.release()


def is_locked(problem: Exception) -> bool:
    """Whether it says that somebody else kept a lock for as long as was waited."""
    code: int | None = getattr(getattr(problem, "orig", None), "sqlite_errorcode", None)
    return isinstance(problem, TimeoutError) or code == sqlite3.SQLITE_BUSY


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _begin(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(_WRITES):
        connection.exec_driver_sql("BEGIN")
        return
    until, seen = time.monotonic() + PATIENCE_S, None
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # waits for LOCK_WAIT_S
        except OperationalError:
            # It changes with every commit of another connection.
            commits = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
            if time.monotonic() > until or (options[_HURRIED] and commits == seen):
                raise
            seen = commits
        else:
            return
