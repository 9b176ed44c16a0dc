"""Alerts as one growing row for each thing that happened."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from authcode.code.serial import Tier
from authcode.order.order import Tiers
from server.domain.alerts.alert import AlertFilter, Severity
from server.domain.alerts.triage import Cause
from server.domain.batches.range_act import ActKind
from server.domain.codes.verdict import Verdict
from server.services.batches.find import find_code
from server.services.codes.attempts import Visitor
from server.services.codes.redeem import verify
from server.services.queries import alert as alert_query
from server.services.queries import alerts as alert_queries
from server.services.queries.rows import AlertRow
from server.storage import schema
from server.storage.brands import all_brands, set_brand
from server.storage.scans import ScanRecord, scans_of_batch
from server.web.dashboard.words import alert_sentence, why_it_fired
from tests.server.simulator import Issued, MakeWorld, World, both_databases, claim_of

pytestmark = both_databases


def alerts(world: World, **wanted: object) -> tuple[AlertRow, ...]:
    return alert_queries.alerts(world.ctx, AlertFilter(**wanted)).rows


def attempt(world: World, code: str, claim: str, **visitor: object) -> Verdict:
    return verify(world.ctx, code, claim=claim_of(claim), visitor=Visitor(**visitor)).verdict


def test_a_second_person_makes_a_note_and_a_third_an_alert_in_the_same_row(world: World) -> None:
    code = world.issue().text(0)
    attempt(world, code, "anna")
    attempt(world, code, "anna")
    assert alerts(world) == ()
    attempt(world, code, "ben")
    (note,) = alerts(world)
    assert (note.rule, note.severity, note.count, note.people, note.places) == (
        "duplicate",
        Severity.NOTE,
        1,
        2,
        1,
    )
    attempt(world, code, "ben")
    attempt(world, code, "anna")
    (same,) = alerts(world)
    assert (same.id, same.severity, same.count, same.people) == (note.id, Severity.NOTE, 2, 2)
    world.clock.forward(hours=1)
    attempt(world, code, "carl")
    (alert,) = alerts(world)
    assert (alert.id, alert.severity, alert.count, alert.people) == (note.id, Severity.ALERT, 3, 3)
    assert (alert.first_at, alert.last_at) == (note.first_at, world.clock.now)


def test_a_brand_can_want_an_alert_for_each(world: World) -> None:
    with world.ctx.db.write() as connection:
        (brand,) = all_brands(connection)
        set_brand(connection, brand.id, alert_from=1)
    code = world.issue().text(0)
    attempt(world, code, "anna")
    attempt(world, code, "ben")
    (alert,) = alerts(world)
    assert alert.severity is Severity.ALERT
    assert alert_query.alert(world.ctx, alert.id).threshold == 1


def test_staff_and_samples_never_count(world: World) -> None:
    issued = world.issue()
    attempt(world, issued.text(0), "anna")
    assert attempt(world, issued.text(0), "ben", staff=True) is Verdict.ALREADY_VERIFIED
    world.act(issued, ActKind.SAMPLE, "1")
    attempt(world, issued.text(1), "ben")
    assert alerts(world) == ()


def test_a_leaked_reel_is_one_alert_with_every_scan_behind_it(world: World) -> None:
    issued = world.issue(activate=False)
    for index in range(4):
        assert attempt(world, issued.text(index), f"client-{index}") is Verdict.NOT_ACTIVATED
    (alert,) = alerts(world)
    assert (alert.rule, alert.batch_row, alert.unit, alert.count) == (
        "not_activated",
        issued.batch.row,
        None,
        4,
    )
    detail = alert_query.alert(world.ctx, alert.id)
    assert [scan.unit.index for scan in detail.scans.rows] == [3, 2, 1, 0]
    assert {scan.said for scan in detail.scans.rows} == {Verdict.NOT_ACTIVATED}


def test_waste_that_is_scanned_is_told(world: World) -> None:
    issued = world.issue()
    world.act(issued, ActKind.VOID, "3-4", reason="waste")
    attempt(world, issued.text(3), "anna")
    assert [alert.rule for alert in alerts(world)] == ["voided"]


def test_mere_recall_or_expiry_raises_nothing_but_a_second_person_is_still_told(world: World) -> None:
    issued = world.issue()
    attempt(world, issued.text(0), "anna")
    world.act(issued, ActKind.RECALL, reason="a seal may leak")
    assert attempt(world, issued.text(1), "ben") is Verdict.RECALLED
    assert alerts(world) == ()
    assert attempt(world, issued.text(0), "ben") is Verdict.RECALLED
    assert [alert.rule for alert in alerts(world)] == ["duplicate"]


def test_a_good_signature_on_no_unit_is_not_activated_and_told_at_once(world: World) -> None:
    manifest, _document = world.manifest()
    code = world.codes(manifest)[0].code
    assert world.state(code) == "not_activated"
    assert attempt(world, code, "anna") is Verdict.NOT_ACTIVATED
    attempt(world, code, "ben")
    (alert,) = alerts(world)
    assert (alert.rule, alert.severity, alert.count, alert.batch_row) == ("unknown_unit", Severity.HIGH, 2, None)
    assert [scan.unit for scan in alert_query.alert(world.ctx, alert.id).scans.rows] == [None, None]


def test_one_leaked_key_is_one_alert_whatever_numbers_its_holder_makes_up(world: World) -> None:
    for number in range(1, 51):
        forged, _never_registered = world.manifest(batch_number=number * 7919, count=1)
        assert attempt(world, world.codes(forged)[0].code, f"claim-{number}") is Verdict.NOT_ACTIVATED
    (alert,) = alerts(world)
    assert (alert.rule, alert.severity, alert.count) == ("unknown_unit", Severity.HIGH, 50)
    assert (alert.key_id, alert.unit, alert.serial_printed) == (forged.key_id, None, None)
    assert alert_sentence(alert) == f"50 scans of signed codes that no batch has, key {forged.key_id}"


def test_an_index_beyond_the_count_or_a_tier_the_batch_does_not_have_is_no_unit(world: World) -> None:
    manifest, document = world.manifest(count=5)
    from dataclasses import replace

    from authcode.order.order import Tiers
    from server.services.batches.register import register_batch

    batch = register_batch(world.ctx.db, document, now=world.clock.now)
    beyond = world.codes(replace(manifest, count=6))[5].code
    inner = world.codes(replace(manifest, tiers=Tiers.PAIR))[1].code
    for code in (beyond, inner):
        assert attempt(world, code, "anna") is Verdict.NOT_ACTIVATED
    (alert,) = alerts(world)
    assert (alert.rule, alert.count) == ("unknown_unit", 2)
    assert batch.count == 5


def test_another_region_makes_it_an_alert_at_once(make_world: MakeWorld, tmp_path: Path) -> None:
    writer = MMDBWriter(4, "Test", languages=["en"])
    for network, region in (("203.0.113.0/24", "11"), ("198.51.100.0/24", "26")):
        place = {"country": {"iso_code": "KR"}, "subdivisions": [{"iso_code": region}]}
        writer.insert_network(IPSet([network]), place)
    writer.to_db_file(str(tmp_path / "places.mmdb"))
    world = make_world(geoip_database=tmp_path / "places.mmdb")
    issued = world.issue()
    for index, (elsewhere, severity) in enumerate(
        [("203.0.113.9", Severity.NOTE), ("198.51.100.9", Severity.ALERT), ("192.0.2.1", Severity.ALERT)]
    ):
        attempt(world, issued.text(index), "anna", address="203.0.113.7")
        attempt(world, issued.text(index), "ben", address=elsewhere)
        (alert,) = alerts(world, unit=find_code(world.ctx, issued.text(index)))
        assert alert.severity is severity
        detail = alert_query.alert(world.ctx, alert.id)
        assert detail.first_place == "KR-11"
        place = {"203.0.113.9": "KR-11", "198.51.100.9": "KR-26"}.get(elsewhere, "unknown")
        assert detail.places == ((place, 1),)


def test_no_address_is_stored_only_pseudonyms_that_change(world: World) -> None:
    issued = world.issue()

    def networks() -> list[tuple[bytes, bytes]]:
        with world.ctx.db.read() as connection:
            return [(row.network_day, row.network_unit) for row in connection.execute(sa.select(schema.scan))]

    attempt(world, issued.text(0), "anna", address="203.0.113.7")
    attempt(world, issued.text(1), "anna", address="203.0.113.200")
    attempt(world, issued.text(0), "ben", address="203.0.113.8")
    world.clock.forward(days=1)
    attempt(world, issued.text(0), "carl", address="203.0.113.7")
    world.clock.forward(days=35)
    attempt(world, issued.text(0), "dora", address="203.0.113.7")
    attempt(world, issued.text(0), "emil", address=None)
    one, other_unit, same_unit, next_day, next_period, nobody = networks()
    assert one[0] == other_unit[0] == same_unit[0] != next_day[0]
    assert one[1] == same_unit[1] == next_day[1] != next_period[1]
    assert one[1] != other_unit[1]
    assert nobody == (None, None)
    held = {header.key_id for header in world.ctx.keys.store.headers() if header.purpose.startswith("pseudonym")}
    assert held == {"2026-12-27", str(world.clock.now.date().toordinal() // 35)}


def test_the_keys_of_pseudonyms_end_with_their_time_where_nobody_asks(world: World) -> None:
    attempt(world, world.issue().text(0), "anna", address="203.0.113.7")
    pseudonyms, store = world.ctx.pseudonyms, world.ctx.keys.store

    def held() -> set[str]:
        return {header.key_id for header in store.headers() if header.purpose.startswith("pseudonym")}

    day, period = world.clock.now.date().isoformat(), str(world.clock.now.date().toordinal() // 35)
    pseudonyms.forget_past(now=world.clock.now)
    assert held() == {day, period}
    pseudonyms.forget_past(now=world.clock.now - timedelta(days=1))
    assert held() == {day, period}, "a worker whose clock is behind deletes nothing of the others"
    pseudonyms.forget_past(now=world.clock.now + timedelta(days=1))
    assert held() == {period}
    pseudonyms.forget_past(now=world.clock.now + timedelta(days=35))
    assert held() == set()


def test_filters_and_pages_choose_alerts(world: World) -> None:
    leaked, sold = world.issue(activate=False), world.issue()
    attempt(world, leaked.text(0), "anna")
    attempt(world, sold.text(0), "anna")
    attempt(world, sold.text(0), "ben")
    assert [alert.rule for alert in alerts(world)] == ["duplicate", "not_activated"]
    assert [alert.rule for alert in alerts(world, severity=Severity.ALERT)] == ["not_activated"]
    assert [alert.rule for alert in alerts(world, rule="duplicate")] == ["duplicate"]
    assert [alert.rule for alert in alerts(world, batch_row=leaked.batch.row)] == ["not_activated"]
    found = alert_queries.alerts(world.ctx, AlertFilter(severity=Severity.HIGH), page=9)
    assert (found.rows, found.total, found.page, found.pages) == ((), 0, 1, 1)
    views = [
        AlertFilter(severity=severity, loudest=severity) for severity in (Severity.NOTE, Severity.ALERT, Severity.HIGH)
    ]
    assert alert_queries.counted_views(world.ctx, views) == (1, 1, 0)


# outer codes of pairs


def outer_codes(world: World, issued: Issued) -> list[ScanRecord]:
    """What the history has of outer codes, the latest first."""
    with world.ctx.db.read() as connection:
        scans = scans_of_batch(connection, issued.batch.row, limit=100)
    return [scan for scan in scans if scan.tier == Tier.OUTER]


def test_a_leaked_reel_of_outer_codes_is_one_growing_alert_and_burns_nothing(world: World) -> None:
    issued = world.issue(activate=False, tiers=Tiers.PAIR)
    for number in range(7):
        assert world.verdict(issued.text(number, Tier.OUTER), f"anna-{number}") == "not_activated"
    (alert,) = alert_queries.alerts(world.ctx, AlertFilter()).rows
    assert (alert.rule, alert.severity, alert.count) == ("not_activated", Severity.ALERT, 7)
    assert {(scan.said, scan.burned) for scan in outer_codes(world, issued)} == {("not_activated", False)}
    world.act(issued, ActKind.ACTIVATE)
    assert world.verdict(issued.text(0, Tier.INNER), "anna-0") == "genuine"


@pytest.mark.parametrize(
    ("kind", "said", "rules"),
    [
        (ActKind.VOID, "void", ["voided"]),
        (ActKind.RECALL, "recalled", []),
        (ActKind.LOCK, "locked", []),
        (ActKind.SAMPLE, "sample", []),
    ],
)
def test_an_outer_code_that_is_out_of_use_stands_in_the_history(
    kind: ActKind, said: str, rules: list[str], world: World
) -> None:
    """Somebody verified the inner code before: the outer one beside it is no copy."""
    issued = world.issue(tiers=Tiers.PAIR)
    assert world.verdict(issued.text(0, Tier.INNER), "anna") == "genuine"
    world.act(issued, kind, reason="leaks")
    for claim in ("ben", "cleo", "dora"):
        assert world.verdict(issued.text(0, Tier.OUTER), claim) == said
    assert [scan.said for scan in outer_codes(world, issued)] == [said] * 3
    assert [alert.rule for alert in alert_queries.alerts(world.ctx, AlertFilter()).rows] == rules


def test_an_outer_code_in_good_standing_is_looked_at(world: World) -> None:
    issued = world.issue(tiers=Tiers.PAIR)
    assert world.verdict(issued.text(0, Tier.OUTER), "anna") == "unused"
    assert outer_codes(world, issued) == []


def test_many_claims_from_one_network_are_sooner_a_program_than_copies(world: World) -> None:
    code = world.issue().text(0)
    for claim in ("anna", "ben", "cleo", "dora", "emil"):
        world.verdict(code, claim)
    (row,) = alert_queries.alerts(world.ctx, AlertFilter()).rows
    detail = alert_query.alert(world.ctx, row.id)
    causes = [cause for cause, _ in detail.guess.causes]
    assert detail.networks == 1
    assert max(causes.index(Cause.OWN_RESCAN), causes.index(Cause.BOT)) < causes.index(Cause.CLONE)
    assert "came from one network: one phone or program can make up any number of them." in why_it_fired(detail)
