"""Exactly once: many clients, few codes, several real worker processes on one database, one of them killed."""

import http.client
import json
import os
import re
import signal
import threading
from collections import Counter, defaultdict
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from server.storage import schema
from tests.server import processes
from tests.server.simulator import MakeWorld, both_databases

CLIENTS, CODES, WORKERS = 32, 20, 3

pytestmark = [pytest.mark.slow, both_databases]


class Racer(threading.Thread):
    """A client that asks for every code, and again for those it won and a quarter of the others."""

    def __init__(
        self, address: str, number: int, codes: list[str], gun: threading.Barrier, heard: threading.Semaphore
    ) -> None:
        super().__init__()
        self.number, self.codes, self.gun = number, codes, gun
        self.host = urlsplit(address).netloc
        self.answers: dict[str, list[bytes]] = defaultdict(list)
        self.heard = heard
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            connection = http.client.HTTPConnection(self.host, timeout=60)
            self.gun.wait()
            for place in range(len(self.codes)):
                code = self.codes[(place + self.number // 8) % len(self.codes)]
                self.ask(connection, code)
            for place, code in enumerate(self.codes):
                if place % 4 == self.number % 4 or b'"genuine"' in self.answers[code][0]:
                    self.ask(connection, code)
            connection.close()
        except BaseException as fault:  # noqa: BLE001 - told by the test
            self.fault = fault

    def ask(self, connection: http.client.HTTPConnection, code: str) -> None:
        body = json.dumps({"code": code, "claim": f"client-{self.number:032}"})
        connection.request("POST", "/api/v1/verify", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        self.answers[code].append(answer.read())
        self.heard.release()
        assert answer.status == 200, self.answers[code][-1]


class StubbornRacer(Racer):
    """One that asks again, with the same claim, where no answer came: its worker may have been killed."""

    lost = 0

    def ask(self, connection: http.client.HTTPConnection, code: str) -> None:
        for _ in range(20):
            try:
                super().ask(connection, code)
            except (http.client.HTTPException, OSError):
                self.lost += 1
                connection.close()  # the next request opens it anew, at whichever worker
            else:
                return
        raise TimeoutError


def kill_in_the_middle(server: processes.Running, racers: list[StubbornRacer], heard: threading.Semaphore) -> None:
    """Kill -9 the worker that holds most connections once a third of the answers are there, and once two thirds are."""
    whole = CLIENTS * CODES
    for _ in range(2):
        for _ in range(whole // 3):
            assert heard.acquire(timeout=processes.READY_WITHIN_S)
        assert answered(racers) < whole
        os.kill(max(server.workers(), key=processes.open_files), signal.SIGKILL)


def answered(racers: list[StubbornRacer]) -> int:
    return sum(len(answers) for racer in racers for answers in list(racer.answers.values()))


def test_killed_workers_neither_double_nor_lose_a_first_verification(make_world: MakeWorld) -> None:
    world = make_world()
    issued = world.issue(count=CODES)
    codes = [code.code for code in issued.codes]
    with processes.serving(world.settings.home, workers=WORKERS, rate_limit="off") as server:
        assert processes.until(lambda: len(server.workers()) == WORKERS)
        gun, heard = threading.Barrier(CLIENTS), threading.Semaphore(0)
        racers = [StubbornRacer(server.address, number, codes, gun, heard) for number in range(CLIENTS)]
        for racer in racers:
            racer.start()
        kill_in_the_middle(server, racers, heard)
        for racer in racers:
            racer.join()
        assert [racer.fault for racer in racers if racer.fault] == []
        # Every winner once more, of workers that were not there when it won.
        last = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=60)
        for racer in racers:
            for code in codes:
                if b'"genuine"' in racer.answers[code][0]:
                    racer.ask(last, code)
        last.close()
    assert sum(racer.lost for racer in racers) > 0
    for code in codes:
        told = {racer.number: {json.loads(answer)["verdict"] for answer in racer.answers[code]} for racer in racers}
        # One genuine, 31 refused, and nobody who was told one thing first and another thing later.
        assert Counter(map(frozenset, told.values())) == {
            frozenset({"genuine"}): 1,
            frozenset({"already_verified"}): CLIENTS - 1,
        }
        assert all(len(set(racer.answers[code])) == 1 for racer in racers)
    with world.ctx.db.read() as connection:
        burned = connection.execute(sa.select(schema.redemption.c.unit)).scalars().all()
        history = connection.execute(sa.select(schema.scan)).all()
        alerts = connection.execute(sa.select(schema.alert)).all()
    assert len(burned) == CODES
    assert sorted(scan.unit for scan in history if scan.burned) == sorted(burned)
    # Whatever was answered stands in the history; what was committed and not answered may stand there beside it.
    assert answered(racers) <= len(history) <= answered(racers) + sum(racer.lost for racer in racers)
    assert {alert.claims for alert in alerts} == {CLIENTS - 1}
    assert len(alerts) == CODES


def test_one_client_is_first_for_each_code_and_hears_it_again_word_for_word(make_world: MakeWorld) -> None:
    world = make_world()
    issued = world.issue(count=CODES)
    codes = [code.code for code in issued.codes]
    with processes.serving(world.settings.home, workers=WORKERS, rate_limit="off") as server:
        assert processes.until(lambda: len(server.workers()) == WORKERS)
        gun, heard = threading.Barrier(CLIENTS), threading.Semaphore(0)
        racers = [Racer(server.address, number, codes, gun, heard) for number in range(CLIENTS)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert [racer.fault for racer in racers if racer.fault] == []
        log = server.log.read_text(encoding="utf-8")
    for code in codes:
        told = {racer.number: {json.loads(answer)["verdict"] for answer in racer.answers[code]} for racer in racers}
        assert Counter(map(frozenset, told.values())) == {
            frozenset({"genuine"}): 1,
            frozenset({"already_verified"}): CLIENTS - 1,
        }
        for racer in racers:
            first, *again = racer.answers[code]
            assert all(answer == first for answer in again)
            assert again or b'"genuine"' not in first
    with world.ctx.db.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.redemption)).scalar_one() == CODES
        scans = connection.execute(sa.select(sa.func.count()).select_from(schema.scan)).scalar_one()
        alerts = connection.execute(sa.select(schema.alert)).all()
    assert scans == sum(len(answers) for racer in racers for answers in racer.answers.values())
    assert {row.claims for row in alerts} == {CLIENTS - 1}
    assert all(row.count >= row.claims for row in alerts)
    assert len(alerts) == CODES
    # The log of the whole run names routes, never a code.
    assert "POST /api/v1/verify 200" in log
    assert not any(code[-40:] in log or issued.codes[0].serial in log for code in codes)
    assert re.search(r"client-\d", log) is None
