"""The server's commands, through the command line itself."""

import json
import os
import re
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click import Command
from click.testing import CliRunner, Result

from authcode.cli import run as run_command_line
from authcode.commands.register import register
from keys.base.errors import KeyFileInvalid, KeyFileReadable
from keys.format.keyring import sign_keyring
from keys.format.records import Purpose
from keys.primitives import SigningKey
from keys.store.key_file import ScryptCost
from server.commands import batch as batch_commands
from server.commands import db as db_commands
from server.commands import serve as serve_commands
from server.commands import staff as staff_commands
from server.domain.batches.range_act import RangeInvalid
from server.keystore import ServerCanSign, ServerKeysMissing, make_server_keys, open_server_keys, refuse_signing_keys
from server.process.server import AddressTaken
from server.runtime import actor as command_line
from server.services.batches.range_acts import OrderUnknown
from server.services.brands.keyring import publish_keyring
from server.services.staff.accounts import authenticate
from server.settings import SettingsInvalid, load_settings
from server.storage.engine import Database
from server.storage.migrate import DatabaseNotMigrated, DatabaseOutdated
from tests.server.simulator import Brand, World

Run = Callable[..., Result]


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("AUTHCODE_HOME", str(world.settings.home))
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "server-pass")

    def invoke(command: Command, *arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(command, arguments, input=stdin)

    return invoke


def test_ranges_are_activated_voided_recalled_and_marked_from_the_command_line(run: Run, world: World) -> None:
    issued = world.issue(activate=False)
    name = issued.batch.order_name
    told = run(
        batch_commands.activate,
        *(name, "--range", "0-8", "--lot", "L1", "--expires", "2028-03-31", "--market", "KR,jp"),
    )
    assert (told.exit_code, told.output.split(" by ")[0]) == (0, f"{name}: activate 0-8 (9 units),"), told.output
    assert run(batch_commands.void, name, "--range", "1", "--reason", "misprint").exit_code == 0
    link = "https://example.com/recall"
    assert run(batch_commands.recall, name, "--range", "2", "--reason", "leaks", "--link", link).exit_code == 0
    assert f"{name}: sample 3-3 (1 unit), by" in run(batch_commands.sample, name, "--range", "3").output
    assert [world.state(issued.text(index)) for index in (0, 1, 2, 3, 9)] == [
        "unused",
        "void",
        "recalled",
        "sample",
        "not_activated",
    ]
    told_code = world.client.post("/api/v1/look", json={"code": issued.text(0)}).get_json()
    assert (told_code["lot"], told_code["expires"], told_code["markets"]) == ("L1", "2028-03-31", ["KR", "JP"])
    status = json.loads(run(batch_commands.status, name, "--json").output)
    assert status["states"] == {"unused": 6, "void": 1, "recalled": 1, "sample": 1, "not_activated": 1}
    assert json.loads(run(batch_commands.status, "--json").output) == [status]
    read = run(batch_commands.status).output
    assert name in read
    assert "6 on sale" in read
    unknown = run(batch_commands.void, "nothing", "--reason", "x")
    assert isinstance(unknown.exception, OrderUnknown)


REASON = ("--reason", "misprint")


@pytest.mark.parametrize(
    ("act", "options", "back"),
    [
        (batch_commands.void, REASON, "It cannot be taken back."),
        (batch_commands.recall, REASON, "It cannot be taken back."),
        (batch_commands.sample, (), "It cannot be taken back."),
        (batch_commands.lock, REASON, "`batch unlock` takes it back."),
    ],
)
def test_at_a_terminal_an_act_on_a_whole_order_is_asked_about_with_counts(  # noqa: PLR0913, PLR0917 - two fixtures, a row
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch, act: Command, options: tuple[str, ...], back: str
) -> None:
    issued = world.issue()
    name = issued.batch.order_name
    monkeypatch.setattr("server.commands.batch._at_terminal", lambda: True)
    asked = run(act, name, *options, stdin="n\n")
    assert asked.exit_code == 1
    assert f"of {name}? {back}" in asked.output
    assert "on sale; 0 verified" in asked.output
    assert world.state(issued.text(0)) == "unused"
    assert run(act, name, *options, "--yes").exit_code == 0
    assert world.state(issued.text(0)) != "unused"


def test_a_wrong_day_or_market_is_answered_with_an_example_and_changes_nothing(run: Run, world: World) -> None:
    issued = world.issue(activate=False)
    name = issued.batch.order_name
    for day in ("31.03.2028", "2028-02-30", "next year", ""):
        wrong = run(batch_commands.activate, name, "--expires", day)
        assert wrong.exit_code == 2
        assert f"{day!r} is no day; write year-month-day, as in 2028-03-31" in wrong.output
    assert isinstance(run(batch_commands.activate, name, "--market", "UK").exception, RangeInvalid)
    assert world.state(issued.text(0)) == "not_activated"


def test_activating_with_a_day_that_is_past_is_done_and_pointed_out(run: Run, world: World) -> None:
    issued = world.issue(activate=False)
    told = run(batch_commands.activate, issued.batch.order_name, "--expires", "2020-01-01")
    assert (told.exit_code, "Warning: their last good day, 2020-01-01, is past" in told.output) == (0, True)
    assert world.state(issued.text(0)) == "expired"


def test_a_script_without_a_terminal_is_not_asked(run: Run, world: World) -> None:
    issued = world.issue()
    assert run(batch_commands.void, issued.batch.order_name, "--reason", "misprint").exit_code == 0
    assert world.state(issued.text(0)) == "void"


def test_codes_are_locked_and_unlocked_from_the_command_line(run: Run, world: World) -> None:
    issued = world.issue()
    name = issued.batch.order_name
    told = run(batch_commands.lock, name, "--range", "0-3", "--reason", "copies in three towns")
    assert (told.exit_code, told.output.split(" by ")[0]) == (0, f"{name}: lock 0-3 (4 units),"), told.output
    assert run(batch_commands.unlock, name, "--range", "1", "--reason", "a mistake").exit_code == 0
    assert [world.state(issued.text(index)) for index in range(3)] == ["locked", "unused", "locked"]
    assert json.loads(run(batch_commands.status, name, "--json").output)["states"] == {"locked": 3, "unused": 7}
    assert "3 locked" in run(batch_commands.status, name).output
    assert run(batch_commands.lock, name).exit_code == 2


def test_an_order_from_another_machine_is_registered_by_its_manifest(run: Run, world: World, tmp_path: Path) -> None:
    manifest, document = world.manifest()
    file = tmp_path / "manifest.json"
    file.write_bytes(document)
    for _twice in range(2):
        told = run(register, "--manifest", str(file))
        assert (told.exit_code, told.output) == (0, f"server: order {manifest.order} is registered, inactive\n")
    assert json.loads(run(batch_commands.status, manifest.order, "--json").output)["states"] == {"not_activated": 10}
    file.write_bytes(document[:-9])
    assert getattr(run(register, "--manifest", str(file)).exception, "code", None) == "manifest_invalid"


def test_registering_an_order_of_a_product_that_was_never_published_says_what_to_do(
    run: Run, world: World, tmp_path: Path
) -> None:
    manifest, document = world.manifest(product="TEA-9")
    file = tmp_path / "manifest.json"
    file.write_bytes(document)
    told = run(register, "--manifest", str(file))
    assert told.exit_code == 0
    assert told.output.startswith(f"server: order {manifest.order} is registered, inactive; product 'TEA-9' is not ")
    assert "authcode product add TEA-9 --name NAME\n" in told.output


def test_a_code_is_found_from_the_command_line(run: Run, world: World) -> None:
    issued = world.issue()
    world.verdict(issued.text(3), "anna")
    found = json.loads(run(batch_commands.find, "-", "--json", stdin=issued.text(3) + "\n").output)
    assert (found["found"], found["index"], found["attempts"]) == (True, 3, 1)
    read = run(batch_commands.find, f"{issued.batch.order_name}:4")
    assert "never verified" in read.output
    assert "activate 0-9" in read.output
    nothing = run(batch_commands.find, "x", "--json")
    assert (nothing.exit_code, json.loads(nothing.output)) == (1, {"found": False, "code": "code_unknown"})


def test_no_order_is_told(run: Run) -> None:
    assert run(batch_commands.status).output == "No order is registered here.\n"


def test_a_one_time_password_is_printed_once(run: Run, world: World) -> None:
    told = run(staff_commands.add, "anna@example.com")
    one_time = re.search(r"one-time password (\S+)", told.output)
    assert authenticate(world.ctx.db, "anna@example.com", one_time.group(1), now=world.clock.now)
    again = run(staff_commands.reset, "anna@example.com")
    other = re.search(r"one-time password (\S+)", again.output)
    assert other.group(1) != one_time.group(1)
    assert authenticate(world.ctx.db, "anna@example.com", other.group(1), now=world.clock.now).must_change_password


def test_the_actor_of_a_command_has_a_name_even_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nobody)
    assert command_line.command_line_actor() == "command line"


def test_a_server_part_is_made_once_and_upgraded_without_a_passphrase(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "fresh"
    monkeypatch.setattr("server.keystore.make_server_keys", lambda *a: make_server_keys(*a, cost=ScryptCost(n=2)))
    assert isinstance(run(staff_commands.add, "a@example.com", "--home", str(home)).exception, DatabaseNotMigrated)
    first = run(db_commands.upgrade, "--home", str(home))
    assert first.output.endswith("The database is up to date.\n"), first.exception
    monkeypatch.delenv("AUTHCODE_SERVER_PASSPHRASE")
    assert run(db_commands.upgrade, "--home", str(home)).output == "The database is up to date.\n"
    assert open_server_keys(home, "server-pass").session
    private = {path.name: path.stat().st_mode & 0o077 for path in (home / "server", home / "server" / "authcode.db")}
    assert set(private.values()) == {0}


def test_a_server_that_could_sign_refuses_to_start(
    run: Run, brand: Brand, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = world.settings.home
    shutil.copytree(brand.home / "issuer", home / "issuer")
    refuse_signing_keys(home, "server-pass")
    with pytest.raises(ServerCanSign):
        refuse_signing_keys(home, "issuer-pass")
    whole = {path: path.read_bytes() for path in (home / "issuer" / "keys").rglob("*") if path.is_file()}
    for path, content in whole.items():
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(KeyFileInvalid):
        refuse_signing_keys(home, "issuer-pass")
    assert isinstance(run(serve_commands.serve, "--port", "0").exception, KeyFileInvalid)
    for path, content in whole.items():
        path.write_bytes(content)
    shutil.rmtree(home / "server" / "keys")
    make_server_keys(home, "issuer-pass", cost=ScryptCost(n=2))
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "issuer-pass")
    assert isinstance(run(serve_commands.serve, "--port", "0").exception, ServerCanSign)


@pytest.mark.skipif(os.name != "posix", reason="permissions are bits on POSIX systems")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_server_with_a_key_file_that_others_can_use_refuses_to_start(
    run: Run, brand: Brand, world: World, mode: int
) -> None:
    """In either part: the issuer's lie beside the server's on one machine."""
    home = world.settings.home
    shutil.copytree(brand.home / "issuer", home / "issuer")
    for part in ("server", "issuer"):
        path = next((home / part / "keys").glob("*.key.json"))
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(mode)
        refused = run(serve_commands.serve, "--port", "0").exception
        assert isinstance(refused, KeyFileReadable)
        assert (refused.path, refused.mode) == (path, mode)
        path.chmod(0o600)


def test_a_server_without_keys_or_tables_refuses_to_start(run: Run, world: World, tmp_path: Path) -> None:
    missing = run(serve_commands.serve, "--port", "0", "--home", str(tmp_path / "nowhere"))
    assert isinstance(missing.exception, ServerKeysMissing)
    with world.ctx.db.write() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))
    assert isinstance(run(serve_commands.serve, "--port", "0").exception, DatabaseOutdated)


@pytest.mark.parametrize(
    "command",
    [
        ("serve", "--port", "0"),
        ("db", "upgrade"),
        ("keys", "publish"),
        ("batch", "status"),
        ("batch", "activate", "spring"),
        ("batch", "find", "K1"),
        ("staff", "add", "anna@example.com"),
        ("token", "list"),
        ("log", "head"),
    ],
    ids=" ".join,
)
def test_every_command_answers_a_database_of_another_version_with_one_sentence(
    brand: Brand,
    world: World,
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    home = world.settings.home
    shutil.copytree(brand.home / "issuer", home / "issuer")
    for part in ("issuer", "server"):
        monkeypatch.setenv(f"AUTHCODE_{part.upper()}_PASSPHRASE", f"{part}-pass")
    for version in ("0012", "7f3a"):
        with world.ctx.db.write() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})
        assert run_command_line([*command, "--home", str(home)]) == 2
        told = capfd.readouterr()
        assert (told.out, told.err) == ("", f"Error: {DatabaseOutdated()} [database_outdated]\n")
    assert "start a new home or name another one with --home" in told.err


def test_a_server_with_an_old_key_list_says_how_to_renew_it(run: Run, brand: Brand, world: World) -> None:
    """As the command enters the time, the keyring is what is moved."""
    opened = brand.issuer.keyring
    store = brand.issuer._store  # noqa: SLF001 - the root is not handed out, and this test signs with it
    root = SigningKey(store.get(Purpose.ROOT, opened.root_fingerprint.removeprefix("sha256:")[:16]))
    now = datetime.now(UTC).replace(microsecond=0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for version, issued, told in ((2, now, False), (3, now - timedelta(days=29), True)):
            newer = replace(
                opened.keyring,
                version=opened.keyring.version + version,
                issued=issued,
                expires=issued + timedelta(days=30),
            )
            publish_keyring(world.ctx.db, sign_keyring(newer, root), server_id=None, now=now)
            ended = run(serve_commands.serve, "--port", str(taken.getsockname()[1]))
            assert isinstance(ended.exception, AddressTaken)
            assert ("`authcode keys publish` renews it" in ended.output) is told


def test_a_server_without_its_file_refuses_to_start(run: Run, world: World) -> None:
    world.ctx.db.close()
    Database(world.settings.database).file.unlink()
    assert isinstance(run(serve_commands.serve, "--port", "0").exception, DatabaseNotMigrated)


def test_settings_come_from_the_environment_first_and_a_file_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    assert load_settings(home).repeat_window_s == 600
    (home / "server").mkdir(parents=True)
    (home / "server" / "server.toml").write_text("repeat_window_s = 30\nworkers = 3\n", encoding="utf-8")
    assert (load_settings(home).repeat_window_s, load_settings(home).workers) == (30, 3)
    monkeypatch.setenv("AUTHCODE_REPEAT_WINDOW_S", "3")
    assert load_settings(home).repeat_window_s == 3
    assert load_settings(home, workers=2).workers == 2
    named = tmp_path / "named.toml"
    named.write_text('rate_limit = "off"\n', encoding="utf-8")
    monkeypatch.setenv("AUTHCODE_CONFIG", str(named))
    assert (load_settings(home).rate_limit, load_settings(home).workers) == ("off", 1)
    assert load_settings(home).database == f"sqlite:///{home / 'server' / 'authcode.db'}"


@pytest.mark.parametrize(
    "text", ["repeat_window_s = 0", "unknown = 1", "workers = 'many'", "not toml", "rate_limit = 'maybe'"]
)
def test_a_setting_that_cannot_be_used_is_named_at_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "server.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(tmp_path)
    assert "maybe" not in str(refused.value)
    assert "many" not in str(refused.value)


def test_a_misspelt_variable_is_refused_and_the_nearest_one_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHCODE_RATELIMIT", "on")
    monkeypatch.setenv("AUTHCODE_XYZZY", "plugh")
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(tmp_path)
    assert "AUTHCODE_RATELIMIT (did you mean AUTHCODE_RATE_LIMIT?); AUTHCODE_XYZZY." in str(refused.value)
    assert "plugh" not in str(refused.value)


def test_a_setting_is_named_as_it_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHCODE_LOG_HEAD_S", "-3")
    with pytest.raises(SettingsInvalid, match=r"AUTHCODE_LOG_HEAD_S: "):
        load_settings(tmp_path)
    monkeypatch.delenv("AUTHCODE_LOG_HEAD_S")
    (tmp_path / "server").mkdir()
    for line, said in (
        ("log_head_s = -3", "log_head_s in "),
        ("log_heads = 3", "is no setting (did you mean log_head_s?)"),
    ):
        (tmp_path / "server" / "server.toml").write_text(line, encoding="utf-8")
        with pytest.raises(SettingsInvalid) as refused:
            load_settings(tmp_path)
        assert said in str(refused.value)
    monkeypatch.setenv("AUTHCODE_CONFIG", str(tmp_path))
    with pytest.raises(SettingsInvalid, match="AUTHCODE_CONFIG"):
        load_settings(tmp_path)


def test_a_wrong_place_database_is_told_before_any_worker_starts(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHCODE_GEOIP_DATABASE", str(world.settings.home / "nothing.mmdb"))
    told = run(serve_commands.serve, "--port", "0").exception
    assert isinstance(told, SettingsInvalid)
    assert "AUTHCODE_GEOIP_DATABASE" in str(told)


def test_a_named_settings_file_or_place_database_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.runtime.places import Places

    with pytest.raises(SettingsInvalid):
        Places(tmp_path / "nothing.mmdb")
    (tmp_path / "text.mmdb").write_text("text", encoding="utf-8")
    with pytest.raises(SettingsInvalid):
        Places(tmp_path / "text.mmdb")
    monkeypatch.setenv("AUTHCODE_CONFIG", str(tmp_path / "nothing.toml"))
    with pytest.raises(SettingsInvalid):
        load_settings(tmp_path)
