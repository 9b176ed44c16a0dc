"""Stage 6, redeem: the token a look page carries (docs/protocol.md §2 rule 1).

Expiry and HMAC over (unit with its life, tier, expiry). It stops accidents (previews, prefetchers, mail scanners
that POST), not malice: a script that has a code can look first.
"""

import hashlib
import hmac
from datetime import datetime, timedelta

from keys.base.errors import AuthcodeError
from server.domain.codes.redemption import Unit

_LABEL = b"authcode-page-token-v1"
_TAG_DIGITS = 32  # 128 bits, hexadecimal
_EXPIRY_DIGITS = 10  # seconds since 1970, until the year 2286


class PageTokenInvalid(AuthcodeError):
    """A token that is missing, for another unit, altered or past its time."""

    code = "page_token_invalid"
    http_status = 409
    sentence = "This page is no longer current. Look at the code once more, then verify it."


def _tag(key: bytes, unit: Unit, tier: int, expiry: int, purpose: str) -> str:
    message = _LABEL + purpose.encode() + unit.id.to_bytes(8, "big") + bytes([tier]) + expiry.to_bytes(8, "big")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:_TAG_DIGITS]


def make_page_token(  # noqa: PLR0913 - what the token is bound to
    unit: Unit, tier: int, *, key: bytes, now: datetime, ttl: timedelta, purpose: str = ""
) -> str:
    """A token for this unit and tier that holds for `ttl`: `<expiry in seconds>.<32 hexadecimal digits>`.

    `purpose` names what it confirms beside verifying, so that a token of one page does nothing on another.
    """
    expiry = int((now + ttl).timestamp())
    return f"{expiry:0{_EXPIRY_DIGITS}d}.{_tag(key, unit, tier, expiry, purpose)}"


def check_page_token(  # noqa: PLR0913 - what the token is bound to
    token: str | None, unit: Unit, tier: int, *, key: bytes, now: datetime, purpose: str = ""
) -> None:
    """Accept a token made for this unit, tier and purpose that has not expired.

    Raises:
        PageTokenInvalid: for any other, with one text.
    """
    expiry, dot, tag = (token or "").partition(".")
    if not (dot and len(expiry) == _EXPIRY_DIGITS and expiry.isascii() and expiry.isdigit() and tag.isascii()):
        raise PageTokenInvalid
    if not hmac.compare_digest(tag, _tag(key, unit, tier, int(expiry), purpose)) or now.timestamp() > int(expiry):
        raise PageTokenInvalid
