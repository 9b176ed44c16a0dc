# ruff: noqa: ANN401 - a command's answer
"""Keys as a server meets them: withdrawn, rotated, handed over to a new root, and sent from another machine."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from keys.base.errors import AuthcodeError, KeyIdTaken, KeyringRollback, KeyStateRefused, RootChanged
from keys.format.domains import Listing
from keys.format.keyring import sign_keyring
from keys.format.records import Form, KeyState, Profile, Purpose
from keys.primitives import SigningKey, address_of
from keys.store.issuer import IssuerHome, UnlockedIssuer
from keys.store.key_file import ScryptCost
from keys.store.transfer import send_shared_keys
from server import listeners as hooks
from server.commands import keys as key_commands
from server.domain.alerts.alert import AlertFilter, Severity
from server.domain.batches.range_act import ActKind
from server.domain.codes.unit import Unit
from server.domain.staff.scope import Scope
from server.keystore import make_server_keys, open_server_keys
from server.services.brands.keyring import publish_keyring
from server.services.brands.withdrawal_preview import preview_withdrawal
from server.services.codes.attempts import Visitor
from server.services.codes.redeem import verify
from server.services.queries.alerts import alerts
from server.services.queries.codes import code_history
from server.settings import load_settings
from server.storage import schema
from server.storage.engine import Database
from server.storage.migrate import upgrade
from tests.server.simulator import PREFIX, START, Brand, World, claim_of
from tests.server.web.metrics import sample, token


@pytest.fixture
def issuer(brand: Brand, tmp_path: Path) -> UnlockedIssuer:
    """The brand's issuer, as a copy that may change its keys."""
    shutil.copytree(brand.home / "issuer", tmp_path / "issuing" / "issuer")
    return IssuerHome.open(tmp_path / "issuing").unlock("issuer-pass")


def _publish(world: World, issuer: UnlockedIssuer) -> None:
    publish_keyring(world.ctx.db, issuer.keyring.document, server_id=None, now=world.clock.now)


def _rows(world: World, table: sa.Table) -> int:
    with world.ctx.db.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_units_in_the_world_before_a_withdrawal_are_locked_and_all_others_not_ours(
    world: World, issuer: UnlockedIssuer
) -> None:
    before, late = world.issue(), world.issue(activate=False)
    world.verdict(before.text(1), "anna")
    world.act(before, ActKind.RECALL, "2", reason="a seal leaks")
    world.act(before, ActKind.VOID, "3", reason="misprint")
    stolen = world.clock.now + timedelta(hours=1)
    world.clock.forward(hours=2)
    world.act(late, ActKind.ACTIVATE)
    world.clock.forward(hours=1)
    issuer.withdraw_code_key(before.batch.key_id, since=stolen, reason="laptop stolen", now=world.clock.now)
    _publish(world, issuer)
    assert world.state(before.text(0)) == "locked"
    told = world.ask(before.text(0), "anna").get_json()
    assert (told["verdict"], told["locked_reason"]) == ("locked", "key_withdrawn")
    told = world.ask(before.text(1), "anna").get_json()
    assert (told["verdict"], told["was_yours"]) == ("locked", True)
    assert world.state(before.text(2)) == "recalled"
    assert world.state(before.text(3)) == "void"
    assert world.state(late.text(0)) == "not_ours"
    assert world.verdict(late.text(0), "anna") == "not_ours"


def test_codes_of_a_withdrawn_key_are_not_ours_but_stand_in_the_history_and_raise_an_alert(
    world: World, issuer: UnlockedIssuer
) -> None:
    known = world.issue()
    unregistered, _ = world.manifest(key_id=known.batch.key_id)
    stolen = world.clock.now - timedelta(hours=1)
    world.verdict(known.text(1), "anna")
    issuer.withdraw_code_key(known.batch.key_id, since=stolen, reason="laptop stolen", now=world.clock.now)
    _publish(world, issuer)
    forged = known.text(0)[:-1] + ("G" if known.text(0)[-1] == "8" else "8")
    unknown = world.codes(unregistered)[0].code
    before = _rows(world, schema.redemption)
    nothing_told = world.ask(forged, "ben").data
    assert [world.ask(text, "ben").data for text in (known.text(0), known.text(1), unknown)] == [nothing_told] * 3
    assert _rows(world, schema.redemption) == before
    with world.ctx.db.read() as connection:
        rows = connection.execute(sa.select(schema.scan).order_by(schema.scan.c.id)).all()
    kept = [(row.unit, row.unit_index, row.said, row.burned) for row in rows[1:]]
    units = [Unit(row=known.batch.row, index=index).id for index in (0, 1)]
    assert kept == [
        (units[0], 0, "not_ours", False),
        (units[1], 1, "not_ours", False),
        (None, 0, "not_ours", False),
    ]
    found = {alert.rule: alert for alert in alerts(world.ctx, AlertFilter()).rows}
    assert (found["key_withdrawn"].count, found["key_withdrawn"].severity) == (3, Severity.HIGH)
    assert found["key_withdrawn"].key_id == known.batch.key_id
    assert found["duplicate"].count == 1
    assert code_history(world.ctx, Unit(row=known.batch.row, index=0)).state == "not_ours"


def test_the_page_of_a_withdrawn_key_says_what_the_page_of_any_foreign_code_says(
    world: World, issuer: UnlockedIssuer
) -> None:
    code = world.issue().text(0)
    forged = code[:-1] + ("G" if code[-1] == "8" else "8")
    key_id = issuer.keyring.keyring.key_for(form=Form.SHORT, profile=Profile.SIGNED).key_id
    issuer.withdraw_code_key(key_id, since=START - timedelta(hours=1), reason="lost", now=world.clock.now)
    _publish(world, issuer)

    def pages(text: str) -> list[tuple[int, str, list[str]]]:
        path = "/" + text.removeprefix(PREFIX)
        client = world.client
        answers = [client.get(path), client.get(f"{path}."), client.post(path, data={"claim": "0f" * 16, "token": "y"})]
        return [(one.status_code, one.text, one.headers.getlist("Set-Cookie")) for one in answers]

    assert pages(code) == pages(forged)
    world.ctx.looks.flush()
    assert (_rows(world, schema.scan), _rows(world, schema.look_count)) == (1, 1)


def test_own_attempts_samples_and_staff_raise_no_alert_for_a_withdrawn_key(
    world: World, issuer: UnlockedIssuer
) -> None:
    issued = world.issue()
    world.act(issued, ActKind.SAMPLE, "2")
    world.verdict(issued.text(1), "anna")
    issuer.withdraw_code_key(
        issued.batch.key_id, since=world.clock.now - timedelta(hours=1), reason="lost", now=world.clock.now
    )
    _publish(world, issuer)
    assert world.verdict(issued.text(1), "anna") == "not_ours"
    assert world.verdict(issued.text(2), "ben") == "not_ours"
    verify(world.ctx, issued.text(0), claim=claim_of("carla"), visitor=Visitor(staff=True))
    assert _rows(world, schema.scan) == 4
    assert alerts(world.ctx, AlertFilter()).total == 0


def test_a_withdrawn_key_burns_nothing(world: World, issuer: UnlockedIssuer) -> None:
    issued = world.issue()
    world.clock.forward(hours=1)
    issuer.withdraw_code_key(issued.batch.key_id, since=world.clock.now, reason="lost", now=world.clock.now)
    _publish(world, issuer)
    for claim in ("anna", "ben"):
        assert world.verdict(issued.text(0), claim) == "locked"
    preview = preview_withdrawal(
        world.ctx.db,
        issuer.keyring.keyring.brand_id,
        issued.batch.key_id,
        since=world.clock.now,
        now=world.clock.now,
    )
    assert preview.used == 0


def test_the_preview_counts_what_is_active_and_unburned(world: World, brand: Brand) -> None:
    brand_id = brand.issuer.keyring.keyring.brand_id
    before, after = world.issue(), world.issue(activate=False)
    key_id = before.batch.key_id
    world.verdict(before.text(1), "anna")
    world.act(before, ActKind.VOID, "2-3", reason="misprint")
    world.act(before, ActKind.SAMPLE, "4")
    since = world.clock.now + timedelta(hours=1)
    world.clock.forward(hours=2)
    world.act(after, ActKind.ACTIVATE, "0-5")
    world.verdict(after.text(5), "ben")

    def preview(**changes: Any) -> Any:
        asked = {"since": since, "now": world.clock.now, **changes}
        return preview_withdrawal(world.ctx.db, brand_id, key_id, **asked)

    told = preview()
    assert (told.orders, told.active_unburned, told.locked, told.used) == (2, 6 + 5, 6, 2)
    world.clock.forward(seconds=1)
    assert preview(since=world.clock.now).locked == 11
    assert preview_withdrawal(world.ctx.db, b"?" * 16, key_id, since=since, now=since).orders == 0


def test_the_issuer_is_answered_through_the_entry_point(world: World, brand: Brand, tmp_path: Path) -> None:
    issued = world.issue()
    brand_id, key_id = brand.issuer.keyring.keyring.brand_id, issued.batch.key_id
    now = world.clock.now + timedelta(seconds=1)
    told = hooks.withdrawal_planned(world.settings.home, brand_id, key_id, now, now)
    assert told is not None
    assert (told.orders, told.active_unburned, told.locked) == (1, 10, 10)
    assert hooks.withdrawal_planned(tmp_path / "none", brand_id, key_id, now, now) is None


def test_codes_of_a_retired_key_verify_and_nothing_is_reprinted(world: World, issuer: UnlockedIssuer) -> None:
    issued = world.issue()
    key = issuer.keyring.keyring.code_key(issued.batch.key_id)
    issuer.rotate_code_key(profile=key.profile, form=key.form, prefix=key.prefix, now=world.clock.now)
    _publish(world, issuer)
    assert world.verdict(issued.text(0), "anna") == "genuine"


def test_a_server_follows_a_new_root_and_believes_the_old_one_no_more(
    world: World, issuer: UnlockedIssuer, brand: Brand
) -> None:
    issued = world.issue()
    old = brand.issuer.keyring
    seed = issuer._store.get(Purpose.ROOT, old.root_fingerprint.removeprefix("sha256:")[:16])  # noqa: SLF001 - a thief has it
    new = issuer.rotate_root(world.clock.now)
    _publish(world, issuer)
    assert world.client.get("/.well-known/authcode-keys.json").data == new.document
    assert world.verdict(issued.text(0), "anna") == "genuine"
    from dataclasses import replace

    stolen = sign_keyring(replace(old.keyring, version=new.keyring.version + 1), SigningKey(seed))
    with pytest.raises(RootChanged):
        publish_keyring(world.ctx.db, stolen, server_id=None, now=world.clock.now)


def test_a_server_refuses_each_keyring_that_does_not_follow(world: World, issuer: UnlockedIssuer, brand: Brand) -> None:
    from dataclasses import replace

    first = issuer.keyring.keyring
    key_id = first.code_keys[0].key_id
    issuer.withdraw_code_key(key_id, since=world.clock.now, reason="lost", now=world.clock.now)
    _publish(world, issuer)
    now_there = issuer.keyring.keyring
    root = SigningKey(issuer._store.get(Purpose.ROOT, issuer.keyring.root_fingerprint.removeprefix("sha256:")[:16]))  # noqa: SLF001 - the root signs what it should not
    other = SigningKey(b"\x77" * 32)
    reused = replace(now_there.code_keys[0], public_key=other.public_key)
    next_one = now_there.version + 1
    refused: list[tuple[type[AuthcodeError], bytes]] = [
        (KeyringRollback, brand.issuer.keyring.document),
        (KeyStateRefused, sign_keyring(replace(first, version=next_one), root)),
        (
            KeyIdTaken,
            sign_keyring(replace(now_there, version=next_one, code_keys=(reused, *now_there.code_keys[1:])), root),
        ),
        (RootChanged, sign_keyring(replace(now_there, version=next_one), other)),
        (KeyIdTaken, sign_keyring(replace(now_there, brand_id=b"?" * 16), other)),
    ]
    for kind, document in refused:
        with pytest.raises(kind):
            publish_keyring(world.ctx.db, document, server_id=None, now=world.clock.now)
    assert world.client.get("/.well-known/authcode-keys.json").data == issuer.keyring.document


def test_a_server_goes_on_with_a_keyring_that_is_out_of_date(world: World) -> None:
    issued = world.issue()
    world.clock.forward(days=60)
    assert world.verdict(issued.text(0), "anna") == "genuine"


@pytest.fixture
def elsewhere(tmp_path: Path, cheap: ScryptCost, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another machine's home: a server's part, and no brand."""
    home = tmp_path / "elsewhere"
    make_server_keys(home, "server-pass", cost=cheap)
    db = Database(load_settings(home).database)
    upgrade(db)
    db.close()
    monkeypatch.setenv("AUTHCODE_HOME", str(home))
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "server-pass")
    return home


def test_sent_keys_arrive_at_the_server_they_were_sealed_to(elsewhere: Path, brand: Brand, tmp_path: Path) -> None:
    run = CliRunner().invoke
    address = run(key_commands.address).output.strip()
    assert json.loads(run(key_commands.address, ["--json"]).output) == {"address": address}
    file = tmp_path / "keys.json"
    file.write_bytes(send_shared_keys(brand.issuer, bytes.fromhex(address)))
    root = brand.issuer.keyring.root_fingerprint
    wrong = run(key_commands.receive, [str(file), "--root", "sha256:" + "0" * 64])
    assert getattr(wrong.exception, "code", None) == "keyring_signature_invalid"
    told = json.loads(run(key_commands.receive, [str(file), "--root", root, "--json"]).output)
    assert (told["brand"], told["root"], told["serial_keys"], told["mac_keys"]) == ("Example Tea", root, 1, 1)
    assert "compare it" in run(key_commands.receive, [str(file)]).output
    keys, shared = open_server_keys(elsewhere, "server-pass"), brand.issuer.shared_keys()
    brand_id = brand.issuer.keyring.keyring.brand_id
    assert keys.serial(brand_id, 1) == shared.serial[1]
    assert dict(keys.mac) == shared.mac
    assert not {header.purpose for header in keys.store.headers()} & {Purpose.SIGNING, Purpose.ROOT, Purpose.OFFICE}


def test_keys_sealed_to_another_server_are_refused(elsewhere: Path, brand: Brand, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    here = open_server_keys(elsewhere, "server-pass").address
    there = brand.keys.address
    assert here != there
    file.write_bytes(send_shared_keys(brand.issuer, address_of(there)))
    refused = CliRunner().invoke(key_commands.receive, [str(file)])
    assert getattr(refused.exception, "code", None) == "shared_keys_invalid"
    assert not [
        header
        for header in open_server_keys(elsewhere, "server-pass").store.headers()
        if header.purpose is Purpose.SERIAL
    ]


def test_a_withdrawn_office_key_brings_no_keys_to_a_server_by_the_keyring_of_its_own_days(
    elsewhere: Path, issuer: UnlockedIssuer, tmp_path: Path
) -> None:
    address = address_of(open_server_keys(elsewhere, "server-pass").address)
    root = issuer.keyring.root_fingerprint
    early, now = tmp_path / "early.json", tmp_path / "now.json"
    early.write_bytes(send_shared_keys(issuer, address))
    issuer.rotate_office_key(issuer.keyring.keyring.issued, withdraw_old=True)
    now.write_bytes(send_shared_keys(issuer, address))
    assert CliRunner().invoke(key_commands.receive, [str(now), "--root", root]).exit_code == 0
    held = open_server_keys(elsewhere, "server-pass").store.headers()
    refused = CliRunner().invoke(key_commands.receive, [str(early), "--root", root])
    assert getattr(refused.exception, "code", None) == "keyring_rollback"
    assert open_server_keys(elsewhere, "server-pass").store.headers() == held


def test_a_state_that_a_keyring_shows_is_the_one_that_counts(issuer: UnlockedIssuer) -> None:
    assert all(key.state is KeyState.ACTIVE for key in issuer.keyring.keyring.code_keys)
    assert issuer.keyring.keyring.key_for(form=Form.SHORT, profile=Profile.COMPACT).public_key is None


# --- Domains of partners and known look-alikes, named to whoever scanned a code that leads there.


def test_a_listed_host_is_named_as_what_the_brand_knows_it_for(world: World, issuer: UnlockedIssuer) -> None:
    issuer.add_domains({Listing.LOOKALIKE: ["aurel-check.example"]}, world.clock.now)
    issuer.add_domains({Listing.PARTNER: ["partner.example"]}, world.clock.now)
    _publish(world, issuer)
    brand = issuer.keyring.keyring.brand
    for host, listing in (
        ("aurel-check.example", "lookalike"),
        ("www.Aurel-Check.example", "lookalike"),
        ("shop.partner.example", "partner"),
        ("notpartner.example", None),
        ("partner.example.net", None),
    ):
        told = world.client.post("/api/v1/look", json={"code": f"https://{host}/q?id=1"}).get_json()
        known = {"host": host.lower(), "listed": listing, "brand": brand if listing else None}
        assert {name: told["foreign"][name] for name in known} == known
        assert told["state"] == "not_ours"
        assert world.ask(f"https://{host}/q?id=1", "anna").get_json()["foreign"]["listed"] == listing
    issuer.unlist_domains(["partner.example"], world.clock.now)
    _publish(world, issuer)
    told = world.client.post("/api/v1/look", json={"code": "https://partner.example/"}).get_json()
    assert told["foreign"]["listed"] is None


def test_no_brand_lists_an_address_of_our_own_codes_away(world: World, issuer: UnlockedIssuer) -> None:
    """Another brand of this server could list this one's host: where our codes lead is known before any list."""
    issuer.add_domains({Listing.LOOKALIKE: ["elsewhere.example"]}, world.clock.now)
    listed = replace(issuer.keyring.keyring, version=99, lookalike_domains=(PREFIX.split("/")[2].lower(),))
    store = issuer._store  # noqa: SLF001 - the root is not handed out, and this test signs with it
    root = SigningKey(store.get(Purpose.ROOT, issuer.keyring.root_fingerprint.removeprefix("sha256:")[:16]))
    publish_keyring(world.ctx.db, sign_keyring(listed, root), server_id=None, now=world.clock.now)
    issued = world.issue()
    assert world.state(issued.text(0)) == "unused"
    assert world.client.post("/api/v1/look", json={"code": f"{PREFIX}x"}).get_json()["foreign"] is None


def test_listed_domains_are_counted_by_name_and_other_hosts_are_not(world: World, issuer: UnlockedIssuer) -> None:
    headers = {"Authorization": f"Bearer {token(world.ctx.db, Scope.METRICS)}"}
    issuer.add_domains({Listing.LOOKALIKE: ["counted.example"]}, world.clock.now)
    _publish(world, issuer)
    before = world.client.get("/metrics", headers=headers).text
    for host in ("www.counted.example", "named-nowhere.example"):
        world.client.post("/api/v1/look", json={"code": f"https://{host}/"})
    told = world.client.get("/metrics", headers=headers).text
    for labels in ({"domain": "counted.example", "listed": "lookalike"}, {"domain": "", "listed": "none"}):
        grew = sample(told, "authcode_foreign_total", **labels) - sample(before, "authcode_foreign_total", **labels)
        assert grew == 1
    assert "named-nowhere" not in told
