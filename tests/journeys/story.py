"""Runs the demo as a process, for the journeys."""

import csv
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Told:
    """A finished demo: its home, port, what it printed, and whether its server answered when the story was told."""

    home: Path
    port: int
    output: str
    stayed: bool = False

    def codes(self, order: str) -> list[str]:
        """The texts of an order, by index."""
        with (self.home / "orders" / order / "codes.csv").open(encoding="utf-8", newline="") as stream:
            return [row["code"] for row in csv.DictReader(stream)]


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tell(home: Path, port: int, *, wheel: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `authcode demo --no-serve` in `home`, with nothing of ours in the environment.

    `wheel` is the folder of an installed wheel, whose code is run instead of the source tree's.
    """
    command = [*_demo(home, port), "--no-serve"]
    place = None if wheel is None else home.parent  # Python looks for modules in the working folder first
    environment = _environment() | ({} if wheel is None else {"PYTHONPATH": str(wheel)})
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=300)


def tell_and_stay(home: Path, port: int, *more: str) -> Told:
    """Run `authcode demo` in `home` until the story is told and the server stays, then end it by a signal."""
    demo = subprocess.Popen([*_demo(home, port), *more], env=_environment(), stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if "ends the server" in line:
            break
    stayed = answers(port)
    demo.terminate()
    rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, "".join(lines) + rest
    return Told(home=home, port=port, output="".join(lines) + rest, stayed=stayed)


def answers(port: int) -> bool:
    """Whether a server answers at the port of this machine."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10):
            return True
    except urllib.error.URLError:
        return False


def _demo(home: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "authcode", "demo", "--home", str(home), "--port", str(port)]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AUTHCODE_")} | {"COLUMNS": "200"}
