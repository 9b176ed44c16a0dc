"""Stage 6, redeem: wrong keep-codes and claims, kept so that tries are limited.

docs/protocol.md §2 rules 2 and 12. The two are counted apart: claims are tried without a check character, and must not
keep out a holder with the keep-code.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import sqlalchemy as sa

from server.domain.clock_skew import CLOCKS_APART
from server.domain.network_limits import TRIES_WINDOW
from server.storage.engine import count_rows
from server.storage.schema import keep_try

_KEPT = 2 * TRIES_WINDOW  # a day longer than they count, for clocks that are set back
_FORGOTTEN_AT_ONCE = 20


class TryKind(Enum):
    """What a visitor tried to show themselves as the holder with."""

    KEEP_CODE = False
    CLAIM = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was tried, on which unit, from which network (its pseudonyms; None where the address is unknown)."""

    kind: TryKind
    unit: int
    network_day: bytes | None
    network_unit: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongTries:
    """How many were wrong: by this network and by anybody on this unit, by it on any unit (keep-codes alone)."""

    here: int
    of_unit: int
    of_network: int


def advisory_lock(connection: sa.Connection, unit: int) -> None:
    """Lock the tries on a unit until the transaction ends: an unused unit has no row to lock. SQLite needs no lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(unit)))


def add_wrong_try(connection: sa.Connection, tried: Tried, *, at: datetime) -> None:
    """Count one that was wrong."""
    values = {"unit": tried.unit, "at": at, "network_day": tried.network_day, "network_unit": tried.network_unit}
    connection.execute(keep_try.insert().values(**values, claim=tried.kind is TryKind.CLAIM))
    _forget_old_tries(connection, at)


def wrong_tries(connection: sa.Connection, tried: Tried, *, since: datetime) -> WrongTries:
    """Those of a kind that were wrong on the day from a moment on; an unknown network has none of its own.

    One that is later is from before a clock was set back: it would count for as long as the clock was ahead.
    """
    claims, known = tried.kind is TryKind.CLAIM, tried.network_unit is not None
    of_kind = keep_try.c.claim if claims else ~keep_try.c.claim
    after = of_kind & (keep_try.c.at > since) & (keep_try.c.at <= since + TRIES_WINDOW + CLOCKS_APART)
    on_unit = (keep_try.c.unit == tried.unit) & after
    here = on_unit & (keep_try.c.network_unit == tried.network_unit)
    of_network = (keep_try.c.network_day == tried.network_day) & after
    return WrongTries(
        here=count_rows(connection, keep_try, here) if known else 0,
        of_unit=count_rows(connection, keep_try, on_unit),
        of_network=count_rows(connection, keep_try, of_network) if known and not claims else 0,
    )


def _forget_old_tries(connection: sa.Connection, now: datetime) -> None:
    """Delete some that no limit counts any more, more than come; what another transaction is deleting is left to it."""
    old = sa.select(keep_try.c.id).where(keep_try.c.at < now - _KEPT).order_by(keep_try.c.at).limit(_FORGOTTEN_AT_ONCE)
    connection.execute(keep_try.delete().where(keep_try.c.id.in_(old.with_for_update(skip_locked=True))))
