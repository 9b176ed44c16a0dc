"""Stage 6, redeem: links that give units away, by the hashes of their tokens (docs/protocol.md §5 rule 8)."""

from datetime import datetime

import sqlalchemy as sa

from server.domain.codes.gift import MAX_KEPT, Gift
from server.domain.codes.unit import Unit
from server.storage.schema import gift

_OPEN = gift.c.taken_at.is_(None) & gift.c.withdrawn_at.is_(None)


def gift_of(connection: sa.Connection, token_hash: bytes) -> Gift | None:
    """The gift whose token has this hash."""
    row = connection.execute(sa.select(gift).where(gift.c.token_hash == token_hash)).first()
    return None if row is None else _gift(row)


def open_gift(connection: sa.Connection, unit: Unit) -> Gift | None:
    """The open link of a unit, whether its time is over or not."""
    row = connection.execute(sa.select(gift).where((gift.c.unit == unit.id) & _OPEN)).first()
    return None if row is None else _gift(row)


def add_gift(connection: sa.Connection, token_hash: bytes, made: Gift) -> None:
    """Add a link; the one that was open is withdrawn, and only the newest of its unit are kept."""
    unit = made.unit.id
    withdraw_gift(connection, made.unit, at=made.at)
    newest = sa.select(gift.c.token_hash).where(gift.c.unit == unit).order_by(gift.c.at.desc()).limit(MAX_KEPT - 1)
    connection.execute(gift.delete().where((gift.c.unit == unit) & gift.c.token_hash.not_in(newest)))
    values = {"hop": made.hop, "at": made.at, "giver_hash": made.giver_hash}
    connection.execute(gift.insert().values(token_hash=token_hash, unit=unit, **values))


def withdraw_gift(connection: sa.Connection, unit: Unit, *, at: datetime) -> None:
    """Withdraw the open link of a unit, if there is one."""
    connection.execute(gift.update().where((gift.c.unit == unit.id) & _OPEN).values(withdrawn_at=at))


def take_gift(connection: sa.Connection, unit: Unit, *, at: datetime) -> None:
    """Record that the open link of a unit was taken."""
    connection.execute(gift.update().where((gift.c.unit == unit.id) & _OPEN).values(taken_at=at))


def _gift(row: sa.Row[tuple[object, ...]]) -> Gift:
    stored = {name: getattr(row, name) for name in ("hop", "at", "giver_hash", "taken_at", "withdrawn_at")}
    return Gift(unit=Unit.of_id(row.unit), **stored)
