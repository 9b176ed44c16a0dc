"""Tokens of print stations: made, listed, revoked, and told apart by whoever asks with one."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from server.commands import tokens as token_commands
from server.domain.batches.range_act import ActKind
from server.domain.staff.scope import DEFAULT_DAYS, MAX_DAYS, Scope
from server.services.staff.api_tokens import (
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    TokenNotFound,
    TokenRequest,
    TokenRevoked,
    TokenScopeMissing,
    TokenUnknown,
    admit,
    list_tokens,
    new_token,
    revoke_token,
)
from server.storage import schema
from server.storage.brands import BrandUnknown
from tests.server.simulator import World, both_databases

pytestmark = both_databases


def made(world: World, *scopes: Scope, days: int = 30, brand: str | None = None, label: str = "press-1") -> str:
    db, now = world.ctx.db, world.clock.now
    wanted = TokenRequest(brand=brand, label=label, scopes=scopes, days=days)
    return new_token(db, wanted, actor="anna", now=now)[0]


def everything(world: World) -> str:
    """All rows of all tables, as text and as hexadecimal digits."""
    with world.ctx.db.read() as connection:
        rows = [row for table in schema.metadata.tables.values() for row in connection.execute(sa.select(table))]
    return "\n".join(value.hex() if isinstance(value, bytes) else str(value) for row in rows for value in row)


def test_nothing_that_is_kept_of_a_token_lets_anybody_in(world: World) -> None:
    text = made(world, Scope.READ)
    assert re.fullmatch(r"authcode_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", text)
    kept = everything(world)
    prefix, secret = text.removeprefix("authcode_")[:8], text[-43:]
    assert prefix in kept
    assert secret not in kept
    assert secret.encode().hex() not in kept
    assert secret not in repr(list_tokens(world.ctx.db, now=world.clock.now))


def test_a_token_lets_in_for_its_brand_and_scope_alone(world: World) -> None:
    text = made(world, Scope.READ, Scope.ACT)
    station = admit(world.ctx.db, text, Scope.ACT, now=world.clock.now)
    assert (station.brand.name, station.actor) == ("Example Tea", f"token {text[9:17]} (press-1)")
    with pytest.raises(TokenScopeMissing, match="batch:register") as refused:
        admit(world.ctx.db, text, Scope.REGISTER, now=world.clock.now)
    assert (refused.value.code, refused.value.http_status) == ("token_scope_missing", 403)


@pytest.mark.parametrize("change", ["last", "prefix", "shorter", "longer", "case", "other"])
def test_a_changed_token_is_unknown_whatever_is_wrong_with_it(world: World, change: str) -> None:
    text = made(world, Scope.READ)
    wrong = {
        "last": text[:-1] + ("A" if text[-1] != "A" else "B"),
        "prefix": f"authcode_{int(text[9:17], 16) ^ 1:08x}{text[17:]}",
        "shorter": text[:-1],
        "longer": text + "A",
        "case": text.swapcase(),
        "other": "é" * 60,
    }[change]
    with pytest.raises(TokenUnknown):
        admit(world.ctx.db, wrong, Scope.READ, now=world.clock.now)
    assert admit(world.ctx.db, text, Scope.READ, now=world.clock.now)


def test_no_token_is_told_apart_from_a_wrong_one(world: World) -> None:
    for nothing in (None, ""):
        with pytest.raises(TokenMissing):
            admit(world.ctx.db, nothing, Scope.READ, now=world.clock.now)


def test_a_token_ends_at_its_moment(world: World) -> None:
    text = made(world, Scope.READ, days=2)
    world.clock.forward(days=2, seconds=-1)
    assert admit(world.ctx.db, text, Scope.READ, now=world.clock.now)
    world.clock.forward(seconds=1)
    with pytest.raises(TokenExpired):
        admit(world.ctx.db, text, Scope.READ, now=world.clock.now)
    assert list_tokens(world.ctx.db, now=world.clock.now)[0].state == "expired"


def test_a_revoked_token_opens_nothing_and_is_revoked_once(world: World) -> None:
    text = made(world, Scope.READ)
    first = revoke_token(world.ctx.db, text[9:17], actor="anna", now=world.clock.now)
    with pytest.raises(TokenRevoked):
        admit(world.ctx.db, text, Scope.READ, now=world.clock.now)
    world.clock.forward(days=1)
    before = everything(world)
    again = revoke_token(world.ctx.db, text, actor="ben", now=world.clock.now)
    assert (first.state, again.revoked_at) == ("revoked", first.revoked_at)
    assert everything(world) == before
    with pytest.raises(TokenNotFound):
        revoke_token(world.ctx.db, "00000000", actor="anna", now=world.clock.now)


def test_only_the_day_of_a_use_is_kept_and_written_once_a_day(world: World) -> None:
    text = made(world, Scope.READ)
    assert list_tokens(world.ctx.db, now=world.clock.now)[0].last_used is None
    admit(world.ctx.db, text, Scope.READ, now=world.clock.now)
    before = everything(world)
    world.clock.forward(hours=3)
    admit(world.ctx.db, text, Scope.READ, now=world.clock.now)
    assert everything(world) == before
    assert list_tokens(world.ctx.db, now=world.clock.now)[0].last_used == "2026-11-21"
    world.clock.forward(days=1)
    admit(world.ctx.db, text, Scope.READ, now=world.clock.now)
    assert list_tokens(world.ctx.db, now=world.clock.now)[0].last_used == "2026-11-22"


@pytest.mark.parametrize(
    "changes", [{"label": ""}, {"label": "x" * 65}, {"label": "a\nb"}, {"scopes": ()}, {"days": 0}, {"days": 367}]
)
def test_a_token_that_makes_no_sense_is_not_made(changes: dict[str, object]) -> None:
    with pytest.raises(TokenInvalid):
        TokenRequest(**{"brand": None, "label": "x", "scopes": [Scope.READ], "days": 1} | changes)  # type: ignore[arg-type]


def test_a_token_is_for_a_brand_that_is_known_here(world: World) -> None:
    brand_id = world.brand.issuer.keyring.keyring.brand_id.hex()
    for named in ("example tea", brand_id.upper()):
        assert made(world, Scope.READ, brand=named)
    with pytest.raises(BrandUnknown):
        made(world, Scope.READ, brand="Another")


def test_the_command_line_prints_a_token_once_and_the_history_knows_who_made_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHCODE_HOME", str(world.settings.home))
    run = CliRunner().invoke
    assert "No token" in run(token_commands.list_all).output
    told = run(token_commands.new, ["--label", "press-1", "--scope", "batch:register", "--scope", "batch:act"])
    assert told.exit_code == 0, told.output
    text = told.stdout.strip()
    assert re.fullmatch(r"authcode_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", text)
    assert Scope.ACT.sentence in told.stderr
    assert all(kind in Scope.ACT.sentence.lower() for kind in ActKind)  # whoever hands it out reads what it opens
    listed = run(token_commands.list_all, ["--json"]).output
    (facts,) = json.loads(listed)["tokens"]
    assert (facts["prefix"], facts["state"], facts["last_used"]) == (text[9:17], "active", None)
    assert facts["scopes"] == ["batch:act", "batch:register"]
    assert text not in listed
    assert "never used" in run(token_commands.list_all).output
    assert "is revoked since" in run(token_commands.revoke, [text[9:17]]).output
    assert json.loads(run(token_commands.revoke, [text[9:17], "--json"]).output)["state"] == "revoked"
    assert run(token_commands.new, ["--label", "x", "--scope", "everything"]).exit_code == 2
    with world.ctx.db.read() as connection:
        noted = connection.execute(sa.select(schema.audit.c.action, schema.audit.c.subject)).all()
    assert [tuple(row) for row in noted if row.action.startswith("token.")] == [
        ("token.new", f"{text[9:17]} (press-1)"),
        ("token.revoke", f"{text[9:17]} (press-1)"),
    ]


def test_a_token_written_into_a_file_is_its_owners_alone_and_is_not_printed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHCODE_HOME", str(world.settings.home))
    for number, more in enumerate([[], ["--json"]]):
        file = tmp_path / f"press-{number}.token"
        asked = ["--label", "x", "--scope", "batch:read", "--out", str(file), *more]
        told = CliRunner().invoke(token_commands.new, asked)
        text = file.read_text(encoding="ascii").strip()
        assert (told.exit_code, text in told.output, file.stat().st_mode & 0o077) == (0, False, 0)
        assert str(file) in told.stdout
        assert admit(world.ctx.db, text, Scope.READ, now=world.clock.now)
        before = list_tokens(world.ctx.db, now=world.clock.now)
        again = CliRunner().invoke(token_commands.new, asked)
        assert (again.exit_code, file.read_text(encoding="ascii").strip()) == (2, text)
        assert list_tokens(world.ctx.db, now=world.clock.now) == before


def test_a_token_made_without_a_time_lives_a_quarter(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHCODE_HOME", str(world.settings.home))
    told = json.loads(
        CliRunner().invoke(token_commands.new, ["--label", "x", "--scope", "batch:read", "--json"]).stdout
    )
    from datetime import datetime

    lives = datetime.fromisoformat(told["expires_at"]) - datetime.fromisoformat(told["created_at"])
    assert lives == timedelta(days=DEFAULT_DAYS)
    assert DEFAULT_DAYS < MAX_DAYS
    assert admit(world.ctx.db, told["token"], Scope.READ, now=datetime.fromisoformat(told["created_at"]))
