"""The server's clock an hour off: what is said stays true, nobody is kept out, and whoever runs it is told."""

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from server.commands import serve as serve_commands
from server.domain.codes.holder_acts import MAX_HOPS_A_DAY, HandOnLimit, check_hand_on
from server.domain.codes.page_token import PageTokenInvalid, TokenScope, check_page_token, make_page_token
from server.domain.codes.redemption import Redemption
from server.domain.codes.unit import Unit
from server.domain.network_limits import TRIES_WINDOW
from server.services.log.heads import sign_newest_head
from server.services.staff.accounts import LoginRefused, LoginSlowed, authenticate
from server.storage.engine import RecordsUnreachable
from server.storage.wrong_tries import Tried, TryKind, add_wrong_try, wrong_tries
from tests.server.simulator import START, World


def ready(world: World) -> object:
    answer = world.client.get("/readyz")
    assert answer.status_code == 200
    return answer.get_json()["warnings"]


def test_a_clock_that_stands_before_the_newest_record_is_told_and_stops_nothing(world: World) -> None:
    issued = world.issue()
    assert ready(world) == []
    assert world.verdict(issued.text(0), "first") == "genuine"
    world.clock.forward(minutes=-1)
    assert ready(world) == []
    world.clock.forward(minutes=-59)
    assert ready(world) == ["clock_behind"]
    assert world.verdict(issued.text(0), "first") == "genuine"
    assert world.verdict(issued.text(0), "second") == "already_verified"
    assert world.verdict(issued.text(1), "first") == "genuine"
    world.clock.forward(hours=2)
    assert ready(world) == []


def test_a_head_of_the_log_shows_it_too_and_heads_go_on(world: World) -> None:
    issued = world.issue()
    sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    world.clock.forward(hours=-1)
    assert ready(world) == ["clock_behind"]
    world.verdict(issued.text(0), "first")
    head = sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    assert head is not None


@pytest.mark.parametrize(("hours", "holds"), [(1, False), (-1, True)])
def test_open_pages_expire_when_the_clock_jumps_ahead_and_hold_longer_when_it_jumps_back(
    world: World, hours: int, *, holds: bool
) -> None:
    unit, key, ttl = Unit(row=1, index=1), world.ctx.keys.page_token, timedelta(minutes=10)
    token = make_page_token(TokenScope(unit, 0), key=key, now=START, ttl=ttl)
    now = START + timedelta(hours=hours)
    if holds:
        check_page_token(token, TokenScope(unit, 0), key=key, now=now)
    else:
        with pytest.raises(PageTokenInvalid):
            check_page_token(token, TokenScope(unit, 0), key=key, now=now)


def test_a_server_answers_by_a_key_list_that_its_clock_takes_for_expired(world: World) -> None:
    issued = world.issue()
    world.clock.forward(days=31)
    assert world.verdict(issued.text(0), "first") == "genuine"


def test_a_clock_that_is_set_back_keeps_no_staff_out(world: World) -> None:
    def guess() -> None:
        authenticate(world.ctx.db, "anna@example.com", "x", now=world.clock.now)

    for _ in range(6):
        with pytest.raises(LoginRefused):
            guess()
        world.clock.forward(seconds=4)
    with pytest.raises(LoginRefused):
        guess()
    with pytest.raises(LoginSlowed):
        guess()
    for back in (timedelta(hours=1), timedelta(hours=1), timedelta(days=1)):
        world.clock.now -= back
        with pytest.raises(LoginRefused):
            guess()


def test_wrong_keep_codes_of_a_clock_that_was_ahead_are_not_held_against_the_holder(world: World) -> None:
    now, network = world.clock.now, b"network1"
    unit = world.issue().batch.row << 35
    tried = Tried(kind=TryKind.KEEP_CODE, unit=unit, network_day=network, network_unit=network)
    with world.ctx.db.write() as connection:
        for at in (now, now + timedelta(seconds=30), now + timedelta(days=1), now - timedelta(days=2)):
            add_wrong_try(connection, tried, at=at)
        wrong = wrong_tries(connection, tried, since=now - TRIES_WINDOW)
    assert (wrong.here, wrong.of_unit, wrong.of_network) == (2, 2, 2)


def test_handings_on_of_a_clock_that_was_ahead_do_not_forbid_todays() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    first = Redemption(at=now, country=None, region=None, claim_hash=b"c", holder_hash=b"h", hop=1)
    check_hand_on(first, [now + timedelta(days=1)] * MAX_HOPS_A_DAY, now=now)
    with pytest.raises(HandOnLimit):
        check_hand_on(first, [now - timedelta(hours=1)] * MAX_HOPS_A_DAY, now=now)


def test_the_start_of_a_server_tells_a_clock_that_stands_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_listens(*_: object) -> None:
        raise RecordsUnreachable  # far enough: what follows would serve

    text = world.issue().text(0)
    world.clock.now = serve_commands.the_time() + timedelta(hours=1)
    world.verdict(text, "first")
    monkeypatch.setattr("server.process.server.listen", nobody_listens)
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "server-pass")
    monkeypatch.delenv("AUTHCODE_SERVER_PASSPHRASE_FILE", raising=False)
    told = CliRunner().invoke(serve_commands.serve, ["--home", str(world.settings.home), "--port", "0"])
    assert "clock is 60 minutes before the newest record [clock_behind]" in told.stderr
