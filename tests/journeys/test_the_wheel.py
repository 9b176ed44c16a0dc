"""The wheel alone, installed elsewhere, has everything that the demo needs: templates, catalogue, migrations."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.story import Told

pytestmark = pytest.mark.slow


def test_the_installed_wheel_has_the_compiled_catalogues_without_their_sources(wheel: Path) -> None:
    catalogues = {file.name for file in (wheel / "server" / "locale").rglob("*") if file.is_file()}
    assert catalogues == {"shoppers.mo", "staff.mo"}


def test_the_installed_wheel_tells_the_story(told: Told, wheel: Path) -> None:
    assert "EXPECTED" not in told.output
    where = [sys.executable, "-c", "import authcode, server; print(authcode.__file__, server.__file__)"]
    environment = os.environ | {"PYTHONPATH": str(wheel)}
    found = subprocess.run(
        where, cwd=told.home.parent, env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert all(path.startswith(str(wheel)) for path in found.split())
