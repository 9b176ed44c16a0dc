"""When a worker that died is started again, and when a server gives up. Pure: times come in, seconds go out.

A database that restarts, or a full disk, ends workers as they start; so does a home that can never be served. Only
whether any worker ever served, and the time, distinguish them, never a number of deaths.
"""

from keys.base.errors import AuthcodeError

PATIENCE_S = 60.0
"""How long a server whose workers never served keeps trying; a database server is back by then."""

LONGEST_WAIT_S = 5.0
"""Longest pause before a worker is started again: short enough to recover soon, long enough to cost no processor."""

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
        """A worker serves: from now on the server never gives up."""
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
