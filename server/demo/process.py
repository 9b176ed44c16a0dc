"""Commands and the server as processes of their own, as a person at a terminal would start them."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from keys.base.errors import AuthcodeError

START_TIMEOUT_S: Final = 120.0
"""A slow machine that unpacks everything for the first time needs most of a minute."""
STOP_TIMEOUT_S: Final = 15.0
POLL_S: Final = 0.1
MAX_LOG_CHARACTERS: Final = 2000
"""The end of a server's log that a refusal quotes: the last traceback fits."""
DEMO_REPEAT_WINDOW_S: Final = 3
"""How long `genuine` is repeated to the buyers of the conversation: ten minutes by default, too long to watch."""

_AUTHCODE = (sys.executable, "-m", "authcode")


class DemoStepFailed(AuthcodeError):
    """A command of the story failed."""

    code = "demo_step_failed"
    http_status = 500
    sentence = "`{command}` did not work: {why}"
    command: str
    output: str

    @property
    def why(self) -> str:
        """The output of the command."""
        return self.output.strip() or "no output"


def environment(home: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of the story's processes: this home and these settings, nothing else of the caller's.

    For a demo only, the passphrases are next to what they unlock, where every command finds them.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUTHCODE_")}
    story = {"AUTHCODE_HOME": str(home), "AUTHCODE_LOOK_FLUSH_S": "0.5"}
    return inherited | story | dict(settings or {})


def run_command(home: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> str:
    """Run `authcode ARGUMENTS` in `home` and return what it printed.

    Raises:
        DemoStepFailed: the command ended with another status than 0.
    """
    ended = subprocess.run(  # noqa: S603 - our own command line, with arguments of our own
        [*_AUTHCODE, *arguments], env=environment(home, settings), capture_output=True, text=True, check=False
    )
    if ended.returncode != 0:
        raise DemoStepFailed("authcode " + " ".join(arguments), ended.stderr)
    return ended.stdout


@contextmanager
def running_server(
    home: Path, *, host: str, port: int, address: str, settings: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """`authcode serve` as a process that answers at `address` when the body starts and is ended after it.

    `address` is where this machine reaches it, without a path; `settings` are environment variables in addition to
    the story's own.

    Raises:
        DemoStepFailed: it ended, or was not ready within `START_TIMEOUT_S`.
    """
    log = home / "server" / "demo-server.log"
    arguments = ["serve", "--host", host, "--port", str(port)]
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own command line, with arguments of our own
            [*_AUTHCODE, *arguments], env=environment(home, settings), stdout=stream, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_ready(process, address, log)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoStepFailed("authcode serve", _end_of(log))
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=1.0):  # noqa: S310 - an http address of our own
                return
        except (urllib.error.URLError, OSError):
            time.sleep(POLL_S)
    raise DemoStepFailed("authcode serve", f"not ready after {START_TIMEOUT_S:.0f} seconds; see {log}: {_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-MAX_LOG_CHARACTERS:]
