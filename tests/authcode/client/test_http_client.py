"""The one HTTP client's policy, against servers on loopback that keep to no rule."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from authcode.client.address import server_origin
from authcode.client.errors import ServerAnswerUnusable, ServerUnreachable, ServerUrlInvalid, TlsRequired
from authcode.client.http_client import HttpAnswer, HttpClient, HttpLimits

PATIENT = HttpLimits(silence_s=20.0, total_s=0.2)
DRIPS = 400
"""At 5 ms each, a drip lasts ten times as long as `PATIENT` waits, and ends even if the client never hangs up."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


@contextlib.contextmanager
def serving(respond: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server of one connection; gives its address and what was sent to it."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            """Take the request whole, then respond, unless the client hangs up."""
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    received.append(connection.recv(65536))
                    respond(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    "text",
    [
        "http://v.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "http://192.168.1.20:8470",
        "http://[::2]/",
        "HTTP://V.EXAMPLE.COM",
    ],
)
def test_plain_http_beyond_this_machine_is_refused_before_anything_is_sent(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a name was looked up or a connection made")

    for function in ("getaddrinfo", "create_connection", "socket"):
        monkeypatch.setattr(socket, function, fail)
    with pytest.raises(TlsRequired, match="https://") as refused:
        HttpClient(text, "token").exchange("GET", "/")
    assert (refused.value.code, refused.value.server) == ("tls_required", text.lower().rstrip("/"))


@pytest.mark.parametrize(
    "text",
    [
        "http://hunter2:x@192.168.1.20",
        "http://v.example.com/path",
        "http://",
        "https://[1.2]",
        "https://[:]",
        "https://[dead]",
        "https://v.example.com:0",
        "https://v.example.com:65536",
        "https://\u212aelvin.example",
    ],
)
def test_an_address_that_is_more_or_less_is_refused_as_such_and_not_repeated(text: str) -> None:
    with pytest.raises(ServerUrlInvalid) as refused:
        server_origin(text)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("begin", "drop"),
    [(b"", b"x"), (b"HTTP/1.1 ", b"2"), (HEAD + b"X-Long: ", b"x"), (HEAD + b"Content-Length: 1000\r\n\r\n", b" ")],
    ids=["from the first byte", "in the status", "in a header", "in the body"],
)
def test_an_answer_that_comes_byte_by_byte_is_cut_off_by_the_limit_on_the_whole(begin: bytes, drop: bytes) -> None:
    enough = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(begin)
        for _ in range(DRIPS):
            connection.sendall(drop)
            if enough.wait(0.005):
                return

    with serving(drip) as (address, received):
        try:
            with pytest.raises(ServerUnreachable, match="no answer in time"):
                HttpClient(address, limits=PATIENT).exchange("GET", "/")
        finally:
            enough.set()
        assert len(received) == 1


def test_a_name_that_is_never_looked_up_counts_against_the_limit_on_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    enough = threading.Event()

    def look_up(*_arguments: object, **_options: object) -> None:
        enough.wait(2)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        with pytest.raises(ServerUnreachable, match="no answer in time"):
            HttpClient("https://v.example.com", limits=PATIENT).exchange("GET", "/")
    finally:
        enough.set()


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"\r\n" + b" " * 2000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"100\r\n" + b" " * 256 + b"\r\n" * 9,
    ],
    ids=["without a length", "in chunks"],
)
def test_an_answer_that_is_too_long_is_not_read_to_its_end(answer: bytes) -> None:
    with (
        serving(lambda connection: connection.sendall(answer)) as (address, _),
        pytest.raises(ServerAnswerUnusable),
    ):
        HttpClient(address, limits=HttpLimits(answer_bytes=100)).exchange("GET", "/")


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _connection: None) as (proxy, seen):
        for name in PROXIES:
            monkeypatch.setenv(name, proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with serving(lambda connection: connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")) as (address, here):
            assert HttpClient(address).exchange("GET", "/").json_object() == {}
        with pytest.raises(ServerUnreachable):
            HttpClient(address.replace("http:", "https:")).exchange("GET", "/")
        assert (len(here), seen) == (1, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_like_any_other(status: int) -> None:
    with serving(lambda _connection: None) as (elsewhere, stranger):
        redirect = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere}/\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(lambda connection: connection.sendall(redirect)) as (address, here):
            answer = HttpClient(address, "the-token").exchange("POST", "/api/v1/look", b"{}")
        assert answer == HttpAnswer(status=status, media_type="text/plain", body=b"")
        assert here[0].startswith(b"POST /api/v1/look HTTP/1.1\r\n")
        assert b"\r\nAuthorization: Bearer the-token\r\n" in here[0]
        assert stranger == []


def test_without_a_token_none_is_sent() -> None:
    with serving(lambda connection: connection.sendall(HEAD + b"Content-Length: 0\r\n\r\n")) as (address, here):
        HttpClient(address).exchange("GET", "/")
    assert b"Authorization" not in here[0]
