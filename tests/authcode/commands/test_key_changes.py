# ruff: noqa: ANN401 - fixtures' classes live in conftest, which tests cannot import
"""`authcode keys rotate`, `withdraw` and `send`, as a person runs them."""

import csv
import io
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authcode.events import Touched
from keys.base.home import keep_apart
from keys.format.keyring import open_keyring
from keys.format.records import Form, KeyState, Profile
from keys.primitives import address_of
from keys.store.issuer import IssuerHome
from keys.store.transfer import receive_shared_keys
from tests.authcode.commands.desk import TOKEN, answer, desk, problem

ORDER = ("--count", "6", "--placement", "inside", "--formats", "csv", "--json")
WITHDRAWAL = {
    "orders": 1,
    "active_unburned": 5,
    "locked": 3,
    "as_usual": 0,
    "not_ours": 2,
    "used": 1,
    "used_locked": 0,
    "used_not_ours": 0,
}


def _issue(line: Any, name: str) -> tuple[str, str]:
    """The key id of an order, and its first code."""
    issued = json.loads(line("batch", "issue", "--order", name, *ORDER)[1])
    with (Path(issued["out"]) / "codes.csv").open(newline="", encoding="ascii") as file:
        return issued["key_id"], next(csv.DictReader(file))["code"]


def _today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


@pytest.mark.parametrize("command", ["keys rotate", "keys withdraw", "keys send"])
def test_every_change_of_keys_explains_itself_with_an_example(line: Any, command: str) -> None:
    code, out, _ = line(*command.split(), "--help")
    assert code == 0
    assert f"authcode {command}" in out.partition("Example:")[2]
    assert "--json" in out


def test_a_rotated_key_signs_the_next_order_and_nothing_is_reprinted(line: Any) -> None:
    old, text = _issue(line, "spring")
    code, out, _ = line("keys", "rotate", "--json")
    told = json.loads(out)
    assert (code, told["retired"], told["form"], told["profile"]) == (0, [old], "short", "signed")
    new, later = _issue(line, "autumn")
    assert new == told["key_id"] != old
    for key_id, one, state in ((old, text, "retired"), (new, later, "active")):
        facts = json.loads(line("verify", "--offline", "--json", one)[1])
        assert (facts["state"], facts["key_id"], facts["key_state"]) == ("signature_valid", key_id, state)
    assert f"retired: {new}" in line("keys", "rotate")[1]


def test_a_new_root_is_followed_by_whoever_pinned_the_old_one(line: Any, home: Path, tmp_path: Path) -> None:
    _, text = _issue(line, "spring")
    published, verifier = tmp_path / "keyring.json", tmp_path / "verifier"
    keyring = home / "issuer" / "keyring.json"

    def verify() -> int:
        published.write_bytes(keyring.read_bytes())
        return int(line("verify", "--offline", "--home", verifier, "--keyring", published, text)[0])

    assert verify() == 0
    code, out, _ = line("keys", "rotate", "--root", "--json")
    assert (code, verify()) == (0, 0)
    pinned = json.loads((verifier / "trust.json").read_text())["brands"][0]["root"]
    assert pinned == json.loads(out)["root"]
    assert "old one vouched for it" in line("keys", "rotate", "--root")[1]
    assert verify() == 0


def test_a_new_office_key_signs_the_next_manifest(line: Any, home: Path) -> None:
    code, out, _ = line("keys", "rotate", "--office", "--json")
    issued = json.loads(line("batch", "issue", "--order", "spring", *ORDER)[1])
    manifest = json.loads((Path(issued["out"]) / "manifest.json").read_text())
    assert (code, manifest["signer"]) == (0, json.loads(out)["office"])
    assert IssuerHome.open(home).keyring.keyring.version == json.loads(out)["version"]


def test_a_withdrawn_office_key_vouches_for_no_manifest(line: Any, home: Path) -> None:
    from authcode.order.manifest import ManifestSignatureInvalid, open_manifest

    issued = json.loads(line("batch", "issue", "--order", "spring", *ORDER)[1])
    manifest = (Path(issued["out"]) / "manifest.json").read_bytes()
    open_manifest(manifest, IssuerHome.open(home).keyring.keyring)
    assert line("keys", "rotate", "--office", "--withdraw-old")[0] == 0
    with pytest.raises(ManifestSignatureInvalid):
        open_manifest(manifest, IssuerHome.open(home).keyring.keyring)
    assert line("keys", "rotate", "--withdraw-old")[0] == 2


def test_withdrawing_says_what_it_touches_asks_and_cannot_be_taken_back(
    line: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id, text = _issue(line, "spring")
    asked: list[Any] = []

    def planned(*heard: Any) -> Touched:
        asked.append(heard)
        return Touched(orders=1, active_unburned=5, locked=3, as_usual=0, used=1, used_locked=1, used_not_ours=0)

    known = {"authcode.withdrawal_planned": (planned,)}
    monkeypatch.setattr("authcode.events.listeners", lambda group: known.get(group, ()))
    command = ("keys", "withdraw", key_id, "--since", _today(), "--reason", "laptop stolen")
    code, out, _ = line(*command, "--preview", "--json")
    told = json.loads(out)
    assert (code, told["withdrawn"], told["orders_issued"], told["units_issued"]) == (0, False, 1, 6)
    assert (told["active_unburned"], told["locked"], told["not_ours"], told["used"]) == (5, 3, 2, 1)
    assert asked[0][2] == key_id
    for typed, expected in (("n\n", 2), ("", 2)):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code, out, err = line(*command)
        assert 'used already; the holders of 1 will read "locked".' in out
        assert (code, "5 units active and not used yet" in out, "[stopped]" in err) == (expected, True, True)
        assert "nothing was withdrawn" in err
    assert IssuerHome.open(home).keyring.keyring.code_key(key_id).state is KeyState.ACTIVE
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert line(*command)[0] == 0
    withdrawn = IssuerHome.open(home).keyring.keyring.code_key(key_id)
    assert (withdrawn.state, withdrawn.reason) == (KeyState.WITHDRAWN, "laptop stolen")
    code, out, _ = line("verify", "--offline", "--json", text)
    assert (code, json.loads(out)["state"]) == (1, "key_withdrawn")
    code, out, _ = line("batch", "issue", "--order", "autumn", *ORDER)
    assert (code, json.loads(out)["error"]["code"]) == (2, "no_key_for_order")
    listed = json.loads(line("keys", "list", "--json")[1])["keys"]
    assert [key["reason"] for key in listed if key["key_id"] == key_id] == ["laptop stolen"]
    shown = line("keys", "list")[1]
    assert f"withdrawn since {_today()} 00:00 UTC: laptop stolen" in shown
    assert IssuerHome.open(home).keyring.root_fingerprint in shown


def test_without_a_server_in_the_home_the_preview_says_that_nobody_knows(line: Any) -> None:
    key_id, _ = _issue(line, "spring")
    command = ("keys", "withdraw", key_id, "--since", _today(), "--reason", "lost", "--preview")
    assert "there is none in this home" in line(*command)[1]
    told = json.loads(line(*command, "--json")[1])
    assert (told["active_unburned"], told["units_issued"]) == (None, 6)


def test_an_issuer_apart_from_its_server_asks_it_what_a_withdrawal_touches(
    line: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a server that does not answer is a reason not to withdraw blindly."""
    monkeypatch.setenv("AUTHCODE_TOKEN", TOKEN)
    key_id, _ = _issue(line, "spring")
    counts = WITHDRAWAL | {"locked": 0, "as_usual": 3}
    with desk(answer(**counts), problem(403, "token_scope_missing")) as (server, handler):
        command = ("keys", "withdraw", key_id, "--since", "2026-03-01", "--reason", "lost", "--server", server)
        code, out, _ = line(*command, "--preview", "--json")
        told = json.loads(out)
        assert (code, {name: told[name] for name in counts if name != "orders"}) == (
            0,
            {name: count for name, count in counts.items() if name != "orders"},
        )
        assert handler.asked[0][:3] == (
            "GET",
            f"/api/v1/keys/{key_id}/withdrawal?since=2026-03-01T00:00:00Z",
            f"Bearer {TOKEN}",
        )
        code, _, err = line(*command, "--yes")
        assert (code, "[token_scope_missing]" in err) == (2, True)
    assert IssuerHome.open(home).keyring.keyring.code_key(key_id).state is KeyState.ACTIVE
    in_force = answer(brand="Example Tea", version=9, keys_not_here=[])
    with desk(answer(**counts), in_force) as (server, handler):
        code, out, _ = line(*command[:-1], server, "--yes")
        assert (code, '"locked"' in out) == (0, False)
        assert "3 in the world before 2026-03-01 00:00 UTC will be answered as usual with a caution" in out
        assert f"{server}: keyring version 9 of Example Tea is in force" in out
        method, path, _, sent = handler.asked[1]
    opened = IssuerHome.open(home).keyring
    assert (method, path, sent) == ("PUT", "/api/v1/keyring", opened.document)
    assert opened.keyring.code_key(key_id).state is KeyState.WITHDRAWN


@pytest.mark.parametrize("how", [("--yes",), ("--yes", "--json")])
def test_a_withdrawn_key_that_is_still_good_at_the_server_is_not_overlooked(
    line: Any, home: Path, monkeypatch: pytest.MonkeyPatch, how: tuple[str, ...]
) -> None:
    """The withdrawal stands at home; the server's token may see and not publish."""
    monkeypatch.setenv("AUTHCODE_TOKEN", TOKEN)
    key_id, _ = _issue(line, "spring")
    counts = WITHDRAWAL
    with desk(answer(**counts), problem(403, "token_scope_missing", "It lacks keys:publish.")) as (server, _):
        command = ("keys", "withdraw", key_id, "--since", "2026-03-01", "--reason", "stolen", "--server", server)
        code, out, err = line(*command, *how)
    assert code == 1
    assert f"at {server} the key {key_id} is STILL GOOD" in err
    assert "[token_scope_missing]" in err
    assert f"authcode keys publish --server {server}" in err
    if "--json" in how:
        told = json.loads(out)
        assert (told["withdrawn"], told["published_at_server"]) == (True, False)
        assert err.strip() in told["notes"]
    assert IssuerHome.open(home).keyring.keyring.code_key(key_id).state is KeyState.WITHDRAWN


def test_a_withdrawal_without_a_server_says_that_it_reached_none(line: Any, home: Path) -> None:
    key_id, _ = _issue(line, "spring")
    keep_apart(home)
    command = ("keys", "withdraw", key_id, "--since", _today(), "--reason", "lost", "--yes", "--json")
    told = json.loads(line(*command)[1])
    assert told["published_at_server"] is None
    assert any("still good until the keyring is published there" in note for note in told["notes"])


def test_a_withdrawal_that_cannot_be_is_refused_with_its_sentence(line: Any) -> None:
    key_id, _ = _issue(line, "spring")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    code, out, err = line("keys", "withdraw", key_id, "--since", tomorrow, "--reason", "lost", "--preview")
    assert (code, out, "[key_state_refused]" in err) == (2, "", True)
    assert f"it is {_today()} " in err
    assert " UTC now" in err
    code, _, err = line("keys", "withdraw", key_id, "--since", tomorrow, "--reason", "lost", "--yes")
    assert (code, "[key_state_refused]" in err) == (2, True)
    code, _, err = line("keys", "withdraw", "zz", "--since", _today(), "--reason", "lost", "--yes")
    assert (code, "[unknown_key]" in err) == (2, True)
    assert line("keys", "withdraw", key_id, "--since", "soon", "--reason", "lost", "--yes")[0] == 2


def test_keys_are_sent_sealed_to_the_server_that_is_named(line: Any, home: Path, tmp_path: Path) -> None:
    secret, out = b"\x31" * 32, tmp_path / "keys.json"
    code, told, _ = line("keys", "send", "--to", address_of(secret).hex(), "--out", out)
    root = open_keyring((home / "issuer" / "keyring.json").read_bytes(), root_fingerprint=None).root_fingerprint
    assert (code, root in told) == (0, True)
    sent = receive_shared_keys(out.read_bytes(), secret, root_fingerprint=root)
    assert (len(sent.shared.serial), len(sent.shared.mac)) == (1, 1)
    assert out.stat().st_mode & 0o077 == 0
    for address in ("zz", "00", "00" * 32):
        code, _, err = line("keys", "send", "--to", address, "--out", tmp_path / "none.json")
        assert (code, "[address_invalid]" in err) == (2, True)
    assert not (tmp_path / "none.json").exists()


def test_issuing_warns_before_the_key_is_used_up_and_refuses_after(line: Any, home: Path) -> None:
    from authcode.order.book import OrderBook

    book = OrderBook(home / "issuer" / "orders")
    key = IssuerHome.open(home).keyring.keyring.key_for(form=Form.SHORT, profile=Profile.SIGNED)
    for number in range(98):
        book.reserve(f"o-{number}", {"count": "1"}, key=key, now=datetime.now(UTC))
    plan = ("--count", "6", "--placement", "inside", "--formats", "csv")
    assert f"Warning: key {key.key_id} has signed 98 of 100 orders" in line("batch", "plan", "--order", "x", *plan)[1]
    assert "99 of 100 orders" in line("batch", "issue", "--order", "x", *plan)[1]
    assert "100 of 100" in json.loads(line("batch", "issue", "--order", "y", *ORDER)[1])["warning"]
    for verb in ("plan", "issue"):
        code, _, err = line("batch", verb, "--order", "z", *plan)
        assert (code, "[key_used_up]" in err, "authcode keys rotate" in err) == (2, True, True)


@pytest.mark.skipif(os.name != "posix", reason="permissions are bits on POSIX systems")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_no_command_goes_on_with_a_key_file_that_others_can_read(line: Any, home: Path, mode: int) -> None:
    files = sorted((home / "issuer" / "keys").glob("*.key.json"))
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    files[-1].chmod(mode)
    for command in ("keys list", "keys new", "keys rotate", "keys publish", "keys domains list"):
        code, _, said = line(*command.split())
        assert (code, f"(mode {mode:04o}); run `chmod 600" in said) == (2, True), (command, said)
    assert line("batch", "issue", "--order", "spring", *ORDER)[0] == 2
    assert json.loads(line("keys", "list", "--json")[1])["error"]["code"] == "key_file_readable"
    files[-1].chmod(0o600)
    assert line("keys", "list")[0] == 0


def test_domains_are_listed_added_and_removed_from_the_command_line(line: Any, home: Path) -> None:
    before = json.loads(line("keys", "domains", "list", "--json")[1])
    assert (before["lookalike_domains"], before["partner_domains"]) == ([], [])
    code, out, _ = line("keys", "domains", "add", "--lookalike", "tea-check.example", "--json")
    told = json.loads(out)
    assert (code, told["lookalike_domains"], told["version"]) == (0, ["tea-check.example"], before["version"] + 1)
    assert line("keys", "domains", "add", "--partner", "shop.example")[1].startswith("Keyring ")
    listed = line("keys", "domains", "list")[1]
    assert "look-alike tea-check.example" in listed
    assert "partner    shop.example" in listed
    assert line("keys", "domains", "remove", "tea-check.example")[0] == 0
    assert IssuerHome.open(home).keyring.keyring.lookalike_domains == ()
    code, out, _ = line("keys", "domains", "add", "--partner", "https://x", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "domain_refused")
    assert line("keys", "domains", "add", "shop.example")[0] == 2
    assert line("keys", "domains", "add")[0] == 2


def test_partners_and_look_alikes_of_one_command_each_enter_their_own_list(line: Any, home: Path) -> None:
    """Each name belongs to the option before it: nobody is called a look-alike by the order of words."""
    version = IssuerHome.open(home).keyring.keyring.version
    named = ("--partner", "a.example", "--lookalike", "fake.example", "--partner", "b.example")
    told = json.loads(line("keys", "domains", "add", *named, "--json")[1])
    assert (told["partner_domains"], told["lookalike_domains"]) == (["a.example", "b.example"], ["fake.example"])
    assert told["version"] == version + 1
    code, out, _ = line("keys", "domains", "add", "--partner", "c.example", "--lookalike", "c.example", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "domain_refused")
    assert IssuerHome.open(home).keyring.keyring.version == version + 1


def test_a_moment_is_taken_as_people_write_it_and_a_newer_key_needs_no_advice(line: Any) -> None:
    key_id, _ = _issue(line, "spring")
    command = ("keys", "withdraw", key_id, "--since", f"{_today()} 00:00", "--reason", "lost")
    assert json.loads(line(*command, "--preview", "--json")[1])["since"] == f"{_today()}T00:00:00Z"
    assert line("keys", "rotate")[0] == 0
    code, out, _ = line(*command, "--yes")
    assert (code, "keys rotate" in out) == (0, False)


def test_a_part_is_sealed_under_a_new_passphrase_and_works_on(
    line: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = tmp_path / "new.txt"
    chosen.write_text("quite another passphrase\n", encoding="utf-8")
    chosen.chmod(0o600)
    code, out, err = line("keys", "passphrase", "issuer", "--new-file", chosen)
    assert (code, err) == (0, "")
    assert "replace your backups" in out
    assert "AUTHCODE_ISSUER_PASSPHRASE" in out
    assert "[wrong_passphrase]" in line("keys", "publish")[2]
    monkeypatch.setenv("AUTHCODE_ISSUER_PASSPHRASE", "quite another passphrase")
    assert line("keys", "publish")[0] == 0
    _issue(line, "spring")
    shutil.copytree(home / "issuer" / "keys", home / "server" / "keys")
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "quite another passphrase")
    assert "[passphrases_equal]" in line("keys", "passphrase", "server", "--new-file", chosen)[2]
    assert "[passphrase_missing]" in line("keys", "passphrase", "issuer")[2]
    assert "[home_missing]" in line("keys", "passphrase", "issuer", "--home", tmp_path / "none")[2]
