"""What one attempt reads, however much came before it: by index and by limit, on both databases; counted, not timed."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.domain.alerts.alert import AlertFilter, Attempt, NumberedAttempt
from server.domain.alerts.rule import KeepCodeUses
from server.domain.alerts.rules import findings
from server.domain.alerts.rules.keep_code_shared import KEEP_CODE_USES
from server.domain.codes.unit import Unit
from server.domain.places.place import Place
from server.services.batches.find import find_code
from server.services.codes.attempts import Visitor
from server.services.codes.redeem import verify
from server.services.holders.keep_codes import prove
from server.services.queries import alerts as alert_queries
from server.storage import schema
from server.storage.engine import Connection
from server.storage.scans import KEEP_CHANNEL, attempts_around, keep_code_uses, latest_by_others, network_of_burn
from server.storage.wrong_tries import Tried, TryKind, add_wrong_try, wrong_tries
from tests.server.simulator import START, World, both_databases, claim_of

pytestmark = both_databases

MANY = 3_000


@pytest.fixture
def used(world: World) -> tuple[str, Unit, str]:
    """A code that was verified, its unit and its keep-code."""
    code = world.issue().text(0)
    answer = verify(world.ctx, code, claim=claim_of("anna"), visitor=Visitor())
    assert answer.receipt is not None
    return code, find_code(world.ctx, code), answer.receipt.keep_code


def repeat(world: World, unit: Unit, **changes: object) -> None:
    """Put very many attempts into the history that are like the first, a second apart."""
    with world.ctx.db.write() as connection:
        first = connection.execute(sa.select(schema.scan).where(schema.scan.c.unit == unit.id)).mappings().first()
        assert first is not None
        row = {**first, "burned": False, **changes}
        del row["id"]
        many = [{**row, "at": START + timedelta(seconds=number + 1)} for number in range(MANY)]
        connection.execute(schema.scan.insert(), many)


def analyze(world: World) -> None:
    """Let the database know how many rows there are, as it finds out by itself sooner or later."""
    with world.ctx.db.write() as connection:
        connection.exec_driver_sql("ANALYZE")


@contextmanager
def asked(connection: Connection) -> Iterator[list[tuple[str, object]]]:
    """The questions that are asked meanwhile."""
    found: list[tuple[str, object]] = []

    def note(_one: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        found.append((statement, values))

    sa.event.listen(connection, "before_cursor_execute", note)
    yield found
    sa.event.remove(connection, "before_cursor_execute", note)


def rows_read(world: World, read: Callable[[Connection], object]) -> int:
    """How many rows PostgreSQL goes through for what is read; on SQLite, whether the plans name their index."""
    with world.ctx.db.read() as connection:
        with asked(connection) as questions:
            read(connection)
        assert questions
        if connection.dialect.name == "sqlite":
            return sum(MANY for one in questions if not _is_narrow(connection, *one))
        return sum(_rows(connection, *one) for one in questions)


def _is_narrow(connection: Connection, statement: str, values: object) -> bool:
    plan = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]  # type: ignore[arg-type]
    steps = [step for step in plan if re.match("SCAN|SEARCH", step)]
    narrow = r"ix_scan_stranger|ix_scan_keep_code|at=\?|PRIMARY KEY|network_day=\?|unit=\?.* AND at>|redemption"
    return all(re.search(narrow, step) for step in steps) and not any(
        "ix_scan_unit_at (unit=? AND at>" in s for s in steps
    )


def _rows(connection: Connection, statement: str, values: object) -> int:
    plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", values).scalars()  # type: ignore[arg-type]
    text = "\n".join(str(line) for line in plan)
    assert "Seq Scan on scan" not in text, text
    assert "Seq Scan on keep_try" not in text, text
    read = [int(float(n)) for n in re.findall(r"Scan .*actual rows=([\d.]+)", text)]
    return sum(read) + sum(int(n) for n in re.findall(r"Rows Removed by (?:Filter|Index Recheck): (\d+)", text))


def test_a_holders_own_scans_are_not_read_for_a_strangers_attempt(world: World, used: tuple[str, Unit, str]) -> None:
    _, unit, _ = used
    repeat(world, unit, own=True)
    analyze(world)
    window, now = timedelta(hours=18), START + timedelta(hours=1)
    reads: Sequence[Callable[[Connection], object]] = (
        lambda connection: attempts_around(connection, unit.id, now, window),
        lambda connection: latest_by_others(connection, unit.id),
        lambda connection: network_of_burn(connection, unit.id),
    )
    assert [rows_read(world, read) < 20 for read in reads] == [True, True, True]
    with world.ctx.db.read() as connection:
        (burn,) = attempts_around(connection, unit.id, now, window)
    assert burn[1].burned


def test_no_more_uses_of_a_keep_code_are_read_than_make_an_alert(world: World, used: tuple[str, Unit, str]) -> None:
    code, unit, keep_code = used
    repeat(world, unit, own=True, channel=KEEP_CHANNEL)
    repeat(world, unit, own=False)
    analyze(world)
    assert rows_read(world, lambda one: keep_code_uses(one, unit.id, limit=KEEP_CODE_USES)) < 2 * KEEP_CODE_USES
    world.clock.forward(days=1)
    for count in (KEEP_CODE_USES, KEEP_CODE_USES + 1):
        prove(world.ctx, code, keep_code=keep_code, visitor=Visitor())
        (alert,) = alert_queries.alerts(world.ctx, AlertFilter(rule="keep_code_shared")).rows
        assert alert.count == count


USES = st.lists(st.tuples(st.sampled_from([None, "KR", "JP", "US", "DE", "FR"]), st.integers(0, 9)), max_size=30)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(USES, st.one_of(st.none(), st.integers(0, 9)))
def test_the_latest_uses_of_a_keep_code_decide_as_all_of_them_did(
    world: World, uses: list[tuple[str | None, int]], since: int | None
) -> None:
    unit = Unit(row=1 << 20, index=0)
    first = Attempt(at=START, place=Place(), mark=b"m" * 16)
    after = None if since is None else START + timedelta(seconds=since)
    with world.ctx.db.engine.connect() as connection, connection.begin() as transaction:
        for country, second in uses:
            connection.execute(
                schema.scan.insert().values(**use_of(unit, first, country, START + timedelta(seconds=second)))
            )
        found = keep_code_uses(connection, unit.id, limit=KEEP_CODE_USES, since=after)
        transaction.rollback()
    counted = [country for country, second in uses if since is None or second > since]
    all_of_them = [(0, replace(first, place=Place(country=country))) for country in counted]

    def raises(latest: list[NumberedAttempt]) -> bool:
        return bool(findings(KeepCodeUses(unit=unit, serial=None, latest=latest)))

    assert raises(found) == raises(all_of_them)


def use_of(unit: Unit, like: Attempt, country: str | None, at: object) -> dict[str, object]:
    """A row of the history: one use of a unit's keep-code."""
    fixed = {"brand": 1, "batch_row": None, "batch_number": 1, "tier": 0, "key_id": "k1", "serial": "0" * 13}
    told = {"said": "verified_by_you", "burned": False, "own": True, "staff": False, "mark": like.mark}
    where = {"unit": unit.id, "unit_index": 0, "channel": KEEP_CHANNEL, "country": country, "region": None}
    return {**fixed, **told, **where, "at": at}


def tries(world: World) -> int:
    with world.ctx.db.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(schema.keep_try)).scalar_one())


@pytest.mark.parametrize("network", [b"network1", None])
def test_wrong_tries_are_counted_by_an_index(world: World, network: bytes | None) -> None:
    with world.ctx.db.write() as connection:
        many = [
            {
                "unit": number + 100,
                "at": START,
                "network_day": b"%8d" % (number % 500),
                "network_unit": b"x",
                "claim": claim,
            }
            for number in range(MANY)
            for claim in (True, False)
        ]
        connection.execute(schema.keep_try.insert(), many)
        claims = [{"unit": number + 100, "at": START, "network_day": network, "claim": True} for number in range(MANY)]
        connection.execute(schema.keep_try.insert(), claims)
    analyze(world)
    since = START - timedelta(hours=1)
    for kind in TryKind:
        assert (
            rows_read(
                world,
                lambda one, kind=kind: wrong_tries(  # type: ignore[misc]
                    one, Tried(kind=kind, unit=7, network_day=network, network_unit=network), since=since
                ),
            )
            < 50
        )


def test_wrong_tries_that_count_no_more_are_deleted_when_others_come(world: World) -> None:
    def wrong(unit: int) -> None:
        with world.ctx.db.write() as connection:
            tried = Tried(kind=TryKind.KEEP_CODE, unit=unit, network_day=None, network_unit=None)
            add_wrong_try(connection, tried, at=world.clock.now)

    for unit in range(25):
        wrong(unit)
    world.clock.forward(hours=25)
    wrong(100)
    assert tries(world) == 26
    world.clock.forward(hours=24)
    wrong(101)
    assert tries(world) == 7
    wrong(102)
    assert tries(world) == 3
