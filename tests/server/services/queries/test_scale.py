"""What a page costs: the same few questions and rows, however long the history is. Counted, never timed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import pytest
import sqlalchemy as sa

from server.domain.alerts.alert import AlertFilter
from server.domain.batches.range_act import ActKind
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.runtime.looks import LOOKS_PER_TRANSACTION
from server.services.codes.attempts import Channel, Visitor
from server.services.codes.look import look
from server.services.codes.redeem import verify
from server.services.queries import alert as alert_query
from server.services.queries import alerts as alert_queries
from server.services.queries import batches as batch_queries
from server.services.queries import codes as code_queries
from server.storage import schema
from tests.server.simulator import Issued, World, both_databases, claim_of

pytestmark = both_databases

PAGES: dict[str, Callable[[World, Issued], object]] = {
    "alerts": lambda world, _: alert_queries.alerts(world.ctx, AlertFilter()),
    "alert": lambda world, _: alert_query.alert(world.ctx, 1),
    "batches": lambda world, _: batch_queries.batch_list(world.ctx.db, now=world.clock.now),
    "batch": lambda world, issued: batch_queries.batch_page(world.ctx, issued.batch.row),
    "act": lambda world, issued: batch_queries.batch_to_act_on(world.ctx.db, issued.batch.row, now=world.clock.now),
    "batch of an order": lambda world, issued: batch_queries.batch_of_order(
        world.ctx.db, issued.batch.order_name, now=world.clock.now
    ),
    "code": lambda world, issued: code_queries.code_history(world.ctx, Unit(row=issued.batch.row, index=0)),
}


@contextmanager
def questions(world: World) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    sa.event.listen(world.ctx.db.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(world.ctx.db.engine, "before_cursor_execute", note)


def grow(world: World, issued: Issued, claims: int) -> None:
    for claim in range(claims):
        verify(world.ctx, issued.text(0), claim=claim_of(f"claim-{claim}"), visitor=Visitor())
        world.clock.forward(hours=1)


@pytest.fixture
def sold(world: World) -> Issued:
    issued = world.issue()
    grow(world, issued, 3)
    return issued


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_no_more_however_much_happened(world: World, sold: Issued, page: str) -> None:
    read = PAGES[page]
    read(world, sold)
    with questions(world) as few:
        read(world, sold)
    for _ in range(6):
        other = world.issue()
        grow(world, other, 3)
        world.act(other, ActKind.VOID, "3")
    grow(world, sold, 60)
    with questions(world) as many:
        read(world, sold)
    assert len(many) <= len(few)


@pytest.mark.parametrize("page", [page for page in PAGES if page != "code"])
def test_no_page_reads_the_whole_history(world: World, sold: Issued, page: str) -> None:
    """Whatever sums up is a counter: the history itself is read for the rows that are shown, by an index."""
    with questions(world) as asked:
        PAGES[page](world, sold)
    for statement in asked:
        if "scan" in statement.replace("alert_scan", "") or "look_count" in statement or "FROM redemption" in statement:
            assert "count(" not in statement.lower(), statement
            assert "sum(" not in statement.lower(), statement
            assert "GROUP BY" not in statement, statement


@pytest.mark.parametrize("page", ["batches", "batch of an order"])
def test_returns_are_read_for_the_batches_that_are_shown_alone(world: World, sold: Issued, page: str) -> None:
    """Staff return sets of thousands of units: their table is never gone through for others' sake."""
    asked: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        if "FROM undo" in statement:
            asked.append((statement, values))

    sa.event.listen(world.ctx.db.engine, "before_cursor_execute", note)
    PAGES[page](world, sold)
    ((statement, values),) = asked
    assert "BETWEEN" in statement
    if world.ctx.db.file is not None:
        with world.ctx.db.read() as connection:
            plan = (
                connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", cast("tuple[int, ...]", values))
                .scalars("detail")
                .all()
            )
        assert any("SEARCH undo" in step for step in plan)
        assert not any("SCAN undo" in step for step in plan), plan


def test_acts_ask_only_for_the_batch_and_its_acts(world: World, sold: Issued) -> None:
    world.act(sold, ActKind.VOID, "2-3", reason="waste")
    with questions(world) as asked:
        target = batch_queries.batch_to_act_on(world.ctx.db, sold.batch.row, now=world.clock.now)
    assert len(asked) <= 5  # the transaction, the batch, its acts, its brand's keyring and choice
    assert [(piece.first, piece.last, piece.state) for piece in target.stretches] == [
        (0, 1, Verdict.UNUSED),
        (2, 3, Verdict.VOID),
        (4, 9, Verdict.UNUSED),
    ]
    assert (target.order, target.count) == (sold.batch.order_name, 10)


def test_an_alert_tells_what_everybody_was_told_on_each_of_its_pages(world: World) -> None:
    issued = world.issue()
    verify(world.ctx, issued.text(0), claim=claim_of("anna"), visitor=Visitor())
    for claim in range(60):
        verify(world.ctx, issued.text(0), claim=claim_of(f"claim-{claim}"), visitor=Visitor())
    world.clock.forward(days=1)
    world.act(issued, ActKind.RECALL, reason="leaks")
    for claim in range(10):
        verify(world.ctx, issued.text(0), claim=claim_of(f"late-{claim}"), visitor=Visitor())
    first, second = alert_query.alert(world.ctx, 1), alert_query.alert(world.ctx, 1, page=2)
    assert (len(first.scans.rows), len(second.scans.rows), first.scans.total) == (50, 20, 70)
    for page in (first, second):
        assert page.alert.rule == "duplicate"
        assert page.verdicts == {Verdict.ALREADY_VERIFIED: 60, Verdict.RECALLED: 10}
        assert [(day.day, day.verified, day.refused) for day in page.days] == [
            ("2026-11-21", 0, 60),
            ("2026-11-22", 0, 10),
        ]
    assert [scan.person for scan in second.scans.rows] == [str(number) for number in range(21, 1, -1)]


def test_batches_come_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = [world.issue(count=3) for _ in range(5)]
    monkeypatch.setattr("server.services.queries.page.PAGE_SIZE", 2)
    pages = [batch_queries.batch_list(world.ctx.db, now=world.clock.now, page=page) for page in (1, 2, 3, 4)]
    assert [[row.row for row in page.rows] for page in pages[:3]] == [
        [issued[4].batch.row, issued[3].batch.row],
        [issued[2].batch.row, issued[1].batch.row],
        [issued[0].batch.row],
    ]
    assert pages[3] == pages[2]
    assert (pages[0].total, pages[0].pages) == (5, 3)
    assert len(batch_queries.batches(world.ctx.db, now=world.clock.now)) == 5


COUNTERS = (schema.attempt_day, schema.attempt_place, schema.alert_day, schema.alert_place, schema.look_day)


def counted(world: World) -> list[list[tuple[object, ...]]]:
    with world.ctx.db.read() as connection:
        found = [sorted(map(tuple, connection.execute(sa.select(table)))) for table in COUNTERS]
        people = connection.execute(sa.select(schema.scan.c.id, schema.scan.c.person).order_by(schema.scan.c.id))
        return [*found, [tuple(row) for row in people]]


RECOUNTS = (
    """
    SELECT batch_row, at / 86400000000, said, unit_index % 8, count(*), sum(CASE WHEN burned THEN 1 ELSE 0 END)
    FROM scan WHERE batch_row IS NOT NULL GROUP BY 1, 2, 3, 4
    """,
    """
    SELECT batch_row, said, coalesce(country, 'unknown'), unit_index % 8, count(*),
        sum(CASE WHEN burned THEN 1 ELSE 0 END)
    FROM scan WHERE batch_row IS NOT NULL GROUP BY 1, 2, 3, 4
    """,
    "SELECT alert, at / 86400000000, said, count(*) FROM alert_scan JOIN scan ON scan.id = scan GROUP BY 1, 2, 3",
    """
    SELECT alert, CASE WHEN country IS NULL THEN 'unknown' WHEN region IS NULL THEN country
        ELSE country || '-' || region END, count(*)
    FROM alert_scan JOIN scan ON scan.id = scan GROUP BY 1, 2
    """,
    "SELECT (unit >> 35) & 33554431, hour / 86400000000, said, sum(looks) FROM look_count GROUP BY 1, 2, 3",
    """
    SELECT scan.id, person.number FROM scan LEFT JOIN (
        SELECT unit, mark, row_number() OVER (PARTITION BY unit ORDER BY min(id)) AS number
        FROM scan WHERE unit IS NOT NULL GROUP BY unit, mark
    ) AS person ON person.unit = scan.unit AND person.mark = scan.mark
    """,
)


def test_counters_are_what_the_history_adds_up_to(world: World) -> None:
    issued, leaked = world.issue(), world.issue(activate=False)
    for code in (issued.text(0), issued.text(0), issued.text(1), leaked.text(3)):
        for claim in ("anna", "ben", "anna", "carl"):
            verify(world.ctx, code, claim=claim_of(claim), visitor=Visitor())
            look(world.ctx, code, Visitor(), Channel.API)
        world.clock.forward(days=1)
    forged, _never_registered = world.manifest(count=1)
    verify(world.ctx, world.codes(forged)[0].code, claim=claim_of("dora"), visitor=Visitor())
    world.ctx.looks.flush()
    kept = counted(world)
    assert all(kept)
    with world.ctx.db.read() as connection:
        assert [sorted(map(tuple, connection.execute(sa.text(query)))) for query in RECOUNTS] == kept


def test_an_attempt_that_is_not_kept_is_not_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = world.issue()
    before = counted(world)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("server.services.codes.redeem.after_attempt", fail)
    with pytest.raises(RuntimeError):
        verify(world.ctx, issued.text(0), claim=claim_of("anna"), visitor=Visitor())
    assert counted(world) == before
    assert batch_queries.batch_page(world.ctx, issued.batch.row).batch.verified == 0


def test_looks_are_written_some_at_a_time(world: World) -> None:
    many = 2 * LOOKS_PER_TRANSACTION + 1
    for index in range(many):
        world.ctx.looks.count(Unit(row=1, index=index), "KR", Verdict.UNUSED, now=world.clock.now)
    commits: list[object] = []
    sa.event.listen(world.ctx.db.engine, "commit", commits.append)
    with questions(world) as asked:
        world.ctx.looks.flush()
    assert len(commits) == 3
    assert len([statement for statement in asked if "INSERT" in statement]) == 6
    with world.ctx.db.read() as connection:
        for table in (schema.look_count, schema.look_day):
            assert connection.execute(sa.select(sa.func.sum(table.c.looks))).scalar_one() == many
