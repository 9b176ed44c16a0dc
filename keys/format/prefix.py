"""Code prefixes and domain names, in the one spelling that a keyring holds (docs/format.md §1, §3).

No URL parser takes part: parsers disagree about odd addresses, and a prefix is compared byte for byte later.
"""

import ipaddress
import re
from typing import Final

from keys.base.errors import PrefixInvalid

MAX_PREFIX_CHARS: Final = 255
"""The signed message gives the prefix's length in one byte (docs/format.md §2)."""
MAX_HOST_CHARS: Final = 235
"""The rest of it for the host, after scheme, port and slash."""
MAX_PORT: Final = 65535

_PREFIX = re.compile(r"(HTTPS?)://([A-Z0-9.-]+)(?::([0-9]{1,5}))?/?")
_LABEL = re.compile("[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?")
_NUMERIC_LABEL = re.compile("[0-9]+|0X[0-9A-F]*")
_DEFAULT_PORTS: Final = {"HTTP": 80, "HTTPS": 443}


def normalise_prefix(url: str) -> str:
    """The prefix of codes for the address `url`: upper case, with a trailing slash, without a default port.

    `https://v.example.com` becomes `HTTPS://V.EXAMPLE.COM/`. Only a scheme (http or https), a host of letters, digits,
    dots and hyphens, and a port are admitted; an international name is given in its `xn--` form.

    Raises:
        PrefixInvalid: anything else.
    """
    if len(url) > MAX_PREFIX_CHARS or not url.isascii():
        raise PrefixInvalid(url, f"it is longer than {MAX_PREFIX_CHARS} characters or not ASCII")
    match = _PREFIX.fullmatch(url.upper())
    if match is None:
        raise PrefixInvalid(url, "it is not just a scheme (http or https), a host and a port")
    scheme, host, port_text = match.groups()
    if not _is_host(host):
        raise PrefixInvalid(url, "its host is no domain name and no IPv4 address")
    if port_text is None:
        return f"{scheme}://{host}/"
    port = int(port_text)
    if not 1 <= port <= MAX_PORT or port_text != str(port):
        raise PrefixInvalid(url, f"its port is not 1 to {MAX_PORT}")
    return f"{scheme}://{host}/" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}/"


def host_of(prefix: str) -> str:
    """The host of a prefix, in lower case and without its port."""
    return prefix.partition("://")[2].rstrip("/").partition(":")[0].lower()


def is_domain(text: str) -> bool:
    """Whether `text` is a domain name in lower case, as the lists of look-alike and partner domains hold it.

    A single label (`com`) is none: it would speak for everybody's hosts below it.
    """
    return text.isascii() and text == text.lower() and "." in text and _is_host(text.upper())


def _is_host(host: str) -> bool:
    labels = host.split(".")
    if len(host) > MAX_HOST_CHARS or any(_LABEL.fullmatch(label) is None for label in labels):
        return False
    # Browsers take a host that ends in a number for an IPv4 address, in octal and hexadecimal too.
    return _NUMERIC_LABEL.fullmatch(labels[-1]) is None or _is_ipv4(host)


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
