"""`authcode scan`: one line a photo, refusals among them, and nothing is ever used up."""

import contextlib
import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from authcode.cli import run
from authcode.client.errors import ServerAnswerUnusable, ServerUnreachable
from authcode.client.http_client import HttpLimits
from authcode.code.sign import CodeSigner
from keys.format.domains import Listing
from keys.format.records import Form, Profile
from keys.store.issuer import IssuerHome
from keys.store.key_file import ScryptCost
from scanner.judge import KeyringJudge, ServerJudge
from scanner.photo.open import MAX_PHOTO_BYTES

NOW = datetime.now(UTC)
SERIAL = "0123456789ABC"
FOREIGN = "https://phish.example.net/win?prize=1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("brand") / "home"
    IssuerHome.create(
        place, brand="Acme", prefix="https://v.example.com", passphrase="p", now=NOW, cost=ScryptCost(n=2, r=1, p=1)
    )
    return place


@pytest.fixture(scope="module")
def codes(home: Path) -> dict[str, str]:
    """A signed and a compact code of the brand."""
    unlocked = IssuerHome.open(home).unlock("p")
    signed = unlocked.keyring.keyring.key_for(form=Form.SHORT, profile=Profile.SIGNED)
    compact = unlocked.new_code_key(profile=Profile.COMPACT, form=Form.SHORT, prefix=signed.prefix, now=NOW)
    brand_id = unlocked.keyring.keyring.brand_id
    return {
        name: CodeSigner(brand_id, key, unlocked.code_secret(key.key_id)).code(SERIAL)
        for name, key in (("signed", signed), ("compact", compact))
    }


@pytest.fixture
def photo(draw: Callable[..., Any], encode: Callable[..., bytes], tmp_path: Path) -> Callable[..., str]:
    def take(name: str, *texts: str) -> str:
        symbols = [
            cv2.copyMakeBorder(draw(text, module_px=4), 0, 60, 0, 60, cv2.BORDER_CONSTANT, value=255) for text in texts
        ]
        height = max(len(symbol) for symbol in symbols)
        padded = [np.pad(symbol, ((0, height - len(symbol)), (0, 0)), constant_values=255) for symbol in symbols]
        path = tmp_path / name
        path.write_bytes(encode(cv2.cvtColor(np.hstack(padded), cv2.COLOR_GRAY2BGR), "PNG"))
        return str(path)

    return take


@pytest.fixture(autouse=True)
def empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AUTHCODE_HOME", "AUTHCODE_KEYRING", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_without_keyring_and_server_texts_are_read_and_not_judged(
    photo: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = photo("a.png", FOREIGN)
    assert run(["scan", "--json", path]) == 0
    (line,) = lines(capsys)
    assert line["photo"] == path
    assert line["advice"] is None
    (symbol,) = line["symbols"]
    assert set(symbol) == {"text", "corners", "ours", "state"}
    assert (symbol["text"], symbol["ours"], symbol["state"]) == (FOREIGN, None, None)
    assert np.array(symbol["corners"]).shape == (4, 2)


def test_a_keyring_tells_ours_from_foreign_and_names_the_host(
    home: Path, codes: dict[str, str], photo: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", "--json", "--home", str(home), photo("a.png", codes["signed"], FOREIGN, codes["compact"])]) == 0
    (line,) = lines(capsys)
    by_text = {symbol["text"]: symbol for symbol in line["symbols"]}
    assert (by_text[codes["signed"]]["ours"], by_text[codes["signed"]]["state"]) == (True, "use_not_checked")
    assert (by_text[codes["compact"]]["ours"], by_text[codes["compact"]]["state"]) == (None, "online_only")
    foreign = by_text[FOREIGN]
    assert (foreign["ours"], foreign["state"], foreign["host"]) == (False, "not_ours", "phish.example.net")


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        (Listing.PARTNER, "as a partner's"),
        (Listing.LOOKALIKE, "as a look-alike: known, and not theirs"),
    ],
)
def test_a_listed_host_is_told_for_what_the_brand_lists_it(  # noqa: PLR0913, PLR0917 - fixtures and cases
    home: Path,
    photo: Callable[..., str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    listing: Listing,
    said: str,
) -> None:
    place = Path(shutil.copytree(home, tmp_path / "listing"))
    IssuerHome.open(place).unlock("p").add_domains({listing: ["example.net"]}, NOW)
    path = photo("a.png", FOREIGN, "https://other.example/x")
    assert run(["scan", "--json", "--home", str(place), path]) == 0
    by_text = {symbol["text"]: symbol for symbol in lines(capsys)[0]["symbols"]}
    found = by_text[FOREIGN]
    assert (found["host"], found["listed"], found["brand"]) == ("phish.example.net", listing, "Acme")
    unlisted = by_text["https://other.example/x"]
    assert (unlisted["host"], unlisted["listed"], unlisted["brand"]) == ("other.example", None, None)
    assert run(["scan", "--home", str(place), path]) == 0
    told = capsys.readouterr().out
    assert f"not ours, leads to phish.example.net, listed by Acme {said}: {FOREIGN}" in told
    assert "leads to other.example: https" in told


def test_a_forged_code_is_not_ours(
    home: Path, codes: dict[str, str], photo: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    forged = codes["signed"][:-20] + ("0" if codes["signed"][-20] != "0" else "1") + codes["signed"][-19:]
    assert run(["scan", "--json", "--home", str(home), photo("a.png", forged)]) == 0
    assert lines(capsys)[0]["symbols"][0]["state"] == "not_ours"


def test_a_published_keyring_can_be_named_by_the_environment(
    home: Path,
    codes: dict[str, str],
    photo: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTHCODE_KEYRING", str(home / "issuer" / "keyring.json"))
    root = IssuerHome.open(home).keyring.root_fingerprint
    for first_seen in (True, False):
        assert run(["scan", "--json", photo("a.png", codes["signed"])]) == 0
        said = capsys.readouterr()
        (line,) = map(json.loads, said.out.splitlines())
        assert line["symbols"][0]["state"] == "use_not_checked"
        assert (line["root"], line["first_seen"]) == (root, first_seen)
        assert (root in said.err) == first_seen


def test_a_keyring_out_of_date_says_so(home: Path, codes: dict[str, str]) -> None:
    judge = KeyringJudge(IssuerHome.open(home).keyring, NOW + timedelta(days=400))
    assert judge(codes["signed"]).state == "key_list_out_of_date"
    assert judge.vouches(codes["signed"])


def test_a_photo_that_cannot_be_opened_is_told_and_the_others_are_read(
    photo: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    good = photo("good.png", "HELLO")
    (tmp_path / "folder").mkdir()
    named = (str(tmp_path / "text.jpg"), good, str(tmp_path / "empty.png"), "gone.jpg", str(tmp_path / "folder"))
    assert run(["scan", "--json", *named]) == 2
    first, second, third, fourth, fifth = lines(capsys)
    assert set(first) == {"photo", "error"}
    assert first["error"]["code"] == "photo_unreadable"
    assert "JPEG, PNG, WebP, HEIC" in first["error"]["message"]
    assert second["symbols"][0]["text"] == "HELLO"
    assert third["error"]["code"] == "photo_empty"
    assert (fourth["error"]["code"], fifth["error"]["code"]) == ("photo_not_found", "photo_not_found")


@pytest.mark.parametrize("workers", [[], ["--workers", "1"], ["--workers", "3"]])
def test_a_folder_is_read_photo_by_photo_in_order_past_those_that_are_bad(
    photo: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: list[str]
) -> None:
    inside = tmp_path / "photos" / "of today"
    inside.mkdir(parents=True)
    for number in range(4):
        shutil.move(photo(f"{number}.png", f"CODE {number}"), inside / f"{number}.PNG")
    (inside / "2.PNG").write_bytes(b"no picture")
    (inside / "notes.txt").write_text("no photo")
    assert run(["scan", "--json", *workers, str(tmp_path / "photos")]) == 2
    found = lines(capsys)
    assert [Path(line["photo"]).name for line in found] == ["0.PNG", "1.PNG", "2.PNG", "3.PNG"]
    assert [line["symbols"][0]["text"] if "symbols" in line else line["error"]["code"] for line in found] == [
        *("CODE 0", "CODE 1", "photo_unreadable", "CODE 3")
    ]


def test_a_file_without_end_is_read_no_further_than_the_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(MAX_PHOTO_BYTES * 50)
    assert run(["scan", "--json", str(huge)]) == 2
    assert lines(capsys)[0]["error"]["code"] == "photo_too_large"


def test_a_photo_without_a_code_gives_advice_and_exit_code_0(
    encode: Callable[..., bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dark.png").write_bytes(encode(np.full((200, 300, 3), 9, dtype=np.uint8), "PNG"))
    assert run(["scan", "--json", "dark.png"]) == 0
    assert lines(capsys) == [{"photo": "dark.png", "symbols": [], "advice": {"code": "too_dark", "mean": 9.0}}]


def test_people_read_one_line_a_symbol(  # noqa: PLR0913, PLR0917 - fixtures
    home: Path,
    codes: dict[str, str],
    photo: Callable[..., str],
    encode: Callable[..., bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "dark.png").write_bytes(encode(np.full((200, 300, 3), 9, dtype=np.uint8), "PNG"))
    hostile = "https://evil.example/\x1b[2Jgone" + "x" * 60
    paths = [photo("a.png", codes["signed"]), photo("b.png", hostile), photo("c.png", "plain words")]
    assert run(["scan", "--home", str(home), *paths, "dark.png", "gone.png"]) == 2
    told = capsys.readouterr()
    assert f"a.png: use not checked: {codes['signed']}" in told.out
    assert "b.png: not ours, leads to evil.example" in told.out or "b.png: not ours, leads to an unclear" in told.out
    assert "\x1b" not in told.out
    assert "x" * 41 not in told.out
    assert "c.png: not ours, leads to an unclear address: plain words" in told.out
    assert "dark.png: no code read: too_dark (mean 9)" in told.out
    assert "[photo_not_found]" in told.err


def test_people_read_that_nothing_was_checked(photo: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", photo("a.png", "HELLO")]) == 0
    assert "a.png: not checked: HELLO" in capsys.readouterr().out


# Asking a server


class Desk(BaseHTTPRequestHandler):
    """A server that answers `POST /api/v1/look` as the test laid out, and keeps what it was asked."""

    answers: dict[str, tuple[int, bytes]]
    asked: list[tuple[str, str, object]]
    location: str | None = None

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.command, self.path, body))
        status, answer = self.answers.get(body["code"], (200, b'{"state": "not_ours"}'))
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        if self.location:
            self.send_header("Location", self.location)
        self.end_headers()
        with contextlib.suppress(OSError):  # a client that had enough hangs up
            self.wfile.write(answer)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def desk() -> Iterator[tuple[str, type[Desk]]]:
    handler = type("ThisDesk", (Desk,), {"answers": {}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_is_asked_by_looking_only(
    desk: tuple[str, type[Desk]], codes: dict[str, str], photo: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    address, handler = desk
    handler.answers[codes["signed"]] = (200, b'{"state": "unused", "brand": "Acme"}')
    assert run(["scan", "--json", "--server", f"{address}/", photo("a.png", codes["signed"], FOREIGN)]) == 0
    by_text = {symbol["text"]: symbol for symbol in lines(capsys)[0]["symbols"]}
    assert (by_text[codes["signed"]]["ours"], by_text[codes["signed"]]["state"]) == (True, "unused")
    assert (by_text[FOREIGN]["ours"], by_text[FOREIGN]["host"]) == (False, "phish.example.net")
    assert {(method, path) for method, path, _ in handler.asked} == {("POST", "/api/v1/look")}
    assert {body["code"] for _, _, body in handler.asked} == {codes["signed"], FOREIGN}


@pytest.mark.parametrize(
    ("foreign", "listed", "brand"),
    [
        ({"listed": "partner", "brand": "Acme"}, "partner", "Acme"),
        ({"listed": "lookalike", "brand": "Ac\x1bme"}, "lookalike", "Ac\x1bme"),
        ({"listed": None, "brand": None}, None, None),
        ({"listed": "friend", "brand": "Acme"}, None, None),
        ({"listed": ["partner"], "brand": 1}, None, None),
        ("odd", None, None),
    ],
)
def test_what_a_server_says_of_a_listed_host_is_told(  # noqa: PLR0913, PLR0917 - fixtures and cases
    desk: tuple[str, type[Desk]],
    photo: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    foreign: object,
    listed: str | None,
    brand: str | None,
) -> None:
    address, handler = desk
    handler.answers[FOREIGN] = (200, json.dumps({"state": "not_ours", "foreign": foreign}).encode())
    path = photo("a.png", FOREIGN)
    assert run(["scan", "--json", "--server", address, path]) == 0
    symbol = lines(capsys)[0]["symbols"][0]
    assert (symbol["host"], symbol["listed"], symbol["brand"]) == ("phish.example.net", listed, brand)
    assert run(["scan", "--server", address, path]) == 0
    out = capsys.readouterr().out
    assert ("listed by Ac" in out) == (listed is not None)
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("status", "answer"), [(200, b"<html>"), (200, b"[]"), (200, b'{"state": 3}'), (500, b"{}"), (404, b"")]
)
def test_an_answer_of_another_kind_is_refused_without_echoing_the_code(
    desk: tuple[str, type[Desk]], status: int, answer: bytes
) -> None:
    address, handler = desk
    handler.answers["SECRET"] = (status, answer)
    with pytest.raises(ServerAnswerUnusable) as caught:
        ServerJudge(address)("SECRET")
    assert caught.value.status == status
    assert "SECRET" not in str(caught.value)


def test_a_server_that_is_not_there_is_a_clear_error(
    photo: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert run(["scan", "--json", "--server", address, photo("a.png", "HELLO")]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["error"]["code"] == "server_unreachable"
    assert address in answer["error"]["message"]
    assert "HELLO" not in answer["error"]["message"]


def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(ServerUnreachable, match="no answer in time"):
            ServerJudge(f"http://127.0.0.1:{silent.getsockname()[1]}", limits=HttpLimits(silence_s=0.05))("HELLO")


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.com", "v.example.com"])
def test_only_http_addresses_are_asked(address: str) -> None:
    with pytest.raises(ServerUnreachable, match="http://"):
        ServerJudge(address)


@pytest.mark.parametrize("address", ["http://v.example.com", "http://192.168.1.20:8470/", "HTTP://0.0.0.0"])
def test_no_code_is_sent_beyond_this_machine_without_tls(
    photo: Callable[..., str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a connection was begun")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert run(["scan", "--json", "--server", address, photo("a.png", "HELLO")]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["error"]["code"] == "tls_required"
    assert "HELLO" not in answer["error"]["message"]


def test_a_redirect_takes_no_code_elsewhere_and_a_proxy_sees_none(
    desk: tuple[str, type[Desk]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, handler = desk
    handler.answers["SECRET"] = (307, b"")
    handler.location = f"{address}/elsewhere"
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(ServerAnswerUnusable) as caught:
        ServerJudge(address)("SECRET")
    assert caught.value.status == 307
    assert [path for _, path, _ in handler.asked] == ["/api/v1/look"]


def test_an_answer_in_many_small_pieces_is_given_up_as_a_whole(desk: tuple[str, type[Desk]]) -> None:
    address, handler = desk
    handler.answers["SLOW"] = (200, b'{"state": "unused"}')
    with pytest.raises(ServerUnreachable, match="no answer in time"):
        ServerJudge(address, limits=HttpLimits(total_s=0.0))("SLOW")


def test_an_answer_without_end_is_refused(desk: tuple[str, type[Desk]]) -> None:
    address, handler = desk
    handler.answers["LONG"] = (200, b'{"state": "unused"}' + b" " * 2000)
    with pytest.raises(ServerAnswerUnusable):
        ServerJudge(address, limits=HttpLimits(answer_bytes=1000))("LONG")
