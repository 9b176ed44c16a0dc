"""Stage 1, batch: how much one signing key covers: at most a year, or 100 orders (docs/format.md §1).

A withdrawn key takes every code under it along; this bound limits the damage. A warning comes before the refusal; a
new key costs one command, and nothing is reprinted.
"""

from datetime import datetime, timedelta
from typing import Final

from keys.base.errors import AuthcodeError
from keys.format.records import CodeKey, Profile

KEY_LIFE: Final = timedelta(days=365)
MAX_ORDERS: Final = 100
WARN_BEFORE: Final = timedelta(days=30)
"""A month to make a new key in, before orders are refused."""
WARN_FROM_ORDERS: Final = 90


class KeyUsedUp(AuthcodeError):
    """A signing key has covered its year or its orders, and signs no further order."""

    code = "key_used_up"
    http_status = 409
    sentence = "key {key_id} {reason} and signs no new order; {remedy}"
    key_id: str
    reason: str
    remedy: str


def check_cover(key: CodeKey, *, orders: int, now: datetime) -> None:
    """Check that an active key may sign one more order than the `orders` it has signed.

    Raises:
        KeyUsedUp: it has signed 100, or is a year old.
    """
    if key.profile is not Profile.SIGNED:
        return
    if now - key.since >= KEY_LIFE:
        raise KeyUsedUp(key.key_id, f"is of {key.since:%Y-%m-%d}, more than a year old,", _remedy(key))
    if orders >= MAX_ORDERS:
        raise KeyUsedUp(key.key_id, f"has signed {orders} orders", _remedy(key))


def cover_warning(key: CodeKey, *, orders: int, now: datetime) -> str | None:
    """A sentence where the end of an active key's year or orders is near, else None; it has signed `orders` so far."""
    if key.profile is not Profile.SIGNED:
        return None
    ends = key.since + KEY_LIFE
    if orders >= WARN_FROM_ORDERS:
        return f"key {key.key_id} has signed {orders} of {MAX_ORDERS} orders; {_remedy(key)}"
    if ends - now <= WARN_BEFORE:
        return f"key {key.key_id} signs new orders until {ends:%Y-%m-%d}; {_remedy(key)}"
    return None


def _remedy(key: CodeKey) -> str:
    return (
        "make the next one with "
        f"`authcode keys rotate --profile {key.profile} --form {key.form} --prefix {key.prefix.lower()}`: "
        "nothing is reprinted"
    )
