"""PostgreSQL: connections that notice when the server has fallen silent, and how long they wait for locks.

A server that is stopped or cut off keeps its connections open and answers nothing, and no timeout of its own ends that.
A statement may take long, though, on a server that lives. So a connection that hears nothing for a moment asks for
another one, and gives up when that one hears nothing either.
"""

import functools
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg.abc import PQGen

from server.storage.outage import Outage

SILENCE_S: Final = 0.3
"""How long a statement may take until the server is asked whether it lives.

That takes as long again, and as long as a connection may: together less than three seconds, with the page.
"""

LOCK_WAIT_S: Final = 2.0
"""For a lock that another transaction holds; those of shoppers are held for some milliseconds."""

_ALIVE_FOR_S: Final = 1.0  # an answer of the server holds for all threads that wait
_SILENT: Final = "the server is silent: timeout"

_Result = TypeVar("_Result")


class WatchedConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server is silent and `lives` does not hold."""

    lives: Callable[[], bool] = staticmethod(lambda: False)

    def wait(self, gen: PQGen[_Result], *limits: Any, **named: Any) -> _Result:  # noqa: ANN401 - they grow with psycopg
        """Wait for what the server answers, as psycopg does."""
        return super().wait(self._watched(gen), *limits, **named)

    def _watched(self, gen: PQGen[_Result]) -> Generator[Any, Any, _Result]:
        """The steps of `gen`; at each, psycopg waits for the socket, at most for the interval."""
        try:
            step = next(gen)
            heard_at = time.monotonic()
            while True:
                ready = yield step
                if ready:
                    heard_at = time.monotonic()
                elif time.monotonic() - heard_at > SILENCE_S and not self.lives():
                    self.close()
                    raise psycopg.OperationalError(_SILENT)
                step = gen.send(ready)
        except StopIteration as end:
            result: _Result = end.value
            return result


def init_server(engine: sa.Engine, outage: Outage) -> None:
    """Prepare an engine for a database server; `outage` holds as soon as it is silent."""
    pulse = _Pulse(outage)

    def connect(_dialect: object, _record: object, cargs: Sequence[Any], cparams: Mapping[str, Any]) -> object:
        connection = pulse.connect(cargs, cparams)
        connection.lives = functools.partial(pulse.beats, cargs, cparams)
        return connection

    sa.event.listen(engine, "do_connect", connect)
    sa.event.listen(engine, "connect", _prepare)


class _Pulse:
    """Whether the server answers at all; one thread asks for all."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._lock = threading.Lock()
        self._alive_until = 0.0

    def connect(self, cargs: Sequence[Any], cparams: Mapping[str, Any]) -> WatchedConnection:
        """A new connection.

        Raises:
            psycopg.OperationalError: there is none; at once where the server was silent a moment ago.
        """
        if self._outage.holds():
            raise psycopg.OperationalError(_SILENT)
        try:
            return WatchedConnection.connect(*cargs, **cparams)
        except psycopg.errors.ConnectionTimeout:
            self._outage.begin()
            raise

    def beats(self, cargs: Sequence[Any], cparams: Mapping[str, Any]) -> bool:
        """Whether a new connection is answered; a refusal is an answer, and a pooler's greeting is none."""
        with self._lock:
            if time.monotonic() < self._alive_until:
                return True
            try:
                with self.connect(cargs, cparams) as connection:
                    connection.execute("SELECT 1")
            except psycopg.OperationalError as problem:
                if isinstance(problem, psycopg.errors.ConnectionTimeout) or _SILENT in str(problem):
                    self._outage.begin()
                    return False
            self._alive_until = time.monotonic() + _ALIVE_FOR_S
            return True


def _prepare(connection: WatchedConnection, _record: object) -> None:
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_WAIT_S}s",))
    # A commit waits for the disk, also where the server or the database says otherwise; more than that is kept.
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()
