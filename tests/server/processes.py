"""`authcode serve` as a process of its own, and its workers."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READY_WITHIN_S = 60.0


@dataclass(frozen=True)
class Running:
    """A served home."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    def workers(self) -> set[int]:
        """The processes that answer: children of the parent that hold waitress, not multiprocessing's own tracker."""
        return {pid for pid in children(self.process.pid) if b"spawn_main" in _command(pid) and alive(pid)}

    def answers(self, path: str = "/healthz") -> bool:
        try:
            with urllib.request.urlopen(self.address + path, timeout=5) as answer:  # noqa: S310 - loopback
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def until(condition: "object", within_s: float = READY_WITHIN_S, every_s: float = 0.05) -> bool:
    """Poll until a condition holds."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(every_s)
    return False


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except OSError:
        return None


def children(parent: int) -> set[int]:
    """The processes that a process started and that are there."""
    return {pid for pid in _all_processes() if _parent(pid) == parent}


def _all_processes() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def open_files(pid: int) -> int:
    """How many files, sockets included, a process has open."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@contextmanager
def serving(home: Path, *, workers: int, **settings: str) -> Iterator[Running]:
    """Serve a home on a free port until the block ends."""
    log = home / "serve.log"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AUTHCODE_")}
    environ |= {"AUTHCODE_HOME": str(home), "AUTHCODE_SERVER_PASSPHRASE": "server-pass", "PYTHONUNBUFFERED": "1"}
    environ |= {f"AUTHCODE_{name.upper()}": value for name, value in settings.items()}
    command = [str(Path(sys.executable).with_name("authcode")), "serve", "--port", "0", "--workers", str(workers)]
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(command, env=environ, stdout=stream, stderr=subprocess.STDOUT, text=True)
    try:
        found = None

        def ready() -> bool:
            nonlocal found
            found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text(encoding="utf-8"))
            return process.poll() is not None or (
                found is not None and Running(process, found.group(), log).answers("/readyz")
            )

        assert until(ready), log.read_text(encoding="utf-8")
        assert found is not None, log.read_text(encoding="utf-8")
        yield Running(process, found.group(), log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
