"""Attempts that wait at the same time share a commit, and nothing else."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.storage import group_commit
from server.storage.engine import Database, RecordsUnreachable

MANY = 12


@pytest.fixture
def db(tmp_path: Path) -> Database:
    (tmp_path / "x.db").touch()
    made = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with made.write() as connection:
        connection.exec_driver_sql("CREATE TABLE seen (name TEXT PRIMARY KEY)")
    return made


def add(name: str, *, then: Exception | None = None) -> Callable[[sa.Connection], str]:
    def work(connection: sa.Connection) -> str:
        connection.exec_driver_sql("INSERT INTO seen VALUES (?)", (name,))
        if then is not None:
            raise then
        return name

    return work


def names(db: Database) -> set[str]:
    with db.read() as connection:
        return set(connection.exec_driver_sql("SELECT name FROM seen").scalars())


def commits(db: Database) -> list[int]:
    counted: list[int] = []
    sa.event.listen(db.engine, "commit", lambda _connection: counted.append(1))
    return counted


class Gathered:
    """Attempts that came while somebody else was writing."""

    def __init__(self, db: Database, works: list[Callable[[sa.Connection], str]]) -> None:
        self._pool = ThreadPoolExecutor(len(works))
        pause = threading.Event()
        self.outcomes: list[Future[str]] = []
        with db.write():
            for work in works:
                self.outcomes.append(self._pool.submit(db.attempt, work))
                while len(db._together._waiting) < len(self.outcomes):  # noqa: SLF001 - nobody else could know
                    pause.wait(0.001)

    def results(self) -> list[str | type[BaseException]]:
        problems = [outcome.exception(30) for outcome in self.outcomes]
        self._pool.shutdown()
        return [
            type(problem) if problem else outcome.result()
            for problem, outcome in zip(problems, self.outcomes, strict=True)
        ]


def test_all_who_wait_share_one_commit(db: Database) -> None:
    works = [add(str(number)) for number in range(MANY)]
    counted = commits(db)
    assert Gathered(db, works).results() == [str(number) for number in range(MANY)]
    assert names(db) == {str(number) for number in range(MANY)}
    assert len(counted) == 2  # the writer's that they waited for, and theirs


def test_who_fails_is_undone_alone(db: Database) -> None:
    works = [add("a"), add("b", then=LookupError()), add("a"), add("c"), add("d", then=RecordsUnreachable())]
    told = Gathered(db, works).results()
    assert told == ["a", LookupError, sa.exc.IntegrityError, "c", RecordsUnreachable]
    assert names(db) == {"a", "c"}


def test_where_the_commit_fails_nothing_happened_to_anybody(db: Database) -> None:
    def fail(_connection: sa.Connection) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, Exception("disk full"))

    sa.event.listen(db.engine, "commit", fail)
    with ThreadPoolExecutor(MANY) as pool:
        outcomes = [pool.submit(db.attempt, add(str(number))) for number in range(MANY)]
        assert {type(outcome.exception(30)) for outcome in outcomes} == {RecordsUnreachable}
    sa.event.remove(db.engine, "commit", fail)
    assert names(db) == set()
    assert db.attempt(add("later")) == "later"


def test_a_single_attempt_that_fails_leaves_the_way_free(db: Database) -> None:
    with pytest.raises(LookupError):
        db.attempt(add("a", then=LookupError()))
    assert db.attempt(add("b")) == "b"
    assert names(db) == {"b"}


def test_a_company_has_an_end(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_BATCH", 5)
    counted = commits(db)
    assert len(Gathered(db, [add(str(number)) for number in range(MANY)]).results()) == MANY
    assert len(counted) == 1 + 3  # 5, 5 and 2


def test_where_no_turn_comes_everybody_is_told(db: Database, tmp_path: Path) -> None:
    db.close()
    (tmp_path / "x.db").unlink()
    (tmp_path / "x.db").mkdir()
    with ThreadPoolExecutor(MANY) as pool:
        outcomes = [pool.submit(db.attempt, add(str(number))) for number in range(MANY)]
        assert {type(outcome.exception(30)) for outcome in outcomes} == {RecordsUnreachable}
