"""What the dashboard is told: counts that add up, histories, and ways to find a code."""

from dataclasses import replace

import pytest

from authcode.code.serial import Tier, printed_serial
from authcode.order.order import Tiers
from server.domain.batches.range_act import ActKind
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.services.alerts.triage import AlertUnknown
from server.services.batches.find import CodeUnknown, find_code
from server.services.batches.range_acts import OrderUnknown
from server.services.codes.attempts import Channel, Visitor
from server.services.codes.look import look
from server.services.queries import alert as alert_query
from server.services.queries import batches as batch_queries
from server.services.queries import codes as code_queries
from server.services.queries.batches import BatchUnknown, batch_facts
from server.services.queries.page import PAGE_SIZE
from tests.server.simulator import World, both_databases, claim_of

pytestmark = both_databases


@pytest.fixture
def busy(world: World) -> World:
    """A batch of ten: 0-6 on sale, 7 void, 8 recalled, 9 sample; two verified, one asked for by two people."""
    world.issued = world.issue(activate=False)
    world.act(world.issued, ActKind.ACTIVATE, "0-8", lot="L1")
    world.act(world.issued, ActKind.VOID, "7", reason="waste")
    world.act(world.issued, ActKind.RECALL, "8", reason="leaks")
    world.act(world.issued, ActKind.SAMPLE, "9")
    for _ in range(3):
        look(world.ctx, world.issued.text(0), Visitor(), Channel.API)
    look(world.ctx, world.issued.text(7), Visitor(), Channel.API)
    look(world.ctx, world.issued.text(0), Visitor(staff=True), Channel.API)
    look(world.ctx, world.issued.text(0), Visitor(silent=True), Channel.API)
    world.ctx.looks.flush()
    for index, claim in ((0, "anna"), (0, "ben"), (0, "anna"), (1, "anna"), (8, "carl")):
        world.verdict(world.issued.text(index), claim)
    return world


def test_a_batch_tells_what_happened_to_its_codes(busy: World) -> None:
    other = busy.issue(count=3)
    page = batch_queries.batch_page(busy.ctx, busy.issued.batch.row)
    batch = page.batch
    assert batch.states == {Verdict.UNUSED: 7, Verdict.VOID: 1, Verdict.RECALLED: 1, Verdict.SAMPLE: 1}
    assert sum(batch.states.values()) == batch.count == 10
    assert (batch.verified, batch.refused, batch.looks, batch.alerts, batch.notes) == (2, 2, 4, 0, 1)
    assert (batch.brand, batch.product, batch.placement) == ("Example Tea", "Spring Tea 50 g", "inside")
    assert page.verdicts == {Verdict.GENUINE: 3, Verdict.ALREADY_VERIFIED: 1, Verdict.RECALLED: 1}
    (day,) = page.days
    assert (day.day, day.looks, day.verified, day.refused) == ("2026-11-21", 4, 2, 2)
    assert page.countries == (("unknown", 5),)
    assert [act.kind for act in page.acts] == [ActKind.SAMPLE, ActKind.RECALL, ActKind.VOID, ActKind.ACTIVATE]
    assert len(page.recent) == 5
    listed = batch_queries.batches(busy.ctx.db, now=busy.clock.now)
    assert [row.order for row in listed] == [other.batch.order_name, batch.order]
    assert listed[1] == batch
    assert batch_queries.batch_of_order(busy.ctx.db, batch.order, now=busy.clock.now) == batch
    with pytest.raises(OrderUnknown):
        batch_queries.batch_of_order(busy.ctx.db, "nothing", now=busy.clock.now)


def test_a_batch_counts_codes_that_are_verified_now(world: World) -> None:
    """One verified, one that its holder returned, one returned and verified by somebody else."""
    issued, other = world.issue(), world.issue(count=3)
    for index in (0, 1, 2):
        world.verdict(issued.text(index), "anna")
    for index in (1, 2):
        world.client.post("/api/v1/undo", json={"code": issued.text(index), "claim": claim_of("anna")})
    assert world.verdict(issued.text(2), "ben") == "genuine"
    page = batch_queries.batch_page(world.ctx, issued.batch.row)
    assert page.batch.verified == 2
    assert sum(day.verified for day in page.days) == 4  # what happened on a day stays so
    listed = {row.row: row.verified for row in batch_queries.batches(world.ctx.db, now=world.clock.now)}
    assert listed == {issued.batch.row: 2, other.batch.row: 0}
    found = batch_queries.batch_of_order(world.ctx.db, issued.batch.order_name, now=world.clock.now)
    assert batch_facts(found)["verified"] == 2


def test_the_history_of_a_code_numbers_its_askers_and_names_nobody(busy: World) -> None:
    unit = Unit(row=busy.issued.batch.row, index=0)
    history = code_queries.code_history(busy.ctx, unit)
    assert (history.state, history.order, history.looks) == (Verdict.ALREADY_VERIFIED, busy.issued.batch.order_name, 3)
    assert [(scan.person, scan.said, scan.burned) for scan in reversed(history.scans.rows)] == [
        ("1", Verdict.GENUINE, True),
        ("2", Verdict.ALREADY_VERIFIED, False),
        ("1", Verdict.GENUINE, False),
    ]
    assert history.facts.first_verified_at == busy.clock.now
    assert [alert.people for alert in history.alerts] == [2]
    assert [act.kind for act in history.acts] == [ActKind.ACTIVATE]
    unused = code_queries.code_history(busy.ctx, replace(unit, index=2))
    assert (unused.state, unused.scans.rows, unused.first_place) == (Verdict.UNUSED, (), None)


def test_a_pair_is_shown_by_the_code_that_can_be_verified(world: World) -> None:
    issued = world.issue(tiers=Tiers.PAIR)
    history = code_queries.code_history(world.ctx, Unit(row=issued.batch.row, index=4))
    assert history.facts.tier is Tier.INNER
    inner = next(code for code in issued.codes if (code.index, code.tier) == (4, Tier.INNER))
    assert history.facts.serial == inner.serial


def test_a_code_is_found_by_its_text_its_serial_or_its_place(busy: World) -> None:
    code = busy.issued.codes[4]
    wanted = Unit(row=busy.issued.batch.row, index=4)
    for text in (code.code, f"  {code.code}\n", printed_serial(code.serial), f"{busy.issued.batch.order_name}:4"):
        assert find_code(busy.ctx, text) == wanted
    for text in ("", "x", f"{busy.issued.batch.order_name}:10", "nothing:1", "order:x", printed_serial("0" * 13), ":1"):
        with pytest.raises(CodeUnknown):
            find_code(busy.ctx, text)
    manifest, _document = busy.manifest()
    with pytest.raises(CodeUnknown):
        find_code(busy.ctx, busy.codes(manifest)[0].code)


def test_what_is_not_there_is_told(busy: World) -> None:
    with pytest.raises(BatchUnknown):
        batch_queries.batch_page(busy.ctx, 99)
    with pytest.raises(AlertUnknown):
        alert_query.alert(busy.ctx, 99)
    for unit in (Unit(row=99, index=0), Unit(row=busy.issued.batch.row, index=10)):
        with pytest.raises(CodeUnknown):
            code_queries.code_history(busy.ctx, unit)


def test_long_histories_come_in_pages(busy: World) -> None:
    for number in range(PAGE_SIZE):
        busy.verdict(busy.issued.text(1), f"other-{number}")
    unit = Unit(row=busy.issued.batch.row, index=1)
    first, last = code_queries.code_history(busy.ctx, unit), code_queries.code_history(busy.ctx, unit, page=2)
    assert (len(first.scans.rows), len(last.scans.rows), last.scans.total, last.scans.pages) == (50, 1, 51, 2)
    assert last.scans.rows[0].burned
    (alert,) = first.alerts
    detail = alert_query.alert(busy.ctx, alert.id, page=1)
    assert (detail.scans.total, detail.scans.pages, detail.measured, alert.people) == (50, 1, 50, 51)
