"""A desk: a server of the tests that answers a print station as it is told to."""

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any

from authcode.client.token_format import format_token

TOKEN = format_token(b"\x01\x02\x03\x04", b"s" * 32)


Answer = tuple[int, str, bytes]


OURS, PROBLEM = "application/json", "application/problem+json"


class Desk(BaseHTTPRequestHandler):
    """Answers what it was told to, and remembers what it was asked."""

    answers: list[Answer]
    asked: list[tuple[str, str, str | None, bytes]]
    location: str | None = None

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.asked.append((self.command, self.path, self.headers.get("Authorization"), self.rfile.read(length)))
        status, kind, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.location:
            self.send_header("Location", self.location)
        self.end_headers()
        with contextlib.suppress(OSError):  # who had enough hangs up
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_CONNECT = handle_any  # noqa: N815 - the library's names

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet."""


@contextlib.contextmanager
def desk(*answers: Answer, location: str | None = None, context: ssl.SSLContext | None = None) -> Iterator[Any]:
    """A server on loopback; gives its address and its handler."""
    handler = type("Mine", (Desk,), {"answers": list(answers), "asked": [], "location": location})
    server: HTTPServer = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}", handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(**fields: object) -> Answer:
    return 200, OURS, json.dumps(fields).encode()


def problem(status: int, code: str, detail: str = "No.") -> Answer:
    return status, PROBLEM, json.dumps({"code": code, "detail": detail, "status": status}).encode()
