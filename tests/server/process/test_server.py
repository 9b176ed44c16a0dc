"""Real processes: workers on one socket, replaced when they die, gone when their parent is."""

import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from server.process.server import AddressTaken, listen
from tests.server import processes
from tests.server.simulator import MakeWorld

pytestmark = pytest.mark.slow


def test_a_killed_worker_is_replaced_and_killing_the_parent_ends_every_worker(make_world: MakeWorld) -> None:
    world = make_world()
    with processes.serving(world.settings.home, workers=2, rate_limit="off") as server:
        assert processes.until(lambda: len(server.workers()) == 2)
        before = server.workers()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        assert processes.until(lambda: len(server.workers() - {victim}) == 2)
        assert processes.until(server.answers)
        workers = server.workers()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        assert processes.until(lambda: not any(map(processes.alive, workers)), within_s=20)
        assert not server.answers()


def test_workers_that_fail_to_start_for_a_while_are_back_when_the_trouble_has_passed(make_world: MakeWorld) -> None:
    world = make_world()
    with processes.serving(world.settings.home, workers=1, rate_limit="off") as server:
        with world.ctx.db.write() as connection:
            connection.execute(sa.text("ALTER TABLE alembic_version RENAME TO alembic_version_elsewhere"))
        (victim,) = server.workers()
        os.kill(victim, signal.SIGKILL)
        assert processes.until(lambda: server.log.read_text(encoding="utf-8").count("ended with status") > 2)
        assert server.process.poll() is None
        with world.ctx.db.write() as connection:
            connection.execute(sa.text("ALTER TABLE alembic_version_elsewhere RENAME TO alembic_version"))
        assert processes.until(server.answers)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_asked_to(make_world: MakeWorld, number: signal.Signals) -> None:
    world = make_world()
    with processes.serving(world.settings.home, workers=1) as server:
        workers = server.workers()
        server.process.send_signal(number)
        assert server.process.wait(30) == 0
        assert not any(map(processes.alive, workers))
        assert "Traceback" not in server.log.read_text(encoding="utf-8")


_NEIGHBOUR = """
import ctypes, os
from server.process.privacy import hide_process
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as any program starts

def seen():
    parent, neighbour = os.getpid(), os.fork()
    if not neighbour:
        try:
            found = b"server-pass" in open(f"/proc/{parent}/environ", "rb").read()
        except PermissionError:
            found = False
        os._exit(found)
    return os.waitstatus_to_exitcode(os.waitpid(neighbour, 0)[1])

before = seen()
hide_process()
print(before, seen())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can hide a process")
def test_a_hidden_process_shows_its_environment_to_no_other_of_its_user() -> None:
    environ = {**os.environ, "AUTHCODE_SERVER_PASSPHRASE": "server-pass"}
    told = subprocess.run([sys.executable, "-c", _NEIGHBOUR], env=environ, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["1", "0"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_parent_and_workers_are_hidden_and_no_worker_gets_the_passphrase(make_world: MakeWorld) -> None:
    world = make_world()
    with processes.serving(world.settings.home, workers=1) as server:
        (worker,) = server.workers()
        assert processes.until(server.answers)
        for pid in (server.process.pid, worker):
            assert Path(f"/proc/{pid}/environ").stat().st_uid == 0  # of a process that may be read it is the user's own
        if os.geteuid() == 0:  # may read it all the same
            assert b"server-pass" not in Path(f"/proc/{worker}/environ").read_bytes()
        else:
            with pytest.raises(PermissionError):
                Path(f"/proc/{worker}/environ").read_bytes()


def test_an_address_that_is_taken_is_told() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressTaken) as refused:
            listen("127.0.0.1", port)
    assert (refused.value.code, refused.value.port) == ("address_taken", port)


def _leave_at_once(server: processes.Running, path: str) -> None:
    """Ask and reset the connection without waiting for the answer."""
    address = urlsplit(server.address)
    with socket.create_connection((address.hostname, address.port or 80)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


def test_no_code_is_in_the_log_whatever_clients_and_the_database_do(make_world: MakeWorld) -> None:
    world = make_world()
    issued = world.issue(count=40)
    paths = ["/" + code.code.rpartition("/")[2] for code in issued.codes]
    with processes.serving(world.settings.home, workers=1, rate_limit="off", keyring_cache_s="0") as server:

        def logged(words: str) -> bool:
            return words in server.log.read_text(encoding="utf-8")

        def somebody_left() -> bool:
            for path in paths:
                _leave_at_once(server, path)
            return logged("Client disconnected")

        assert processes.until(somebody_left)
        for table in ("brand", "range_act"):
            with world.ctx.db.write() as connection:
                connection.execute(sa.text(f"ALTER TABLE {table} RENAME TO {table}_elsewhere"))
            # Whose a code is, is known from the keyrings read before; what became of it is not.
            assert server.answers(paths[0]) is (table == "brand")
        assert server.answers()
        assert processes.until(lambda: logged("records_unreachable"))
    log = server.log.read_text(encoding="utf-8")
    for path in paths:
        assert path[-40:] not in log
        assert path[1:30] not in log
