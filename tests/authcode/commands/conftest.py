# ruff: noqa: ANN401 - a fixture that is a function
"""A command line to run in a home whose passphrases are in the environment."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from authcode import cli
from keys.format.records import Form, Profile
from keys.store.issuer import IssuerHome
from keys.store.key_file import ScryptCost

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(scope="session")
def _home_of_today(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home made now: commands take their time from the clock, and a key signs for a year only."""
    home = tmp_path_factory.mktemp("today") / "home"
    prefix, now = "https://v.example.com", datetime.now(UTC)
    cheap = ScryptCost(n=2, r=1, p=1)
    made = IssuerHome.create(home, brand="Example Tea", prefix=prefix, passphrase=PASSPHRASE, now=now, cost=cheap)
    made.unlock(PASSPHRASE).new_code_key(profile=Profile.COMPACT, form=Form.SHORT, prefix=prefix, now=now)
    return home


@pytest.fixture
def home(_home_of_today: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(_home_of_today, tmp_path / "home"))


@pytest.fixture(autouse=True)
def _passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHCODE_ISSUER_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "another one")
    monkeypatch.delenv("AUTHCODE_KEYRING", raising=False)


@pytest.fixture
def line(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command line in the home: exit code, standard output, standard error."""
    monkeypatch.setenv("AUTHCODE_HOME", str(home))

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = cli.run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
