"""Staff accounts as rows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from server.storage.engine import insert_or_nothing
from server.storage.schema import staff


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRecord:
    """A staff account. `session` is drawn again with every password."""

    id: int
    email: str
    password_hash: str
    must_change: bool
    session: str
    last_login_at: datetime | None
    zone: str | None


_COLUMNS = [staff.c[name] for name in StaffRecord.__slots__]


def _one(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> StaffRecord | None:
    row = connection.execute(sa.select(*_COLUMNS).where(condition)).mappings().first()
    return None if row is None else StaffRecord(**row)


def staff_by_email(connection: sa.Connection, email: str) -> StaffRecord | None:
    """The account of an address, as stored (lower case)."""
    return _one(connection, staff.c.email == email)


def staff_by_id(connection: sa.Connection, number: int) -> StaffRecord | None:
    """The account of a session."""
    return _one(connection, staff.c.id == number)


def emails_of(connection: sa.Connection, numbers: Collection[int]) -> Mapping[int, str]:
    """The addresses of these accounts."""
    rows = connection.execute(sa.select(staff.c.id, staff.c.email).where(staff.c.id.in_(numbers)))
    return {row.id: row.email for row in rows}


def all_emails(connection: sa.Connection, *, limit: int) -> list[str]:
    """The addresses that have an account."""
    return list(connection.execute(sa.select(staff.c.email).order_by(staff.c.email).limit(limit)).scalars())


def add_staff(connection: sa.Connection, *, email: str, password_hash: str, session: str) -> bool:
    """A new account whose password must be changed; False when the address has one."""
    return insert_or_nothing(
        connection, staff, email=email, password_hash=password_hash, must_change=True, session=session
    )


def set_password(
    connection: sa.Connection, number: int, *, password_hash: str, must_change: bool, session: str
) -> None:
    """Another password, which ends all older sessions."""
    connection.execute(
        staff.update()
        .where(staff.c.id == number)
        .values(password_hash=password_hash, must_change=must_change, session=session)
    )


def set_zone(connection: sa.Connection, number: int, zone: str | None) -> None:
    """Another time zone to read in; None for UTC."""
    connection.execute(staff.update().where(staff.c.id == number).values(zone=zone))


def replace_session(connection: sa.Connection, number: int, *, old: str, new: str) -> bool:
    """End all sessions of an account; False when they were ended before."""
    ended = connection.execute(staff.update().where(staff.c.id == number, staff.c.session == old).values(session=new))
    return ended.rowcount == 1


def set_last_login(connection: sa.Connection, number: int, *, at: datetime) -> None:
    """Note when an account was last opened."""
    connection.execute(staff.update().where(staff.c.id == number).values(last_login_at=at))
