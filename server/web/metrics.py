"""Counters of routes and verdicts in the text format of Prometheus; no code and no person.

All workers write into one folder, which the supervisor names in `PROMETHEUS_MULTIPROC_DIR`, so that any of them answers
for all. Without the folder (an application in a test) a process answers for itself.
"""

import os
import time
from typing import Final

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

from authcode.code.foreign import ForeignText

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The name is prometheus-client's own; it looks there when it is imported."""

_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0, 3.0)
"""Upper bounds in seconds; 0.3 is what EU 2016/161 art. 35 asks of 95 of 100 answers."""

_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""Methods that are named; a client can make up any other, and each would be a row for good."""

_REQUESTS: Final = Counter("authcode_http_requests", "Requests answered.", ["method", "route", "status"])
_SECONDS: Final = Histogram("authcode_http_request_seconds", "Time to an answer.", ["route"], buckets=_BUCKETS_S)
_ANSWERS: Final = Counter("authcode_answers", "Verdicts on codes, by how they were asked for.", ["asked", "said"])
_FOREIGN: Final = Counter("authcode_foreign", "Foreign texts, by what brands list of their host.", ["listed", "domain"])
_PREFETCHES: Final = Counter("authcode_prefetches", "Requests that a browser made ahead of its person.")
_UNREAD: Final = Counter("authcode_addresses_unread", "Requests whose forwarded address was not read.", ["why"])


def count_answer(asked: str, verdict: str | None, *, foreign: ForeignText | None = None) -> None:
    """Count the verdict on one code: `asked` is look, photo, serial or verify; a verdict of None is a page shown again.

    A `foreign` text is counted by what the brands list of its host. Only listed domains are named: no visitor adds one.
    """
    _ANSWERS.labels(asked, verdict or "again").inc()
    if foreign is not None:
        listed = foreign.listed
        _FOREIGN.labels(listed.listing if listed else "none", listed.domain if listed else "").inc()


def count_unread_address(why: str) -> None:
    """Count a request without an address: the forwarded one is missing, hidden or unreadable."""
    _UNREAD.labels(why).inc()


def init_metrics(app: Flask) -> None:
    """Count every request of the application by its route's template, never by its path: a path is a code."""

    @app.after_request
    def count(response: Response) -> Response:
        """Count the answer by route, method and status, and whether it was only fetched ahead."""
        if "prefetch" in request.headers.get("Sec-Purpose", "").lower():
            _PREFETCHES.inc()
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.method in _METHODS else "other"
        _REQUESTS.labels(method, route, str(response.status_code)).inc()
        if "begun_s" in g:  # by `init_security`
            _SECONDS.labels(route).observe(time.perf_counter() - g.begun_s)
        return response


def metrics_page() -> Response:
    """Everything that was counted since the server started, of all its workers."""
    if FOLDER_VARIABLE not in os.environ:
        return Response(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus_client types only a part
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
