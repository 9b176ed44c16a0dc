# ruff: noqa: ANN401 - fixtures' classes live in conftest, which tests cannot import
"""A print station's command line against servers that are not there, not ours, or not kind."""

import hashlib
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from authcode.client.address import server_origin
from authcode.client.errors import (
    ServerAnswerUnusable,
    ServerNotTrusted,
    ServerRefused,
    ServerUnreachable,
    ServerUrlInvalid,
)
from authcode.client.http_client import HttpClient, HttpLimits
from authcode.client.station import Station
from tests.authcode.commands.desk import OURS, PROBLEM, TOKEN, Answer, answer, desk, problem

ORDER = ("--order", "spring", "--count", "3", "--placement", "inside", "--formats", "csv")
BEFORE = "before you activate codes:"


def registered(document: bytes, **more: Any) -> Answer:
    digest = hashlib.sha256(document).hexdigest()
    return answer(order="spring", registered_at="2026-11-22T00:00:00Z", manifest_sha256=digest, **more)


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AUTHCODE_TOKEN", TOKEN)


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def station(address: str, **limits: float) -> Station:
    return Station(HttpClient(address, TOKEN, limits=HttpLimits(**limits)))


# where a token may go


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://v.example.com", "https://v.example.com"),
        ("https://V.Example.com:8443/", "https://v.example.com:8443"),
        ("http://127.0.0.1:8470", "http://127.0.0.1:8470"),
        ("http://[::1]:8470/", "http://[::1]:8470"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_an_address_is_scheme_host_and_port(text: str, origin: str) -> None:
    assert server_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "https://v.example.com/api",
        "https://v.example.com/?a=b",
        "https://v.example.com#x",
        "https://hunter2:x@v.example.com",
        "https://v.example.com:port",
        "https://v.example.com:99999",
        "https://[::1",
        "https://",
        "https://v.exämple.com",
        "https://v.example.com\r\nX: y",
        "ftp://v.example.com",
        "file:///etc/passwd",
        "v.example.com",
        "",
    ],
)
def test_no_token_is_sent_to_any_other_address(text: str) -> None:
    with pytest.raises(ServerUrlInvalid) as refused:
        HttpClient(text, TOKEN)
    assert "hunter2" not in str(refused.value)


def test_a_redirect_is_not_followed_and_its_target_never_sees_the_token() -> None:
    with (
        desk(answer(order="x")) as (elsewhere, stranger),
        desk((302, "text/html", b""), location=f"{elsewhere}/api/v1/batches") as (here, _handler),
        pytest.raises(ServerAnswerUnusable) as refused,
    ):
        station(here).batch("spring")
    assert refused.value.status == 302
    assert stranger.asked == []


def test_a_proxy_is_not_asked_about_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        desk(answer()) as (proxy, seen),
        desk(problem(404, "order_unknown")) as (here, _handler),
    ):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        with pytest.raises(ServerRefused):
            station(here).batch("spring")
        assert seen.asked == []


def test_a_proxy_on_the_way_out_is_not_used(monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    with desk((502, "text/plain", b"")) as (proxy, seen):
        monkeypatch.setenv("https_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(ServerUnreachable):
            station(nobody.replace("http:", "https:")).batches()
        assert seen.asked == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody knows, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_server_that_cannot_prove_its_name_is_told_nothing(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with desk(problem(404, "order_unknown"), context=context) as (address, handler):
        with pytest.raises(ServerNotTrusted, match="SSL_CERT_FILE") as refused:
            station(address).batch("spring")
        assert (refused.value.code, handler.asked) == ("server_not_trusted", [])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with pytest.raises(ServerRefused):
            station(address).batch("spring")
        assert [asked[2] for asked in handler.asked] == [f"Bearer {TOKEN}"]


# what is answered


@pytest.mark.parametrize(
    "given",
    [
        (200, "text/html", b"<html>"),
        (200, OURS, b"<html>"),
        (200, OURS, b"[]"),
        (200, OURS, b"{}"),
        (200, OURS, b"\xff\xfe"),
        (200, OURS, b'{"order": 3}'),
        (200, OURS, b"[" * 100_000),
        (200, "text/plain", b'{"order": "spring"}'),
        (204, OURS, b""),
        (404, "text/html", b"not here"),
        (500, PROBLEM, b"{}"),
        (401, PROBLEM, b'{"code": "UPPER", "detail": "x"}'),
        (401, OURS, b'{"code": "token_unknown", "detail": "x"}'),
        (200, OURS, b" " * (1024 * 1024 + 1)),
    ],
)
def test_an_answer_that_is_not_ours_is_no_answer(given: Answer) -> None:
    with desk(given) as (address, _handler):
        ours = station(address)
        for ask in (ours.batches, lambda: ours.batch("spring"), lambda: ours.act("spring", "void", {"reason": "x"})):
            with pytest.raises(ServerAnswerUnusable) as refused:
                ask()
            assert refused.value.status == given[0]


def test_a_server_that_registered_other_bytes_has_registered_nothing() -> None:
    with desk(registered(b"other")) as (address, _handler), pytest.raises(ServerAnswerUnusable):
        station(address).register(b"mine")


def test_an_order_counts_as_known_there_when_these_bytes_are() -> None:
    with desk(registered(b"mine")) as (address, handler):
        assert station(address).register(b"mine")["order"] == "spring"
        assert handler.asked == [("POST", "/api/v1/batches", f"Bearer {TOKEN}", b"mine")]


def test_orders_are_listed_over_all_their_pages() -> None:
    def page(name: str) -> Answer:
        counts = dict.fromkeys(("count", "verified", "refused", "looks", "alerts", "notes"), 0)
        return answer(batches=[{"order": name, "brand": "Example Tea", "states": {}, **counts}], pages=2)

    with desk(page("summer"), page("spring")) as (address, handler):
        assert [batch["order"] for batch in station(address).batches()] == ["summer", "spring"]
        assert [asked[1] for asked in handler.asked] == ["/api/v1/batches?page=1", "/api/v1/batches?page=2"]


def test_a_page_of_nothing_is_the_last_one() -> None:
    with desk(answer(batches=[], pages=10**9)) as (address, handler):
        assert station(address).batches() == []
        assert len(handler.asked) == 1


def test_a_refusal_carries_the_code_of_the_server_and_nothing_that_plays_with_a_terminal() -> None:
    with desk(problem(409, "batch_conflict", "No.\x1b[2J\u202e" + "x" * 1000)) as (address, _handler):
        with pytest.raises(ServerRefused) as refused:
            station(address).register(b"mine")
        assert (refused.value.code, refused.value.http_status) == ("batch_conflict", 409)
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) < 600


def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(ServerUnreachable, match="no answer in time"):
            station(f"http://127.0.0.1:{silent.getsockname()[1]}", silence_s=0.05).batches()


def test_a_server_that_answers_byte_by_byte_is_given_up() -> None:
    slow = (200, OURS, b"{}" + b" " * 1000)
    with desk(slow) as (address, _handler), pytest.raises(ServerUnreachable, match="no answer in time"):
        station(address, total_s=0.0).batches()


def test_a_server_that_hangs_up_is_not_reached() -> None:
    with socket.socket() as rude:
        rude.bind(("127.0.0.1", 0))
        rude.listen()

        def hang_up() -> None:
            connection, _address = rude.accept()
            connection.recv(65536)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(ServerUnreachable):
            station(f"http://127.0.0.1:{rude.getsockname()[1]}").batches()
        thread.join()


def test_a_client_shows_no_token() -> None:
    assert TOKEN not in repr(HttpClient("https://v.example.com", TOKEN))


# the token


def test_a_token_comes_from_a_file_of_ones_own(line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTHCODE_TOKEN")
    file = tmp_path / "token"
    monkeypatch.setenv("AUTHCODE_TOKEN_FILE", str(file))
    with desk(problem(404, "order_unknown")) as (address, handler):
        ask = ("batch", "status", "spring", "--server", address)
        assert "[token_not_given]" in line(*ask)[2]
        file.write_text(TOKEN + "\n", encoding="ascii")
        file.chmod(0o640)
        assert "[token_file_readable]" in line(*ask)[2]
        file.chmod(0o600)
        assert "[order_unknown]" in line(*ask)[2]
        file.write_text("hunter2 is no token", encoding="ascii")
        told = line(*ask)[2]
        assert "[token_not_given]" in told
        assert "hunter2" not in told
        monkeypatch.delenv("AUTHCODE_TOKEN_FILE")
        assert "[token_not_given]" in line(*ask)[2]
        assert [asked[2] for asked in handler.asked] == [f"Bearer {TOKEN}"]


def test_a_token_is_no_argument(line: Any) -> None:
    for command in ("issue", "register", "activate", "status"):
        assert "--token" not in line("batch", command, "--help")[1]


# issuing


def test_what_cannot_be_sent_is_not_begun(line: Any, home: Path, monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    assert "[tls_required]" in line("batch", "issue", *ORDER, "--server", "http://v.example.com")[2]
    monkeypatch.delenv("AUTHCODE_TOKEN")
    for command in (("batch", "issue", *ORDER), ("product", "add", "tea", "--name", "Tea"), ("keys", "publish")):
        assert "[token_not_given]" in line(*command, "--server", nobody)[2]
    assert not (home / "orders").exists()
    assert not (home / "issuer" / "products").exists()


def test_a_product_that_could_not_be_published_is_kept_and_sent_by_the_same_command(line: Any, nobody: str) -> None:
    add = ("product", "add", "tea-100", "--name", "Green tea")
    code, out, err = line(*add, "--server", nobody)
    assert (code, out) == (2, "")
    assert f"Product tea-100 is kept here, and not published at {nobody}." in err
    assert "[server_unreachable]" in err
    assert "Green tea" in line("product", "list")[1]
    with desk(answer(sku="tea-100")) as (address, _handler):
        assert f"{address}: product tea-100 is published" in line(*add, "--server", address)[1]


def test_an_order_that_could_not_be_registered_is_kept_and_sent_later(line: Any, home: Path, nobody: str) -> None:
    code, out, err = line("batch", "issue", *ORDER, "--server", nobody)
    assert (code, out) == (2, "")
    assert f"authcode batch register spring --server {nobody}" in err
    assert "[server_unreachable]" in err
    lies = home / "orders" / "spring"
    codes, manifest = (lies / "codes.csv").read_bytes(), (lies / "manifest.json").read_bytes()
    assert "[server_unreachable]" in line("batch", "register", "spring", "--server", nobody)[2]
    with desk(problem(503, "records_unreachable"), registered(manifest)) as (address, handler):
        code, out, _ = line("batch", "register", "spring", "--server", address, "--json")
        assert (code, json.loads(out)["error"]["code"]) == (2, "records_unreachable")
        code, out, _ = line("batch", "register", "spring", "--server", address)
        assert (code, out) == (0, f"{address}: order spring is registered, inactive\n")
        code, out, _ = line("batch", "issue", *ORDER, "--server", address, "--json")
        assert (code, json.loads(out)["already_issued"]) == (0, True)
        assert json.loads(out)["registered"]["order"] == "spring"
        assert {asked[3] for asked in handler.asked} == {manifest}
    assert (lies / "codes.csv").read_bytes() == codes


def test_a_station_is_warned_that_the_server_does_not_know_the_orders_product(line: Any, home: Path) -> None:
    line("product", "add", "tea-100", "--name", "Green tea")
    with_product = (*ORDER, "--product", "tea-100")
    line("batch", "issue", *with_product)
    manifest = (home / "orders" / "spring" / "manifest.json").read_bytes()
    missing = registered(manifest, product="tea-100", product_known=False)
    with desk(missing, missing, missing, registered(manifest, product="tea-100", product_known=True)) as (address, _):
        for command in (("batch", "issue", *with_product), ("batch", "register", "spring")):
            code, out, err = line(*command, "--server", address)
            assert (code, err) == (0, "")
            assert (
                f"Warning: product 'tea-100' is not published there, so shoppers would read nothing of it; {BEFORE}"
                in out
            )
            assert f"authcode product add tea-100 --name NAME --server {address}.\n" in out
        answered = json.loads(line("batch", "register", "spring", "--server", address, "--json")[1])
        assert answered["product_known"] is False
        assert "Warning: product" not in line("batch", "register", "spring", "--server", address)[1]
    with desk(registered(manifest, product="\x1b[2J", product_known=False)) as (address, _):
        assert "\x1b" not in line("batch", "register", "spring", "--server", address)[1]


def test_an_order_is_registered_by_its_manifest_alone(line: Any, home: Path, tmp_path: Path) -> None:
    line("batch", "issue", *ORDER)
    manifest = (home / "orders" / "spring" / "manifest.json").rename(tmp_path / "manifest.json")
    with desk(registered(manifest.read_bytes())) as (address, _handler):
        assert "[order_not_issued]" in line("batch", "register", "spring", "--server", address)[2]
        there = ("--server", address, "--home", tmp_path / "nowhere")
        assert line("batch", "register", "--manifest", manifest, *there)[0] == 0
        assert "[order_not_issued]" in line("batch", "register", "summer", "--server", address)[2]
        for wrong in ((), ("spring", "--manifest", manifest)):
            assert line("batch", "register", *wrong)[0] == 2


def test_without_a_server_there_is_nobody_to_register_at(line: Any) -> None:
    line("batch", "issue", *ORDER)
    code, _, err = line("batch", "register", "spring")
    assert (code, "[server_missing]" in err) == (2, True)


def test_an_order_is_registered_with_whoever_listens_here(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    line("batch", "issue", *ORDER)
    monkeypatch.setattr("authcode.events.listeners", lambda _group: (lambda _home, _manifest: "registered, inactive",))
    assert line("batch", "register", "spring")[:2] == (0, "registered, inactive\n")
    assert json.loads(line("batch", "register", "spring", "--json")[1])["notes"] == ["registered, inactive"]


def test_a_manifest_holds_nothing_secret(line: Any, home: Path) -> None:
    """Neither a code, a tag, a serial nor a key, in whatever usual writing."""
    import base64
    import csv

    from keys.format.records import Purpose
    from keys.store.issuer import IssuerHome

    line("batch", "issue", *ORDER, "--profile", "compact")
    line("batch", "issue", "--order", "summer", *ORDER[2:])
    issuer = IssuerHome.open(home).unlock(os.environ["AUTHCODE_ISSUER_PASSPHRASE"])
    store = issuer._store  # noqa: SLF001 - every secret of the home, to search for
    keys = [store.get(header.purpose, header.key_id) for header in store.headers()]
    assert {header.purpose for header in store.headers()} >= {Purpose.SERIAL, Purpose.SIGNING, Purpose.MAC}
    for name in ("spring", "summer"):
        manifest = (home / "orders" / name / "manifest.json").read_text(encoding="utf-8")
        with (home / "orders" / name / "codes.csv").open(newline="", encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 3
        for row in rows:
            for secret in (row["code"], row["serial"], row["code"][-16:], row["code"][-103:]):
                assert secret.lower() not in manifest.lower()
        for key in keys:
            for written in (key.hex(), base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode()):
                assert written.rstrip("=").lower() not in manifest.lower()
        assert set(json.loads(json.loads(manifest)["payload"])) == {
            "server_id",
            "brand_id",
            "batch_number",
            "order",
            "product",
            "count",
            "tiers",
            "profile",
            "form",
            "gtin",
            "key_id",
            "placement",
            "drawn_by",
            "issued_at",
            "checksums",
        }


def test_a_station_speaks_to_its_server_without_the_servers_packages(home: Path, nobody: str) -> None:
    script = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'flask', 'sqlalchemy', 'alembic', 'pydantic', 'waitress', 'cv2'}:\n"
        "            raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "from authcode.cli import run\n"
        f"server = ['--server', {nobody!r}]\n"
        "for words in (['activate', 'a'], ['void', 'a', '--reason', 'x'], ['status'], ['status', 'a']):\n"
        "    run(['batch', *words, *server])\n"
    )
    environment = os.environ | {"AUTHCODE_HOME": str(home)}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, check=False, capture_output=True, text=True)
    assert ended.stderr.count("[server_unreachable]") == 4, ended.stderr


def test_keys_and_products_are_published_over_there(line: Any) -> None:
    lacking = answer(brand="Example Tea", version=3, keys_not_here=["K7"])
    with desk(lacking) as (address, handler):
        out = line("keys", "publish", "--server", address)[1]
        assert "keyring version 3 of Example Tea is in force" in out
        assert "cannot judge codes of K7" in out
        assert [asked[:2] for asked in handler.asked] == [("PUT", "/api/v1/keyring")]
    with desk(answer(sku="tea")) as (address, handler):
        assert "product tea is published" in line("product", "add", "tea", "--name", "Tea", "--server", address)[1]
        assert [asked[:2] for asked in handler.asked] == [("PUT", "/api/v1/products/tea")]


def test_a_station_without_a_server_part_is_made_with_one_passphrase(
    line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_heard: object) -> None:
        raise AssertionError("nobody is told")

    monkeypatch.setattr("authcode.events.listeners", lambda _group: (fail,))
    monkeypatch.setattr("authcode.events.listeners", lambda _group: (fail,))
    monkeypatch.delenv("AUTHCODE_SERVER_PASSPHRASE")
    asked = ("--brand", "Acme", "--prefix", "https://v.acme.example", "--home", tmp_path / "new", "--issuer-only")
    assert line("init", *asked)[0] == 0
    assert "keys publish --server" in line("keys", "new", "--profile", "compact", "--home", tmp_path / "new")[1]
    assert not (tmp_path / "new" / "server").exists()
