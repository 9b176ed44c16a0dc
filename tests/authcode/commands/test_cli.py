# ruff: noqa: ANN401 - fixtures' classes live in conftest, which tests cannot import
"""The command line, from `init` to `verify`, and how it says what went wrong."""

import csv
import importlib.metadata
import io
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from keys.base.errors import WrongPassphrase
from keys.format.keyring import open_keyring, sign_keyring
from keys.store.issuer import IssuerHome
from keys.store.key_file import ScryptCost

PASSPHRASE = "correct horse battery staple"
ORDER = ("--order", "spring", "--count", "6", "--placement", "inside")


def _codes(out: str | Path) -> list[str]:
    with (Path(out) / "codes.csv").open(newline="", encoding="ascii") as file:
        return [row["code"] for row in csv.DictReader(file)]


def test_help_lists_every_noun_in_its_section_without_loading_a_command(line: Any) -> None:
    code, out, _ = line("--help")
    assert code == 0
    for noun in ("init", "keys", "product", "batch", "scan", "verify", "serve", "brand", "staff", "db", "demo"):
        assert any(text.strip().startswith(noun) and len(text.split()) > 2 for text in out.splitlines()), noun
    assert "More:" not in out
    assert "authcode init --brand" in out


def test_help_is_instant() -> None:
    started = time.perf_counter()
    script = (
        "import sys; from authcode import cli; cli.run(['--help']);"
        "heavy = {'cv2', 'flask', 'sqlalchemy', 'numpy', 'qrcode', 'pikepdf', 'nacl', 'cryptography', 'rich'};"
        "sys.exit(len(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, capture_output=True).returncode == 0
    assert time.perf_counter() - started < 2  # 0.1 s on an idle machine; what makes it so is the line above


@pytest.mark.parametrize(("typed", "meant"), [("inti", "init"), ("batch isue", "issue")])
def test_a_slip_of_the_hand_is_told_the_nearest_command(line: Any, typed: str, meant: str) -> None:
    code, _, err = line(*typed.split())
    assert code == 2
    assert f"Did you mean '{meant}'?" in err


@pytest.mark.parametrize(
    "command",
    [
        "init",
        "keys new",
        "keys list",
        "keys publish",
        "product add",
        "product list",
        "batch plan",
        "batch issue",
        "batch register",
        "verify",
    ],
)
def test_every_command_of_the_issuer_explains_itself_with_an_example(line: Any, command: str) -> None:
    code, out, _ = line(*command.split(), "--help")
    assert code == 0
    assert f"authcode {command}" in out.partition("Example:")[2]
    assert "--json" in out


def test_init_makes_a_home_that_issues(tmp_path: Path, line: Any) -> None:
    place = tmp_path / "new"
    code, out, _ = line("init", "--brand", "Acme", "--prefix", "https://v.acme.example", "--home", place, "--json")
    made = json.loads(out)
    assert code == 0
    assert (made["brand"], made["prefixes"], made["notes"]) == ("Acme", ["HTTPS://V.ACME.EXAMPLE/"], [])
    opened = open_keyring(Path(made["keyring"]).read_bytes(), root_fingerprint=made["root"])
    assert opened.keyring.brand_id.hex() == made["brand_id"]
    code, out, _ = line("batch", "issue", *ORDER, "--formats", "csv", "--home", place, "--json")
    assert code == 0
    assert _codes(json.loads(out)["out"])[0].startswith("HTTPS://V.ACME.EXAMPLE/")
    code, _, err = line("init", "--brand", "Acme", "--prefix", "https://v.acme.example", "--home", place)
    assert (code, "[home_exists]" in err) == (2, True)


@pytest.mark.parametrize(
    ("prefix", "warned"),
    [
        ("http://v.acme.example", True),
        ("http://v.acme.example:8470", True),
        ("https://v.acme.example", False),
        ("http://127.0.0.1:8470", False),
        ("http://localhost", False),
    ],
)
def test_init_warns_of_codes_that_lead_to_an_open_connection(
    tmp_path: Path, line: Any, prefix: str, *, warned: bool
) -> None:
    code, out, _ = line("init", "--brand", "Acme", "--prefix", prefix, "--home", tmp_path / "new", "--issuer-only")
    assert (code, "Warning: without https" in out) == (0, warned)


def test_init_hands_keyring_and_shared_keys_to_whoever_listens(
    tmp_path: Path, line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []

    def hear(home: Path, keyring: bytes, shared: Any, server_passphrase: Any) -> str:
        heard.append((home, open_keyring(keyring, root_fingerprint=None).keyring.brand, server_passphrase()))
        assert set(shared.serial) == {1}
        return "server part made"

    monkeypatch.setattr("authcode.events.listeners", lambda _group: (hear,))
    place = tmp_path / "new"
    code, out, _ = line("init", "--brand", "Acme", "--prefix", "https://v.acme.example", "--home", place)
    assert code == 0
    assert "server part made" in out
    assert heard == [(place, "Acme", "another one")]


def test_init_whose_server_part_fails_says_how_to_go_on(
    tmp_path: Path, line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_heard: object) -> None:
        raise WrongPassphrase("the server's part")

    monkeypatch.setattr("authcode.events.listeners", lambda _group: (fail,))
    place = tmp_path / "new"
    code, _, err = line("init", "--brand", "Acme", "--prefix", "https://v.acme.example", "--home", place)
    assert (code, "[wrong_passphrase]" in err, "authcode keys publish" in err) == (2, True, True)
    monkeypatch.setattr("authcode.events.listeners", lambda _group: ())
    assert line("keys", "publish", "--home", place)[0] == 0


def test_init_refuses_one_passphrase_for_both_parts(tmp_path: Path, line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr("authcode.events.listeners", lambda _group: (print,))
    place = tmp_path / "new"
    code, _, err = line("init", "--brand", "Acme", "--prefix", "https://v.acme.example", "--home", place)
    assert (code, "[passphrases_equal]" in err) == (2, True)
    assert not place.exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("init", "--brand", "", "--prefix", "https://v.example.com"), "1 to 100 characters, not 0"),
        (("init", "--brand", "Tea\u200d", "--prefix", "https://v.example.com"), "U+200D (zero width joiner)"),
        (("init", "--brand", "\u0410urel", "--prefix", "https://v.example.com"), "mixes Cyrillic and Latin letters"),
        (("init", "--brand", "A", "--prefix", "https://xn--urel-43d.example"), "[name_mixes_scripts]"),
        (("init", "--brand", "A", "--prefix", "v.example.com"), "'v.example.com' is refused"),
        (("batch", "plan", "--order", "a", "--placement", "inside", "--count", "5,000"), "'5,000' is no whole number"),
        (("batch", "plan", "--order", "a", "--placement", "inside", "--count", "9" * 5000), "more than 12 digits"),
        (("batch", "plan", "--order", "a b", "--placement", "inside", "--count", "5"), "its name 'a b' takes 1 to 64"),
        (("keys", "withdraw", "K1", "--reason", "x", "--since", "1.3.2026"), "'1.3.2026' is no moment; write a day"),
        (("keys", "withdraw", "K1", "--reason", "x", "--since", "2026-03-01T25:00:00Z"), "as in 2028-03-31 or"),
        (("product", "add", "tea 100", "--name", "T"), "its sku 'tea 100' takes 1 to 64"),
        (("product", "add", "tea", "--name", "T", "--gtin", "09506000134353"), "'09506000134353' is no GTIN"),
        (("product", "add", "tea", "--name", "T", "--more-url", "tea.example"), "as in https://example.com/tea"),
        (("product", "add", "tea", "--name", "T", "--support", ""), "its support is empty"),
    ],
)
def test_a_wrong_value_is_answered_with_what_was_given_and_what_is_expected(
    line: Any, home: Path, tmp_path: Path, command: tuple[str, ...], said: str
) -> None:
    place = tmp_path / "new" if command[0] == "init" else home
    code, out, err = line(*command, "--home", place)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert not (tmp_path / "new").exists()


def test_keys_are_made_listed_and_published(line: Any, home: Path) -> None:
    code, out, _ = line("keys", "new", "--profile", "compact", "--json")
    made = json.loads(out)
    assert (code, made["profile"], made["form"]) == (0, "compact", "short")
    code, out, _ = line("keys", "new", "--form", "gs1", "--prefix", "https://w.example.com")
    assert (code, "HTTPS://W.EXAMPLE.COM/" in out) == (0, True)
    code, out, _ = line("keys", "list", "--json")
    listed = json.loads(out)
    assert code == 0
    assert made["key_id"] in [key["key_id"] for key in listed["keys"]]
    assert len(listed["keys"]) == 5
    assert made["key_id"] in line("keys", "list")[1]
    code, out, _ = line("keys", "publish", "--json")
    published = json.loads(out)
    assert code == 0
    assert published["keyring"] == str(home / "issuer" / "keyring.json")
    assert datetime.fromisoformat(published["expires"]) > datetime.now(UTC) + timedelta(days=9)
    assert f"Keyring {published['version']}," in line("keys", "publish")[1]


def test_keys_tell_whoever_listens(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authcode.events.listeners", lambda _group: (lambda *heard: f"told, {heard[3]()}",))
    for command in (("keys", "new"), ("keys", "publish")):
        assert "told, another one" in line(*command)[1]


def test_a_compact_key_has_the_short_form_only(line: Any) -> None:
    code, _, err = line("keys", "new", "--profile", "compact", "--form", "gs1")
    assert (code, "[keyring_invalid]" in err) == (2, True)


def test_products_are_kept_and_listed(line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No product yet" in line("product", "list")[1]
    picture = tmp_path / "tea.png"
    Image.new("RGB", (8, 6), "green").save(picture)
    monkeypatch.setattr("authcode.events.listeners", lambda _group: (lambda _home, product: f"{product.name}: shown",))
    arguments = ("product", "add", "tea", "--name", "Green tea", "--gtin", "9506000134352", "--picture", picture)
    code, out, _ = line(*arguments, "--feature", "embossed seal", "--feature", "matt lid", "--json")
    added = json.loads(out)
    assert code == 0
    assert (added["gtin"], added["picture_type"]) == ("09506000134352", "image/png")
    assert (added["features"], added["notes"]) == (["embossed seal", "matt lid"], ["Green tea: shown"])
    assert "Green tea: shown" in line(*arguments)[1]
    assert json.loads(line("product", "list", "--json")[1])["products"][0]["name"] == "Green tea"
    assert "Green tea" in line("product", "list")[1]


def test_a_text_called_jpg_is_no_picture(line: Any, tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_text("hello")
    code, _, err = line("product", "add", "tea", "--name", "Tea", "--picture", tmp_path / "x.jpg")
    assert (code, "[product_invalid]" in err) == (2, True)


def test_plan_shows_what_would_be_printed_and_uses_no_key(
    line: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTHCODE_ISSUER_PASSPHRASE")
    before = sorted(home.rglob("*"))
    code, out, _ = line("batch", "plan", *ORDER, "--json")
    plan = json.loads(out)
    assert code == 0
    assert (plan["version"], plan["modules"], plan["label_mm"], plan["codes"], plan["sheets"]) == (6, 41, 17.0, 6, 1)
    assert (plan["risk"], plan["logo_mm"], plan["logo_margin"]) == (None, None, None)
    assert sorted(home.rglob("*")) == before
    code, out, _ = line("batch", "plan", "--order", "x", "--count", "5000", "--placement", "visible")
    assert code == 0
    assert "version 6, level M, 41 modules" in out
    assert "about 72 seconds, 3.4 MB" in out
    assert "Warning: anybody in the shop can copy a visible code" in out


def test_plan_shows_how_large_a_logo_is_and_the_margin_that_it_leaves(line: Any, tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), "black").save(tmp_path / "logo.png")
    arguments = ("batch", "plan", *ORDER, "--logo", tmp_path / "logo.png", "--level", "H", "--drawn-by", "press")
    code, out, _ = line(*arguments, "--json")
    plan = json.loads(out)
    assert code == 0
    assert 0.5 <= plan["logo_margin"] <= 1
    assert plan["sheets"] is None
    width, height = plan["logo_mm"]
    assert width == height
    assert 5 * plan["module_mm"] < width < plan["label_mm"] / 2
    assert f"{width:.1f} by {height:.1f} mm, leaves" in line(*arguments)[1]


def test_issue_writes_once_and_says_where_it_lies(line: Any, home: Path) -> None:
    code, out, err = line("batch", "issue", *ORDER)
    assert (code, err) == (0, "")
    lies = home / "orders" / "spring"
    assert str(lies) in out
    assert sorted(path.name for path in lies.iterdir()) == ["codes.csv", "manifest.json", "pdf"]
    assert not any(text in out for text in _codes(lies))
    code, out, _ = line("batch", "issue", *ORDER)
    assert code == 0
    assert "issued before; nothing was written" in out
    again = json.loads(line("batch", "issue", *ORDER, "--json")[1])
    assert (again["already_issued"], again["batch_number"], again["out"]) == (True, 1, str(lies))
    code, out, _ = line("batch", "issue", *ORDER, "--level", "Q", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "order_conflict")


def test_issue_tells_the_risk_of_a_visible_code_and_what_listeners_said(
    line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authcode.events.listeners", lambda _group: (lambda _home, _manifest: "registered, inactive",))
    code, out, _ = line("batch", "issue", "--order", "v", "--count", "1", "--placement", "visible", "--formats", "csv")
    assert code == 0
    assert "registered, inactive" in out
    assert "Warning: anybody in the shop can copy a visible code" in out


def test_a_gs1_order_takes_its_gtin_from_the_product(line: Any) -> None:
    code, _, err = line("batch", "issue", *ORDER, "--form", "gs1")
    assert (code, "[order_invalid]" in err) == (2, True)
    code, _, err = line("batch", "issue", *ORDER, "--form", "gs1", "--product", "tea")
    assert (code, "[product_unknown]" in err) == (2, True)
    line("product", "add", "tea", "--name", "Tea", "--gtin", "09506000134352")
    code, out, _ = line("batch", "issue", *ORDER, "--form", "gs1", "--product", "tea", "--tiers", "pair", "--json")
    issued = json.loads(out)
    assert (code, issued["codes"]) == (0, 12)
    assert all("/01/09506000134352/21/" in text for text in _codes(issued["out"]))


def test_an_order_may_name_where_its_codes_lead(line: Any) -> None:
    line("keys", "new", "--prefix", "https://w.example.com")
    for url, expected in (("https://v.example.com", "HTTPS://V."), ("https://w.example.com/", "HTTPS://W.")):
        order = ("--order", expected[-2], "--count", "1", "--placement", "inside", "--formats", "csv", "--prefix", url)
        assert json.loads(line("batch", "plan", *order, "--json")[1])["prefix"].startswith(expected)
        assert _codes(json.loads(line("batch", "issue", *order, "--json")[1])["out"])[0].startswith(expected)
    code, out, _ = line("batch", "plan", *ORDER, "--prefix", "https://x.example.com", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "no_key_for_order")


def test_a_bar_is_shown_to_a_person_and_not_to_a_pipe(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert line("batch", "issue", *ORDER, "--formats", "csv")[0] == 0
    assert "Issuing spring" in terminal.getvalue()


def _issued_code(line: Any, *options: str) -> str:
    out = json.loads(line("batch", "issue", *ORDER, "--formats", "csv", "--json", *options)[1])["out"]
    return _codes(out)[0]


def test_verify_says_what_the_signature_says_and_no_more(line: Any, home: Path) -> None:
    _in_date(home)
    text = _issued_code(line)
    code, out, _ = line("verify", "--offline", "--json", text)
    facts = json.loads(out)
    assert code == 0
    assert (facts["state"], facts["use_checked"], facts["key_state"]) == ("signature_valid", False, "active")
    assert (facts["form"], facts["gtin"], facts["brand"]) == ("short", None, "Example Tea")
    code, out, _ = line("verify", "--offline", text)
    assert (code, "signature valid, use not checked" in out) == (0, True)
    assert text not in out


def test_verify_reads_a_code_from_standard_input(line: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _in_date(home)
    text = _issued_code(line)
    around = (
        "{}",
        "{}\n",
        "{}\r\n",
        "{}\n\n",
        "\ufeff{}",
        " {}",
        '"{}"',
        "<{}>",
        "\u201c{}\u201d,",
        "> {}.",
        "({})\u200b",
    )
    for given in (*around, "{}x", "{0}\n{0}", "<{0}x>"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.format(text).encode())))
        assert line("verify", "--offline", "-")[0] == (0 if given in around else 1), given


def _in_date(home: Path, **changes: Any) -> None:
    """Publish the keyring as of today, with changes."""
    from keys.format.records import Purpose
    from keys.primitives import SigningKey
    from keys.store.key_store import open_store

    path = home / "issuer" / "keyring.json"
    opened = open_keyring(path.read_bytes(), root_fingerprint=None)
    store = open_store(home / "issuer" / "keys").unlock(PASSPHRASE)
    root = SigningKey(store.get(Purpose.ROOT, opened.root_fingerprint.removeprefix("sha256:")[:16]))
    today = datetime.now(UTC).replace(microsecond=0)
    fields = {"issued": today, "expires": today + timedelta(days=30), "version": opened.keyring.version + 1, **changes}
    path.write_bytes(sign_keyring(replace(opened.keyring, **fields), root))


def test_verify_answers_no_with_exit_code_1(line: Any, home: Path) -> None:
    _in_date(home)
    code, out, _ = line("verify", "--offline", "--json", "https://evil.example/K1")
    root = IssuerHome.open(home).keyring.root_fingerprint
    assert (code, json.loads(out)) == (1, {"state": "not_ours", "root": root, "first_seen": False})
    code, out, _ = line("verify", "--offline", "hello")
    assert (code, "not a code of ours" in out) == (1, True)


def test_verify_past_the_date_of_the_key_list_is_no_plain_yes(line: Any, home: Path) -> None:
    text = _issued_code(line)
    long_ago = datetime(2025, 1, 1, tzinfo=UTC)
    _in_date(home, issued=long_ago, expires=long_ago + timedelta(days=30))
    code, out, _ = line("verify", "--offline", "--json", text)
    assert (code, json.loads(out)["state"]) == (1, "key_list_out_of_date")


def test_verify_leaves_compact_codes_to_the_server(line: Any) -> None:
    text = _issued_code(line, "--profile", "compact")
    code, out, _ = line("verify", "--offline", "--json", text)
    assert (code, json.loads(out)["error"]["code"]) == (2, "online_only")


def test_verify_takes_a_published_keyring_and_pins_its_root(line: Any, home: Path, tmp_path: Path) -> None:
    _in_date(home)
    text = _issued_code(line)
    published = (home / "issuer" / "keyring.json").rename(tmp_path / "keyring.json")
    code, _, err = line("verify", "--offline", text)
    assert (code, "[keyring_missing]" in err) == (2, True)
    assert line("verify", "--offline", "--keyring", published, text)[0] == 0
    assert (home / "trust.json").exists()
    (home / "issuer" / "keyring.json").write_bytes(published.read_bytes())
    older = published.read_bytes()
    _in_date(home)
    assert line("verify", "--offline", "--keyring", home / "issuer" / "keyring.json", text)[0] == 0
    published.write_bytes(older)
    code, _, err = line("verify", "--offline", "--keyring", published, text)
    assert (code, "[keyring_rollback]" in err) == (2, True)


def test_verify_without_offline_says_what_it_cannot_do(line: Any) -> None:
    code, out, _ = line("verify", "--json", "hello")
    assert (code, json.loads(out)["error"]["code"]) == (2, "offline_not_said")


def test_a_wrong_passphrase_is_told_and_not_repeated(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHCODE_ISSUER_PASSPHRASE", "hunter2")
    code, out, err = line("batch", "issue", *ORDER)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.endswith("[wrong_passphrase]\n")
    assert "hunter2" not in err


def test_without_a_home_there_is_one_clear_sentence(line: Any, tmp_path: Path) -> None:
    for command in (("keys", "list"), ("product", "list"), ("batch", "issue", *ORDER), ("batch", "plan", *ORDER)):
        code, _, err = line(*command, "--home", tmp_path / "nowhere")
        assert (code, "[home_missing]" in err) == (2, True)
        assert not (tmp_path / "nowhere").exists()


def test_the_installed_command_ends_with_its_exit_code(home: Path) -> None:
    environment = {**os.environ, "AUTHCODE_HOME": str(home)}
    ran = subprocess.run(
        [sys.executable, "-m", "authcode", "verify", "--offline", "hello"],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "not a code of ours" in ran.stdout


def test_the_version_is_told(line: Any) -> None:
    code, out, _ = line("--version")
    assert (code, importlib.metadata.version("authcode") in out) == (0, True)


def test_the_first_sight_of_a_brand_says_which_root_was_pinned_and_a_copied_brand_is_refused(
    line: Any, home: Path, tmp_path: Path
) -> None:
    keyring = home / "issuer" / "keyring.json"
    root = IssuerHome.open(home).keyring.root_fingerprint
    verifier, copier = tmp_path / "verifier", tmp_path / "copier"
    asked = ("verify", "--offline", "--json", "--home", verifier)
    _, told, said = line(*asked, "--keyring", keyring, "HELLO")
    assert (json.loads(told)["root"], json.loads(told)["first_seen"]) == (root, True)
    assert f"Example Tea is seen for the first time; its root {root} is pinned in {verifier / 'trust.json'}" in said
    _, told, said = line(*asked, "--keyring", keyring, "HELLO")
    assert (json.loads(told)["root"], json.loads(told)["first_seen"], said) == (root, False, "")
    cheap = ScryptCost(n=2, r=1, p=1)
    for brand, prefix in (("Example Tea", "https://x.example.org"), ("Tea", "https://v.example.com")):
        shutil.rmtree(copier, ignore_errors=True)
        copied = IssuerHome.create(
            copier, brand=brand, prefix=prefix, passphrase="p", now=datetime.now(UTC), cost=cheap
        ).keyring
        published = copier / "issuer" / "keyring.json"
        code, told, said = line(*asked, "--keyring", published, "HELLO")
        refused = json.loads(told)["error"]
        assert (code, refused["code"], said) == (2, "brand_conflict", "")
        assert root in refused["message"]
        assert copied.root_fingerprint in refused["message"]
        assert copied.keyring.brand_id.hex() not in (verifier / "trust.json").read_text()
    own = json.loads(line("verify", "--offline", "--json", "--keyring", published, "HELLO")[1])
    assert own["error"]["code"] == "brand_conflict", "in the brand's own home, which had pinned nobody yet"
    named = line(*asked, "--keyring", published, "--root", copied.root_fingerprint, "HELLO")
    assert (json.loads(named[1])["root"], json.loads(named[1])["first_seen"]) == (copied.root_fingerprint, True)
