"""The address of a server: scheme, host and port, and whether a request may go there unencrypted."""

import re
from ipaddress import IPv6Address, ip_address
from typing import Final

from authcode.client.errors import ServerUrlInvalid, TlsRequired

_ORIGIN: Final = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?/?", re.ASCII)
_MAX_PORT: Final = 65535


def server_origin(text: str) -> str:
    """A server's address in lower case, as scheme, host and, where it is given, port.

    Raises:
        ServerUrlInvalid: it is no such address, or has more than these.
        TlsRequired: it is plain HTTP, and not on this machine.
    """
    parts = _ORIGIN.fullmatch(text.lower()) if text.isascii() else None
    if parts is None or not _is_host(parts[2]) or not 1 <= int(parts[3] or 1) <= _MAX_PORT:
        raise ServerUrlInvalid("it has to be scheme, host and port, and nothing else")
    origin = parts[0].rstrip("/")
    if parts[1] == "http" and not is_this_machine(parts[2].strip("[]")):
        raise TlsRequired(origin)
    return origin


def _is_host(text: str) -> bool:
    """Whether brackets, if any, hold an IPv6 address."""
    try:
        return not text.startswith("[") or bool(IPv6Address(text.strip("[]")))
    except ValueError:
        return False


def is_this_machine(host: str) -> bool:
    """Whether a host's name or address is loopback, so that what is sent there never leaves this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
