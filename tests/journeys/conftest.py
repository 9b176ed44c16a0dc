"""One home in which the demo has told its story, shared by the journeys of a test run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.story import Told, free_port, tell, tell_and_stay

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a wheel that was built from the source tree and installed apart from it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = (folder / "dist").glob("*.whl")
    installed = folder / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(installed)]
    subprocess.run([*install, str(built)], check=True, capture_output=True)
    return installed


@pytest.fixture(scope="session")
def told(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A home in which the story was told once, by the wheel alone."""
    home = tmp_path_factory.mktemp("journey") / "home"
    port = free_port()
    ended = tell(home, port, wheel=wheel)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return Told(home=home, port=port, output=ended.stdout)


@pytest.fixture(scope="session")
def told_again(told: Told) -> Told:
    """The same home after a second run, whose codes lead to an address that a phone in the network could open.

    This one, by the source tree, left its server running, as `make demo` does, and was ended by a signal.
    """
    return tell_and_stay(told.home, told.port, "--url", "http://192.0.2.20:8470")
