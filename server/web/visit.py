"""The parts of a request: the context of its worker, the raw path of a code, and its visitor."""

import re

from flask import current_app, request
from flask_login import current_user

from server.domain.codes.claim import read_holder
from server.runtime.context import Context
from server.services.codes.attempts import Visitor

HOLDER_COOKIE = "__Host-authcode-holder"
_SCHEME_AND_HOST = re.compile(r"^https?://[^/?#]*", re.ASCII | re.IGNORECASE)


def context() -> Context:
    """The context that `create_app` made for this worker."""
    found: Context = current_app.extensions["authcode"]
    return found


def raw_target() -> tuple[str, str]:
    """Path and query of the request as they came over the wire, undecoded (docs/format.md §3 rule 1).

    waitress hands over REQUEST_URI, the test client RAW_URI; PATH_INFO is decoded and never used. Of a target in
    absolute form (RFC 9112 §3.2.2), as some proxies send it, scheme and host take no part.
    """
    environ = request.environ
    return split_target(environ.get("REQUEST_URI") or environ.get("RAW_URI") or "")


def split_target(target: str) -> tuple[str, str]:
    """Path and query of a request's target, undecoded."""
    path, _, query = _SCHEME_AND_HOST.sub("", target).partition("?")
    return path or "/", query


def program() -> Visitor:
    """The visitor of the interface for programs: its address alone. No cookie is read; a claim identifies it."""
    return Visitor(address=request.remote_addr)


def visitor() -> Visitor:
    """The visitor: address, holder cookie, staff or not; HEAD and prefetches are not counted."""
    return Visitor(
        address=request.remote_addr,
        cookie=read_holder(request.cookies.get(HOLDER_COOKIE)),
        staff=bool(current_user and current_user.is_authenticated),
        silent=request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", "").lower(),
    )
