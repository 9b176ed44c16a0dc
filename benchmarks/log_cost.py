"""What the log costs a redemption: the same first verifications with and without it, in turns, and the ratio.

    python -m benchmarks.log_cost [--codes N]

"Without" replaces the one call that enters a redemption by nothing. Every other code is verified with it, so that a
busy machine slows both alike; both databases wait for the disk. "service" calls the service behind page and API,
"http" asks a worker over loopback.
"clock" is the median time of an answer; "processor" the mean time of the answering thread (service) or process (http).
What placing the entries and signing a head over them takes afterwards is added to "with", for each entry its share.
"""

import argparse
import http.client
import json
import math
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.house import House, databases
from server.app import create_context
from server.keystore import ServerKeys, open_server_keys
from server.services.codes import redeem as redeem_code
from server.services.codes.attempts import Visitor
from server.services.log.keeper import LogKeeper
from server.settings import RateLimit, Settings, load_settings

_CLAIM = "benchmark-0123456789abcdef"
WARM_UP = 100
_WITH_LOG = redeem_code.log_redemption


def _no_log(*_entry: object) -> None:
    """Enter nothing."""


def _switch(*, log: bool) -> None:
    redeem_code.log_redemption = _WITH_LOG if log else _no_log


def worker(settings: Settings, keys: ServerKeys, listener: socket.socket, tells: Connection, log: bool) -> None:  # noqa: FBT001 - as started
    """A worker of the server, with or without the log."""
    from server.process.server import work

    sys.stderr = Path("/dev/null").open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    _switch(log=log)
    work(settings, keys, listener, tells)


class Worker:
    """A worker process, asked over loopback."""

    def __init__(self, settings: Settings, keys: ServerKeys, *, log: bool) -> None:
        """Start it."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._address = listener.getsockname()
        hears, tells = multiprocessing.Pipe(duplex=False)
        self._process = multiprocessing.get_context("spawn").Process(
            target=worker, args=(settings, keys, listener, tells, log), daemon=True
        )
        self._process.start()
        listener.close()
        tells.close()
        hears.recv_bytes()

    def ask(self, code: str) -> str:
        """Verify over HTTP."""
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        body = json.dumps({"code": code, "claim": _CLAIM})
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


def measure(home: Path, url: str, count: int) -> Iterator[tuple[str, dict[bool, Cost]]]:
    """For each way of asking: the cost with the log (True) and without."""
    os.environ["AUTHCODE_DATABASE_URL"] = url
    house = House.build(home)
    settings = load_settings(home).model_copy(update={"rate_limit": RateLimit.OFF, "log_head_s": 86_400})
    keys = open_server_keys(home, house.server_passphrase)
    context = create_context(settings, keys)
    keeper = LogKeeper(context)

    def service(code: str) -> str:
        return str(redeem_code.verify(context, code, claim=_CLAIM, visitor=Visitor()).verdict)

    workers = {log: Worker(settings, keys, log=log) for log in (True, False)}
    both = (True, False)
    ways = {
        "service": Way(dict.fromkeys(both, service), dict.fromkeys(both, time.thread_time)),
        "http": Way(
            {log: each.ask for log, each in workers.items()}, {log: each.used_s for log, each in workers.items()}
        ),
    }
    for number, (name, way) in enumerate(ways.items(), 1):
        codes = house.issue(context.db, number=number, count=count + WARM_UP)
        alternate(way, codes[:WARM_UP], keeper)
        yield name, alternate(way, codes[WARM_UP:], keeper)
    for each_worker in workers.values():
        each_worker.end()
    context.db.close()


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--codes", type=int, default=2000, help="first verifications of each way and database")
    chosen = options.parse_args()
    print(f"{'database':<12}{'way':<9}{'':<11}{'with, ms':>10}{'without, ms':>13}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as urls:
        for database, url in urls.items():
            for way, costs in measure(Path(folder) / database, url, chosen.codes):
                for kind in ("clock", "processor"):
                    logged, bare = (getattr(costs[log], kind) for log in (True, False))
                    head = f"{database:<12}{way:<9}{kind:<11}"
                    ratio = logged / bare if bare else math.nan  # processor time is told in hundredths of a second
                    print(f"{head}{logged:>10.3f}{bare:>13.3f}{ratio:>8.3f}", flush=True)


if __name__ == "__main__":
    main()
