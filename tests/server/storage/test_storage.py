"""The database: migrations, transactions, durability settings, and looks."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from server.domain.codes.redemption import Redemption
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.runtime.looks import MAX_LOOKS_PER_UNIT_AND_DAY
from server.storage import migrate, redemptions, schema
from server.storage.engine import Database, RecordsUnreachable
from server.storage.looks import looks_of_unit
from tests.postgres import Cluster
from tests.server.simulator import MakeWorld, World, both_databases, on_sqlite

pytestmark = both_databases

MakeEmpty = Callable[[str], str]
UNIT = Unit(row=1, index=2)


@pytest.fixture
def empty(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeEmpty]:
    """Addresses of databases without a table."""
    with ExitStack() as opened:

        def make(name: str) -> str:
            if database_kind == "sqlite":
                return f"sqlite:///{tmp_path / name / 'authcode.db'}"
            cluster: Cluster = request.getfixturevalue("cluster")
            return cluster.url(opened.enter_context(cluster.database()))

        yield make


def test_migrations_on_an_empty_database_give_the_tables_of_the_schema(empty: MakeEmpty) -> None:
    db = Database(empty("part"))
    assert not migrate.is_current(db)
    with pytest.raises(migrate.DatabaseNotMigrated):
        migrate.require_current(db)
    migrate.upgrade(db)
    migrate.upgrade(db)
    migrate.require_current(db)
    with db.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        found = {table: _definition(connection, table) for table in schema.metadata.tables}
        assert [table for table, definition in found.items() if not definition] == []
    db.close()
    address = empty("straight")
    if db.file is not None:
        file = Path(address.removeprefix("sqlite:///"))
        file.parent.mkdir()
        file.touch()
    straight = Database(address)
    with straight.write() as connection:
        schema.metadata.create_all(connection)
        assert {table: _definition(connection, table) for table in schema.metadata.tables} == found
    straight.close()


OLD_TABLES = {
    "the last revision before this one": "0012",
    "the first revision of old": "0001",
    "a number that nobody gave": "7f3a",
    "no row": None,
    "no table of revisions": "",
}


@pytest.mark.parametrize("version", OLD_TABLES.values(), ids=OLD_TABLES)
def test_tables_of_another_version_are_refused_and_left_alone(empty: MakeEmpty, version: str | None) -> None:
    db = Database(empty("old"))
    migrate.upgrade(db)
    with db.write() as connection:
        if version:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})
        else:
            connection.execute(sa.text("DELETE FROM alembic_version"))
        if version == "":
            connection.execute(sa.text("DROP TABLE alembic_version"))
    before = _content(db)
    for act in (migrate.upgrade, migrate.is_current, migrate.require_current):
        with pytest.raises(migrate.DatabaseOutdated) as told:
            act(db)
        assert (told.value.code, told.value.http_status) == ("database_outdated", 503)
    assert _content(db) == before
    db.close()


def _content(db: Database) -> dict[str, list[tuple[object, ...]]]:
    with db.read() as connection:
        names = sa.inspect(connection).get_table_names()
        return {name: list(map(tuple, connection.execute(sa.text(f'SELECT * FROM "{name}"')))) for name in names}  # noqa: S608 - names of ours


def _definition(connection: sa.Connection, table: str) -> list[str]:
    """The columns and constraints of a table, as the database itself tells them."""
    if connection.dialect.name == "postgresql":
        columns = sa.text(
            "SELECT column_name, data_type, character_maximum_length, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_name = :name"
        )
        rules = sa.text(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = CAST(CAST(:name AS text) AS regclass)"
            " UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE tablename = CAST(:name AS text)"
        )
        return sorted(str(row) for query in (columns, rules) for row in connection.execute(query, {"name": table}))
    query = sa.text("SELECT sql FROM sqlite_master WHERE name = :name")
    text = str(connection.execute(query, {"name": table}).scalar_one())
    _head, _bracket, inside = text.rpartition(")")[0].partition("(")
    parts = re.split(r",\s*(?![^(]*\))", inside)  # not the commas within brackets; a column that was added comes last
    return sorted(part.strip().replace('"', "") for part in parts)


@on_sqlite
def test_a_commit_waits_for_the_disk(world: World) -> None:
    with world.ctx.db.write() as connection:
        pragmas = {
            name: connection.execute(sa.text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_the_redemption_has_one_unique_constraint_the_unit_with_its_life(world: World) -> None:
    with world.ctx.db.read() as connection:
        inspector = sa.inspect(connection)
        assert inspector.get_pk_constraint("redemption")["constrained_columns"] == ["unit"]
        assert inspector.get_unique_constraints("redemption") == []
        assert inspector.get_indexes("redemption") == []


def test_a_transaction_that_fails_never_happened(world: World) -> None:
    first = Redemption(at=world.clock.now, country=None, region=None, claim_hash=b"a" * 16, holder_hash=b"b" * 16)

    def fail_after_burning() -> None:
        with world.ctx.db.write() as connection:
            assert redemptions.burn(connection, UNIT, first)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_burning()
    with world.ctx.db.write() as connection:
        assert redemptions.redemption_of(connection, UNIT) is None
        assert redemptions.burn(connection, UNIT, first)
        assert not redemptions.burn(connection, UNIT, first)
        assert redemptions.burn(connection, Unit(row=1, index=2, life=1), first)
        assert redemptions.redemption_of(connection, UNIT) == first
        assert set(connection.execute(sa.select(schema.redemption.c.unit)).scalars()) == {
            UNIT.id,
            Unit(row=1, index=2, life=1).id,
        }


def test_a_moment_without_a_zone_is_not_stored(world: World) -> None:
    naive = world.clock.now.replace(tzinfo=None)
    with pytest.raises(sa.exc.StatementError, match="zone"), world.ctx.db.write() as connection:
        connection.execute(schema.audit.insert().values(at=naive, actor="a", action="b", subject="c"))


def test_an_unreachable_database_is_told_without_its_address(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'secret.db'}")
    for reach in (db.read, db.write):
        with pytest.raises(RecordsUnreachable) as told, reach():
            pass
        assert "secret" not in str(told.value)


def looks(world: World, unit: Unit) -> int:
    with world.ctx.db.read() as connection:
        return looks_of_unit(connection, unit.id)


def test_looks_wait_in_memory_are_added_up_and_are_capped_for_each_day(world: World) -> None:
    counter, now = world.ctx.looks, world.clock.now
    for _ in range(MAX_LOOKS_PER_UNIT_AND_DAY + 5):
        counter.count(UNIT, "KR", Verdict.UNUSED, now=now)
    assert looks(world, UNIT) == 0
    counter.flush()
    assert looks(world, UNIT) == MAX_LOOKS_PER_UNIT_AND_DAY
    world.clock.forward(days=1)
    counter.count(UNIT, "KR", Verdict.UNUSED, now=world.clock.now)
    counter.flush()
    counter.flush()
    assert looks(world, UNIT) == MAX_LOOKS_PER_UNIT_AND_DAY + 1


def test_looks_that_cannot_be_written_wait(world: World) -> None:
    world.ctx.looks.count(UNIT, "KR", Verdict.UNUSED, now=world.clock.now)
    with world.ctx.db.write() as connection:
        connection.execute(sa.text("ALTER TABLE look_count RENAME TO elsewhere"))
    world.ctx.looks.flush()
    with world.ctx.db.write() as connection:
        connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO look_count"))
    world.ctx.looks.flush()
    assert looks(world, UNIT) == 1


def test_looks_are_written_in_the_background_and_at_the_end(make_world: MakeWorld) -> None:
    world = make_world(look_flush_s=0.01)
    counter = world.ctx.looks
    counter.count(UNIT, "KR", Verdict.UNUSED, now=world.clock.now)
    counter.start()
    done = threading.Event()
    for _ in range(500):
        if looks(world, UNIT) == 1 or done.wait(0.01):
            break
    assert looks(world, UNIT) == 1
    counter.count(UNIT, "KR", Verdict.UNUSED, now=world.clock.now)
    counter.close()
    assert looks(world, UNIT) == 2


def test_a_flood_of_units_is_dropped_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.runtime.looks.MAX_WAITING", 3)
    for index in range(10):
        world.ctx.looks.count(Unit(row=1, index=index), "KR", Verdict.UNUSED, now=world.clock.now)
    world.ctx.looks.flush()
    assert sum(looks(world, Unit(row=1, index=index)) for index in range(10)) == 3
