r"""Describe a text that is not ours without risk: shortened, never as a link, its host only where it is beyond doubt.

Python's URL parsers, browsers and phones disagree about odd texts (`HTTPS://EVIL.COM\@V.EXAMPLE.COM/` goes to the
first host in a browser). So a host is named only for a plain subset of what the WHATWG URL Standard reads in one way;
for the rest it is "unclear", which is `None` here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from keys.format.domains import ListedHost, listed_host
from keys.format.keyring import Keyring

SHOWN_CHARACTERS = 40
"""Enough to recognise an address, too little to carry a message to staff or shoppers."""

SHORTENERS = frozenset(
    {
        *("bit.ly", "t.co", "goo.gl", "tinyurl.com", "ow.ly", "is.gd", "v.gd", "buff.ly", "rebrand.ly", "cutt.ly"),
        *("t.ly", "s.id", "rb.gy", "shorturl.at", "lnkd.in", "tiny.cc", "bl.ink", "qrco.de", "qr.io", "me-qr.com"),
        *("l.ead.me", "q-r.to", "dwz.cn", "t.cn", "url.cn", "suo.im", "u.to", "han.gl", "me2.do", "vo.la"),
    }
)
"""Hosts that send on to an address which the code does not show, their own subdomains included."""

PAYMENT_HOSTS = frozenset({"qr.alipay.com", "wx.tenpay.com", "payapp.weixin.qq.com", "paypal.me", "qr.kakaopay.com"})
"""Hosts at which an opened code is a payment."""

_PAYMENT = re.compile(
    r"(?:upi|weixin|wxp|alipays?|alipayqr|bitcoin|lightning|ethereum|litecoin|paypal|payto|pay|swish|vipps|twint):.*"
    r"|BCD\r?\n0.*|SPC\r?\n0.*|ST0001.*|SPD\*.*|HCT\r?\n.*|000201(?:[0-9]{4}.+)",  # EPC, Swiss, RU, CZ, HU, EMVCo
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_TELEPHONE = re.compile(
    r"(?:tel|sms|smsto|mmsto|facetime|callto|whatsapp|sip):.*", re.ASCII | re.IGNORECASE | re.DOTALL
)
_WIFI = re.compile(r"WIFI:.*", re.ASCII | re.IGNORECASE | re.DOTALL)

_MAX_HOST_CHARACTERS = 253  # RFC 1035 §2.3.4, without the final dot
_MAX_PORT = 65535
_URL = re.compile(
    r"https?://([a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*)(?::([0-9]{1,5}))?(?:[/?#].*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_DOTTED = re.compile(r"(?:(?:0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])(?:\.(?!$)|$)){4}", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


class ForeignKind(StrEnum):
    """What a phone would do with a foreign text."""

    LINK = "link"
    SHORTENED_LINK = "shortened_link"
    PAYMENT = "payment"
    TELEPHONE = "telephone"
    WIFI = "wifi"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignText:
    """A foreign text as it may be shown. `host` is lower case, or None where readers could disagree.

    `shortened` holds nothing of a wi-fi's password.
    `listed` is the entry of a brand's keyring for that host, a partner's or a known look-alike's; None without one.
    """

    shortened: str
    host: str | None
    kind: ForeignKind
    listed: ListedHost | None = None


def describe_foreign(text: str, keyrings: Iterable[Keyring] = ()) -> ForeignText:
    """Shorten a foreign text to 40 characters without control characters; name its kind, and its host if it is clear.

    `keyrings` are the verified keyrings whose lists of domains are looked at.
    """
    host = _clear_host(text)
    kind = _kind(text, host)
    shown = "WIFI:" if kind is ForeignKind.WIFI else text
    head = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in shown[:SHOWN_CHARACTERS]
    )
    if len(text) > len(head):
        head = head[: SHOWN_CHARACTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
    listed = listed_host(host, keyrings) if host else None
    return ForeignText(shortened=head, host=host, kind=kind, listed=listed)


def _kind(text: str, host: str | None) -> ForeignKind:
    if _PAYMENT.fullmatch(text) or _is_below(host, PAYMENT_HOSTS):
        return ForeignKind.PAYMENT
    if _TELEPHONE.fullmatch(text):
        return ForeignKind.TELEPHONE
    if _WIFI.fullmatch(text):
        return ForeignKind.WIFI
    if _is_below(host, SHORTENERS):
        return ForeignKind.SHORTENED_LINK
    return ForeignKind.LINK if host or text[:6].lower().startswith(("http:", "https:")) else ForeignKind.TEXT


def _is_below(host: str | None, names: frozenset[str]) -> bool:
    """Whether a host is one of the names, or below one."""
    return host is not None and any(host == name or host.endswith(f".{name}") for name in names)


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
