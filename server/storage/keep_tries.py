"""Stage 6, redeem: keep-codes that were wrong, kept so that nobody can try many (docs/protocol.md §2 rule 12)."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from server.domain.clock import CLOCKS_APART
from server.domain.keep_code import TRIES_WINDOW
from server.storage.schema import keep_try


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongTries:
    """How many keep-codes were wrong: by this network on this unit, by anybody on it, by this network on any unit."""

    here: int
    of_unit: int
    of_network: int


def take_turns(connection: sa.Connection, unit: int) -> None:
    """Let tries on a unit take turns until the transaction ends, so that each counts those before it.

    An unused unit has no row that could be locked; SQLite's writers take turns in any case.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(unit)))


def add_wrong_try(
    connection: sa.Connection, *, unit: int, at: datetime, network_day: bytes | None, network_unit: bytes | None
) -> None:
    """Count one wrong keep-code, by the pseudonyms of its network (None where the address is unknown)."""
    connection.execute(keep_try.insert().values(unit=unit, at=at, network_day=network_day, network_unit=network_unit))


def wrong_tries(
    connection: sa.Connection, *, unit: int, since: datetime, network_day: bytes | None, network_unit: bytes | None
) -> WrongTries:
    """The wrong keep-codes of the day from a moment on; those without an address count as one network.

    One that stands later is from before a clock was set back: it would count for as long as the clock was ahead.
    """
    after = (keep_try.c.at > since) & (keep_try.c.at <= since + TRIES_WINDOW + CLOCKS_APART)
    on_unit = (keep_try.c.unit == unit) & after
    return WrongTries(
        here=_count(connection, on_unit & keep_try.c.network_unit.is_not_distinct_from(network_unit)),
        of_unit=_count(connection, on_unit),
        of_network=_count(connection, keep_try.c.network_day.is_not_distinct_from(network_day) & after),
    )


def _count(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(keep_try).where(condition)).scalar_one())
