"""Redeeming over HTTP: looks and first verifications on SQLite (synchronous=FULL) and PostgreSQL, in one run.

    python -m benchmarks.redeem [--requests N] [--rounds N] [--connections N] [--workers N]

One `authcode serve` for each database, on loopback, without rate limits; the client asks over keep-alive connections,
each with one request at a time. Rounds of all kinds and both databases alternate; the table shows the median round.
What counts are the ratios: client, servers and databases share this machine's cores. Ratios are to `signature` on the
same database: the same route with a code whose signature is wrong, which is verified and never gets to the database.
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import platform
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import sqlalchemy as sa

from benchmarks.house import House, databases
from server.settings import load_settings
from server.storage import schema
from server.storage.engine import Database

KINDS = ("signature", "look", "redeem")
UNLIMITED = MappingProxyType({"AUTHCODE_RATE_LIMIT": "off"})
_TAG_PLACE = -40  # a character in the middle of the tag
_START_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round measured: requests a second, and the milliseconds that half and 99 of 100 of them took."""

    rate: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A database with a server on it, and the codes that are left."""

    name: str
    database: Database
    port: int
    codes: Iterator[str]


def make_home(home: Path, url: str, count: int) -> tuple[House, Database, list[str]]:
    """A home whose server has `count` activated codes, and the codes."""
    os.environ["AUTHCODE_DATABASE_URL"] = url
    house = House.build(home)
    database = Database(load_settings(home).database)
    return house, database, house.issue(database, number=1, count=count)


@contextlib.contextmanager
def serving(house: House, url: str, workers: int, settings: Mapping[str, str] = UNLIMITED) -> Iterator[int]:
    """The port of `authcode serve` on a home, under these settings."""
    home = house.home
    environ = os.environ | {
        "AUTHCODE_HOME": str(home),
        "AUTHCODE_DATABASE_URL": url,
        "AUTHCODE_SERVER_PASSPHRASE": house.server_passphrase,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        **settings,
    }
    command = [sys.executable, "-m", "authcode", "serve", "--port", "0", "--workers", str(workers)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603 - our own
    try:
        yield ready(home / "log", process)
    finally:
        process.terminate()
        process.wait(60)


def ready(log: Path, process: "subprocess.Popen[bytes]") -> int:
    """The port, once the server answers at it."""
    end = time.monotonic() + _START_WITHIN_S
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())
        if found:
            connection = http.client.HTTPConnection("127.0.0.1", int(found.group(1)), timeout=5)
            with contextlib.suppress(OSError), contextlib.closing(connection):
                connection.request("GET", "/readyz")
                if connection.getresponse().status == http.HTTPStatus.OK:
                    return int(found.group(1))
        time.sleep(0.1)
    sys.exit(f"the server did not start:\n{log.read_text()}")


def requests_of(kind: str, codes: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """Whole requests of one kind, each with what its answer has to hold."""
    route, expected = {
        "signature": ("verify", b'"not_ours"'),
        "look": ("look", b'"unused"'),
        "redeem": ("verify", b'"genuine"'),
    }[kind]
    made = []
    for code in codes:
        text = code
        if kind == "signature":
            other = "7" if code[_TAG_PLACE] != "7" else "8"
            text = code[:_TAG_PLACE] + other + code[_TAG_PLACE + 1 :]
        body = json.dumps({"code": text} | ({"claim": secrets.token_hex(16)} if route == "verify" else {})).encode()
        head = f"POST /api/v1/{route} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        made.append((f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body, expected))
    return made


async def measure(port: int, requests: Sequence[tuple[bytes, bytes]], connections: int) -> Round:
    """Send all requests over so many connections; any other answer than the expected one ends the run."""
    waiting, took = iter(requests), list[float]()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for request, expected in waiting:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length.group(1)) if length else 0)
            took.append(time.perf_counter() - began)
            if expected not in body:
                sys.exit(f"unexpected answer: {body.decode()}")
        writer.close()

    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    began = time.perf_counter()
    await asyncio.gather(*(one(*streams) for streams in opened))
    whole = time.perf_counter() - began
    cuts = statistics.quantiles(took, n=100)
    return Round(rate=len(took) / whole, p50_ms=1000 * cuts[49], p99_ms=1000 * cuts[98])


def compare(all_served: Sequence[Served], options: argparse.Namespace) -> dict[tuple[str, str], list[Round]]:
    """Rounds by database and kind; one of each first, which does not count."""
    rounds: dict[tuple[str, str], list[Round]] = {(one.name, kind): [] for one in all_served for kind in KINDS}
    for number in range(options.rounds + 1):
        for kind in KINDS:
            for one in all_served:
                codes = [next(one.codes) for _ in range(options.requests)]
                measured = asyncio.run(measure(one.port, requests_of(kind, codes), options.connections))
                if number:
                    rounds[one.name, kind].append(measured)
    for one in all_served:
        with one.database.read() as connection:
            burned = connection.execute(sa.select(sa.func.count()).select_from(schema.redemption)).scalar_one()
        if burned != options.requests * (options.rounds + 1):
            sys.exit(f"{one.name}: {burned} redemptions stand, not as many as were answered")
    return rounds


def report(rounds: dict[tuple[str, str], list[Round]], options: argparse.Namespace) -> None:
    """Print the median round of each kind."""
    print(
        f"{options.connections} connections, {options.workers} worker(s) a server, {options.rounds} rounds of "
        f"{options.requests} requests; {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    heads = f"{'database':12}{'request':12}{'a second':>9}{'ratio':>7}{'p50 ms':>8}{'p99 ms':>8}"
    print(f"{heads}{'slowest - fastest':>20}")
    for (name, kind), measured in rounds.items():
        rate = statistics.median(one.rate for one in measured)
        base = statistics.median(one.rate for one in rounds[name, KINDS[0]])
        p50, p99 = (statistics.median(getattr(one, cut) for one in measured) for cut in ("p50_ms", "p99_ms"))
        spread = f"{min(one.rate for one in measured):.0f} - {max(one.rate for one in measured):.0f}"
        print(f"{name:12}{kind:12}{rate:9.0f}{rate / base:7.2f}{p50:8.1f}{p99:8.1f}{spread:>20}")


def main() -> None:
    """Make the homes, serve them, measure."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--requests", type=int, default=1500, help="requests in a round")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--connections", type=int, default=64)
    arguments.add_argument("--workers", type=int, default=2)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        all_served = []
        for name, url in stack.enter_context(databases(Path(folder))).items():
            count = options.requests * (options.rounds + 1) * len(KINDS)
            house, database, codes = make_home(Path(folder) / name, url, count)
            stack.callback(database.close)
            port = stack.enter_context(serving(house, url, options.workers))
            all_served.append(Served(name=name, database=database, port=port, codes=iter(codes)))
        report(compare(all_served, options), options)


if __name__ == "__main__":
    main()
