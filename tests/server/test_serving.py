"""Real processes: workers on one socket, replaced when they die, gone when their parent is."""

import os
import signal

import pytest

from server.serving import AddressTaken, listen
from tests.server import processes
from tests.server.conftest import MakeWorld

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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_asked_to(make_world: MakeWorld, number: signal.Signals) -> None:
    world = make_world()
    with processes.serving(world.settings.home, workers=1) as server:
        workers = server.workers()
        server.process.send_signal(number)
        assert server.process.wait(30) == 0
        assert not any(map(processes.alive, workers))
        assert "Traceback" not in server.log.read_text(encoding="utf-8")


def test_an_address_that_is_taken_is_told() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressTaken) as refused:
            listen("127.0.0.1", port)
    assert (refused.value.code, refused.value.port) == ("address_taken", port)
