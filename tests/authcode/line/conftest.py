# ruff: noqa: ANN401 - a fixture that is a function
"""A command line to run in a home whose passphrases are in the environment."""

from pathlib import Path
from typing import Any

import pytest

from authcode import cli

PASSPHRASE = "correct horse battery staple"


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
