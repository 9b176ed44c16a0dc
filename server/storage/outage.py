"""While the database does not answer, one request finds that out and the others are refused at once.

Without it every thread of a worker would wait its full time again and again, and a shopper behind them several times.
"""

import time
from typing import Final

_REST_S: Final = 1.0  # a busy second without answers; the page that says so tries again after thirty


class Outage:
    """Whether the database was silent a moment ago."""

    def __init__(self) -> None:
        """There is none."""
        self._until = 0.0

    def begin(self) -> None:
        """Note that the database did not answer in time."""
        self._until = time.monotonic() + _REST_S

    def holds(self) -> bool:
        """Whether to refuse instead of waiting for it again."""
        return time.monotonic() < self._until
