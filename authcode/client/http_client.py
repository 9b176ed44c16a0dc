"""The one HTTP client, with one policy for everything that this library sends over a network (docs/adr/0028).

No redirect is followed and no proxy of the environment is used; TLS everywhere but to this machine, with certificates
checked; each answer is bounded in size, and each exchange in time as a whole.
"""

import contextlib
import http.client
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from authcode.client.address import server_origin
from authcode.client.errors import ServerAnswerUnusable, ServerNotTrusted, ServerRefused, ServerUnreachable

_PIECE_BYTES: Final = 64 * 1024
_MAX_DETAIL_CHARS: Final = 500
_CODE: Final = re.compile("[a-z][a-z_]{0,63}", re.ASCII)

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Limits of one exchange.

    Attributes:
        silence_s: seconds without a byte; a server that waits for its database answers sooner.
        total_s: seconds from the name lookup to the last byte, so that an answer sent byte by byte ends too.
        answer_bytes: a page of fifty orders has some twenty thousand; more than this is not an answer of ours.
    """

    silence_s: float = 30.0
    total_s: float = 120.0
    answer_bytes: int = 1024 * 1024


DEFAULT_LIMITS: Final = HttpLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """The answer of a server, with any status."""

    status: int
    media_type: str
    body: bytes

    def json_object(self) -> Json | None:
        """The body as a JSON object, None where it is none."""
        try:
            answer = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return answer if isinstance(answer, dict) else None


class HttpClient:
    """Sends requests to one server, with a token or without. No connection is kept open between two requests."""

    def __init__(self, server: str, token: str | None = None, *, limits: HttpLimits = DEFAULT_LIMITS) -> None:
        """Prepare to send to `server` (scheme, host, port); nothing is sent yet.

        Raises:
            ServerUrlInvalid, TlsRequired: nothing may be sent there.
        """
        self.server = server_origin(server)
        self._limits = limits
        self._headers = {"Accept": "application/json", "User-Agent": "authcode", "Connection": "close"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._tls = ssl.create_default_context() if self.server.startswith("https:") else None

    def __repr__(self) -> str:
        """Without the token."""
        return f"HttpClient({self.server!r})"

    def call(self, method: str, path: str, document: bytes | None = None) -> Json:
        """Send a JSON document (or nothing) to the API and return the object that is answered with status 200.

        Raises:
            ServerUnreachable, ServerNotTrusted: there is no answer.
            ServerRefused: the server refused; its code and sentence are in the error.
            ServerAnswerUnusable: what answers is not an authcode server.
        """
        answer = self.exchange(method, path, document)
        facts = answer.json_object() or {}
        if answer.status == http.client.OK and answer.media_type == "application/json" and facts:
            return facts
        code, detail = facts.get("code"), facts.get("detail")
        is_problem = answer.status >= http.client.BAD_REQUEST and answer.media_type == "application/problem+json"
        if is_problem and isinstance(detail, str) and _CODE.fullmatch(str(code)):
            raise ServerRefused(self.server, code=str(code), status=answer.status, detail=_printable(detail))
        raise ServerAnswerUnusable(self.server, answer.status)

    def exchange(self, method: str, path: str, document: bytes | None = None) -> HttpAnswer:
        """Send a request and return its answer, whatever the status.

        The transfer has a thread of its own: name lookup, connecting, TLS and headers take as long as they like in the
        standard library, and only waiting for another thread has a limit on all of it.

        Raises:
            ServerUnreachable, ServerNotTrusted: there is no answer.
            ServerAnswerUnusable: the answer is too long.
        """
        end = time.monotonic() + self._limits.total_s
        headers = self._headers | ({"Content-Type": "application/json"} if document is not None else {})
        connection = self._connection()

        def transfer() -> HttpAnswer:
            """Connect, send and receive; each step only while there is time."""
            with contextlib.closing(connection):
                connection.connect()
                _check_time(end)
                connection.request(method, path, document, headers)
                return self._receive(connection.getresponse(), end)

        try:
            return _in_thread(transfer).result(self._limits.total_s)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failure(error) from None
        finally:
            # End a transfer that still waits for headers; one that waits for the body checks the time itself.
            if (stream := connection.sock) is not None:
                with contextlib.suppress(OSError):
                    stream.shutdown(socket.SHUT_RDWR)

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.server)
        host, timeout = parts.hostname or "", self._limits.silence_s
        if self._tls is None:
            return http.client.HTTPConnection(host, parts.port or http.client.HTTP_PORT, timeout=timeout)
        return http.client.HTTPSConnection(
            host, parts.port or http.client.HTTPS_PORT, timeout=timeout, context=self._tls
        )

    def _receive(self, response: http.client.HTTPResponse, end: float) -> HttpAnswer:
        body = bytearray()
        with response:
            while piece := response.read1(_PIECE_BYTES):
                body += piece
                if len(body) > self._limits.answer_bytes:
                    raise ServerAnswerUnusable(self.server, response.status)
                _check_time(end)
        return HttpAnswer(status=response.status, media_type=response.headers.get_content_type(), body=bytes(body))

    def _failure(self, error: Exception) -> ServerUnreachable | ServerNotTrusted:
        if isinstance(error, ssl.SSLCertVerificationError):
            return ServerNotTrusted(self.server, error.verify_message)
        if isinstance(error, TimeoutError):
            return ServerUnreachable(self.server, "no answer in time")
        reason = error.strerror if isinstance(error, OSError) else None
        return ServerUnreachable(self.server, reason or type(error).__name__)


def _in_thread(work: Callable[[], HttpAnswer]) -> Future[HttpAnswer]:
    """Start `work` in a daemon thread, which the end of the process does not wait for."""
    outcome: Future[HttpAnswer] = Future()

    def run() -> None:
        """Hand the result or the error over."""
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome


def _check_time(end: float) -> None:
    if time.monotonic() > end:
        raise TimeoutError


def _printable(text: str) -> str:
    """A sentence of another machine, without control characters for a terminal."""
    return "".join(mark if mark.isprintable() else " " for mark in text[:_MAX_DETAIL_CHARS])
