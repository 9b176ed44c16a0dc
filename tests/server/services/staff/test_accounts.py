"""Staff accounts: one-time passwords, sessions that end, and nothing learnt from a refusal."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import argon2
import pytest
import sqlalchemy as sa

from server.services.staff import accounts
from server.services.staff.accounts import (
    EmailInvalid,
    LoginRefused,
    LoginSlowed,
    PasswordRefused,
    StaffExists,
    StaffUnknown,
    add_staff,
    authenticate,
    end_sessions,
    get_staff,
    new_one_time_password,
    reset_staff,
    set_password,
)
from server.storage import schema
from server.storage.engine import Database
from server.storage.staff import staff_by_email
from tests.server.simulator import World, both_databases

pytestmark = both_databases

EMAIL, ONE_TIME, OWN = "Anna@Example.com", "one-time-password", "a password of my own"
# As they are outside tests, which hash at less cost.
REAL_HASHER, DUMMY_HASH = accounts._HASHER, accounts._DUMMY_HASH  # noqa: SLF001


@pytest.fixture
def db(world: World) -> Database:
    add_staff(world.ctx.db, EMAIL, one_time=ONE_TIME, actor="test", now=world.clock.now)
    return world.ctx.db


def test_a_one_time_password_opens_the_account_and_must_be_changed(db: Database, world: World) -> None:
    account = authenticate(db, " anna@example.COM ", ONE_TIME, now=world.clock.now)
    assert (account.email, account.must_change_password) == ("anna@example.com", True)
    changed = set_password(db, account.id, old=ONE_TIME, new=OWN, now=world.clock.now)
    assert changed.must_change_password is False
    assert authenticate(db, EMAIL, OWN, now=world.clock.now).id == account.id
    with pytest.raises(LoginRefused):
        authenticate(db, EMAIL, ONE_TIME, now=world.clock.now)


def test_a_new_password_ends_older_sessions(db: Database, world: World) -> None:
    before = authenticate(db, EMAIL, ONE_TIME, now=world.clock.now)
    assert get_staff(db, before.id, before.session) is not None
    after = set_password(db, before.id, old=ONE_TIME, new=OWN, now=world.clock.now)
    assert get_staff(db, before.id, before.session) is None
    assert get_staff(db, after.id, after.session) == after
    reset_staff(db, EMAIL, one_time="another-one-time", actor="test", now=world.clock.now)
    assert get_staff(db, after.id, after.session) is None
    assert authenticate(db, EMAIL, "another-one-time", now=world.clock.now).must_change_password
    assert get_staff(db, 99, "x") is None


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, "wrong"), ("nobody@example.com", ONE_TIME), ("", ""), (EMAIL, "x" * 10**6)]
)
def test_every_refusal_reads_the_same(db: Database, world: World, email: str, password: str) -> None:
    with pytest.raises(LoginRefused) as refused:
        authenticate(db, email, password, now=world.clock.now)
    assert str(refused.value) == str(LoginRefused())
    assert refused.value.http_status == 401


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    "chosen",
    [
        "Grüße aus Köln!",
        "비밀번호 열두 글자 이상",
        "mật khẩu của tôi",
        "ὁ ᾅδης καὶ ἡ ψυχή",
        "a\u00a0password of\u3000my own",
    ],
)
def test_a_password_is_known_in_every_form_that_a_keyboard_writes(
    db: Database, world: World, chosen: str, form: Literal["NFC", "NFD"]
) -> None:
    account = authenticate(db, EMAIL, ONE_TIME, now=world.clock.now)
    set_password(db, account.id, old=ONE_TIME, new=unicodedata.normalize(form, chosen), now=world.clock.now)
    for typed in (
        chosen,
        *(unicodedata.normalize(other, chosen) for other in ("NFC", "NFD")),
        chosen.replace(" ", "\u00a0"),
    ):
        assert authenticate(db, EMAIL, typed, now=world.clock.now).id == account.id
    for other in (chosen + " ", chosen.swapcase() + "x", chosen[:-1]):
        with pytest.raises(LoginRefused):
            authenticate(db, EMAIL, other, now=world.clock.now)
        world.clock.forward(minutes=2)
    with pytest.raises(PasswordRefused):  # the same in other characters is no new one
        set_password(db, account.id, old=chosen, new=unicodedata.normalize("NFD", chosen), now=world.clock.now)


@pytest.mark.parametrize("typed", ["{} ", " {}\n", "{}\u00a0", "\ufeff{}", "\u201c{}\u201d", "{}.", "<{}>", "{}\u200b"])
def test_a_one_time_password_is_known_with_what_was_copied_around_it(db: Database, world: World, typed: str) -> None:
    account = authenticate(db, EMAIL, typed.format(ONE_TIME), now=world.clock.now)
    assert set_password(db, account.id, old=typed.format(ONE_TIME), new=OWN, now=world.clock.now).id == account.id


def test_a_password_of_128_characters_is_known_in_the_longest_form(db: Database, world: World) -> None:
    account, longest = authenticate(db, EMAIL, ONE_TIME, now=world.clock.now), "\u1f85" * 128
    set_password(db, account.id, old=ONE_TIME, new=longest, now=world.clock.now)
    decomposed = unicodedata.normalize("NFD", longest)
    assert len(decomposed) == 4 * 128
    assert authenticate(db, EMAIL, decomposed, now=world.clock.now).id == account.id
    with pytest.raises(LoginRefused):
        authenticate(db, EMAIL, decomposed + "x" * 9, now=world.clock.now)


@pytest.mark.parametrize(
    "new", ["short", "x" * 129, ONE_TIME, "a tab\tin the middle", "a zero\u200bwidth space", "e\u0301" * 11]
)
def test_a_new_password_has_a_length_and_is_new(db: Database, world: World, new: str) -> None:
    account = authenticate(db, EMAIL, ONE_TIME, now=world.clock.now)
    with pytest.raises(PasswordRefused):
        set_password(db, account.id, old=ONE_TIME, new=new, now=world.clock.now)
    with pytest.raises(LoginRefused):
        set_password(db, account.id, old="wrong", new=OWN, now=world.clock.now)
    with pytest.raises(LoginRefused):
        set_password(db, 99, old=ONE_TIME, new=OWN, now=world.clock.now)
    assert authenticate(db, EMAIL, ONE_TIME, now=world.clock.now).must_change_password


def test_accounts_are_named_by_one_address_each(db: Database, world: World) -> None:
    with pytest.raises(StaffExists):
        add_staff(db, "ANNA@example.com", one_time="x", actor="test", now=world.clock.now)
    with pytest.raises(StaffUnknown):
        reset_staff(db, "ben@example.com", one_time="x", actor="test", now=world.clock.now)
    for email in ("", "anna", "a b@example.com", "@example.com", "a@" + "x" * 300, "anna@"):
        with pytest.raises(EmailInvalid):
            add_staff(db, email, one_time="x", actor="test", now=world.clock.now)


def test_what_staff_did_is_written_down_and_passwords_only_as_argon2(db: Database, world: World) -> None:
    account = authenticate(db, EMAIL, ONE_TIME, now=world.clock.now)
    set_password(db, account.id, old=ONE_TIME, new=OWN, now=world.clock.now)
    reset_staff(db, EMAIL, one_time="another-one-time", actor="test", now=world.clock.now)
    with db.read() as connection:
        actions = connection.execute(sa.select(schema.audit.c.action).where(schema.audit.c.action.like("staff%")))
        assert list(actions.scalars()) == ["staff.add", "staff.login", "staff.password", "staff.reset"]
        stored = connection.execute(sa.select(schema.staff)).one()
    assert stored.password_hash.startswith("$argon2id$")
    assert stored.last_login_at == world.clock.now


def test_one_time_passwords_are_drawn_anew() -> None:
    assert len({new_one_time_password() for _ in range(100)}) == 100
    assert len(new_one_time_password()) == 16


def refused(db: Database, world: World, *, email: str = EMAIL, network: bytes | None = b"network1") -> int | None:
    """Guess wrong; the seconds to wait where the guess was not even looked at."""
    try:
        authenticate(db, email, "wrong", now=world.clock.now, network=network)
    except LoginSlowed as slowed:
        return slowed.retry_after_s
    except LoginRefused:
        return None
    raise AssertionError


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
def test_guessing_is_slowed_down_whether_there_is_an_account_or_not(db: Database, world: World, email: str) -> None:
    assert [refused(db, world, email=email) for _ in range(6)] == [None] * 5 + [2]
    for wait in (2, 4, 8, 16, 32, 60, 60):
        assert refused(db, world, email=email) == wait
        world.clock.forward(seconds=wait)
        assert refused(db, world, email=email) is None


def test_of_guesses_at_the_same_time_no_more_are_looked_at_than_one_after_the_other(db: Database, world: World) -> None:
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda _guess: refused(db, world), range(16)))
    assert waits.count(None) == 5


def test_a_right_password_waits_with_its_network_and_only_with_it(db: Database, world: World) -> None:
    for _ in range(5):
        refused(db, world)
    with pytest.raises(LoginSlowed):
        authenticate(db, EMAIL, ONE_TIME, now=world.clock.now, network=b"network1")
    assert authenticate(db, EMAIL, ONE_TIME, now=world.clock.now, network=b"network2")
    world.clock.forward(seconds=2)
    assert authenticate(db, EMAIL, ONE_TIME, now=world.clock.now, network=b"network1")
    assert [refused(db, world) for _ in range(6)] == [None] * 5 + [2]


def test_one_network_that_tries_many_accounts_is_slowed_down_too(db: Database, world: World) -> None:
    waits = [refused(db, world, email=f"p{number}@example.com") for number in range(22)]
    assert waits == [None] * 20 + [2, 2]
    world.clock.forward(hours=1, seconds=1)
    assert refused(db, world) is None


def test_refused_logins_are_written_down_without_what_was_typed(db: Database, world: World) -> None:
    refused(db, world)
    refused(db, world, email="my secret pass word")
    with db.read() as connection:
        rows = connection.execute(sa.select(schema.audit).where(schema.audit.c.action == "staff.login_refused"))
        assert [(row.actor, row.subject) for row in rows] == [("somebody", EMAIL.lower()), ("somebody", "no account")]
        everything = [str(row) for table in schema.metadata.sorted_tables for row in connection.execute(table.select())]
    assert not any("my secret" in line or "wrong" in line for line in everything)


def test_logging_out_ends_every_session(db: Database, world: World) -> None:
    here = authenticate(db, EMAIL, ONE_TIME, now=world.clock.now)
    there = authenticate(db, EMAIL, ONE_TIME, now=world.clock.now)
    end_sessions(db, here, now=world.clock.now)
    assert get_staff(db, there.id, there.session) is None
    again = authenticate(db, EMAIL, ONE_TIME, now=world.clock.now)
    end_sessions(db, here, now=world.clock.now)
    assert get_staff(db, again.id, again.session) == again


def test_passwords_are_hashed_at_the_cost_of_rfc_9106(
    db: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_HASHER", REAL_HASHER)
    add_staff(db, "ben@example.com", one_time=ONE_TIME, actor="test", now=world.clock.now)
    with db.read() as connection:
        ben = staff_by_email(connection, "ben@example.com")
    assert ben is not None
    for password_hash in (ben.password_hash, DUMMY_HASH):
        assert argon2.extract_parameters(password_hash) == argon2.profiles.RFC_9106_LOW_MEMORY
