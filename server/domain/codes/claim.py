"""Stage 6, redeem: claims, holder cookies and the hashes that are kept of them (docs/protocol.md §2 rule 2).

A claim names a visitor. A page's claim is 128 random bits, or follows from the holder cookie; a client of the API
brings its own. Nothing of either is stored but a keyed hash bound to the unit and its life.
"""

import hashlib
import hmac
import re

from keys.base.errors import AuthcodeError
from server.domain.codes.redemption import Marks
from server.domain.codes.unit import Unit

MAX_CLAIM_CHARS = 64
CLAIM_BYTES = 16
UNGUESSABLE_CHARS = 22
"""Characters that 128 random bits take in base64url; a shorter claim has fewer, and may be a number that counts up."""

_COOKIE = re.compile(r"[0-9a-f]{64}")  # HMAC-SHA-256
_CLAIM = re.compile(rf"[!-~]{{1,{MAX_CLAIM_CHARS}}}")
_UNIT_BYTES = 8


class ClaimInvalid(AuthcodeError):
    """A claim that is missing or not of the form every client can send again."""

    code = "claim_invalid"
    http_status = 400
    sentence = f"Send a claim of 1 to {MAX_CLAIM_CHARS} visible ASCII characters."


class ClaimTriesSpent(AuthcodeError):
    """Too many wrong claims that can be guessed were tried on this unit; right ones of that kind wait with them."""

    code = "claim_tries_spent"
    http_status = 429
    sentence = (
        f"Too many short claims were tried here today; try again tomorrow, and draw claims of {UNGUESSABLE_CHARS} "
        f"characters or more at random, which are never limited."
    )


def check_claim(claim: object) -> str:
    """Accept a claim of 1 to 64 visible ASCII characters.

    Raises:
        ClaimInvalid: anything else.
    """
    if not isinstance(claim, str) or not _CLAIM.fullmatch(claim):
        raise ClaimInvalid
    return claim


def is_guessable(claim: str) -> bool:
    """Whether a claim is too short to be 128 random bits, so that others may find it by trying (ADR 0022)."""
    return len(claim) < UNGUESSABLE_CHARS


def read_page_claim(claim: object) -> str | None:
    """The claim of a page's form, which is never guessable; None for one that no page made."""
    if isinstance(claim, str) and _CLAIM.fullmatch(claim) and not is_guessable(claim):
        return claim
    return None


def _mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def _unit_bytes(unit: Unit) -> bytes:
    return unit.id.to_bytes(_UNIT_BYTES, "big")


def claim_of_holder(cookie: str, unit: Unit) -> str:
    """The claim that a browser with a holder cookie makes on a unit: HMAC(cookie, unit), 32 hexadecimal digits."""
    return _mac(cookie.encode(), b"authcode-holder-claim", _unit_bytes(unit)).hex()[: 2 * CLAIM_BYTES]


def holder_of_claim(claim: str, *, key: bytes) -> str:
    """Make the holder cookie of a new visitor: HMAC(server key, claim), so that a double tap gets the same one."""
    return _mac(key, b"authcode-holder", claim.encode()).hex()


def read_holder(cookie: str | None) -> str | None:
    """The holder cookie, or None unless it has the form that `holder_of_claim` gives."""
    return cookie if cookie is not None and _COOKIE.fullmatch(cookie) else None


def marks_of(unit: Unit, *, claim: str | None, cookie: str | None, key: bytes) -> Marks:
    """Hash a claim and a holder cookie, each bound to the unit and its life; None where one is missing."""
    number, claim_hash, holder_hash = _unit_bytes(unit), None, None
    if claim is not None:
        claim_hash = _mac(key, b"authcode-claim", number, claim.encode())[:CLAIM_BYTES]
    if cookie is not None:
        holder_hash = _mac(key, b"authcode-holder-mark", number, claim_of_holder(cookie, unit).encode())[:CLAIM_BYTES]
    return Marks(claim_hash=claim_hash, holder_hash=holder_hash)
