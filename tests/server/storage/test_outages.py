"""A database that is silent, locked or gone: how long an attempt waits, and what a busy one is spared."""

import contextlib
import itertools
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.storage.engine import Connection, Database, RecordsUnreachable
from server.storage.file import LOCK_WAIT_S
from tests.server.simulator import World, on_postgresql
from tests.server.storage.waits import until_somebody_waits


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A file with one table."""
    (tmp_path / "x.db").touch()
    made = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with made.write() as connection:
        connection.exec_driver_sql("CREATE TABLE seen (name TEXT PRIMARY KEY)")
    yield made
    made.close()


def add(connection: Connection) -> None:
    connection.exec_driver_sql("INSERT INTO seen (name) SELECT 'shopper ' || count(*) FROM seen")


def count(db: Database) -> int:
    with db.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM seen").scalar_one())


@contextlib.contextmanager
def other_process(db: Database) -> Iterator[sqlite3.Connection]:
    """A connection as another process has it; threads of a test may share it."""
    assert db.file is not None
    with contextlib.closing(sqlite3.connect(db.file, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def refused_after_s(db: Database) -> float:
    begun = time.monotonic()
    with pytest.raises(RecordsUnreachable):
        db.attempt(add)
    return time.monotonic() - begun


def test_who_waits_for_a_locked_file_gives_up_together_and_who_comes_then_at_once(db: Database) -> None:
    with other_process(db) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(8) as threads:
            taken = list(threads.map(lambda _: refused_after_s(db), range(8)))
        assert max(taken) < 3 * LOCK_WAIT_S
        assert refused_after_s(db) < LOCK_WAIT_S / 2
        assert count(db) == 0  # readers do not wait for writers
        other.execute("ROLLBACK")
    with db.write():  # an act of staff is not refused at once
        pass


def test_an_attempt_waits_longer_while_others_commit(db: Database) -> None:
    stop_at = time.monotonic() + 4 * LOCK_WAIT_S

    def commit_again_and_again(other: sqlite3.Connection, begun: threading.Event) -> None:
        for number in itertools.count():
            other.execute("BEGIN IMMEDIATE")
            other.execute("INSERT INTO seen VALUES (?)", (f"other {number}",))
            begun.set()
            if threading.Event().wait(LOCK_WAIT_S / 4) or time.monotonic() > stop_at:
                break
            other.execute("COMMIT")
        other.execute("COMMIT")

    with other_process(db) as other:
        begun = threading.Event()
        thread = threading.Thread(target=commit_again_and_again, args=(other, begun))
        thread.start()
        assert begun.wait(10)
        db.attempt(add)
        thread.join()
    assert count(db) > 1


def test_an_attempt_does_not_wait_for_a_writer_of_its_own_process_that_does_not_end(db: Database) -> None:
    ended = threading.Event()

    def write(begun: threading.Event) -> None:
        with db.write():
            begun.set()
            ended.wait(20)

    begun = threading.Event()
    thread = threading.Thread(target=write, args=(begun,))
    thread.start()
    assert begun.wait(10)
    assert refused_after_s(db) < 3 * LOCK_WAIT_S
    ended.set()
    thread.join()


def test_a_file_that_was_moved_away_is_neither_written_nor_made_anew(db: Database) -> None:
    db.attempt(add)
    file = db.file
    assert file is not None
    elsewhere = file.with_name("elsewhere.db")
    file.rename(elsewhere)
    refused_after_s(db)
    with pytest.raises(RecordsUnreachable):
        count(db)
    assert not file.exists()
    elsewhere.rename(file)
    db.attempt(add)
    assert count(db) == 2


def test_a_server_that_takes_connections_and_says_nothing_is_given_up_in_time_and_then_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        db = Database(f"postgresql://anna@127.0.0.1:{silent.getsockname()[1]}/authcode")
        assert refused_after_s(db) < 3
        begun = time.monotonic()
        with pytest.raises(RecordsUnreachable), db.read():
            pass
        assert time.monotonic() - begun < 0.5
        db.close()


@on_postgresql
def test_a_statement_may_take_long_on_a_server_that_lives(world: World) -> None:
    with world.ctx.db.read() as connection:
        assert connection.execute(sa.text("SELECT 1 FROM pg_sleep(1.5)")).scalar_one() == 1


@on_postgresql
def test_a_lock_that_somebody_keeps_is_given_up_in_time_and_nobody_else_is_refused(world: World) -> None:
    lock = sa.text("LOCK TABLE redemption IN ACCESS EXCLUSIVE MODE")
    with world.ctx.db.write() as connection:
        connection.execute(lock)
        begun = time.monotonic()
        with pytest.raises(RecordsUnreachable):
            world.ctx.db.attempt(lambda attempt: attempt.execute(lock))
        assert time.monotonic() - begun < 3
        with world.ctx.db.read() as other:
            assert other.execute(sa.text("SELECT 1")).scalar_one() == 1


@on_postgresql
def test_acts_of_staff_take_their_turn_however_long_it_takes(world: World) -> None:
    written = threading.Event()

    def write() -> None:
        with world.ctx.db.write():
            written.set()

    with world.ctx.db.write() as connection:
        thread = threading.Thread(target=write)
        thread.start()
        until_somebody_waits(world)
        connection.execute(sa.text("SELECT pg_sleep(2.5)"))
        assert not written.is_set()
    thread.join(10)
    assert written.is_set()
