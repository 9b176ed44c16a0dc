"""Logins that were refused, kept for an hour so that a network that guesses is slowed down, by every worker alike."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from server.storage.schema import login_try


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLogins:
    """How many logins were refused to a network: at this account, at any; and the latest of the latter."""

    here: int
    of_network: int
    last: datetime | None


def add_refused_login(
    connection: sa.Connection, *, account: bytes, network: bytes | None, at: datetime, forget: datetime
) -> None:
    """Add one, before its password is checked, and delete those before a moment."""
    connection.execute(login_try.delete().where(login_try.c.at < forget))
    connection.execute(login_try.insert().values(account=account, network=network, at=at))


def forget_refused_logins(connection: sa.Connection, *, account: bytes, network: bytes | None) -> None:
    """Delete those of a network that knew the password, at this account."""
    connection.execute(
        login_try.delete().where(login_try.c.account == account, login_try.c.network.is_not_distinct_from(network))
    )


def refused_logins(
    connection: sa.Connection, *, account: bytes, network: bytes | None, since: datetime, until: datetime
) -> RefusedLogins:
    """Those between two moments; visitors whose address is unknown count as one network at this account only."""
    query = sa.select(
        sa.func.count().filter(login_try.c.account == account), sa.func.count(), sa.func.max(login_try.c.at)
    ).where(login_try.c.network.is_not_distinct_from(network), login_try.c.at > since, login_try.c.at <= until)
    if network is None:
        query = query.where(login_try.c.account == account)
    here, of_network, last = connection.execute(query).one()
    return RefusedLogins(here=here, of_network=of_network, last=last)
