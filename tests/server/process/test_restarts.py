"""When a dead worker is started again: trouble that passes heals, a home that can never be served is given up."""

import signal
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from server.process.restarts import LONGEST_WAIT_S, Restarts, WorkersFailing
from server.process.server import Supervisor, listen
from tests.server.simulator import World


def test_a_server_that_once_served_waits_out_any_trouble() -> None:
    restarts = Restarts(begun=0, patience_s=60)
    restarts.count_served()
    pauses = [restarts.pause(now=1000.0 * death, served_s=None) for death in range(100)]
    assert pauses == sorted(pauses)
    assert pauses[:3] == [0.2, 0.4, 0.8]
    assert pauses[-1] == LONGEST_WAIT_S


def test_a_trouble_of_a_minute_is_waited_out_at_the_start_too() -> None:
    restarts = Restarts(begun=0, patience_s=60)
    now, deaths = 0.0, 0
    while now < 59:
        now += 1 + restarts.pause(now=now, served_s=None)
        deaths += 1
    assert deaths > 6
    restarts.count_served()
    assert restarts.pause(now=100, served_s=0.5) == LONGEST_WAIT_S
    assert restarts.pause(now=200, served_s=100) == 0
    assert restarts.pause(now=300, served_s=None) == 0.2


def test_a_server_whose_workers_never_serve_gives_up_when_its_patience_ends() -> None:
    restarts = Restarts(begun=0, patience_s=60)
    assert restarts.pause(now=59.9, served_s=None) > 0
    with pytest.raises(WorkersFailing):
        restarts.pause(now=60, served_s=None)


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    held = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in held.items():
        signal.signal(number, handler)


@pytest.mark.slow
@pytest.mark.usefixtures("signals_as_before")
def test_workers_that_can_never_serve_end_the_server_with_its_error(world: World) -> None:
    with world.ctx.db.write() as connection:
        connection.execute(sa.text("ALTER TABLE alembic_version RENAME TO alembic_version_elsewhere"))
    with listen("127.0.0.1", 0) as listener, pytest.raises(WorkersFailing) as told:
        Supervisor(world.settings, world.ctx.keys, listener, patience_s=0.1).run()
    assert told.value.code == "workers_failing"
