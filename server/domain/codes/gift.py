"""Stage 6, redeem: a gift, the link by which a holder gives a unit away (docs/protocol.md §5 rule 8). Pure.

Its token is 128 random bits, kept as a hash only. Whoever brings it first takes the unit over, once.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from keys.base.crockford import ALPHABET, encode_int
from keys.base.errors import AuthcodeError
from server.domain.codes.redemption import Marks, Redemption, is_holder
from server.domain.codes.unit import Unit

TOKEN_BYTES = 16
"""Random bytes of a token: as many as a claim has, which it is as good as until it is taken."""
TOKEN_CHARACTERS = 26
"""Characters of 5 bits that hold them. They are upper case and digits: a link that is read out or printed survives."""
GIFT_LIVES = timedelta(days=30)
"""How long a link can be taken: a gift is opened on its day, and a link that nobody remembers should end."""
MAX_KEPT = 10
"""How many links of a unit are kept, so that an old one is answered with what became of it."""

TRIES_UNIT = Unit(row=0, index=0, life=3)
"""The unit in whose name wrong tokens are counted: none has it, and no unregistered one is marked in its name."""

_LABEL = b"authcode-gift-v1"
_HASH_BYTES = 16


class GiftUnknown(AuthcodeError):
    """A text that is the token of no gift, or of one that is long over."""

    code = "gift_unknown"
    http_status = 404
    sentence = "No gift has this link; copy it whole, or ask for a new one."


class GiftUsed(AuthcodeError):
    """Somebody took this gift over."""

    code = "gift_used"
    http_status = 409
    sentence = "This gift was taken over already, which can be done once; ask who gave it."


class GiftWithdrawn(AuthcodeError):
    """Its giver withdrew this gift, made another link, or handed the unit on."""

    code = "gift_withdrawn"
    http_status = 410
    sentence = "This link was withdrawn, or another one took its place; ask who gave it for the newest."


class GiftLate(AuthcodeError):
    """A gift that nobody took in time."""

    code = "gift_late"
    http_status = 410
    sentence = f"This link was valid for {GIFT_LIVES.days} days and is over; ask who gave it for a new one."


class GiftOwn(AuthcodeError):
    """The giver's own link."""

    code = "gift_own"
    http_status = 409
    sentence = "This is your own link: send it to whoever is to have the pack, or withdraw it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """A link: its unit, the hop of its giver and the mark of the giver's browser, when it was made, how it ended."""

    unit: Unit
    hop: int
    at: datetime
    giver_hash: bytes | None = None
    taken_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def until(self) -> datetime:
        """Until when it can be taken."""
        return self.at + GIFT_LIVES


def gift_token(secret: bytes) -> str:
    """The token of 16 random bytes, as its link has it."""
    return encode_int(int.from_bytes(secret, "big"), TOKEN_CHARACTERS)


def token_hash(token: str, *, key: bytes) -> bytes:
    """What is kept of a token, in any letter case.

    Raises:
        GiftUnknown: it has not the form of one.
    """
    plain = token.upper()
    if len(token) != TOKEN_CHARACTERS or not token.isascii() or not set(plain) <= set(ALPHABET):
        raise GiftUnknown
    return hmac.digest(key, _LABEL + plain.encode(), hashlib.sha256)[:_HASH_BYTES]


def check_gift(gift: Gift, *, now: datetime) -> None:
    """Accept a link that is open.

    Raises:
        GiftUsed, GiftWithdrawn, GiftLate: it is not.
    """
    if gift.taken_at is not None:
        raise GiftUsed
    if gift.withdrawn_at is not None:
        raise GiftWithdrawn
    if now > gift.until:
        raise GiftLate


def check_taker(gift: Gift, first: Redemption, marks: Marks) -> None:
    """Accept who takes a gift: anybody but its giver, known by claim, cookie or the browser that made the link.

    Raises:
        GiftOwn: it is the giver.
    """
    made_here = gift.giver_hash is not None and gift.giver_hash == marks.holder_hash
    if made_here or is_holder(first, marks):
        raise GiftOwn


def was_taken_by(gift: Gift, first: Redemption, marks: Marks) -> bool:
    """Whether this visitor took the gift, and is the holder still."""
    return gift.taken_at is not None and first.hop == gift.hop + 1 and is_holder(first, marks)
