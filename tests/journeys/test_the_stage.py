"""What the demo refuses before it changes anything."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from server.demo.process import environment
from tests.journeys.story import free_port, tell

pytestmark = [pytest.mark.slow]


def test_the_demo_leaves_a_home_alone_that_is_not_its_own(tmp_path: Path) -> None:
    home = tmp_path / "home"
    passphrases = {"AUTHCODE_ISSUER_PASSPHRASE": "one", "AUTHCODE_SERVER_PASSPHRASE": "two"}
    init = [sys.executable, "-m", "authcode", "init", "--brand", "Acme", "--prefix", "https://v.acme.example"]
    subprocess.run([*init, "--home", str(home)], env=os.environ | passphrases, check=True, capture_output=True)
    before = (home / "issuer" / "keyring.json").read_bytes()
    refused = tell(home, free_port())
    assert refused.returncode == 2
    assert "[demo_home_foreign]" in refused.stderr
    assert (home / "issuer" / "keyring.json").read_bytes() == before
    assert not (home / "orders").exists()


def test_the_demo_leaves_a_home_of_another_version_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    passphrases = {"AUTHCODE_ISSUER_PASSPHRASE": "one", "AUTHCODE_SERVER_PASSPHRASE": "two"}
    init = [sys.executable, "-m", "authcode", "init", "--brand", "Aurel", "--prefix", "https://v.example.com"]
    subprocess.run([*init, "--home", str(home)], env=os.environ | passphrases, check=True, capture_output=True)
    (home / ".authcode-demo").touch()
    with closing(sqlite3.connect(home / "server" / "authcode.db")) as records, records:
        records.execute("UPDATE alembic_version SET version_num = '0012'")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    refused = tell(home, free_port())
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.endswith("[database_outdated]\n")
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_a_port_that_is_taken_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        refused = tell(tmp_path / "home", other.getsockname()[1])
    assert refused.returncode == 2
    assert "[address_taken]" in refused.stderr
    assert not (tmp_path / "home").exists()


def test_the_server_of_the_demo_has_the_usual_settings_unless_the_conversation_asks_for_others(tmp_path: Path) -> None:
    assert "AUTHCODE_REPEAT_WINDOW_S" not in environment(tmp_path)
