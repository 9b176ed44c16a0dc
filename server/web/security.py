"""Headers of every answer, and a log that holds no path (docs/protocol.md §1)."""

import logging
import time

from flask import Flask, Response, g

from server.web.problem import route

_LOG = logging.getLogger("authcode.web")

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    # With no-referrer Chromium sends "Origin: null" on our own form.
    "Referrer-Policy": "strict-origin",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=()",
}


class _WithoutArguments(logging.Filter):
    """Blanks what a foreign logger would fill in: paths and addresses among it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the sentence, drop its values and its traceback."""
        if record.args:
            record.args = ()
            record.msg = str(record.msg).replace("%s", "-").replace("%d", "-")
        record.exc_info = None
        return True


_BLANK = _WithoutArguments()


def init_security(app: Flask) -> None:
    """Set the headers, and log each answer by its route's template, status and time."""
    for name in ("waitress", "flask-limiter"):
        logging.getLogger(name).addFilter(_BLANK)

    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if not response.headers.get("Cache-Control", "").startswith("public"):
            response.headers["Cache-Control"] = "no-store"
        taken_ms = (time.perf_counter() - g.get("begun", time.perf_counter())) * 1000
        _LOG.info("%s %d %.1f ms", route(), response.status_code, taken_ms)
        return response
