"""Stage 6, redeem: heads of the log, signed in the background while the server runs (docs/protocol.md §3)."""

import logging
import threading

from keys.base.errors import AuthcodeError
from server.runtime.context import Context
from server.services.log.heads import sign_newest_head

_LOG = logging.getLogger("authcode.log")


class LogKeeper:
    """Places waiting entries and signs a head over them, every so often. Each worker runs one; the first finds work."""

    def __init__(self, ctx: Context) -> None:
        """Nothing runs before `start`."""
        self._ctx = ctx
        self._stopped = threading.Event()

    def keep(self) -> None:
        """Place and sign once; a failure is logged, and tried again the next time."""
        try:
            sign_newest_head(self._ctx.db, self._ctx.keys.log_head, now=self._ctx.clock())
        except AuthcodeError as problem:
            _LOG.error("%s [%s]", problem, problem.code)

    def start(self) -> None:
        """Keep the log from now on, in a thread that does not keep the process alive."""
        threading.Thread(target=self._run, name="log-keeper", daemon=True).start()

    def stop(self) -> None:
        """End after the turn under way."""
        self._stopped.set()

    def _run(self) -> None:
        self.keep()
        while not self._stopped.wait(self._ctx.settings.log_head_s):
            self.keep()
