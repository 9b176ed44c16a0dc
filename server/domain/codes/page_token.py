"""Stage 6, redeem: the token a look page carries (docs/protocol.md §2 rule 1).

Expiry and HMAC over (unit with its life, tier, expiry). It stops accidents (previews, prefetchers, mail scanners
that POST), not malice: a script that has a code can look first.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from keys.base.errors import AuthcodeError
from server.domain.codes.unit import Unit

_LABEL = b"authcode-page-token-v1"
_TAG_DIGITS = 32  # 128 bits, hexadecimal
_EXPIRY_DIGITS = 10  # seconds since 1970, until the year 2286


class PageTokenInvalid(AuthcodeError):
    """A token that is missing, for another unit, altered or past its time."""

    code = "page_token_invalid"
    http_status = 409
    sentence = "This page is no longer current. Look at the code once more, then verify it."


@dataclass(frozen=True, slots=True)
class TokenScope:
    """What a token is bound to. `purpose` names the act that it confirms, where that is not to verify."""

    unit: Unit
    tier: int
    purpose: str = ""


def _tag(key: bytes, scope: TokenScope, expiry: int) -> str:
    bound = scope.purpose.encode() + scope.unit.id.to_bytes(8, "big") + bytes([scope.tier])
    return hmac.new(key, _LABEL + bound + expiry.to_bytes(8, "big"), hashlib.sha256).hexdigest()[:_TAG_DIGITS]


def make_page_token(scope: TokenScope, *, key: bytes, now: datetime, ttl: timedelta) -> str:
    """A token that is valid for `ttl`: `<expiry in seconds>.<32 hexadecimal digits>`."""
    expiry = int((now + ttl).timestamp())
    return f"{expiry:0{_EXPIRY_DIGITS}d}.{_tag(key, scope, expiry)}"


def check_page_token(token: str | None, scope: TokenScope, *, key: bytes, now: datetime) -> None:
    """Accept a token made for this scope that has not expired.

    Raises:
        PageTokenInvalid: for any other, with one text.
    """
    expiry, dot, tag = (token or "").partition(".")
    if not (dot and len(expiry) == _EXPIRY_DIGITS and expiry.isascii() and expiry.isdigit() and tag.isascii()):
        raise PageTokenInvalid
    if not hmac.compare_digest(tag, _tag(key, scope, int(expiry))) or now.timestamp() > int(expiry):
        raise PageTokenInvalid
