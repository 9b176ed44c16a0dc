r"""Describe a text that is not ours without risk: shortened, never as a link, its host only where it is beyond doubt.

Python's URL parsers, browsers and phones disagree about odd texts (`HTTPS://EVIL.COM\@V.EXAMPLE.COM/` goes to the
first host in a browser). So a host is named only for a plain subset of what the WHATWG URL Standard reads in one way;
for the rest it is "unclear", which is `None` here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from keys.format.domains import ListedHost, listed_host
from keys.format.keyring import Keyring

SHOWN_CHARACTERS = 40
"""Enough to recognise an address, too little to carry a message to staff or shoppers."""

_MAX_HOST_CHARACTERS = 253  # RFC 1035 §2.3.4, without the final dot
_MAX_PORT = 65535
_URL = re.compile(
    r"https?://([a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*)(?::([0-9]{1,5}))?(?:[/?#].*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_DOTTED = re.compile(r"(?:(?:0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])(?:\.(?!$)|$)){4}", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignText:
    """A foreign text as it may be shown. `host` is lower case, or None where readers could disagree.

    `listed` is the entry of a brand's keyring for that host, a partner's or a known look-alike's; None without one.
    """

    shortened: str
    host: str | None
    listed: ListedHost | None = None


def describe_foreign(text: str, keyrings: Iterable[Keyring] = ()) -> ForeignText:
    """Shorten a foreign text to 40 characters without control characters, and name its host where it is clear.

    `keyrings` are the verified keyrings whose lists of domains are looked at.
    """
    head = text[:SHOWN_CHARACTERS]
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in head)
    if len(text) > SHOWN_CHARACTERS:
        shown = shown[:-1] + "\N{HORIZONTAL ELLIPSIS}"
    host = _clear_host(text)
    return ForeignText(shortened=shown, host=host, listed=listed_host(host, keyrings) if host else None)


def _clear_host(text: str) -> str | None:
    match = _URL.fullmatch(text)
    if match is None:
        return None
    host, port = match.group(1).lower(), match.group(2)
    if len(host) > _MAX_HOST_CHARACTERS or (port and int(port) > _MAX_PORT):
        return None
    # WHATWG "ends in a number": such a host is an IPv4 address, whatever its spelling; only the plain one is clear.
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and not _DOTTED.fullmatch(host):
        return None
    return host
