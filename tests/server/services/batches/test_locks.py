"""Codes that staff lock because copies were found, and units of withdrawn keys as their brand wants them."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from keys.base.instants import format_instant
from keys.format.records import Form, Profile
from keys.store.issuer import IssuerHome, UnlockedIssuer
from server import listeners as hooks
from server.domain.alerts.alert import AlertFilter
from server.domain.batches.range_act import ActDetails, ActKind
from server.domain.codes.verdict import Verdict
from server.domain.staff.scope import Scope
from server.runtime.actor import command_line_actor
from server.services.batches.range_acts import ActivationRefused
from server.services.brands.fact_previews import facts_after
from server.services.brands.keyring import publish_keyring
from server.services.brands.settings import BrandSettingInvalid, BrandSettings, brands, change_settings
from server.services.brands.withdrawal_preview import preview_withdrawal
from server.services.log.entries import latest_entries
from server.services.log.heads import sign_newest_head
from server.services.queries.alert import alert
from server.services.queries.alerts import alerts
from server.services.queries.audit import audit_page
from server.services.queries.batches import batch_of_order, batch_page, batch_to_act_on
from server.services.staff.accounts import Staff
from server.storage.batches import acts_of
from tests.server.simulator import CONTACT, PREFIX, PRODUCT, Brand, Issued, World, both_databases
from tests.server.web.api.calls import made, send
from tests.server.web.api.conforms import conforms

pytestmark = both_databases

STAFF = Staff(id=1, email="anna@example.com", must_change_password=False, session="s")


@pytest.fixture
def issuer(brand: Brand, tmp_path: Path) -> UnlockedIssuer:
    """The brand's issuer, as a copy that may change its keys."""
    shutil.copytree(brand.home / "issuer", tmp_path / "issuing" / "issuer")
    return IssuerHome.open(tmp_path / "issuing").unlock("issuer-pass")


def withdrawn(world: World, issuer: UnlockedIssuer) -> tuple[Issued, Issued]:
    """An order that was in the world before its key was withdrawn, and one that came later."""
    before, late = world.issue(), world.issue(activate=False)
    world.verdict(before.text(1), "anna")
    world.clock.forward(hours=1)
    since = world.clock.now
    world.clock.forward(hours=1)
    world.act(late, ActKind.ACTIVATE, "0-5")
    issuer.withdraw_code_key(before.batch.key_id, since=since, reason="laptop stolen", now=world.clock.now)
    publish_keyring(world.ctx.db, issuer.keyring.document, server_id=None, now=world.clock.now)
    return before, late


def choose(world: World, withdrawn_keys: str) -> None:
    (brand,) = brands(world.ctx.db)
    wanted = BrandSettings(alert_from=2, alert_budget=20, support=CONTACT, withdrawn_keys=withdrawn_keys)
    change_settings(world.ctx.db, brand.id, wanted, staff=STAFF, now=world.clock.now)


def page_of(world: World, code: str) -> str:
    return world.client.get("/" + code.partition("://")[2].partition("/")[2]).text


def test_a_locked_code_says_that_copies_were_found_and_goes_on_counting(world: World) -> None:
    issued = world.issue()
    world.verdict(issued.text(3), "anna")
    world.act(issued, ActKind.LOCK, "3", reason="copies in three towns")
    assert world.state(issued.text(3)) == "locked"
    answer = world.ask(issued.text(3), "ben")
    told = answer.get_json()
    assert (told["verdict"], told["locked_reason"], told["was_yours"]) == ("locked", "copies_found", False)
    own = world.ask(issued.text(3), "anna").get_json()
    assert (own["verdict"], own["was_yours"], bool(own["proof"])) == ("locked", True, True)
    for claim in ("carla", "dan"):
        world.verdict(issued.text(3), claim)
    (found,) = alerts(world.ctx, AlertFilter()).rows
    assert (found.rule, found.count, found.people) == ("duplicate", 3, 4)
    assert alert(world.ctx, found.id).is_locked
    page = page_of(world, issued.text(3))
    assert "Copies of this code were found" in page
    assert "keep-code" in page
    assert "three towns" not in page + answer.text
    assert world.state(issued.text(4)) == "unused"


def test_a_locked_code_cannot_be_used_up_until_it_is_unlocked(world: World) -> None:
    issued = world.issue()
    world.act(issued, ActKind.LOCK, "0-4", reason="labels were copied")
    assert world.verdict(issued.text(2), "anna") == "locked"
    world.act(issued, ActKind.UNLOCK, "2-3", reason="a mistake")
    assert world.verdict(issued.text(2), "anna") == "genuine"
    assert world.verdict(issued.text(1), "anna") == "locked"
    world.act(issued, ActKind.LOCK, "2", reason="copied after all")
    assert world.state(issued.text(2)) == "locked"


def test_a_lock_is_said_after_recall_void_sample_and_lacking_activation(world: World) -> None:
    issued, dark = world.issue(), world.issue(activate=False)
    for order in (issued, dark):
        world.act(order, ActKind.LOCK, reason="copies")
    for index, kind in enumerate((ActKind.RECALL, ActKind.VOID, ActKind.SAMPLE)):
        world.act(issued, kind, str(index), reason="of another kind")
    assert [world.state(issued.text(index)) for index in range(4)] == ["recalled", "void", "sample", "locked"]
    assert world.state(dark.text(0)) == "not_activated"


def test_locks_stand_in_the_log_and_the_audit(world: World) -> None:
    issued = world.issue()
    world.act(issued, ActKind.LOCK, "3", reason="copies")
    world.act(issued, ActKind.UNLOCK, "3", reason="a mistake")
    kept = [line.action for line in audit_page(world.ctx.db).lines]
    assert kept[:2] == ["batch.unlock", "batch.lock"]
    sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    records = [leaf.entry.record for leaf in latest_entries(world.ctx.db, limit=50) if leaf.entry]
    for action in ("batch.lock", "batch.unlock"):
        assert sum(f'"{action}"' in record for record in records) == 1


def test_strip_balance_and_status_count_locked_codes(world: World) -> None:
    issued = world.issue()
    world.act(issued, ActKind.LOCK, "2-4", reason="copies")
    page = batch_page(world.ctx, issued.batch.row)
    pieces = [(piece.first, piece.last, piece.state) for piece in page.stretches]
    assert pieces == [(0, 1, "unused"), (2, 4, "locked"), (5, 9, "unused")]
    assert page.batch.states == {Verdict.UNUSED: 7, Verdict.LOCKED: 3}


def test_strip_balance_and_act_previews_know_a_withdrawn_key(world: World, issuer: UnlockedIssuer) -> None:
    before, late = withdrawn(world, issuer)
    world.act(before, ActKind.VOID, "8-9", reason="waste")
    db, now = world.ctx.db, world.clock.now
    states = {row: batch_page(world.ctx, row).batch.states for row in (before.batch.row, late.batch.row)}
    assert states == {
        before.batch.row: {Verdict.LOCKED: 8, Verdict.VOID: 2},
        late.batch.row: {Verdict.NOT_OURS: 10},
    }
    assert batch_of_order(db, before.batch.order_name, now=now).states == states[before.batch.row]
    assert [piece.state for piece in batch_to_act_on(db, late.batch.row, now=now).stretches] == ["not_ours"]

    def said(issued: Issued, kind: ActKind) -> str:
        told = facts_after(world.ctx, issued.batch.row, kind, ActDetails(reason="x"), first=0)
        assert told is not None
        return told[1]

    assert (said(before, ActKind.ACTIVATE), said(late, ActKind.ACTIVATE)) == ("locked", "not_ours")
    assert (said(before, ActKind.RECALL), said(late, ActKind.RECALL)) == ("recalled", "not_ours")
    choose(world, "usual")
    assert batch_page(world.ctx, before.batch.row).batch.states == {Verdict.UNUSED: 8, Verdict.VOID: 2}
    assert said(before, ActKind.UNLOCK) == "unused"


def test_a_brand_may_have_codes_of_a_withdrawn_key_answered_as_usual_with_a_caution(
    world: World, issuer: UnlockedIssuer
) -> None:
    before, late = withdrawn(world, issuer)
    assert world.verdict(before.text(0), "ben") == "locked"
    choose(world, "usual")
    told = world.ask(before.text(0), "ben").get_json()
    assert (told["verdict"], told["caution"], told["locked_reason"]) == ("genuine", "key_withdrawn", None)
    told = world.ask(before.text(1), "ben").get_json()
    assert (told["verdict"], told["caution"]) == ("already_verified", "key_withdrawn")
    assert world.verdict(late.text(0), "ben") == "not_ours"
    page = page_of(world, before.text(2))
    assert "was withdrawn later" in page
    assert "I have bought this" in page
    world.act(before, ActKind.LOCK, "0", reason="copies")
    told = world.ask(before.text(0), "carla").get_json()
    assert (told["verdict"], told["locked_reason"]) == ("locked", "copies_found")
    choose(world, "lock")
    assert world.verdict(before.text(2), "ben") == "locked"


def test_a_unit_activated_in_the_moment_of_the_withdrawal_was_not_in_the_world_before_it(
    world: World, issuer: UnlockedIssuer
) -> None:
    issued = world.issue(activate=False)
    world.clock.forward(hours=1)
    world.act(issued, ActKind.ACTIVATE, "0-4")
    moment = world.clock.now + timedelta(seconds=1)
    world.clock.forward(seconds=1)
    world.act(issued, ActKind.ACTIVATE, "5-9")
    issuer.withdraw_code_key(issued.batch.key_id, since=moment, reason="laptop stolen", now=world.clock.now)
    publish_keyring(world.ctx.db, issuer.keyring.document, server_id=None, now=world.clock.now)
    assert (world.state(issued.text(4)), world.state(issued.text(5))) == ("locked", "not_ours")
    assert batch_page(world.ctx, issued.batch.row).batch.states == {Verdict.LOCKED: 5, Verdict.NOT_OURS: 5}


def test_what_is_done_with_keys_on_the_servers_own_machine_stands_in_audit_and_log(world: World) -> None:
    home, now = world.settings.home, world.clock.now
    shutil.copytree(world.brand.home / "issuer", home / "issuer")
    issuer = IssuerHome.open(home).unlock("issuer-pass")
    _, retired = issuer.rotate_code_key(profile=Profile.SIGNED, form=Form.SHORT, prefix=PREFIX, now=now)
    hooks.keyring_published(home, issuer.keyring.document, issuer.shared_keys(), lambda: "server-pass")
    issuer.withdraw_code_key(retired[0], since=now, reason="laptop stolen", now=now)
    for _again in range(2):
        hooks.keyring_published(home, issuer.keyring.document, issuer.shared_keys(), lambda: "server-pass")
    hooks.product_published(home, PRODUCT)
    version = issuer.keyring.keyring.version
    product, withdrawal, second, first = audit_page(world.ctx.db).lines[:4]
    assert {line.actor for line in (product, withdrawal, second, first)} == {command_line_actor()}
    assert (product.action, product.subject) == ("product.publish", "TEA-1")
    told = f"key {retired[0]} since {now:%Y-%m-%d %H:%M} UTC, version {version}: laptop stolen"
    assert (withdrawal.action, withdrawal.subject) == ("keys.withdraw", told)
    assert [line.subject for line in (second, first)] == [f"version {version}", f"version {version - 1}"]
    sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=now)
    records = [leaf.entry.record for leaf in latest_entries(world.ctx.db, limit=50) if leaf.entry]
    (logged,) = (record for record in records if '"keys.withdraw"' in record)
    assert all(f'"{part}"' in logged for part in (retired[0], format_instant(now), "laptop stolen"))


def test_codes_of_a_withdrawn_key_are_not_activated_anew(world: World, issuer: UnlockedIssuer) -> None:
    before, late = withdrawn(world, issuer)
    with pytest.raises(ActivationRefused, match=f"Key {late.batch.key_id} .* keys rotate"):
        world.act(late, ActKind.ACTIVATE, "6-9")
    body = {"kind": "activate", "range": "6-9"}
    refused = send(world, "POST", f"/batches/{late.batch.order_name}/acts", made(world, Scope.ACT), body)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "activation_refused")
    with world.ctx.db.read() as connection:
        assert len(acts_of(connection, late.batch.row)) == 1
    world.act(late, ActKind.VOID, "6-9", reason="never sold")
    assert world.act(before, ActKind.ACTIVATE, "0-3", lot="L2").details.lot == "L2"  # goods in the world: a correction


def preview(world: World, key_id: str, since: str) -> tuple[int, dict[str, object]]:
    token = made(world, Scope.READ)
    answer = send(world, "GET", f"/keys/{key_id}/withdrawal?since={since}", token)
    return answer.status_code, answer.get_json()


def test_the_preview_of_a_withdrawal_says_what_the_brand_chose(world: World) -> None:
    """Over the network as in the server's own home; nothing is changed by asking."""
    before, late = world.issue(), world.issue(activate=False)
    world.act(before, ActKind.VOID, "9", reason="waste")
    world.verdict(before.text(1), "anna")
    world.clock.forward(hours=1)
    since = world.clock.now
    world.clock.forward(hours=1)
    world.act(late, ActKind.ACTIVATE, "0-5")
    for text in (before.text(2), late.text(0)):
        world.verdict(text, "ben")
    key_id, moment = before.batch.key_id, format_instant(since)
    counted = {"key_id": key_id, "since": moment, "orders": 2, "active_unburned": 12, "not_ours": 5, "used": 3}
    counted["used_not_ours"] = 1
    assert preview(world, key_id, moment) == (200, {**counted, "locked": 7, "as_usual": 0, "used_locked": 2})
    choose(world, "usual")
    assert preview(world, key_id, moment) == (200, {**counted, "locked": 0, "as_usual": 7, "used_locked": 0})
    (brand,) = brands(world.ctx.db)
    touched = preview_withdrawal(world.ctx.db, brand.brand_id, key_id, since=since, now=world.clock.now)
    assert (touched.locked, touched.as_usual, touched.not_ours, touched.used) == (0, 7, 5, 3)
    assert world.state(before.text(0)) == "unused"


def test_no_moment_to_undo_is_named_where_undoing_is_refused(world: World) -> None:
    issued = world.issue()
    assert world.ask(issued.text(0), "anna").get_json()["undo_until"] is not None
    world.act(issued, ActKind.LOCK, "0", reason="copies")
    locked = world.ask(issued.text(0), "anna").get_json()
    assert (locked["verdict"], locked["was_yours"], locked["undo_until"]) == ("locked", True, None)
    world.act(issued, ActKind.UNLOCK, "0", reason="a mistake")
    assert world.ask(issued.text(0), "anna").get_json()["undo_until"] is not None
    world.clock.forward(days=2)
    assert world.ask(issued.text(0), "anna").get_json()["undo_until"] is None


def test_the_preview_of_a_withdrawal_refuses_what_the_act_refuses(world: World) -> None:
    key_id = world.issue().batch.key_id
    status, body = preview(world, key_id, format_instant(world.clock.now + timedelta(seconds=1)))
    assert (status, body["code"]) == (409, "key_state_refused")
    for named in ("zz", key_id + "0"):
        status, body = preview(world, named, "2026-03-01T00:00:00Z")
        assert (status, body["code"], named in str(body["detail"])) == (404, "unknown_key", False)
    for moment in ("", "2026-03-01", "soon"):
        status, body = preview(world, key_id, moment)
        assert (status, body["code"]) == (400, "request_invalid")
    refused = send(world, "GET", f"/keys/{key_id}/withdrawal?since=2026-03-01T00:00:00Z", made(world, Scope.ACT))
    assert (refused.status_code, refused.get_json()["code"]) == (403, "token_scope_missing")


def test_the_preview_of_a_withdrawal_is_as_described(world: World) -> None:
    document = world.client.get("/api/v1/openapi.json").get_json()
    _, body = preview(world, world.issue().batch.key_id, format_instant(world.clock.now))
    conforms(body, document["components"]["schemas"]["Withdrawal"], document)


def test_a_code_of_a_good_key_carries_no_caution(world: World) -> None:
    code = world.issue().text(0)
    choose(world, "usual")
    told = world.ask(code, "anna").get_json()
    assert (told["verdict"], told["caution"]) == ("genuine", None)
    assert "withdrawn" not in page_of(world, code)


def test_the_choice_for_withdrawn_keys_is_audited_and_takes_no_other_word(world: World) -> None:
    choose(world, "usual")
    line = audit_page(world.ctx.db).lines[0]
    assert (line.action, "withdrawn_keys usual" in line.subject) == ("brand.settings", True)
    with pytest.raises(BrandSettingInvalid):
        choose(world, "sometimes")
