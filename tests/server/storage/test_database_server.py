"""A database server instead of a file: its address, what stands in the way, and transactions that it breaks off."""

import logging
import sys
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from authcode.cli import run as run_command_line
from keys.base.errors import AuthcodeError
from server.domain.alerts.alert import AlertFilter, Severity
from server.domain.codes.redemption import Redemption
from server.domain.codes.unit import Unit
from server.services.batches.register import register_batch
from server.settings import load_settings
from server.storage import alerts, redemptions, schema
from server.storage.address import DatabaseDriverMissing, DatabaseUnreachable, DatabaseUrlInvalid
from server.storage.engine import Connection, Database, RecordsUnreachable, open_database
from server.storage.migrate import upgrade
from tests.postgres import Cluster
from tests.server import processes
from tests.server.simulator import START, World, both_databases, on_postgresql

pytestmark = both_databases

SECRET = "hunter2%2Fpässword"


@pytest.mark.parametrize(
    "address",
    [
        f"mysql://anna:{SECRET}@db.example.com/authcode",
        f"postgresql+asyncpg://anna:{SECRET}@db.example.com/authcode",
        f"postgresql://anna:{SECRET}@db.example.com",
        f"postgresql://anna:{SECRET}@db.example.com:port/authcode",
        "postgresql://anna:hunter2@tail7@db.example.com/authcode",
        "postgresql://anna:hunter2@s/tail7@db.example.com/authcode",
        "postgresql://anna:hunter2@s?tail7@db.example.com/authcode",
        "postgresql://anna:hunter2/word",
        "hunter2",
        "://hunter2",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_shown(address: str) -> None:
    with pytest.raises(DatabaseUrlInvalid) as told:
        Database(address)
    assert told.value.code == "database_url_invalid"
    assert "AUTHCODE_DATABASE_URL" in str(told.value)
    for secret in ("hunter2", "tail7", "anna", "db.example.com"):
        assert secret not in str(told.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_missing_driver_is_told_with_the_extra_that_brings_it(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseDriverMissing, match=r"\.\[postgres\]") as told:
        Database(f"{scheme}://anna:{SECRET}@db.example.com/authcode")
    assert (told.value.code, "hunter2" in str(told.value)) == ("database_driver_missing", False)


def unreachable(cluster: Cluster, name: str) -> tuple[str, str]:
    """An address that leads nowhere, and the reason that is told."""
    cluster.run("DROP ROLE IF EXISTS {}", "careful")
    folder = cluster.address.partition("host=")[2]
    return {
        "port": ("postgresql://anna:hunter2@127.0.0.1:1/authcode", "nothing listens there"),
        "socket": ("postgresql://anna:hunter2@/authcode?host=/nowhere", "nothing listens there"),
        "host": ("postgresql://anna:hunter2@no-such-host.invalid/authcode", "there is no such host"),
        "database": (f"postgresql://postgres:hunter2@/nothing?host={folder}", "it has no database of this name"),
        "user": (f"postgresql://anna:hunter2@/postgres?host={folder}", "it knows no such user"),
    }[name]


@pytest.mark.parametrize("name", ["port", "socket", "host", "database", "user"])
def test_a_server_that_cannot_be_reached_is_told_without_user_and_password(cluster: Cluster, name: str) -> None:
    address, reason = unreachable(cluster, name)
    with pytest.raises(DatabaseUnreachable) as told:
        open_database(address)
    assert (told.value.code, told.value.reason) == ("database_unreachable", reason)
    assert "hunter2" not in str(told.value)
    assert "anna" not in str(told.value)
    db = Database(address)
    for reach in (db.read, db.write):
        with pytest.raises(RecordsUnreachable) as short, reach() as connection:
            connection.execute(sa.select(1))
        assert "127.0.0.1" not in str(short.value)
    with pytest.raises(RecordsUnreachable):
        db.attempt(lambda connection: connection.execute(sa.select(1)).scalar_one())
    db.close()


def test_the_command_line_tells_what_to_do_and_no_password(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("AUTHCODE_HOME", str(home))
    for address, code in (
        ("postgresql://anna:hunter2@127.0.0.1:1/authcode", "database_unreachable"),
        ("postgresql://anna:hunter2@x@127.0.0.1:1/authcode", "database_url_invalid"),
    ):
        monkeypatch.setenv("AUTHCODE_DATABASE_URL", address)
        assert run_command_line(["staff", "add", "anna@example.com"]) == 2
        said = capsys.readouterr()
        assert f"[{code}]" in said.err
        assert "hunter2" not in said.out + said.err


def test_neither_settings_nor_engine_show_the_password(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "postgresql://anna:hunter2@db.example.com/authcode"
    monkeypatch.setenv("AUTHCODE_DATABASE_URL", address)
    settings = load_settings(tmp_path_factory.mktemp("home"))
    assert settings.database == address
    db = Database(settings.database)
    assert "hunter2" not in f"{settings!r} {settings} {db.engine!r} {db.engine.url} {settings.model_dump()}"


@on_postgresql
def test_no_password_reaches_a_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    broken = Database("postgresql://anna:hunter2@127.0.0.1:1/authcode")
    object.__setattr__(world.ctx, "db", broken)
    with caplog.at_level(logging.DEBUG):
        answer = world.client.get("/readyz")
        world.ctx.looks.flush()
    assert (answer.status_code, answer.get_json()["code"]) == (503, "records_unreachable")
    assert "hunter2" not in caplog.text + answer.text
    assert "127.0.0.1" not in answer.text


@on_postgresql
def test_commits_wait_for_the_disk_even_where_the_database_says_otherwise(world: World, cluster: Cluster) -> None:
    name = world.ctx.db.engine.url.database
    assert name is not None
    cluster.run("ALTER DATABASE {} SET synchronous_commit = off", name)
    db = Database(world.settings.database)
    with db.write() as connection:
        assert connection.execute(sa.text("SHOW synchronous_commit")).scalar_one() == "on"
    db.close()
    cluster.run("ALTER DATABASE {} SET synchronous_commit = remote_apply", name)
    with db.write() as connection:
        assert connection.execute(sa.text("SHOW synchronous_commit")).scalar_one() == "remote_apply"
    db.close()


@on_postgresql
def test_a_view_is_consistent_and_changes_nothing(world: World) -> None:
    world.issue()
    with world.ctx.db.read() as connection:
        before = connection.execute(sa.select(sa.func.count()).select_from(schema.batch)).scalar_one()
        world.issue()
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.batch)).scalar_one() == before
    with pytest.raises(RecordsUnreachable), world.ctx.db.read() as connection:
        connection.execute(schema.batch.delete())


def lose_connection(world: World, connection: Connection) -> None:
    """The server ends this connection, as it does when it is restarted."""
    own = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    with world.ctx.db.engine.connect() as other:
        other.execute(sa.select(sa.func.pg_terminate_backend(own)))
    connection.execute(sa.select(1))


def refuse(state: str) -> Callable[[World, Connection], None]:
    def fault(_world: World, connection: Connection) -> None:
        connection.execute(sa.text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"))

    return fault


FAULTS = {"lost connection": lose_connection, "serialization failure": refuse("40001"), "deadlock": refuse("40P01")}


def failing_first(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: Callable[[World, Connection], None]
) -> list[int]:
    """Let the first transaction of a burn fail after its work is done; how many transactions there were."""
    tries: list[int] = []
    whole = world.ctx.db.attempt

    def attempt(work: Callable[[Connection], object]) -> object:
        def broken(connection: Connection) -> object:
            done = work(connection)
            tries.append(1)
            if len(tries) == 1:
                fault(world, connection)
            return done

        return whole(broken)

    monkeypatch.setattr(world.ctx.db, "attempt", attempt)
    return tries


def count(world: World, table: sa.Table) -> int:
    with world.ctx.db.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


@on_postgresql
@pytest.mark.parametrize("fault", FAULTS)
def test_a_burn_that_the_server_breaks_off_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    code = world.issue().text(0)
    tries = failing_first(world, monkeypatch, FAULTS[fault])
    assert world.verdict(code, "anna") == "genuine"
    assert len(tries) == 2
    assert (count(world, schema.redemption), count(world, schema.scan)) == (1, 1)


@on_postgresql
def test_a_burn_whose_commit_was_not_heard_of_says_the_same_to_the_same_claim(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = world.issue().text(0)

    def committed_unheard(world: World, connection: Connection) -> None:
        connection.connection.commit()  # the driver's: the pool above believes that the transaction is still open
        lose_connection(world, connection)

    tries = failing_first(world, monkeypatch, committed_unheard)
    answer = world.ask(code, "anna")
    assert (answer.get_json()["verdict"], len(tries)) == ("genuine", 2)
    assert world.ask(code, "anna").data == answer.data
    assert world.verdict(code, "ben") == "already_verified"
    assert count(world, schema.redemption) == 1
    with world.ctx.db.read() as connection:
        attempts = sa.select(schema.scan.c.burned, schema.scan.c.own).order_by(schema.scan.c.id)
        history = connection.execute(attempts).all()
        (alert,) = alerts.alerts_like(connection, AlertFilter(), limit=9)
    # The second try is in the history too, as the holder's own: it raises nothing. Ben alone is told of.
    assert history == [(True, True), (False, True), (False, True), (False, False)]
    assert (alert.claims, alert.count) == (1, 1)


@on_postgresql
def test_other_faults_are_not_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    code = world.issue().text(0)
    tries = failing_first(world, monkeypatch, refuse("55000"))
    answer = world.ask(code, "anna")
    assert (answer.status_code, answer.get_json()["code"], len(tries)) == (503, "records_unreachable", 1)
    assert count(world, schema.redemption) == 0


@on_postgresql
def test_a_server_that_keeps_refusing_is_told_in_the_end(world: World) -> None:
    tries: list[int] = []

    def work(connection: Connection) -> None:
        tries.append(1)
        refuse("40001")(world, connection)

    with pytest.raises(RecordsUnreachable):
        world.ctx.db.attempt(work)
    assert len(tries) == 4


def waiting(cluster: Cluster, database: str) -> bool:
    """Whether somebody waits for somebody else in a database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(cluster.run(query, database=database)[0][0])


class Meanwhile(threading.Thread):
    """Something that another worker does at the same time."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self.work, self.result = work, None
        self.start()

    def run(self) -> None:
        try:
            self.result: object = self.work()
        except AuthcodeError as refusal:
            self.result = refusal


Attempt = Callable[[Callable[[Connection], object]], object]


def overlapped(
    world: World, cluster: Cluster, attempt: Attempt, work: Callable[[Connection], object], second: Callable[[], object]
) -> tuple[object, object]:
    """What an attempt and `second` give, where `second` begins while the attempt is open, and is held up by it."""
    database, started = str(world.ctx.db.engine.url.database), []

    def held(connection: Connection) -> object:
        done = work(connection)
        started.append(Meanwhile(second))
        assert processes.until(lambda: waiting(cluster, database), within_s=20)
        return done

    answer = attempt(held)
    started[0].join()
    return answer, started[0].result


@on_postgresql
def test_two_strangers_at_once_are_counted_as_two(
    world: World, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = world.issue().text(0)
    world.verdict(code, "anna")
    whole = world.ctx.db.attempt

    def attempt(work: Callable[[Connection], object]) -> object:
        monkeypatch.undo()  # carl's attempt is an ordinary one
        answer, other = overlapped(world, cluster, whole, work, lambda: world.verdict(code, "carl"))
        assert other == "already_verified"
        return answer

    monkeypatch.setattr(world.ctx.db, "attempt", attempt)
    assert world.verdict(code, "ben") == "already_verified"
    with world.ctx.db.read() as connection:
        (alert,) = alerts.alerts_like(connection, AlertFilter(), limit=9)
    # The second of them saw the first: from two other claims on it is an alert, not a note.
    assert (alert.claims, alert.count, alert.severity) == (2, 2, Severity.ALERT)


@on_postgresql
def test_of_two_first_burns_at_once_the_second_waits_and_is_refused(world: World, cluster: Cluster) -> None:
    unit = Unit(row=1, index=1)

    def burn(name: bytes) -> Callable[[Connection], bool]:
        first = Redemption(at=START, country=None, region=None, claim_hash=name * 16, holder_hash=name * 16)
        return lambda connection: redemptions.burn(connection, unit, first)

    attempt = world.ctx.db.attempt
    assert overlapped(world, cluster, attempt, burn(b"a"), lambda: attempt(burn(b"b"))) == (True, False)
    with world.ctx.db.read() as connection:
        stands = redemptions.redemption_of(connection, unit)
    assert stands is not None
    assert stands.claim_hash == b"a" * 16


@on_postgresql
def test_two_registrations_at_once_take_turns_and_give_one_batch(world: World) -> None:
    _manifest, document = world.manifest()
    gun = threading.Barrier(4)

    def register() -> object:
        gun.wait()
        return register_batch(world.ctx.db, document, now=START)

    threads = [Meanwhile(register) for _ in range(4)]
    for thread in threads:
        thread.join()
    assert len({str(thread.result) for thread in threads}) == 1
    assert count(world, schema.batch) == 1


def test_upgrades_at_once_take_turns(cluster: Cluster) -> None:
    with cluster.database() as name:
        databases = [Database(cluster.url(name)) for _ in range(3)]
        threads = [Meanwhile(lambda db=db: upgrade(db)) for db in databases]  # type: ignore[misc]
        for thread in threads:
            thread.join()
        assert [thread.result for thread in threads] == [None, None, None]
        for db in databases:
            db.close()


@on_postgresql
def test_a_restarted_server_is_not_noticed_by_the_next_who_asks(world: World, cluster: Cluster) -> None:
    issued = world.issue()
    assert world.state(issued.text(0)) == "unused"
    cluster.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        database=str(world.ctx.db.engine.url.database),
    )
    assert world.state(issued.text(0)) == "unused"
    assert world.verdict(issued.text(0), "anna") == "genuine"
