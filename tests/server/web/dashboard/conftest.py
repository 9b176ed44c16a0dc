"""A member of staff, before and after the login."""

import pytest

from server.services.staff.accounts import add_staff, set_password
from server.storage.staff import staff_by_email
from tests.server.simulator import START, World
from tests.server.web.dashboard.staff import EMAIL, ONE_TIME, OWN, Staff
from tests.server.web.pages import hidden


@pytest.fixture
def stranger(world: World) -> Staff:
    add_staff(world.ctx.db, EMAIL, now=START, one_time=ONE_TIME, actor="test")
    return Staff(world.client)


@pytest.fixture
def anna(stranger: Staff, world: World) -> Staff:
    """Logged in with a password of her own, which she chose before the test."""
    with world.ctx.db.read() as connection:
        account = staff_by_email(connection, EMAIL)
    assert account is not None
    set_password(world.ctx.db, account.id, old=ONE_TIME, new=OWN, now=START)
    token = hidden(stranger.open("/staff/login").text)["csrf_token"]
    answer = stranger.send("/staff/login", {"csrf_token": token, "email": EMAIL, "password": OWN})
    assert answer.location == "/staff/alerts"
    return stranger
