"""Headers of every answer, and a log that holds no path (docs/protocol.md §1)."""

import logging
import time
import traceback

from flask import Flask, Response, g

from server.web.problem import route

_LOG = logging.getLogger("authcode.web")

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The content security policy of every answer; the dashboard's pages add a script of ours."""

_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    # With no-referrer Chromium sends "Origin: null" on our own form.
    "Referrer-Policy": "strict-origin",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=()",
}

_KNOWN_HEADS = (
    "Client disconnected while serving",
    "Exception while serving",
    "Exception when servicing",
    "Socket error",
    "Task queue depth",
    "ratelimit",
)


class _HeadsOnly(logging.Filter):
    """Replaces the messages of foreign loggers: waitress writes paths into them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep a known beginning, the place in the code, and of an exception its kind and frames."""
        message = str(record.msg)
        head = next((known for known in _KNOWN_HEADS if message.startswith(known)), "a message that may hold a path")
        kind, frames = "", ""
        if record.exc_info and record.exc_info[0] is not None:
            kind, frames = f": {record.exc_info[0].__name__}", "".join(traceback.format_tb(record.exc_info[2]))
        record.msg = f"{head} ({record.module}:{record.lineno}){kind}" + (f"\n{frames}" if frames else "")
        record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
        return True


_HEADS_ONLY = _HeadsOnly()


def init_security(app: Flask) -> None:
    """Set the headers, and log each answer by its route's template, status and time."""
    for name in ("waitress", "waitress.queue", "flask-limiter"):  # a filter does not see the messages of child loggers
        logging.getLogger(name).addFilter(_HEADS_ONLY)

    @app.before_request
    def begin() -> None:
        """Keep when the request came, for the log and the metrics."""
        g.begun_s = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        """Set the headers that every answer has, and log the request by its route."""
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if not response.headers.get("Cache-Control", "").startswith("public"):
            response.headers["Cache-Control"] = "no-store"
        now_s = time.perf_counter()
        taken_ms = (now_s - g.get("begun_s", now_s)) * 1000
        _LOG.info("%s %d %.1f ms", route(), response.status_code, taken_ms)
        return response
