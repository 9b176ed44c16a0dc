"""Transactions that wait for each other."""

import time

import sqlalchemy as sa

from tests.server.simulator import World


def until_somebody_waits(world: World) -> None:
    """Until a connection to this test's database waits for a lock that another one has."""
    query = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    late = time.monotonic() + 20
    while time.monotonic() < late:
        with world.ctx.db.engine.connect() as connection:
            if connection.execute(query).scalar_one():
                return
    raise AssertionError("nobody waits")
