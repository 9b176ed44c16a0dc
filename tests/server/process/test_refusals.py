"""What waitress refuses before the application is called is answered by the application, over a real socket."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

import pytest
from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from server.process.refusals import RefusingChannel
from server.process.server import listen
from tests.server import processes
from tests.server.simulator import MakeWorld

READERS = ("/check/photo", "/staff/login", "/api/v1/photos", "/api/v1/there-is-no-such-thing", "/nothing/here")
REFUSED = {
    413: b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 35000000\r\n\r\n" + b"x" * 35_000_000,
    431: b"GET %s HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * 40_000 + b"\r\n\r\n",
    400: b"GET %s HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n",
    501: b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
}
CODES = {
    400: "request_invalid",
    413: "request_too_large",
    431: "headers_too_large",
    501: "coding_unsupported",
}


def send(address: str, request: bytes) -> tuple[int, str, str]:
    """Status, head and body of the answer to a request that is sent whole before any of the answer is read."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port or 80), timeout=20) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split(" ")[1]), head, body


@pytest.mark.slow
def test_each_refusal_of_waitress_is_answered_for_the_address_that_was_asked_for(make_world: MakeWorld) -> None:
    with processes.serving(make_world().settings.home, workers=1) as server:
        for path in READERS:
            for expected, request in REFUSED.items():
                status, head, body = send(server.address, request.replace(b"%s", path.encode(), 1))
                assert status == expected, (path, body)
                assert "Content-Security-Policy:" in head
                if path.startswith("/api/"):
                    assert "application/problem+json" in head
                    assert (json.loads(body)["status"], json.loads(body)["code"]) == (expected, CODES[expected])
                elif path.startswith("/staff"):
                    assert CODES[expected] in body
                    assert "Nothing was done" in body
                else:
                    assert body.count("<h1") == 1
                    assert "What to do now" in body
        log = server.log.read_text(encoding="utf-8")
    assert "POST /check/photo 413" in log


@contextmanager
def answering(app: Flask) -> Iterator[str]:
    """The address of an application that waitress serves in a thread."""
    sockets: dict[int, object] = {}
    stop = threading.Event()
    with listen("127.0.0.1", 0) as listener:
        server = create_server(app, map=sockets, sockets=[listener], threads=1)
        server.channel_class = partial(RefusingChannel, app)

        def turn() -> None:
            while not stop.is_set():
                wasyncore.loop(timeout=1.0, use_poll=True, map=sockets, count=1)

        thread = threading.Thread(target=turn)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            server.pull_trigger()
            thread.join()
            server.task_dispatcher.shutdown()
            wasyncore.close_all(sockets)


def test_an_application_that_cannot_answer_leaves_it_to_waitress() -> None:
    app = Flask("broken")

    @app.errorhandler(Exception)
    def unable(_error: Exception) -> str:
        raise RuntimeError

    with answering(app) as address:
        for request, expected in ((b"GET / HTTP/1.1\r\n\r\n", 500), (b"what\r\n\r\n", 400)):
            status, head, body = send(address, request)
            assert (status, "text/plain" in head) == (expected, True)
            assert "RuntimeError" not in body


def test_a_defect_outside_the_application_is_a_page_for_the_address_that_was_asked_for(make_world: MakeWorld) -> None:
    app = make_world().app

    def broken(*_arguments: object) -> None:
        raise RuntimeError

    app.wsgi_app = broken  # type: ignore[method-assign,assignment]
    with answering(app) as address:
        status, _, body = send(address, b"GET /api/v1/look HTTP/1.1\r\n\r\n")
        assert (status, json.loads(body)["code"]) == (500, "internal_error")
        status, _, body = send(address, b"GET / HTTP/1.1\r\n\r\n")
        assert (status, "Something did not work on our side" in body) == (500, True)


@pytest.mark.parametrize("line", [b"/K1SECRET", b"/K1SECRET / HTTP/1.1", b"GET /K1SECRET HTTP/1.1\r\nno colon"])
def test_no_part_of_a_malformed_request_is_logged(
    line: bytes, make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"), answering(make_world().app) as address:
        status, _, body = send(address, line + b"\r\n\r\n")
    assert (status, "<h1" in body) == (400, True)
    assert " 400 " in caplog.text
    assert "K1SECRET" not in caplog.text + body


def test_who_goes_on_sending_after_a_refusal_is_cut_off_when_time_is_up(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.process.refusals.LINGER_S", 0)
    with answering(make_world().app) as address:
        place = urlsplit(address)
        with socket.create_connection((place.hostname, place.port or 80), timeout=20) as connection:
            connection.sendall(REFUSED[400])
            assert b"".join(iter(lambda: connection.recv(65536), b"")).startswith(b"HTTP/1.0 400")

            def is_cut_off() -> bool:
                try:
                    connection.sendall(b"more")
                except OSError:
                    return True
                return False

            assert processes.until(is_cut_off, within_s=10)
