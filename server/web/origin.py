"""Where a request comes from: only our own page may burn, and only an encrypted page can set the holder cookie."""

from collections.abc import Collection
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

from authcode.client.address import is_this_machine

SAME_ORIGIN = "same-origin"


def is_from_our_page(request: Request, prefixes: Collection[str]) -> bool:
    """Whether the form was sent from a page of ours (docs/protocol.md §2 rule 3).

    `Sec-Fetch-Site` decides where the browser sends it; else Origin must be absent, name the request's own host, or be
    one of the published `prefixes` (a proxy in front may have changed the host).
    """
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site == SAME_ORIGIN
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    return f"{origin.upper()}/" in prefixes or origin.lower() == f"{request.scheme}://{request.host}".lower()


def is_origin_hidden(request: Request) -> bool:
    """Whether the browser kept silent about the page that sent a form: `Origin: null`, and no fetch metadata."""
    return request.headers.get("Origin") == "null" and request.headers.get("Sec-Fetch-Site") is None


def is_origin_shown(request: Request) -> bool:
    """Whether the browser said which page sent a form; any site may have sent one of which it did not."""
    return "Sec-Fetch-Site" in request.headers or request.headers.get("Origin", "null") != "null"


def is_remembered(request: Request, prefixes: Collection[str]) -> bool:
    """Whether a browser keeps the holder cookie from this page: encrypted, or on this very machine.

    Behind a proxy that ends TLS the published prefix shows that, and the request does not.
    """
    behind_tls = f"HTTPS://{request.host.upper()}/" in prefixes
    return request.is_secure or behind_tls or is_loopback(request.host)


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine itself, with or without a port."""
    try:
        return is_this_machine(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
