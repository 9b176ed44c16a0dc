"""Workers die while they verify and place entries: each redemption has its leaf, each leaf its redemption."""

import http.client
import itertools
import json
import os
import signal
import threading
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from authcode.log.checkpoint import open_head
from authcode.log.proof import open_consistency, open_inclusion
from keys.primitives import SigningKey
from server.services.log import heads, proofs
from server.storage import schema
from server.storage.engine import Database
from tests.server import processes
from tests.server.simulator import MakeWorld, both_databases, claim_of

CLIENTS, CODES, KILLS = 6, 600, 3  # five workers killed young: one more, and `serve` itself gives up

pytestmark = [pytest.mark.slow, both_databases]


class Buyer(threading.Thread):
    """Verifies one code after the other; a connection that breaks is a code whose answer nobody heard."""

    def __init__(
        self, address: str, codes: "itertools.chain[tuple[int, str]]", lock: threading.Lock, told: threading.Semaphore
    ) -> None:
        super().__init__()
        self.host = urlsplit(address).netloc
        self.codes, self.lock, self.told = codes, lock, told
        self.heard: set[int] = set()
        self.lost: set[int] = set()

    def run(self) -> None:
        while True:
            with self.lock:
                number, code = next(self.codes, (-1, ""))
            if number < 0:
                return
            connection = http.client.HTTPConnection(self.host, timeout=3)
            body = json.dumps({"code": code, "claim": claim_of("anna")})
            try:
                connection.request("POST", "/api/v1/verify", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                verdict = json.loads(answer.read()).get("verdict")
            except (OSError, http.client.HTTPException):
                self.lost.add(number)
            else:
                if verdict == "genuine":
                    self.heard.add(number)
                    self.told.release()
                else:
                    self.lost.add(number)
            finally:
                connection.close()


def test_after_kill_9_each_redemption_has_one_leaf_and_each_leaf_one_redemption(make_world: MakeWorld) -> None:
    world = make_world()
    issued = world.issue(count=CODES)
    codes = itertools.chain((code.index, code.code) for code in issued.codes)
    lock, told = threading.Lock(), threading.Semaphore(0)
    killed = 0
    with processes.serving(world.settings.home, workers=2, rate_limit="off", log_head_s="0.02") as server:
        assert processes.until(lambda: len(server.workers()) == 2)
        buyers = [Buyer(server.address, codes, lock, told) for _ in range(CLIENTS)]
        for buyer in buyers:
            buyer.start()

        for turn in range(1, KILLS + 1):
            for _ in range(CODES // (3 * KILLS) + 1):  # the last kill is after more than a third
                assert told.acquire(timeout=processes.READY_WITHIN_S)
            workers = server.workers()
            for worker in sorted(workers)[: 1 + turn % 2]:  # one worker, then both
                os.kill(worker, signal.SIGKILL)
                killed += 1
            assert processes.until(lambda: len(server.workers()) == 2, 60)
        everybody = {server.process.pid, *server.workers()}
        for process in everybody:
            os.kill(process, signal.SIGKILL)
        server.process.wait()
        for buyer in buyers:
            buyer.join()
    heard = set().union(*(buyer.heard for buyer in buyers))
    assert killed >= KILLS
    assert len(heard) >= CODES // 3
    _check(world.settings.database, world.ctx.keys.log_head, heard, issued.batch.row)


def _check(database: str, signer: SigningKey, heard: set[int], row: int) -> None:
    db = Database(database)
    try:
        with db.read() as connection:
            units = set(connection.execute(sa.select(schema.redemption.c.unit)).scalars())
            entered = [
                subject
                for table in (schema.log_leaf, schema.log_pending)
                for subject in connection.execute(
                    sa.select(table.c.subject).where(table.c.kind == "redemption")
                ).scalars()
            ]
            signed = connection.execute(sa.select(schema.log_head)).all()
        assert Counter(entered) == Counter(units)
        assert {(row << 35) + number for number in heard} <= units
        key = heads.log_key(db, signer)
        newest = open_head(heads.sign_newest_head(db, signer, now=datetime.now(UTC)).note, key)
        with db.read() as connection:
            numbers = list(connection.execute(sa.select(schema.log_leaf.c.number).order_by("number")).scalars())
        assert numbers == list(range(newest.size))
        assert len(signed) > 2
        for head in signed:  # whatever was signed before a worker died is continued
            kept = open_head(head.note, key)
            assert open_consistency(proofs.prove_growth(db, kept.size).text, key, kept=kept) == newest
        for number in range(0, newest.size, 17):
            assert open_inclusion(proofs.prove_leaf(db, number).text, key).index == number
    finally:
        db.close()
