"""One question to a server and its answer, with a token that reaches nobody else.

TLS to everywhere but this very machine, no redirect followed, no proxy on the way to this machine, bounded in time and
size. The standard library does it: a client library would be the only thing that brings one (docs/adr/0015).
"""

import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from authcode.client.errors import (
    ServerAnswerUnusable,
    ServerNotTrusted,
    ServerRefused,
    ServerUnreachable,
    ServerUrlInvalid,
)

TIMEOUT_S: Final = 30.0
"""Seconds without a sign of life: a server that waits for its database answers sooner."""
TOTAL_S: Final = 120.0
"""Seconds for a whole answer, so that one sent byte by byte ends too."""
MAX_ANSWER_BYTES: Final = 1024 * 1024
"""A page of fifty orders has some twenty thousand; more is not an answer of ours."""
_PIECE_BYTES: Final = 64 * 1024
_MAX_DETAIL_CHARS: Final = 500
_CODE = re.compile("[a-z][a-z_]{0,63}", re.ASCII)

Json = Mapping[str, Any]


class _Answer(Protocol):
    """What urllib gives: a response that is being read."""

    status: int
    headers: http.client.HTTPMessage

    def read1(self, n: int) -> bytes:
        """Some bytes."""


def server_origin(text: str) -> str:
    """A server's address as scheme, host and port, to which a token may go.

    Raises:
        ServerUrlInvalid: it is none, has more than these, or is neither https nor on this machine.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ServerUrlInvalid("it is no address") from None
    if parts.scheme not in {"https", "http"} or not host or not text.isascii() or not text.isprintable():
        raise ServerUrlInvalid("it is no address of a web server")
    if parts.username is not None or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ServerUrlInvalid("it has more than scheme, host and port")
    if parts.scheme == "http" and not is_this_machine(host):
        raise ServerUrlInvalid("without https anybody on the way could read the token")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def is_this_machine(host: str) -> bool:
    """Whether a host's name or address is this very machine: what goes there can be read by nobody on the way."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Connection:
    """A server and the token that is shown to it. Nothing is kept open between two questions."""

    def __init__(self, server: str, token: str, *, timeout_s: float = TIMEOUT_S, total_s: float = TOTAL_S) -> None:
        """Prepare to ask the server at this address; nothing is sent yet.

        Raises:
            ServerUrlInvalid: no token may go there.
        """
        self.server = server_origin(server)
        self._token, self._timeout_s, self._total_s = token, timeout_s, total_s
        near = is_this_machine(urlsplit(self.server).hostname or "")
        # Without the library's handlers for errors and redirects: every answer comes back as it is, and goes nowhere.
        self._opener = urllib.request.OpenerDirector()
        self._opener.add_handler(urllib.request.ProxyHandler({} if near else None))
        self._opener.add_handler(urllib.request.HTTPHandler())
        self._opener.add_handler(urllib.request.HTTPSHandler(context=ssl.create_default_context()))

    def __repr__(self) -> str:
        """No secret."""
        return f"Connection({self.server!r}, ...)"

    def ask(self, method: str, path: str, document: bytes | None = None) -> Json:
        """Send a JSON document (or nothing) and give the object that is answered with status 200.

        Raises:
            ServerUnreachable, ServerNotTrusted: there is no answer.
            ServerRefused: the server said no; its code and sentence are in it.
            ServerAnswerUnusable: what answers is no server of ours.
        """
        status, kind, body = self._exchange(method, path, document)
        answer = _read_object(body)
        if status == http.client.OK and kind == "application/json" and answer is not None:
            return answer
        if status >= http.client.BAD_REQUEST and kind == "application/problem+json" and answer is not None:
            code, detail = answer.get("code"), answer.get("detail")
            if isinstance(code, str) and _CODE.fullmatch(code) and isinstance(detail, str):
                raise ServerRefused(self.server, code=code, status=status, detail=_showable(detail))
        raise ServerAnswerUnusable(self.server, status)

    def _exchange(self, method: str, path: str, document: bytes | None) -> tuple[int, str, bytes]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", "User-Agent": "authcode"}
        if document is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(  # noqa: S310 - `server_origin` let http and https through alone
            self.server + path, data=document, headers=headers, method=method
        )
        try:
            response = self._opener.open(request, timeout=self._timeout_s)
            if response is None:
                raise ServerAnswerUnusable(self.server, 0)
            with response:
                return response.status, response.headers.get_content_type(), self._read(response)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failed(error) from None

    def _read(self, response: _Answer) -> bytes:
        end, body = time.monotonic() + self._total_s, bytearray()
        while piece := response.read1(_PIECE_BYTES):
            body += piece
            if len(body) > MAX_ANSWER_BYTES:
                raise ServerAnswerUnusable(self.server, response.status)
            if time.monotonic() > end:
                raise TimeoutError
        return bytes(body)

    def _failed(self, error: Exception) -> ServerUnreachable | ServerNotTrusted:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return ServerNotTrusted(self.server, reason.verify_message)
        if isinstance(reason, TimeoutError):
            return ServerUnreachable(self.server, "no answer in time")
        said = reason.strerror if isinstance(reason, OSError) else None
        return ServerUnreachable(self.server, said or type(reason).__name__)


def _read_object(body: bytes) -> Json | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _showable(text: str) -> str:
    """A sentence from elsewhere, without what could play with a terminal."""
    return "".join(mark if mark.isprintable() else " " for mark in text[:_MAX_DETAIL_CHARS])
