"""A print station and its server as two homes that share nothing but the network, and one file that is carried over."""

import csv
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import Cluster
from tests.server import processes
from tests.server.simulator import claim_of

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Machine:
    """A machine of its own: a home and what stands in its environment."""

    home: Path
    environment: dict[str, str]
    said: list[str] = field(default_factory=list)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command there; its exit code and all that it said."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith("AUTHCODE_")}
        ended = subprocess.run(
            [sys.executable, "-m", "authcode", *arguments],
            env=bare | {"AUTHCODE_HOME": str(self.home)} | self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        self.said.append(ended.stdout + ended.stderr)
        return ended.returncode, ended.stdout + ended.stderr

    def do(self, *arguments: str) -> str:
        """Run a command that must succeed."""
        code, said = self.run(*arguments)
        assert code == 0, said
        return said


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    """The server's machine, on either database; it never sees the issuer's passphrase."""
    environment = {"AUTHCODE_SERVER_PASSPHRASE": "server-pass"}
    if request.param == "sqlite":
        yield Machine(tmp_path / "server-machine", environment)
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.database() as name:
        yield Machine(tmp_path / "server-machine", environment | {"AUTHCODE_DATABASE_URL": cluster.url(name)})


@contextmanager
def serving(server: Machine) -> Iterator[processes.Running]:
    url = server.environment.get("AUTHCODE_DATABASE_URL")
    with processes.serving(server.home, workers=1, **({"database_url": url} if url else {})) as running:
        yield running


def ask(address: str, code: str, claim: str) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{address}/api/v1/verify",
        json.dumps({"code": code, "claim": claim_of(claim)}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
        told: dict[str, Any] = json.load(answer)
    return told


def founded(station: Machine, server: Machine, exchange: Path) -> None:
    """A brand on the station, a server that knows its keys, and a token on the station."""
    made = json.loads(
        station.do("init", "--issuer-only", "--brand", "Example Tea", "--prefix", "https://v.example.com", "--json")
    )
    server.do("db", "upgrade")
    address = json.loads(server.do("keys", "address", "--json"))["address"]
    station.do("keys", "send", "--to", address, "--out", str(exchange / "keys.json"))
    server.do("keys", "receive", str(exchange / "keys.json"), "--root", made["root"])
    scopes = ("batch:register", "batch:act", "batch:read", "keys:publish", "product:publish")
    asked = [word for scope in scopes for word in ("--scope", scope)]
    token = json.loads(server.do("token", "new", "--label", "press-1", *asked, "--json"))["token"]
    server.said.pop()  # it is shown this once
    file = exchange / "token"
    file.touch(mode=0o600)
    file.write_text(token + "\n", encoding="ascii")
    station.environment["AUTHCODE_TOKEN_FILE"] = str(file)


def test_codes_of_a_station_are_verified_on_a_server_that_shares_nothing_with_it_and_dies_in_the_middle(
    server: Machine, tmp_path: Path
) -> None:
    station = Machine(tmp_path / "station", {"AUTHCODE_ISSUER_PASSPHRASE": "issuer-pass"})
    founded(station, server, tmp_path)
    issue = ("batch", "issue", "--order", "spring", "--count", "4", "--placement", "inside", "--formats", "csv")
    with serving(server) as running:
        there = ("--server", running.address)
        station.do("keys", "publish", *there)
        station.do("product", "add", "tea", "--name", "Spring Tea", *there)
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(30)
        assert processes.until(lambda: not running.answers())
        code, said = station.run(*issue, "--product", "tea", *there)
        assert (code, "[server_unreachable]" in said) == (2, True)
        assert f"authcode batch register spring --server {running.address}" in said
    text = (station.home / "orders" / "spring" / "codes.csv").read_text(encoding="ascii")
    codes = [row["code"] for row in csv.DictReader(text.splitlines())]
    with serving(server) as running:
        there = ("--server", running.address)
        assert "[order_unknown]" in station.run("batch", "activate", "spring", *there)[1]
        first = station.do("batch", "register", "spring", "--json", *there)
        again = json.loads(station.do(*issue, "--product", "tea", "--json", *there))
        assert (again["already_issued"], again["registered"]) == (True, json.loads(first))
        assert ask(running.address, codes[0], "anna")["verdict"] == "not_activated"
        assert "[contact_missing]" in station.run("batch", "activate", "spring", *there)[1]
        assert "Example Tea: shoppers ask" in server.do("brand", "contact", "care@example.com")
        assert "activate 0-2 (3 units)" in station.do("batch", "activate", "spring", "--range", "0-2", *there)
        verdicts = [ask(running.address, codes[0], claim) for claim in ("anna", "anna", "ben")]
        assert [told["verdict"] for told in verdicts] == ["genuine", "genuine", "already_verified"]
        assert verdicts[0]["product"]["name"] == "Spring Tea"
        station.do("batch", "void", "spring", "--range", "2", "--reason", "misprint", *there)
        status = json.loads(station.do("batch", "status", "spring", "--json", *there))
        assert (status["states"], status["verified"]) == ({"unused": 2, "void": 1, "not_activated": 1}, 1)
        token = Path(station.environment["AUTHCODE_TOKEN_FILE"]).read_text(encoding="ascii").strip()
        server.do("token", "revoke", token[9:17])
        assert "[token_revoked]" in station.run("batch", "activate", "spring", *there)[1]
        log = running.log.read_text(encoding="utf-8")
    assert (station.home / "orders" / "spring" / "codes.csv").read_text(encoding="ascii") == text
    assert not (station.home / "server").exists()
    assert not (server.home / "issuer").exists()
    told = "".join(station.said) + "".join(server.said) + log
    assert [secret for secret in (token, token[-43:], *codes) if secret in told] == []
    files = (path for path in server.home.rglob("*") if path.is_file())
    assert [path for path in files if token[-43:].encode() in path.read_bytes()] == []
