"""While the records are out of reach every shopper is told so within three seconds, however many ask."""

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from server.services.brands.keyring import publish_keyring
from server.services.brands.settings import set_contact
from server.storage import migrate
from server.storage.engine import Database
from tests import postgres, postgres_keeper
from tests.server import processes
from tests.server.simulator import START, Brand, MakeWorld, claim_of

pytestmark = pytest.mark.slow

WITHIN_S = 3.0
CLIENTS = 24  # three times the threads of a worker


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    refresh: str | None
    taken_s: float

    @property
    def is_offline(self) -> bool:
        return self.status == 503 and ("give you an answer yet" in self.body or '"records_unreachable"' in self.body)


def ask(address: str, method: str, path: str, body: str = "", media: str = "application/json") -> Answer:
    begun = time.monotonic()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request(method, path, body, {"Content-Type": media})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return Answer(answer.status, text, answer.getheader("Refresh"), time.monotonic() - begun)


def ask_for_all(address: str, codes: list[str]) -> list[Answer]:
    """Answers to many who ask at once: looks and verifications, on pages and by programs."""
    answers: list[Answer] = []

    def one(number: int) -> None:
        code = codes[number % len(codes)]
        path = "/" + code.rpartition("/")[2]
        request = json.dumps({"code": code, "claim": claim_of("anna")})
        ways = (
            ("GET", path, "", ""),
            ("POST", path, "claim=x&token=y", "application/x-www-form-urlencoded"),
            ("POST", "/api/v1/look", json.dumps({"code": code}), "application/json"),
            ("POST", "/api/v1/verify", request, "application/json"),
        )
        answers.append(ask(address, *ways[number % len(ways)]))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def cluster_of_its_own() -> Iterator[tuple[postgres.Cluster, Path]]:
    """A PostgreSQL that a test may stop, and its folder."""
    folder = postgres.new_folder()
    keeper = postgres_keeper.keep(folder)
    try:
        yield postgres.Cluster(postgres.start(folder)), folder
    finally:
        postgres_keeper.release(keeper)


@contextlib.contextmanager
def stopped(folder: Path) -> Iterator[None]:
    """Stop all processes of a server, as a machine does that hangs: connections stay open, nothing answers."""
    postmaster = int((folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    with ExitStack() as going_on:
        for pid in (postmaster, *processes.children(postmaster)):
            os.kill(pid, signal.SIGSTOP)
            going_on.callback(os.kill, pid, signal.SIGCONT)
        yield


def test_a_database_server_that_hangs_is_told_within_three_seconds_and_found_again(
    make_world: MakeWorld, brand: Brand, cluster_of_its_own: tuple[postgres.Cluster, Path]
) -> None:
    cluster, folder = cluster_of_its_own
    with cluster.database() as name:
        db = Database(cluster.url(name))
        migrate.upgrade(db)
        publish_keyring(db, brand.issuer.keyring.document, server_id=brand.issuer.server_id, now=START)
        set_contact(db, "care@example.com", brand=None, actor="test", now=START)
        db.close()
        world = make_world(database_url=cluster.url(name))
        codes = [code.code for code in world.issue(count=CLIENTS, product=None).codes]
        home = world.settings.home
        with processes.serving(
            home, workers=1, rate_limit="off", keyring_cache_s="0", database_url=cluster.url(name)
        ) as server:
            assert {answer.status for answer in ask_for_all(server.address, codes)} <= {200, 409}
            with stopped(folder):
                answers = ask_for_all(server.address, codes) + ask_for_all(server.address, codes)
                page = ask(server.address, "GET", "/" + codes[0].rpartition("/")[2])
            assert [answer for answer in answers if not answer.is_offline] == []
            assert max(answer.taken_s for answer in answers) < WITHIN_S
            assert page.refresh == "30"
            assert "tries again by itself every 30 seconds" in page.body
            assert processes.until(lambda: server.answers("/readyz"), within_s=10)
            assert ask(server.address, "GET", "/" + codes[0].rpartition("/")[2]).status == 200


def test_a_file_that_somebody_keeps_locked_is_told_within_three_seconds_and_looks_go_on(make_world: MakeWorld) -> None:
    world = make_world()
    codes = [code.code for code in world.issue(count=CLIENTS).codes]
    file = world.ctx.db.file
    assert file is not None
    with (
        processes.serving(world.settings.home, workers=1, rate_limit="off") as server,
        contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        answers = ask_for_all(server.address, codes)
        assert {answer.status for answer in answers} <= {200, 409, 503}
        offline = [answer for answer in answers if answer.status == 503]
        assert len(offline) == CLIENTS // 4
        assert all(answer.is_offline for answer in offline)
        assert max(answer.taken_s for answer in answers) < WITHIN_S
        other.execute("ROLLBACK")
        assert processes.until(lambda: 503 not in {a.status for a in ask_for_all(server.address, codes)}, within_s=10)
