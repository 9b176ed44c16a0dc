"""What the log costs a redemption: the same first verifications with and without it, in turns, and the ratio.

    python benchmarks/log_cost.py [--codes 2000]

"Without" replaces the one call that enters a redemption by nothing. Every other code is verified with it, so that a
busy machine slows both alike. "service" calls the service behind page and API, "http" asks a worker over loopback.
"clock" is the median time of an answer; "processor" the mean time of the answering thread (service) or process (http).
What placing the entries and signing a head over them takes afterwards is added to "with", for each entry its share.
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
from collections.abc import Callable, Iterator, Mapping
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
WARM_UP = 100
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


@dataclass(frozen=True)
class Way:
    """A way to ask with the log (True) and without, and the processor time that was used for either so far."""

    ask: Mapping[bool, Callable[[str], str]]
    used_s: Mapping[bool, Callable[[], float]]


@dataclass(frozen=True)
class Cost:
    """Milliseconds a redemption."""

    clock: float
    processor: float


def alternate(way: Way, codes: list[str], keeper: LogKeeper) -> dict[bool, Cost]:
    """Verify the codes, every other one with the log."""
    keeper.keep()  # what issuing entered is not counted
    clock: dict[bool, list[float]] = {True: [], False: []}
    used = {True: 0.0, False: 0.0}
    for number, code in enumerate(codes):
        log = (number + number // 2) % 2 == 0  # with, without, without, with
        _switch(log=log)
        before, begun = way.used_s[log](), time.perf_counter()
        verdict = way.ask[log](code)
        clock[log].append(time.perf_counter() - begun)
        used[log] += way.used_s[log]() - before
        if verdict != "genuine":
            raise SystemExit(f"no first verification: {verdict}")
    _switch(log=True)
    begun, before = time.perf_counter(), time.process_time()
    keeper.keep()
    placing = Cost(clock=time.perf_counter() - begun, processor=time.process_time() - before)
    half = len(codes) / 2
    return {
        log: Cost(
            clock=(statistics.median(clock[log]) + log * placing.clock / half) * 1000,
            processor=(used[log] + log * placing.processor) / half * 1000,
        )
        for log in (True, False)
    }


def measure(count: int) -> Iterator[tuple[str, dict[bool, Cost]]]:
    """For each way of asking: the cost with the log (True) and without."""
    with tempfile.TemporaryDirectory() as folder:
        house = build(Path(folder))
        context = create_context(house.settings, house.keys)
        keeper = LogKeeper(context)
        visitor = redeem_code.Visitor()

        def service(code: str) -> str:
            return str(redeem_code.verify(context, code, claim="bench", visitor=visitor).verdict)

        workers = {log: Worker(house, log=log) for log in (True, False)}
        both = (True, False)
        ways = {
            "service": Way(dict.fromkeys(both, service), dict.fromkeys(both, time.thread_time)),
            "http": Way(
                {log: each.ask for log, each in workers.items()}, {log: each.used_s for log, each in workers.items()}
            ),
        }
        for number, (name, way) in enumerate(ways.items(), 1):
            codes = issue(house, context.db, number, count)
            alternate(way, codes[:WARM_UP], keeper)
            yield name, alternate(way, codes[WARM_UP:], keeper)
        for each_worker in workers.values():
            each_worker.end()
        context.db.close()


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--codes", type=int, default=2000)
    chosen = options.parse_args()
    print(f"{'way':<10}{'':<12}{'with, ms':>10}{'without, ms':>13}{'ratio':>8}")
    for name, costs in measure(chosen.codes + WARM_UP):
        for kind in ("clock", "processor"):
            logged, bare = (getattr(costs[log], kind) for log in (True, False))
            print(f"{name:<10}{kind:<12}{logged:>10.3f}{bare:>13.3f}{logged / bare:>8.3f}", flush=True)


if __name__ == "__main__":
    main()
