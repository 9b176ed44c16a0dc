"""Stage 6, redeem: claims, holder cookies and the hashes that are kept of them (docs/protocol.md §2 rule 2).

A claim names a visitor. A page's claim is 128 random bits, or follows from the holder cookie; a client of the API
brings its own. Nothing of either is stored but a keyed hash bound to the unit and its life.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

from keys.base.errors import AuthcodeError
from server.domain.codes.redemption import Marks
from server.domain.codes.unit import Unit

MIN_CLAIM_CHARS = 22
"""Characters that 128 random bits take in base64url; a shorter claim has fewer, and may be a number that counts up."""
MAX_CLAIM_CHARS = 64
MIN_DIFFERENT_CHARS = 8
"""22 random characters of base64url have fewer different ones once in 10^11 claims."""
CLAIM_BYTES = 16
"""The random bytes of a page's claim, and the bytes that are kept of a mark."""

_COOKIE = re.compile(r"[0-9a-f]{64}")  # HMAC-SHA-256
_CLAIM = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_CLAIM_CHARS}}}")
_SEPARATORS = str.maketrans("", "", "-_")
_PAGE_CLAIM = re.compile(rf"[0-9a-f]{{{2 * CLAIM_BYTES}}}")
_UNIT_BYTES = 8


class ClaimInvalid(AuthcodeError):
    """A claim that is missing or has other characters."""

    code = "claim_invalid"
    http_status = 400
    sentence = (
        f"Send a claim of {MIN_CLAIM_CHARS} to {MAX_CLAIM_CHARS} letters, digits, hyphens or underscores, "
        f"drawn at random."
    )


class ClaimTooWeak(AuthcodeError):
    """A claim that others can guess: too short, digits alone, or of too few different characters."""

    code = "claim_too_weak"
    http_status = 400
    sentence = (
        f"This claim can be guessed. Draw {MIN_CLAIM_CHARS} characters or more at random, for example a UUID of "
        f"version 4, and keep them with the code."
    )


class ClaimTriesSpent(AuthcodeError):
    """This network brought too many wrong claims on this unit today."""

    code = "claim_tries_spent"
    http_status = 429
    sentence = (
        "Too many wrong claims were tried here today; send the claim that verified the code, or try again tomorrow."
    )


def check_claim(claim: object) -> str:
    """Accept the claim of a program: 22 to 64 of `A-Za-z0-9-_` that look drawn at random (docs/protocol.md §2 rule 2).

    Raises:
        ClaimInvalid: it is missing, too long or has other characters.
        ClaimTooWeak: it is too short, digits alone, or has fewer than 8 different characters.
    """
    if not isinstance(claim, str) or not _CLAIM.fullmatch(claim):
        raise ClaimInvalid
    digits_alone = claim.translate(_SEPARATORS).isdigit()
    if len(claim) < MIN_CLAIM_CHARS or digits_alone or len(set(claim)) < MIN_DIFFERENT_CHARS:
        raise ClaimTooWeak
    return claim


def read_page_claim(claim: object) -> str | None:
    """The claim of a page's form; None for one that no page made."""
    return claim if isinstance(claim, str) and _PAGE_CLAIM.fullmatch(claim) else None


HOLDER_DAYS = 400
"""The longest that browsers keep a cookie."""
LOOK_DAYS = 1
"""A buyer whose answer was lost tries again within the day; who only looked is soon forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderCookie:
    """A holder cookie to set, and the days that the browser keeps it."""

    value: str
    days: int


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


def belong_together(claim: str, cookie: str | None, unit: Unit, *, key: bytes) -> bool:
    """Whether a form's claim was made for the browser with this holder cookie: another site cannot know both."""
    if cookie is None:
        return False
    made = (claim_of_holder(cookie, unit), claim), (holder_of_claim(claim, key=key), cookie)
    return any([hmac.compare_digest(*pair) for pair in made])  # noqa: C419 - as long either way


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
