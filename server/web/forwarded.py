"""The address of a visitor behind proxies, in every form in which proxies write it (RFC 7239, and X-Forwarded-For).

Proxies add their elements at the right, so the n-th from the right is what the outermost of n trusted proxies wrote;
everything to the left of it is the client's own and never read. An address that cannot be read makes the visitor one
without a network: no limit of a network applies (docs/adr/0036-unreadable-addresses.md).
"""

import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from server.web.metrics import count_unread_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

_LOG = logging.getLogger("authcode.proxies")

ADDRESS_UNREADABLE: Final = "address_unreadable"
"""The warning's stable name, on /readyz and in the log: requests came without an address that can be read."""

PROXY_NOT_CONFIGURED: Final = "proxy_not_configured"
"""The same where most requests come through a proxy that no setting names, so that all visitors are one network."""

WARNED_FOR: Final = timedelta(hours=1)
"""How long after the last unreadable address the warning stays."""

WATCHED_REQUESTS: Final = 100
"""Requests of one worker among which most must carry a forwarded header before it is warned of a proxy."""

_MAX_ELEMENT: Final = 512  # characters; a Forwarded element has a host and two nodes, an address at most 60
_X_FORWARDED_FOR, _FORWARDED = "HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"
_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})  # asked by machines that do not pass the proxy
_NODE: Final = re.compile(
    r"\[(?P<bracketed>[0-9A-Fa-f:.]+)(?:%[^\]]*)?\](?::[\w.-]*)?"
    r"|(?P<v4>[0-9.]+)(?::[\w.-]*)?"
    r"|(?P<v6>[0-9A-Fa-f:.]+)(?:%\S*)?",
    re.ASCII,
)
"""Address, zone and port; a bare IPv6 address has no port, since a port would read like its last group."""


class Unread(StrEnum):
    """Why no address was read: there is no such element, it says that it is hidden, or it is no address."""

    MISSING = "missing"
    HIDDEN = "hidden"
    UNREADABLE = "unreadable"


def read_node(node: str) -> str | Unread:
    """The address in one element's node: `a`, `a:p`, `[v6]`, `[v6]:p`, `v6`, quoted or not; mapped ones as IPv4."""
    text = node.strip().strip('"').strip()
    if text.lower() == "unknown" or text.startswith("_"):
        return Unread.HIDDEN  # RFC 7239 sections 6.2 and 6.3
    found = _NODE.fullmatch(text)
    if found is None:
        return Unread.UNREADABLE
    try:
        address = ip_address(found["bracketed"] or found["v4"] or found["v6"])
    except ValueError:
        return Unread.UNREADABLE
    return str(getattr(address, "ipv4_mapped", None) or address)


def read_forwarded(environ: Mapping[str, Any], proxies: int) -> tuple[str | Unread, str | None]:
    """Address and scheme that the outermost of so many trusted proxies wrote.

    X-Forwarded-For is read where it is present, Forwarded where it is not; the scheme is Forwarded's.
    """
    plain, full = environ.get(_X_FORWARDED_FOR), environ.get(_FORWARDED)
    header: str | None = full if plain is None else plain
    # Split at every comma, quoted or not: a client's open quote must not swallow the element behind it.
    elements = [] if header is None else header.rsplit(",", proxies)[-proxies:]
    if len(elements) < proxies or not elements[0].strip():
        return Unread.MISSING, None
    element = elements[0]
    if len(element) > _MAX_ELEMENT:
        return Unread.UNREADABLE, None
    if plain is not None:
        return read_node(element), None
    pairs = {name.strip().lower(): value.strip() for name, _, value in (p.partition("=") for p in element.split(";"))}
    return read_node(pairs["for"]) if "for" in pairs else Unread.MISSING, pairs.get("proto", "").strip('"').lower()


class ForwardedAddress:
    """WSGI middleware: puts the visitor's address into REMOTE_ADDR, or takes it out where it cannot be read.

    Without trusted proxies it leaves the address as it is, and watches for a proxy that should have been named.
    """

    def __init__(self, wsgi: "WSGIApplication", *, proxies: int, clock: Callable[[], datetime]) -> None:
        """Trust the nearest `proxies`."""
        self._wsgi, self._proxies, self._clock = wsgi, proxies, clock
        self._lock = threading.Lock()
        self._unread_at: datetime | None = None
        self._requests = self._forwarded = 0
        self._unnamed_proxy = False
        self._logged = False

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO") not in _PROBES:
            if self._proxies:
                self._set_address(environ)
            else:
                self._watch(environ)
        return self._wsgi(environ, start_response)

    def warnings(self) -> list[str]:
        """The names of what this worker has to warn of now."""
        unread = self._unread_at is not None and self._clock() - self._unread_at < WARNED_FOR
        warned = ((ADDRESS_UNREADABLE, unread), (PROXY_NOT_CONFIGURED, self._unnamed_proxy))
        return [name for name, holds in warned if holds]

    def _set_address(self, environ: dict[str, Any]) -> None:
        address, scheme = read_forwarded(environ, self._proxies)
        if scheme in {"http", "https"}:
            environ["wsgi.url_scheme"] = scheme
        if not isinstance(address, Unread):
            environ["REMOTE_ADDR"] = address
            return
        environ.pop("REMOTE_ADDR", None)  # the proxy's own: every visitor would be one network
        count_unread_address(address)
        self._unread_at = self._clock()
        self._log_once(
            "a request came without an address that can be read (%s) [%s]; compare AUTHCODE_TRUSTED_PROXIES with the "
            "proxies in front, and what they write",
            *(address, ADDRESS_UNREADABLE),
        )

    def _watch(self, environ: Mapping[str, Any]) -> None:
        """Count requests with a forwarded header, and decide at the end of each window."""
        with self._lock:
            self._requests += 1
            self._forwarded += _X_FORWARDED_FOR in environ or _FORWARDED in environ
            if self._requests < WATCHED_REQUESTS:
                return
            self._unnamed_proxy = 2 * self._forwarded > self._requests
            self._requests = self._forwarded = 0
        if self._unnamed_proxy:
            self._log_once(
                "most requests come through a proxy that AUTHCODE_TRUSTED_PROXIES does not name [%s]; all visitors "
                "share the limits of one network",
                PROXY_NOT_CONFIGURED,
            )

    def _log_once(self, sentence: str, *facts: str) -> None:
        if not self._logged:
            self._logged = True
            _LOG.warning(sentence, *facts)
