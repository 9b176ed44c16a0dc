"""When a worker that died is started again, and when a server gives up. Pure: times come in, seconds go out.

A database that restarts, or a disk that is full for a minute, ends workers as they start; so does a home that can never
be served. They are told apart by whether any worker ever served, and by time, never by a number of deaths.
"""

from keys.base.errors import AuthcodeError

PATIENCE_S = 60.0
"""How long a server whose workers never served is tried; a database server is back by then."""

LONGEST_WAIT_S = 5.0
"""Longest pause before a worker is started again: what heals is noticed soon, and a broken home costs no processor."""

_FIRST_WAIT_S = 0.2
_OLD_S = 5.0  # a worker that served for so long did not die of its start


class WorkersFailing(AuthcodeError):
    """No worker could begin to serve."""

    code = "workers_failing"
    http_status = 500
    sentence = "No worker could begin to serve, so the server stopped; the log above says why."


class Restarts:
    """The pauses of one server."""

    def __init__(self, *, begun: float, patience_s: float = PATIENCE_S) -> None:
        """Take when the server began, in seconds of any clock that only grows."""
        self._give_up = begun + patience_s
        self._deaths = 0
        self._served = False

    def count_served(self) -> None:
        """A worker serves: whatever ends workers from now on is waited out."""
        self._served = True

    def pause(self, *, now: float, served_s: float | None) -> float:
        """Seconds to wait before a dead worker is started again. `served_s` is how long it served, None for never.

        Raises:
            WorkersFailing: none ever served, and patience is at its end.
        """
        if served_s is not None:
            self._served = True
        if served_s is not None and served_s >= _OLD_S:
            self._deaths = 0
            return 0.0
        if not self._served and now >= self._give_up:
            raise WorkersFailing
        self._deaths += 1
        return min(LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(self._deaths - 1, 10))
