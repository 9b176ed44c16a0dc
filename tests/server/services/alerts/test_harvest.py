"""One network looks at many codes of a batch: one row for staff, and none because of people who look and buy."""

import random
import tracemalloc
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from server.domain.alerts.alert import AlertFilter, Severity
from server.domain.alerts.rule import HourOfNetwork
from server.domain.alerts.rules import findings
from server.domain.alerts.rules.harvest import HARVEST_EXCESS
from server.domain.alerts.triage import Cause, Event
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.runtime import network_looks
from server.runtime.network_looks import NetworkLookCounter
from server.services.alerts.storms import create_look_counter
from server.services.alerts.triage import Act, work_on_alerts
from server.services.codes.attempts import Channel, Visitor
from server.services.codes.look import look
from server.services.codes.redeem import verify
from server.services.queries import alert as alert_query
from server.services.queries.alerts import AlertRow, alerts
from server.services.staff.accounts import Staff
from server.web.dashboard import words
from tests.server.simulator import START, Issued, World, both_databases

SHOP, OTHER_SHOP = "203.0.113.9", "198.51.100.7"
STAFF = Staff(id=1, email="anna@example.com", must_change_password=False, session="s")


def rows(world: World) -> tuple[AlertRow, ...]:
    world.ctx.looks.flush()
    return tuple(row for row in alerts(world.ctx, AlertFilter()).rows if row.rule == "harvest")


def walk(world: World, issued: Issued, indices: range, address: str | None = SHOP, **visitor: bool) -> None:
    for index in indices:
        look(world.ctx, issued.text(index), Visitor(address=address, **visitor), Channel.PAGE)


def buy(world: World, issued: Issued, index: int, address: str = SHOP) -> None:
    verify(world.ctx, issued.text(index), claim=f"claim-of-the-buyer-{index:06}", visitor=Visitor(address=address))


@pytest.mark.parametrize(
    ("unburned", "burned", "workers", "is_reported"),
    [(59, 0, 1, False), (60, 0, 1, True), (90, 31, 1, False), (90, 30, 1, True), (22, 0, 4, False), (23, 0, 4, True)],
)
def test_it_is_reported_when_looks_exceed_burns_by_sixty_over_all_workers(
    unburned: int, burned: int, workers: int, *, is_reported: bool
) -> None:
    facts = HourOfNetwork(batch_row=7, unburned=unburned, burned=burned, workers=workers)
    assert [(rule.name, finding.subject.key) for rule, finding in findings(facts)] == [
        ("harvest", "batch:7")
    ] * is_reported


@both_databases
def test_a_walk_through_a_list_is_one_note_of_its_batch_from_however_many_networks(world: World) -> None:
    issued, other = world.issue(count=200), world.issue(count=70)
    walk(world, issued, range(HARVEST_EXCESS - 1))
    assert rows(world) == ()
    walk(world, issued, range(HARVEST_EXCESS))  # those of before once more, and one
    (note,) = rows(world)
    assert (note.severity, note.count, note.people, note.batch_row) == (Severity.NOTE, 60, 0, issued.batch.row)
    assert (note.last_at, sum(note.recent)) == (START, 60)
    world.clock.forward(minutes=20)
    walk(world, issued, range(50, 100))
    walk(world, issued, range(100, 170), OTHER_SHOP)
    walk(world, other, range(59))
    (same,) = rows(world)
    assert (same.id, same.count, same.last_at) == (note.id, 100 + 70, START + timedelta(minutes=20))
    assert words.alert_sentence(same).endswith(
        ": codes that are not verified looked at 170 times, many from one network within an hour"
    )
    page = alert_query.alert(world.ctx, note.id)
    assert [(day.looks, day.verified, day.refused) for day in page.days] == [(170, 0, 0)]
    assert page.verdicts == {Verdict.UNUSED: 170}
    assert "at least 60 more than those that it did: 170 times so far" in words.why_it_fired(page)
    walk(world, other, range(59, 60))
    assert {row.batch_row for row in rows(world)} == {issued.batch.row, other.batch.row}


class TestNobodyHonest:
    def test_sixty_shoppers_who_look_at_one_or_two_packs_and_half_of_whom_verify_are_no_row(self, world: World) -> None:
        issued, packs = world.issue(count=90), iter(range(90))
        for shopper in range(60):
            mine = [next(packs) for _ in range(1 + shopper % 2)]
            for pack in mine:
                walk(world, issued, range(pack, pack + 1))
            if shopper % 4 < 2:
                buy(world, issued, mine[0])
                walk(world, issued, range(mine[0], mine[0] + 1))
            assert rows(world) == ()

    def test_chance_that_sends_more_of_a_shops_shoppers_to_one_worker_raises_no_row(self) -> None:
        draw, shops, raised = random.Random(7), 500, 0  # noqa: S311 - a simulation, the same each time
        for _ in range(shops):
            packs = [draw.randrange(4) for _ in range(90)]  # the worker that each look meets
            workers = [
                (sum(to == worker for to in packs[30:]), sum(to == worker for to in packs[:30])) for worker in range(4)
            ]
            facts = [HourOfNetwork(batch_row=1, unburned=one, burned=two, workers=4) for one, two in workers]
            raised += any(findings(one) for one in facts)
        assert raised <= shops // 100

    def test_shoppers_who_verify_in_the_shop_are_counted_there_whichever_worker_they_met(self, world: World) -> None:
        issued = world.issue(count=90)
        for pack in range(90):
            walk(world, issued, range(pack, pack + 1))
            if pack % 3:
                buy(world, issued, pack, "203.0.113.77")
        assert rows(world) == ()

    def test_four_hundred_shoppers_of_a_carrier_who_hold_many_products_are_no_row(self, world: World) -> None:
        batches = [world.issue(count=50) for _ in range(8)]
        for shopper in range(400):
            walk(world, batches[shopper % 8], range(shopper // 8, shopper // 8 + 1))
        assert rows(world) == ()

    def test_many_looks_at_few_codes_looks_of_staff_previews_and_unknown_addresses_are_no_row(
        self, world: World
    ) -> None:
        issued = world.issue(count=150)
        for _ in range(40):
            walk(world, issued, range(10))
        walk(world, issued, range(150), staff=True)
        walk(world, issued, range(150), silent=True)
        walk(world, issued, range(150), None)
        assert rows(world) == ()

    def test_a_shop_is_counted_by_the_hour(self, world: World) -> None:
        issued = world.issue(count=150)
        for hour in range(3):
            walk(world, issued, range(50 * hour, 50 * hour + 50))
            assert rows(world) == ()
            world.clock.forward(hours=1)

    def test_staff_who_check_a_delivery_of_sixty_cartons_without_a_login_are_what_it_reports(
        self, world: World
    ) -> None:
        walk(world, world.issue(count=60), range(60))
        (note,) = rows(world)
        assert note.severity is Severity.NOTE
        guess = alert_query.alert(world.ctx, note.id).guess
        assert guess.causes[0][0] is Cause.STAFF


def test_what_others_verify_hides_no_walk(world: World) -> None:
    """Else buyers all over the world would excuse the thief of their list."""
    issued = world.issue(count=90)
    walk(world, issued, range(90))
    for pack in range(60):
        buy(world, issued, pack, "10.9.8.7")
    (note,) = rows(world)
    assert note.count == 90


def test_an_hour_that_is_over_is_evaluated_before_it_is_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the records were out of reach at its end, or nobody wrote looks in its last seconds."""
    issued = world.issue(count=150)
    walk(world, issued, range(60))
    world.clock.forward(hours=1)
    walk(world, issued, range(60, 119))
    world.clock.forward(hours=1)
    with monkeypatch.context() as broken:
        broken.setattr("server.services.alerts.storms.networks_of_burns", unreachable)
        world.ctx.looks.flush()
    walk(world, issued, range(1))
    (note,) = rows(world)
    assert (note.count, note.last_at) == (60, START)
    assert rows(world) == (note,)


def unreachable(*_: object) -> None:
    raise OperationalError("SELECT", {}, Exception("gone"))


def test_a_closed_row_stays_closed_within_its_hour_and_opens_with_the_next_walk(world: World) -> None:
    issued = world.issue(count=150)
    walk(world, issued, range(60))
    (note,) = rows(world)
    work_on_alerts(world.ctx, [note.id], Act(kind=Event.CLOSED, cause=Cause.STAFF), staff=STAFF)
    walk(world, issued, range(60, 80))
    (same,) = rows(world)
    assert (same.closed_at is not None, same.count) == (True, 80)
    world.clock.forward(hours=1)
    walk(world, issued, range(60))
    (again,) = rows(world)
    assert (again.id, again.closed_at, again.count) == (note.id, None, 140)


def test_looks_that_cannot_be_evaluated_now_are_evaluated_with_the_next_writing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(world, world.issue(count=60), range(60))
    with monkeypatch.context() as broken:
        broken.setattr("server.services.alerts.storms.networks_of_burns", unreachable)
        world.ctx.looks.flush()
    assert len(rows(world)) == 1


def test_several_workers_share_the_number(world: World) -> None:
    issued = world.issue(count=40)
    counter = create_look_counter(
        world.ctx.db, world.settings.model_copy(update={"workers": 4}), world.ctx.pseudonyms, world.clock
    )
    for index in range(23):
        unit = Unit(row=issued.batch.row, index=index, life=0)
        counter.count_unburned(unit, "KR-11", "203.0.113.0/24", now=START)
    counter.flush()
    assert [row.count for row in rows(world)] == [23]


def test_a_flood_of_networks_and_units_fills_no_memory_and_hides_no_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_looks, "MAX_UNITS", 500)
    monkeypatch.setattr(network_looks, "MAX_NETWORKS", 100)
    monkeypatch.setattr(network_looks, "MAX_OF_NETWORK", 90)
    counter = NetworkLookCounter(least=60)

    def look_at(unit: int, network: str) -> None:
        counter.count(Unit(row=1, index=unit, life=0), network, "KR", now=START)

    for number in range(200):
        look_at(number, "walker")
    for number in range(3_000):
        look_at(1_000 + number, f"network-{number}")
    for number in range(3_000):
        look_at(4_000 + number, f"shop-{number // 20}")
    assert [(looks.network, len(looks.units)) for looks in counter.grown()] == [("walker", 90)]


def test_it_takes_nine_megabytes_of_a_worker_at_most() -> None:
    tracemalloc.start()
    try:
        counter = NetworkLookCounter(least=60)
        for number in range(network_looks.MAX_NETWORKS):
            counter.count(Unit(row=1, index=number, life=0), f"2001:db8:{number:x}::/48", "KR", now=START)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    further_units = 8 * (network_looks.MAX_UNITS - network_looks.MAX_NETWORKS)
    assert taken + further_units < 9e6
