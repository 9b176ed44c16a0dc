"""Every benchmark runs, at a size at which its figures mean nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALLEST = {
    "advice": ["--each", "1", "--faults", "small"],
    "crowd": ["--networks", "2", "--seconds", "1"],
    "dashboard": ["--scans", "500", "--alerts", "5", "--batches", "2", "--acts", "2", "--times", "1"],
    "fuzz": ["--seconds", "1"],
    "leaked_list": ["--codes", "40"],
    "log_cost": ["--codes", "4"],
    "read": ["--every", "200", "--opencv-seconds", "1"],
    "redeem": ["--requests", "2", "--rounds", "1", "--connections", "1", "--workers", "1"],
}
EXPECTED = {
    "advice": "small    move_closer",
    "crowd": "networks",
    "dashboard": "first verification: median",
    "fuzz": "pictures: {",
    "leaked_list": "greedy          1          40        40        1 h",
    "log_cost": "PostgreSQL  http     processor",
    "read": "zxing-cpp",
    "redeem": "PostgreSQL  redeem",
}
NO_BENCHMARKS = {"house"}  # what others build on


def test_the_smallest_size_of_each_is_known() -> None:
    assert {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - NO_BENCHMARKS == set(SMALLEST)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALLEST)
def test_it_runs_and_prints_its_table(name: str) -> None:
    if name == "read" and not os.environ.get("AUTHCODE_PHOTOS"):
        pytest.skip("AUTHCODE_PHOTOS names no folder with real photos and their index.json")

    ran = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *SMALLEST[name]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert EXPECTED[name] in ran.stdout
