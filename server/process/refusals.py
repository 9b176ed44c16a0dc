"""Requests that waitress refuses before the application is called: too large, malformed, or in a coding it lacks.

waitress answers them in plain text of its own. Here the application's error handlers answer for the address that was
asked for: a problem document for programs, a page for everybody else (`server/web/nowhere.py`).
"""

import contextlib
import socket
import time
from http import HTTPMethod
from http.client import REQUEST_HEADER_FIELDS_TOO_LARGE
from typing import Any, Final
from urllib.parse import unquote

from flask import Flask, Response
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]  # published without types
from waitress.task import ErrorTask  # type: ignore[import-untyped]  # published without types
from werkzeug.exceptions import default_exceptions

from server.web.visit import split_target

LINGER_S: Final = 30
"""How long the rest of a refused request is read: 64 MB in that time is a slow line; one that falls silent is closed
by waitress before."""


class RefusalTask(ErrorTask):  # type: ignore[misc]  # published without types
    """An error of waitress, answered by the application."""

    def execute(self) -> None:
        """Write the application's answer; waitress's own where the application cannot answer."""
        self.channel.refused = True
        status: int = self.request.error.code
        try:
            answer = refusal(self.channel.app, self._environ(), status)
        except Exception:
            self.logger.exception("Exception while serving a refusal")
            super().execute()
            return
        self.status = answer.status
        self.response_headers.extend(answer.headers)
        self.set_close_on_finish()
        self.write(answer.get_data())

    def _environ(self) -> dict[str, Any]:
        """What was read of the refused request, as a WSGI environment without a body."""
        request = self.channel.requests[0]  # `self.request` is an empty one where the application failed
        method, target = _method_and_target(request)
        path, query = split_target(target)
        return {
            **{f"HTTP_{name}": value for name, value in request.headers.items()},
            "REQUEST_METHOD": method,
            "REQUEST_URI": target,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": self.channel.server.server_name,
            "SERVER_PORT": str(self.channel.server.effective_port),
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            "wsgi.url_scheme": "http",
        }


def refusal(app: Flask, environ: dict[str, Any], status: int) -> Response:
    """What the application's error handlers answer to a request that HTTP itself refuses with `status`."""
    with app.request_context(environ):
        try:
            answer = app.handle_user_exception(default_exceptions[status]())
        except Exception as unforeseen:  # noqa: BLE001 - as the application does it with its own requests
            answer = app.handle_exception(unforeseen)
        return app.finalize_request(answer)


def _method_and_target(request: Any) -> tuple[str, str]:  # noqa: ANN401 - waitress publishes no types
    """The start line as it came; GET where it names no method, since what is there instead may hold a code."""
    if request.error is not None and request.error.code == REQUEST_HEADER_FIELDS_TOO_LARGE:
        head = request.header_plus  # waitress puts a start line of its own in the place of the one that came
    else:
        head = getattr(request, "first_line", b"")
    method, _, rest = head.lstrip().partition(b"\r\n")[0].decode("latin-1").partition(" ")
    return method if method in HTTPMethod.__members__ else "GET", rest.partition(" ")[0]


class RefusingChannel(HTTPChannel):  # type: ignore[misc]  # published without types
    """A connection on which the application answers what waitress refuses."""

    error_task_class = RefusalTask
    refused = False
    _reads_until: float | None = None

    def __init__(self, app: Flask, *connection: Any, **of_waitress: Any) -> None:  # noqa: ANN401 - published without types
        """A connection to `app`; the rest is waitress's own."""
        self.app = app
        super().__init__(*connection, **of_waitress)

    def handle_close(self) -> None:
        """After a refusal end the answer, and close when the client has ended its request or time is up.

        A socket that is closed with bytes unread resets the connection, and the client may lose the answer.
        """
        if self.refused and self._reads_until is None:
            with contextlib.suppress(OSError):  # where the client has left, there is nothing to wait for
                self.socket.shutdown(socket.SHUT_WR)
                self._reads_until = time.monotonic() + LINGER_S
                self.will_close = False
                return
        super().handle_close()

    def received(self, data: bytes) -> bool:
        """Take bytes of requests; what comes after a refusal is dropped."""
        if self._reads_until is None:
            return bool(super().received(data))
        if time.monotonic() > self._reads_until:
            super().handle_close()
        return False
