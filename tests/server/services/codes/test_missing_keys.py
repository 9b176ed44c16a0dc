"""A server without the serial and MAC keys that its brands' keyrings name: it says so, and calls nothing forged."""

import pytest
from click.testing import CliRunner

from authcode.code.serial import printed_serial
from keys.format.records import Profile, Purpose
from server.commands import serve as serve_commands
from server.storage.engine import RecordsUnreachable
from tests.server.simulator import World


def lose(world: World, purpose: Purpose) -> None:
    """The server's part is restored from before the brand's keys were brought."""
    for header in world.ctx.keys.store.headers():
        if header.purpose is purpose:
            world.ctx.keys.store.remove(purpose, header.key_id)


def warnings(world: World) -> list[str]:
    answer = world.client.get("/readyz")
    assert answer.status_code == 200
    found: list[str] = answer.get_json()["warnings"]
    return found


def test_a_code_whose_serial_key_is_missing_gets_no_answer_yet_and_is_never_called_forged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    code = world.issue().text(0)
    lose(world, Purpose.SERIAL)
    for answer in (world.client.post("/api/v1/look", json={"code": code}), world.ask(code, "anna")):
        assert (answer.status_code, answer.get_json()["code"]) == (503, "serial_key_missing")
    page = world.client.get("/" + code.partition("://")[2].partition("/")[2])
    assert page.status_code == 503
    assert "give you an answer yet" in page.text
    assert "well formed and Example Tea" in page.text
    assert "serial_key_missing at POST /api/v1/look" in caplog.text
    forged = world.client.post("/api/v1/look", json={"code": code[:-3] + ("000" if code[-3:] != "000" else "G0G")})
    assert forged.get_json()["state"] == "not_ours"


def test_a_typed_serial_gets_no_answer_where_a_serial_key_is_missing(world: World) -> None:
    issued = world.issue()
    serial = issued.codes[0].serial
    lose(world, Purpose.SERIAL)
    page = world.client.post("/check/serial", data={"serial": printed_serial(serial)})
    assert (page.status_code, "give you an answer yet" in page.text) == (503, True)


def test_readiness_names_brand_key_and_way_out_of_each_missing_key(world: World) -> None:
    lose(world, Purpose.SERIAL)
    lose(world, Purpose.MAC)
    told, mac = warnings(world)
    assert told.startswith("shared_key_missing: this server does not hold the serial key 1 of Example Tea")
    assert "`authcode keys publish`" in told
    assert "`authcode keys receive`" in told
    keyring = world.brand.issuer.keyring.keyring
    compact = next(key.key_id for key in keyring.code_keys if key.profile is Profile.COMPACT)
    assert f"does not hold the MAC key {compact} of Example Tea" in mac


def test_a_compact_code_without_its_mac_key_cannot_be_told_from_a_forged_one(world: World) -> None:
    code = world.issue(profile=Profile.COMPACT).text(0)
    lose(world, Purpose.MAC)
    assert world.state(code) == "not_ours"


def test_the_start_of_a_server_tells_which_keys_it_lacks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_listens(*_: object) -> None:
        raise RecordsUnreachable  # far enough: what follows would serve

    lose(world, Purpose.SERIAL)
    monkeypatch.setattr("server.process.server.listen", nobody_listens)
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "server-pass")
    monkeypatch.delenv("AUTHCODE_SERVER_PASSPHRASE_FILE", raising=False)
    told = CliRunner().invoke(serve_commands.serve, ["--home", str(world.settings.home), "--port", "0"])
    assert "Warning: shared_key_missing: this server does not hold the serial key 1 of Example Tea" in told.stderr
