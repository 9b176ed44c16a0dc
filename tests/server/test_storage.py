"""The database: migrations, transactions, durability settings, and looks."""

import re
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from server.domain.redemption import FirstUse, Unit, Verdict
from server.looks import MAX_LOOKS_PER_UNIT_AND_DAY
from server.storage import migrate, redemptions, schema
from server.storage.engine import Database, RecordsUnreachable
from server.storage.looks import looks_of_unit
from tests.server.conftest import MakeWorld, World

UNIT = Unit(row=1, index=2)


def test_migrations_on_an_empty_file_give_the_tables_of_the_schema(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'part' / 'authcode.db'}")
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
    db.close()
    straight = Database(f"sqlite:///{tmp_path / 'straight.db'}")
    with straight.write() as connection:
        schema.metadata.create_all(connection)
        assert {table: _definition(connection, table) for table in schema.metadata.tables} == found
    straight.close()


def _definition(connection: sa.Connection, table: str) -> list[str]:
    query = sa.text("SELECT sql FROM sqlite_master WHERE name = :name")
    text = str(connection.execute(query, {"name": table}).scalar_one())
    _head, _bracket, inside = text.rpartition(")")[0].partition("(")
    parts = re.split(r",\s*(?![^(]*\))", inside)  # not the commas within brackets; a column that was added comes last
    return sorted(part.strip().replace('"', "") for part in parts)


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
    first = FirstUse(at=world.clock.now, country=None, region=None, claim_hash=b"a" * 16, holder_hash=b"b" * 16)

    def fail_after_burning() -> None:
        with world.ctx.db.write() as connection:
            assert redemptions.burn(connection, UNIT, first)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_burning()
    with world.ctx.db.write() as connection:
        assert redemptions.first_use(connection, UNIT) is None
        assert redemptions.burn(connection, UNIT, first)
        assert not redemptions.burn(connection, UNIT, first)
        assert redemptions.burn(connection, Unit(row=1, index=2, life=1), first)
        assert redemptions.first_use(connection, UNIT) == first
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
    monkeypatch.setattr("server.looks.MAX_WAITING", 3)
    for index in range(10):
        world.ctx.looks.count(Unit(row=1, index=index), "KR", Verdict.UNUSED, now=world.clock.now)
    world.ctx.looks.flush()
    assert sum(looks(world, Unit(row=1, index=index)) for index in range(10)) == 3
