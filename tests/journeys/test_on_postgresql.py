"""The brand's road from an empty folder to a verified code, with its records in PostgreSQL."""

import csv
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.postgres import Cluster
from tests.server import processes
from tests.server.simulator import claim_of

pytestmark = pytest.mark.slow

PASSWORD = "hunter2/x@y"


def test_a_brand_issues_and_a_buyer_verifies_with_records_in_postgresql(cluster: Cluster, tmp_path: Path) -> None:
    cluster.run("DROP ROLE IF EXISTS {}", "careful")
    cluster.run("CREATE ROLE {} LOGIN PASSWORD 'hunter2/x@y'", "careful")
    folder = cluster.address.partition("host=")[2]
    with cluster.database() as name:
        cluster.run("ALTER DATABASE {} OWNER TO careful", name)
        url = f"postgresql://careful:hunter2%2Fx%40y@/{name}?host={folder}"
        home, said = tmp_path / "home", []
        environ = {key: value for key, value in os.environ.items() if not key.startswith("AUTHCODE_")} | {
            "AUTHCODE_HOME": str(home),
            "AUTHCODE_DATABASE_URL": url,
            "AUTHCODE_ISSUER_PASSPHRASE": "issuer-pass",
            "AUTHCODE_SERVER_PASSPHRASE": "server-pass",
        }

        def run(*arguments: str) -> str:
            command = [sys.executable, "-m", "authcode", *arguments]
            ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, ended.stdout + ended.stderr
            said.append(ended.stdout + ended.stderr)
            return ended.stdout

        run("init", "--brand", "Example Tea", "--prefix", "https://v.example.com", "--contact", "care@example.com")
        out = tmp_path / "out"
        run("batch", "issue", "--order", "first", "--count", "2", "--placement", "inside", "--out", str(out))
        run("batch", "activate", "first")
        run("staff", "add", "anna@example.com")
        with (out / "codes.csv").open(encoding="utf-8", newline="") as stream:
            code = next(csv.DictReader(stream))["code"]
        with processes.serving(home, workers=2, database_url=url) as server:
            verdicts = [ask(server.address, code, claim) for claim in ("anna", "anna", "ben")]
            log = server.log.read_text(encoding="utf-8")
        assert verdicts == ["genuine", "genuine", "already_verified"]
        assert json.loads(run("batch", "status", "first", "--json"))["verified"] == 1
        assert cluster.run("SELECT count(*) FROM redemption", database=name) == [(1,)]
    assert not (home / "server" / "authcode.db").exists()
    told = "".join(said) + log
    assert [secret for secret in (PASSWORD, "hunter2", url) if secret in told] == []
    assert not any(b"hunter2" in path.read_bytes() for path in home.rglob("*") if path.is_file())


def ask(address: str, code: str, claim: str) -> str:
    body = json.dumps({"code": code, "claim": claim_of(claim)}).encode()
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{address}/api/v1/verify", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
        return str(json.load(answer)["verdict"])
