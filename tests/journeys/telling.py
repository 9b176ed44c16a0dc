"""Runs the demo as a process, for the journeys."""

import csv
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Told:
    """A finished demo: its home, port and what it printed."""

    home: Path
    port: int
    output: str

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


def tell(home: Path, port: int, *more: str) -> subprocess.CompletedProcess[str]:
    """Run `authcode demo --no-serve` in `home`, with nothing of ours in the environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTHCODE_")}
    command = [sys.executable, "-m", "authcode", "demo", "--no-serve", "--home", str(home), "--port", str(port)]
    return subprocess.run(
        [*command, *more],
        env=environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
