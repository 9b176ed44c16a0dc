"""Alerts about places and storms, from the attempts and looks that raise them."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from server.domain.alerts.alert import AlertFilter, Severity
from server.domain.alerts.storm import BURST_ASKERS, LOOKS_IN_STORM
from server.domain.alerts.triage import Cause, Event
from server.domain.batches.range_act import ActKind
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.services.alerts.triage import Act, work_on_alerts
from server.services.codes.attempts import Channel, Visitor
from server.services.codes.look import look
from server.services.codes.redeem import verify
from server.services.queries import alert as alert_query
from server.services.queries import alerts as alert_queries
from server.services.queries.rows import AlertRow
from server.services.staff.accounts import Staff
from tests.server.simulator import Issued, MakeWorld, World, both_databases, claim_of

pytestmark = both_databases

STAFF = Staff(id=1, email="anna@example.com", must_change_password=False, session="s")
SEOUL, BERLIN, HAMBURG, LIMA = "203.0.113.7", "198.51.100.7", "192.0.2.7", "100.64.1.7"
NETWORKS = {
    "203.0.113.0/24": ("KR", "11"),
    "198.51.100.0/24": ("DE", "BE"),
    "192.0.2.0/24": ("DE", "HH"),
    "100.64.1.0/24": ("PE", "LIM"),
}


@pytest.fixture
def world(make_world: MakeWorld, tmp_path: Path) -> World:
    writer = MMDBWriter(4, "Test", languages=["en"])
    for network, (country, region) in NETWORKS.items():
        place = {"country": {"iso_code": country}, "subdivisions": [{"iso_code": region}]}
        writer.insert_network(IPSet([network]), place)
    writer.to_db_file(str(tmp_path / "places.mmdb"))
    return make_world(geoip_database=tmp_path / "places.mmdb")


@contextmanager
def questions(world: World) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    sa.event.listen(world.ctx.db.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(world.ctx.db.engine, "before_cursor_execute", note)


def alerts(world: World, rule: str) -> tuple[AlertRow, ...]:
    return alert_queries.alerts(world.ctx, AlertFilter(rule=rule)).rows


def attempt(world: World, code: str, claim: str, address: str | None, *, staff: bool = False) -> Verdict | None:
    return verify(world.ctx, code, claim=claim_of(claim), visitor=Visitor(address=address, staff=staff)).verdict


def looks(world: World, code: str, times: int, address: str = SEOUL) -> None:
    for _ in range(times):
        look(world.ctx, code, Visitor(address=address), Channel.API)


def test_one_odd_scan_outside_the_market_is_a_note_and_a_third_network_makes_it_an_alert(world: World) -> None:
    issued = world.issue()
    attempt(world, issued.text(0), "anna", SEOUL)
    assert alerts(world, "outside_market") == ()
    assert attempt(world, issued.text(1), "ben", BERLIN) is Verdict.GENUINE
    attempt(world, issued.text(1), "ben", LIMA)
    attempt(world, issued.text(2), "ben-again", BERLIN)
    attempt(world, issued.text(3), "carl", HAMBURG)
    attempt(world, issued.text(4), "nobody", "8.8.8.8")
    attempt(world, issued.text(4), "staff", LIMA, staff=True)
    (note,) = alerts(world, "outside_market")
    assert (note.severity, note.count, note.batch_row, note.unit) == (Severity.NOTE, 3, issued.batch.row, None)
    attempt(world, issued.text(5), "dora", LIMA)
    (alert,) = alerts(world, "outside_market")
    assert (alert.id, alert.severity, alert.count, alert.places) == (note.id, Severity.ALERT, 4, 3)


def test_travellers_of_a_year_do_not_add_up(world: World) -> None:
    issued = world.issue()
    for index, address in enumerate((BERLIN, LIMA, HAMBURG)):
        attempt(world, issued.text(index), "anna", address)
        world.clock.forward(days=40)
    (note,) = alerts(world, "outside_market")
    assert (note.severity, note.count, note.places) == (Severity.NOTE, 3, 3)


def test_no_markets_and_samples_raise_nothing(world: World) -> None:
    everywhere = world.issue(activate=False)
    world.act(everywhere, ActKind.ACTIVATE)
    attempt(world, everywhere.text(0), "anna", BERLIN)
    samples = world.issue()
    world.act(samples, ActKind.SAMPLE)
    attempt(world, samples.text(0), "anna", BERLIN)
    attempt(world, samples.text(0), "ben", SEOUL)
    for rule in ("outside_market", "impossible_travel"):
        assert alerts(world, rule) == ()


def test_the_same_pack_on_two_continents_within_an_hour_is_a_note_and_a_third_asker_makes_it_an_alert(
    world: World,
) -> None:
    code = world.issue().text(0)
    attempt(world, code, "anna", SEOUL)
    world.clock.forward(hours=1)
    attempt(world, code, "anna", BERLIN)
    attempt(world, code, "staff", BERLIN, staff=True)
    assert alerts(world, "impossible_travel") == ()
    attempt(world, code, "ben", BERLIN)
    (note,) = alerts(world, "impossible_travel")
    assert (note.severity, note.count, note.people, note.places) == (Severity.NOTE, 2, 2, 2)
    attempt(world, code, "ben", BERLIN)
    assert alerts(world, "impossible_travel")[0].count == 3
    attempt(world, code, "carl", LIMA)
    (alert,) = alerts(world, "impossible_travel")
    assert (alert.id, alert.severity, alert.people) == (note.id, Severity.ALERT, 3)
    assert {scan.country for scan in alert_query.alert(world.ctx, alert.id).scans.rows} == {"KR", "DE", "PE"}


def test_nobody_contradicts_staff_or_a_holder_on_their_travels(world: World) -> None:
    code = world.issue().text(0)
    attempt(world, code, "anna", SEOUL)
    world.clock.forward(hours=12)
    attempt(world, code, "anna", BERLIN)
    attempt(world, code, "staff", LIMA, staff=True)
    attempt(world, code, "ben", SEOUL)
    assert alerts(world, "impossible_travel") == ()


def test_a_pack_that_was_carried_contradicts_nothing(world: World) -> None:
    code = world.issue().text(0)
    attempt(world, code, "anna", SEOUL)
    world.clock.forward(hours=13)
    attempt(world, code, "ben", BERLIN)
    assert alerts(world, "impossible_travel") == ()


def crowd(world: World, code: str, people: int, *, first: int = 0) -> None:
    for number in range(first, first + people):
        attempt(world, code, f"claim-{number}", f"10.{number}.0.1")
        world.clock.forward(minutes=2)


def test_a_burst_makes_the_duplicate_louder_in_its_row(world: World) -> None:
    code = world.issue().text(0)
    crowd(world, code, BURST_ASKERS - 1)
    assert [alert.severity for alert in alerts(world, "duplicate")] == [Severity.ALERT]
    attempt(world, code, "other-of-that-network", f"10.{BURST_ASKERS - 2}.0.1")
    assert [alert.severity for alert in alerts(world, "duplicate")] == [Severity.ALERT]
    crowd(world, code, 1, first=100)
    assert [alert.severity for alert in alerts(world, "duplicate")] == [Severity.HIGH]
    assert alerts(world, "burst") == ()


def test_many_claims_of_one_network_are_no_burst(world: World) -> None:
    code = world.issue().text(0)
    for number in range(2 * BURST_ASKERS):
        attempt(world, code, f"claim-{number}", SEOUL)
    assert [alert.severity for alert in alerts(world, "duplicate")] == [Severity.ALERT]


def test_a_burst_on_a_code_that_cannot_be_verified_is_an_alert_with_all_its_scans(world: World) -> None:
    issued = world.issue()
    world.act(issued, ActKind.LOCK, reason="copies")
    crowd(world, issued.text(0), BURST_ASKERS - 1)
    assert alerts(world, "burst") == ()
    crowd(world, issued.text(0), 3, first=100)
    (alert,) = alerts(world, "burst")
    assert (alert.severity, alert.count, alert.people) == (Severity.ALERT, BURST_ASKERS + 2, BURST_ASKERS + 2)
    assert alert.unit == Unit(row=issued.batch.row, index=0)
    assert alert_query.alert(world.ctx, alert.id).scans.total == BURST_ASKERS + 2


def test_the_last_two_of_a_burst_that_come_together_do_not_miss_each_other(world: World) -> None:
    if world.ctx.db.file is not None:
        pytest.skip("writers of one file take turns in any case")
    issued = world.issue()
    world.act(issued, ActKind.LOCK, reason="copies")
    crowd(world, issued.text(0), BURST_ASKERS - 2)
    both_end = threading.Barrier(2)

    def end(_connection: object) -> None:
        """End where the other one wants to end as well, or a moment later where it waits for this one."""
        with suppress(threading.BrokenBarrierError):
            both_end.wait(1)

    sa.event.listen(world.ctx.db.engine, "commit", end)
    with ThreadPoolExecutor(2) as pool:
        last = [pool.submit(attempt, world, issued.text(0), f"last-{n}", f"10.20{n}.0.1") for n in range(2)]
        assert [one.result() for one in last] == [Verdict.LOCKED] * 2
    (alert,) = alerts(world, "burst")
    assert alert.count == BURST_ASKERS


def test_a_later_attempt_of_a_burst_asks_the_database_no_more_than_the_one_after_the_first(world: World) -> None:
    issued = world.issue()
    world.act(issued, ActKind.LOCK, reason="copies")
    crowd(world, issued.text(0), BURST_ASKERS + 1)
    counts = []
    for number in range(3):
        with questions(world) as asked:
            crowd(world, issued.text(0), 1, first=100 + 4 * number)
        counts.append(len(asked))
        assert sum("count(*)" in statement and "FROM alert " in statement for statement in asked) <= 1, asked
        crowd(world, issued.text(0), 3, first=101 + 4 * number)
    assert len(set(counts)) == 1, counts


def test_a_storm_of_looks_is_one_note_that_counts_every_look_once(world: World) -> None:
    issued = world.issue()
    looks(world, issued.text(0), LOOKS_IN_STORM - 1)
    world.ctx.looks.flush()
    assert alerts(world, "look_storm") == ()
    looks(world, issued.text(0), 1)
    world.ctx.looks.flush()
    looks(world, issued.text(0), 5, address="8.8.8.8")
    looks(world, issued.text(1), 5)
    world.ctx.looks.flush()
    world.act(issued, ActKind.RECALL, "0", reason="a seal may leak")
    looks(world, issued.text(0), 3)
    world.ctx.looks.flush()
    (note,) = alerts(world, "look_storm")
    assert (note.severity, note.count, note.people, note.places) == (Severity.NOTE, LOOKS_IN_STORM + 5, 0, 2)
    assert (note.batch_row, note.last_at, sum(note.recent)) == (issued.batch.row, world.clock.now, note.count)
    assert note.serial_printed is not None
    page = alert_query.alert(world.ctx, note.id)
    assert (page.scans.rows, page.scans.total, page.scans.pages) == ((), 0, 1)
    assert [(day.looks, day.refused) for day in page.days] == [(note.count + 3, 0)]
    assert page.verdicts == {Verdict.UNUSED: note.count}


def test_a_storm_from_three_places_is_an_alert(world: World) -> None:
    code = world.issue().text(0)
    looks(world, code, LOOKS_IN_STORM)
    looks(world, code, 1, address=BERLIN)
    looks(world, code, 1, address=LIMA)
    world.ctx.looks.flush()
    assert [alert.severity for alert in alerts(world, "look_storm")] == [Severity.ALERT]


def test_looks_of_several_hours_of_samples_of_recalled_goods_and_of_the_holder_are_no_storm(world: World) -> None:
    issued = world.issue()
    for _ in range(3):
        looks(world, issued.text(0), LOOKS_IN_STORM // 2)
        world.clock.forward(hours=1)
    world.act(issued, ActKind.SAMPLE, "1")
    looks(world, issued.text(1), LOOKS_IN_STORM)
    world.act(issued, ActKind.RECALL, "2", reason="a seal may leak")
    looks(world, issued.text(2), LOOKS_IN_STORM)
    for _ in range(LOOKS_IN_STORM):
        look(world.ctx, issued.text(3), Visitor(address=SEOUL, staff=True), Channel.API)
    world.ctx.looks.flush()
    assert alerts(world, "look_storm") == ()


def test_a_closed_storm_stays_closed_within_its_hour_and_opens_with_the_next_storm(world: World) -> None:
    code = world.issue().text(0)
    looks(world, code, LOOKS_IN_STORM)
    world.ctx.looks.flush()
    (storm,) = alerts(world, "look_storm")
    closing = Act(kind=Event.CLOSED, cause=Cause.BOT)
    work_on_alerts(world.ctx, [storm.id], closing, staff=STAFF)
    looks(world, code, 3)
    world.ctx.looks.flush()
    (same,) = alerts(world, "look_storm")
    assert (same.closed_at is not None, same.count) == (True, LOOKS_IN_STORM + 3)
    world.clock.forward(hours=2)
    looks(world, code, LOOKS_IN_STORM)
    world.ctx.looks.flush()
    (again,) = alerts(world, "look_storm")
    assert (again.id, again.closed_at, again.count) == (storm.id, None, 2 * LOOKS_IN_STORM + 3)


def test_an_erased_holder_is_no_place_of_an_alert_any_more(world: World) -> None:
    code = world.issue().text(0)
    attempt(world, code, "anna", BERLIN)
    attempt(world, code, "ben", LIMA)
    answer = world.client.post("/api/v1/erase", json={"code": code, "claim": claim_of("anna")})
    assert answer.status_code == 200, answer.text
    for rule in ("outside_market", "impossible_travel"):
        (alert,) = alerts(world, rule)
        places = dict(alert_query.alert(world.ctx, alert.id).places)
        assert places == {"unknown": 1, "PE-LIM": 1}, rule


ON_ALERTS = re.compile("(FROM|INTO|UPDATE) alert")


def _first(world: World, issued: Issued, index: int, address: str | None) -> list[str]:
    with questions(world) as asked:
        assert attempt(world, issued.text(index), "anna", address) is Verdict.GENUINE
    return asked


def test_a_first_verification_inside_its_market_asks_the_database_nothing_more(world: World) -> None:
    issued = world.issue()
    _first(world, issued, 0, SEOUL)
    plain = _first(world, issued, 1, SEOUL)
    unknown = _first(world, issued, 2, None)
    assert len(plain) == len(unknown)
    for asked in (plain, unknown):
        assert not [statement for statement in asked if ON_ALERTS.search(statement)]
        readings = [statement for statement in asked if statement.startswith("SELECT") and "FROM scan" in statement]
        assert len(readings) <= 1, readings  # the asker's number
    _first(world, issued, 3, BERLIN)
    outside = [statement for statement in _first(world, issued, 4, BERLIN) if ON_ALERTS.search(statement)]
    assert len(outside) <= 10, outside
