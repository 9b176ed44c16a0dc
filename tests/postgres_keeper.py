"""Stops the tests' PostgreSQL when the run ends, however it ends.

A process of its own that waits for the end of its standard input: the run holds the other end, and lets go of it when
it is done, interrupted or killed.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

_STOPPED_WITHIN_S = 20.0


def keep(folder: Path) -> "subprocess.Popen[bytes]":
    """Start the keeper of a server's folder."""
    # A session of its own, so that Ctrl-C in a terminal reaches it through the run, not before it.
    return subprocess.Popen([sys.executable, __file__, str(folder)], stdin=subprocess.PIPE, start_new_session=True)


def release(keeper: "subprocess.Popen[bytes]") -> None:
    """Let the keeper stop its server, and wait until it has."""
    assert keeper.stdin is not None
    keeper.stdin.close()
    keeper.wait(2 * _STOPPED_WITHIN_S)


def stop(folder: Path) -> None:
    """Stop the server of a folder, if one was ever started, and remove the folder."""
    held = folder / "data" / "postmaster.pid"
    if held.exists():
        os.kill(int(held.read_text(encoding="utf-8").splitlines()[0]), signal.SIGQUIT)
        end = time.monotonic() + _STOPPED_WITHIN_S
        while held.exists() and time.monotonic() < end:
            time.sleep(0.01)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    stop(Path(sys.argv[1]))
