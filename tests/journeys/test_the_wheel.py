"""The wheel alone, installed elsewhere, has everything that the demo needs: templates, catalogue, migrations."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.story import free_port

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def test_the_installed_wheel_tells_the_story(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    installed = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(installed)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)

    catalogues = {file.name for file in (installed / "server" / "locale").rglob("*") if file.is_file()}
    assert catalogues == {"shoppers.mo", "staff.mo"}, "compiled by the build, without their sources"

    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTHCODE_")}
    environment["PYTHONPATH"] = str(installed)
    where = [sys.executable, "-P", "-c", "import authcode, server; print(authcode.__file__, server.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout
    assert all(path.startswith(str(installed)) for path in found.split())

    demo = [sys.executable, "-P", "-m", "authcode", "demo", "--no-serve", "--home", str(tmp_path / "home")]
    ended = subprocess.run(
        [*demo, "--port", str(free_port())],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
