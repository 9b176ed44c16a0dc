"""What the log costs a redemption: the same first verifications with and without it, in turns, and the ratio.

    python benchmarks/log_cost.py [--rounds 8] [--codes 250]

"Without" replaces the one call that enters a redemption by nothing. Rounds alternate, so that a busy machine slows both
alike; the ratio is the median of each round's. "service" calls the service that page and API call, from 4 threads;
"http" asks a worker process over loopback from 8 connections. Placing the entries of a round and signing a head over
them counts to its time.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from authcode.batch import DrawnBy, Order, Placement, Tiers
from authcode.issue import issue_batch
from authcode.manifest import Manifest, sign_manifest
from authcode.serial import SerialCipher
from authcode.sign import CodeSigner
from keys.issuer import IssuerHome, UnlockedIssuer
from keys.keyfile import ScryptCost
from keys.records import Form, Profile
from server import hooks
from server.app import create_context
from server.domain.range_act import ActDetails, ActKind
from server.secrets import ServerKeys, open_server_keys
from server.services import redeem_code
from server.services.keep_log import LogKeeper
from server.services.range_acts import act_on_range
from server.services.register_batch import register_batch
from server.settings import Settings
from server.storage.engine import Database

PREFIX = "HTTPS://V.EXAMPLE.COM/"
CHEAP = ScryptCost(n=2)
ISSUER, SERVER = "issuer words", "server words"  # of a home that lives for minutes
SERVICE_THREADS, HTTP_CONNECTIONS = 4, 8
_WITH_LOG = redeem_code.log_redemption


def _no_log(*_entry: object) -> None:
    """Enter nothing."""


def _switch(*, log: bool) -> None:
    redeem_code.log_redemption = _WITH_LOG if log else _no_log


@dataclass(frozen=True)
class House:
    """A throw-away home with one brand."""

    settings: Settings
    keys: ServerKeys
    issuer: UnlockedIssuer


def build(home: Path) -> House:
    """Make a brand and its server."""
    now = datetime.now(UTC)
    issuer = IssuerHome.create(home, brand="Bench", prefix=PREFIX, passphrase=ISSUER, now=now, cost=CHEAP).unlock(
        ISSUER
    )
    hooks.keyring_published(home, issuer.keyring.document, issuer.shared_keys(), lambda: SERVER, cost=CHEAP)
    settings = Settings(home=home, rate_limit="off", log_head_s=86_400)
    return House(settings=settings, keys=open_server_keys(home, SERVER), issuer=issuer)


def issue(house: House, db: Database, number: int, count: int) -> list[str]:
    """Issue, register and activate an order; its codes."""
    now = datetime.now(UTC).replace(microsecond=0)
    keyring = house.issuer.keyring.keyring
    key = keyring.key_for(form=Form.SHORT, profile=Profile.SIGNED)
    name = f"order-{number}"
    manifest = Manifest(
        server_id=house.issuer.issuer.server_id,
        brand_id=keyring.brand_id,
        batch_number=number,
        order=name,
        product=None,
        count=count,
        tiers=Tiers.SINGLE,
        profile=Profile.SIGNED,
        form=Form.SHORT,
        gtin=None,
        key_id=key.key_id,
        placement=Placement.INSIDE,
        drawn_by=DrawnBy.AUTHCODE,
        issued_at=now,
        checksums={},
    )
    register_batch(db, sign_manifest(manifest, house.issuer.office_key()), now=now)
    act_on_range(db, name, ActKind.ACTIVATE, indices=None, details=ActDetails(), actor="bench", now=now)
    signer = CodeSigner(keyring.brand_id, key, house.issuer.code_secret(key.key_id))
    cipher = SerialCipher(house.issuer.serial_key(key.serial_key), keyring.brand_id)
    order = Order(name=name, count=count, placement=Placement.INSIDE)
    return [code.code for code in issue_batch(order, batch_number=number, signer=signer, cipher=cipher)]


def timed(ask: Callable[[str], str], codes: list[str], threads: int) -> float:
    """Seconds for a first verification of each code; all must be genuine."""
    with ThreadPoolExecutor(threads) as pool:
        begun = time.perf_counter()
        verdicts = list(pool.map(ask, codes))
        taken = time.perf_counter() - begun
    if set(verdicts) != {"genuine"}:
        raise SystemExit(f"not all were first verifications: {set(verdicts)}")
    return taken


def worker(settings: Settings, keys: ServerKeys, listener: socket.socket, log: bool) -> None:  # noqa: FBT001 - as started
    """A worker of the server, with or without the log."""
    from server.serving import work

    sys.stderr = Path("/dev/null").open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    _switch(log=log)
    work(settings, keys, listener)


class Worker:
    """A worker process, asked over loopback."""

    def __init__(self, house: House, *, log: bool) -> None:
        """Start it."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._address = listener.getsockname()
        self._process = multiprocessing.get_context("spawn").Process(
            target=worker, args=(house.settings, house.keys, listener, log), daemon=True
        )
        self._process.start()
        listener.close()
        self.ask("warm up")

    def ask(self, code: str) -> str:
        """Verify over HTTP."""
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        body = json.dumps({"code": code, "claim": "bench"})
        connection.request("POST", "/api/v1/verify", body, {"Content-Type": "application/json"})
        verdict = str(json.loads(connection.getresponse().read())["verdict"])
        connection.close()
        return verdict

    def used_s(self) -> float:
        """Processor time that the worker has used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """Stop it."""
        self._process.kill()
        self._process.join()


Cost = tuple[float, float]
"""Milliseconds a redemption: by the clock, and of the processor."""


@dataclass(frozen=True)
class Way:
    """A way to ask, its threads, and the processor time that the answering process has used so far."""

    ask: Callable[[str], str]
    threads: int
    used_s: Callable[[], float]


def run_round(keeper: LogKeeper, way: Way, codes: list[str], *, log: bool) -> Cost:
    """One round; what it entered is placed and signed within its time."""
    keeper.keep()  # what issuing entered is not this round's
    _switch(log=log)
    used = way.used_s()
    seconds = timed(way.ask, codes, way.threads)
    used = way.used_s() - used
    begun, begun_used = time.perf_counter(), time.process_time()
    keeper.keep()
    seconds, used = seconds + time.perf_counter() - begun, used + time.process_time() - begun_used
    _switch(log=True)
    return seconds / len(codes) * 1000, used / len(codes) * 1000


def measure(rounds: int, count: int) -> Iterator[tuple[str, dict[bool, list[Cost]]]]:
    """For each way of asking: the cost in each round, with the log (True) and without."""
    with tempfile.TemporaryDirectory() as folder:
        house = build(Path(folder))
        context = create_context(house.settings, house.keys)
        keeper = LogKeeper(context)
        visitor = redeem_code.Visitor()

        def service(code: str) -> str:
            return str(redeem_code.verify(context, code, claim="bench", visitor=visitor).verdict)

        number = 0
        workers = {log: Worker(house, log=log) for log in (True, False)}
        ways = {
            "service": dict.fromkeys((True, False), Way(service, SERVICE_THREADS, time.process_time)),
            "http": {log: Way(each.ask, HTTP_CONNECTIONS, each.used_s) for log, each in workers.items()},
        }
        for name, way in ways.items():
            costs: dict[bool, list[Cost]] = {True: [], False: []}
            for turn in range(rounds + 1):
                for log in (True, False) if turn % 2 else (False, True):
                    number += 1
                    codes = issue(house, context.db, number, count)
                    cost = run_round(keeper, way[log], codes, log=log)
                    costs[log] += [cost] if turn else []  # the first round warms up
            yield name, costs
        for each_worker in workers.values():
            each_worker.end()
        context.db.close()


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=8)
    options.add_argument("--codes", type=int, default=250)
    chosen = options.parse_args()
    print(f"{'way':<10}{'':<12}{'with, ms':>10}{'without, ms':>13}{'ratio':>8}")
    for name, costs in measure(chosen.rounds, chosen.codes):
        for place, kind in enumerate(("clock", "processor")):
            logged, bare = ([cost[place] for cost in costs[log]] for log in (True, False))
            ratio = statistics.median(one / other for one, other in zip(logged, bare, strict=True))
            print(
                f"{name:<10}{kind:<12}{statistics.median(logged):>10.3f}{statistics.median(bare):>13.3f}{ratio:>8.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
