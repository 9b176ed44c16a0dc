"""Stage 6, redeem: what a holder may do: undo, hand on, give, remember a browser, have it erased (docs/protocol.md §5).

Pure: the redemption, its returns and times come in. Who the holder is was shown before, by claim, cookie or keep-code.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from keys.base.errors import AuthcodeError
from server.domain.clock_skew import CLOCKS_APART
from server.domain.codes.redemption import Marks, Redemption, Returned, ReturnedBy, is_holder
from server.domain.codes.unit import Unit

MAX_HOPS = 50
"""How often one unit is handed on in all; a keep-code's message and a proof's number have room for more."""
MAX_HOPS_A_DAY = 3
"""How often it is handed on in 24 hours: a keep-code that travels from copy to copy needs many."""
HOPS_WINDOW = timedelta(hours=24)
MAX_REMEMBERED = 5
"""How many further browsers are remembered for a unit: a household's; a keep-code on many copies soon has no room."""
_LABEL = b"authcode-handover-v1"
_HASH_BYTES = 16


class HolderAct(StrEnum):
    """What a holder may do."""

    UNDO = "undo"
    HAND_ON = "hand_on"
    GIVE = "give"
    WITHDRAW = "withdraw"
    REMEMBER = "remember"
    FORGET = "forget"
    ERASE = "erase"


NEEDS_GOOD_STATE = frozenset({HolderAct.UNDO, HolderAct.HAND_ON, HolderAct.GIVE})
"""Acts that wait while the code is recalled, locked or the like. The others give nothing away, or take it back."""


class HolderUnknown(AuthcodeError):
    """The request does not show the holder of this code: one text for every reason."""

    code = "holder_unknown"
    http_status = 404
    sentence = "Nothing here shows that you verified this code; bring the code with its claim or keep-code."


class ActNotNow(AuthcodeError):
    """The code is recalled, void, a sample, expired, not activated or locked: nothing changes hands meanwhile."""

    code = "act_not_now"
    http_status = 409
    sentence = "This cannot be done in the code's present state; look at the code to see why."


class UndoOver(AuthcodeError):
    """A verification that its holder cannot take back: too long ago, handed on, or the unit was returned before."""

    code = "undo_over"
    http_status = 409
    sentence = (
        "This verification cannot be undone: that can be done once for each code, for some time after verifying, and "
        "not once it was handed on."
    )


class HandOnLimit(AuthcodeError):
    """A unit that was handed on as often as it can be, in a day or in all."""

    code = "hand_on_limit"
    http_status = 429
    sentence = (
        f"A code can be handed on {MAX_HOPS_A_DAY} times in a day and {MAX_HOPS} times in all; try again tomorrow."
    )


class RememberedFull(AuthcodeError):
    """As many browsers as can be are remembered for this unit."""

    code = "remembered_full"
    http_status = 409
    sentence = (
        f"{MAX_REMEMBERED} browsers are remembered for this code, and no more can be: have them forgotten on the "
        f"code's page, then ask again in each browser that should be remembered."
    )


class CookieNotKept(AuthcodeError):
    """A browser that asks to be remembered, and keeps no cookie by which it could be known."""

    code = "cookie_not_kept"
    http_status = 409
    sentence = "This browser keeps no cookie from this page, so it cannot be remembered; the keep-code works without."


def check_remember(first: Redemption, mark: bytes | None) -> None:
    """Accept a browser that asks to be remembered, by the mark of its cookie; one that is known already needs no room.

    Raises:
        RememberedFull: there is no room.
    """
    if len(first.remembered) >= MAX_REMEMBERED and not is_holder(first, Marks(holder_hash=mark)):
        raise RememberedFull


def undo_until(first: Redemption, returns: Iterable[Returned], *, window_s: float) -> datetime | None:
    """Until when the holder may return a unit to unused; None where they may not at any time.

    Once for each unit, and only by the person who verified it: a next owner did not verify by mistake.
    """
    spent = any(one.by is ReturnedBy.HOLDER for one in returns)
    if window_s <= 0 or spent or first.hop > 0 or first.erased:
        return None
    return first.at + timedelta(seconds=window_s)


def check_undo(first: Redemption, returns: Iterable[Returned], *, now: datetime, window_s: float) -> None:
    """Accept a holder's undo.

    Raises:
        UndoOver: it comes too late, or cannot be.
    """
    until = undo_until(first, returns, window_s=window_s)
    if until is None or now > until:
        raise UndoOver


def check_hand_on(first: Redemption, earlier: Sequence[datetime], *, now: datetime) -> None:
    """Accept a handing on; `earlier` are the moments of those before it.

    Raises:
        HandOnLimit: it would be one too many.
    """
    # What is ahead of the present time is from before a clock was set back, and does not count.
    lately = [at for at in earlier if now - HOPS_WINDOW < at <= now + CLOCKS_APART]
    if first.hop >= MAX_HOPS or len(lately) >= MAX_HOPS_A_DAY:
        raise HandOnLimit


def handed_on(unit: Unit, first: Redemption, *, key: bytes) -> Redemption:
    """The redemption as its next holder has it, known by the new keep-code alone. Repeatable, for a lost answer."""
    message = _LABEL + unit.id.to_bytes(8, "big") + bytes([first.hop + 1]) + first.claim_hash
    digest = hmac.digest(key, message, hashlib.sha256)
    return next_holder(first, Marks(claim_hash=digest[:_HASH_BYTES], holder_hash=digest[_HASH_BYTES:]))


def next_holder(first: Redemption, marks: Marks) -> Redemption:
    """The redemption with its next holder, known by these hashes; no browser is remembered for them yet."""
    claim_hash, holder_hash = marks.claim_hash or b"", marks.holder_hash or b""
    return replace(first, hop=first.hop + 1, claim_hash=claim_hash, holder_hash=holder_hash, remembered=())
