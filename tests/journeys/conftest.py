"""One home in which the demo has told its story, shared by the journeys of a test run."""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Told:
    """A finished demo: its home, port and what it printed."""

    home: Path
    port: int
    output: str


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tell(home: Path, port: int, *more: str) -> subprocess.CompletedProcess[str]:
    """Run `authcode demo --no-serve` in `home`, with nothing of ours in the environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTHCODE_")}
    command = [sys.executable, "-m", "authcode.cli", "demo", "--no-serve", "--home", str(home), "--port", str(port)]
    return subprocess.run(
        [*command, *more], env=environment | {"COLUMNS": "200"}, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A home in which the story was told once."""
    home = tmp_path_factory.mktemp("journey") / "home"
    port = free_port()
    ended = tell(home, port)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return Told(home=home, port=port, output=ended.stdout)
