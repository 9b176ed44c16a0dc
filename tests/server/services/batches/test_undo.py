"""Staff return codes to unused after a burn attack: one code or a set, once, with a reason, on record."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from click import Command
from click.testing import CliRunner, Result

from server.commands import undo as undo_command
from server.domain.alerts.alert import AlertFilter
from server.domain.batches.range_act import RangeInvalid
from server.domain.codes.redemption import ReturnedBy
from server.services.batches.find import find_code
from server.services.batches.undo import (
    UndoReasonMissing,
    UndoSetTooLarge,
    undo_by_staff,
    units_of_codes,
    units_of_range,
)
from server.services.log.heads import sign_newest_head
from server.services.queries import alerts as alert_queries
from server.services.queries import codes as code_queries
from server.storage import schema
from server.storage.holders import return_unit
from server.storage.redemptions import lock_redemption
from tests.server.simulator import Issued, World, both_databases, claim_of, on_postgresql
from tests.server.storage.waits import until_somebody_waits

pytestmark = both_databases

Run = Callable[..., Result]
RETURNED = {"on": "2026-11-21", "by": "staff"}


@pytest.fixture
def issued(world: World) -> Issued:
    return world.issue()


@pytest.fixture
def burned(world: World, issued: Issued) -> Issued:
    """Codes 0 to 3, verified by somebody who never had the packs."""
    for index in range(4):
        assert world.verdict(issued.text(index), f"thief-{index}") == "genuine"
    return issued


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("AUTHCODE_HOME", str(world.settings.home))
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "server-pass")

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        command: Command = undo_command.undo
        return CliRunner().invoke(command, arguments, input=stdin)

    return invoke


def look(world: World, code: str) -> tuple[str, object]:
    body = world.client.post("/api/v1/look", json={"code": code}).get_json()
    return body["state"], body["returned"]


def undo(world: World, issued: Issued, indices: str | None = None, reason: str = "burned from pictures") -> int:
    units = units_of_range(world.ctx, issued.batch.order_name, indices)
    return len(undo_by_staff(world.ctx, units, reason=reason, actor="anna@example.com").returned)


def test_a_range_returns_the_used_ones_and_touches_no_other(world: World, burned: Issued) -> None:
    assert undo(world, burned, "0-8") == 4
    for index in range(4):
        assert look(world, burned.text(index)) == ("unused", RETURNED)
    assert look(world, burned.text(4)) == ("unused", None)
    bought = world.ask(burned.text(0), "buyer").get_json()
    assert (bought["verdict"], bought["returned"]) == ("genuine", RETURNED)
    assert world.ask(burned.text(0), "thief-0").get_json()["verdict"] == "already_verified"


def test_staff_return_a_unit_once_and_its_holder_once_beside(world: World, burned: Issued) -> None:
    """Three lives at most, of the four that a unit's number has room for."""
    code = burned.text(0)
    assert undo(world, burned, "0") == 1
    world.verdict(code, "buyer")
    assert undo(world, burned, "0") == 0
    holders = world.client.post("/api/v1/undo", json={"code": code, "claim": claim_of("buyer")})
    assert holders.get_json()["returned"]["by"] == "holder"
    assert world.verdict(code, "last") == "genuine"
    assert undo(world, burned, "0") == 0
    again = world.client.post("/api/v1/undo", json={"code": code, "claim": claim_of("last")})
    assert again.get_json()["code"] == "undo_over"
    with world.ctx.db.read() as connection:
        assert len(connection.execute(sa.select(schema.redemption)).all()) == 6


def test_what_names_an_ended_verification_takes_nothing_from_the_next_buyer(
    run: Run, world: World, burned: Issued
) -> None:
    """An alert, or a page that stood open: its verification was undone, and somebody else's stands there now."""
    code = burned.text(0)
    for claim in ("friend", "neighbour"):
        world.verdict(code, claim)
    (alert,) = alert_queries.alerts(world.ctx, AlertFilter()).rows
    named = units_of_codes(world.ctx, [code])
    assert world.client.post("/api/v1/undo", json={"code": code, "claim": claim_of("thief-0")}).status_code == 200
    assert world.verdict(code, "buyer") == "genuine"
    done = undo_by_staff(world.ctx, named, reason="attack", actor="anna@example.com")
    assert (done.returned, done.ended) == ((), 1)
    told = run("--alert", str(alert.id), "--reason", "attack", "--yes")
    assert "returned to unused: 0; not used: 0; returned by staff before: 0; ended otherwise since: 1" in told.output
    assert look(world, code)[0] == "already_verified"
    assert undo(world, burned, "0") == 1


@on_postgresql
def test_staff_and_a_holder_who_undo_in_the_same_moment_take_turns(world: World, burned: Issued) -> None:
    """Whoever is second sees what the first did, and enters nothing in the log."""
    (unit,) = units_of_codes(world.ctx, [burned.text(0)])
    (other,) = units_of_codes(world.ctx, [burned.text(1)])
    body = {"code": burned.text(1), "claim": claim_of("thief-1")}
    with ThreadPoolExecutor(1) as pool:
        with world.ctx.db.engine.connect() as connection, connection.begin():
            lock_redemption(connection, unit)
            second = pool.submit(undo_by_staff, world.ctx, [unit], reason="attack", actor="anna@example.com")
            until_somebody_waits(world)
            return_unit(connection, unit, at=world.clock.now, by=ReturnedBy.HOLDER)
        assert (second.result().returned, second.result().ended) == ((), 1)
        with world.ctx.db.engine.connect() as connection, connection.begin():
            return_unit(connection, other, at=world.clock.now, by=ReturnedBy.STAFF, reason="attack")
            late = pool.submit(lambda: world.client.post("/api/v1/undo", json=body))
            until_somebody_waits(world)
        assert late.result().status_code == 404
    with world.ctx.db.read() as connection:
        kinds = connection.execute(sa.select(schema.log_pending.c.kind)).scalars().all()
    assert "undo" not in kinds


def test_a_return_by_staff_is_audited_logged_and_kept_with_its_reason(world: World, burned: Issued) -> None:
    undo(world, burned, "0-1")
    sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    with world.ctx.db.read() as connection:
        audit = connection.execute(sa.select(schema.audit).where(schema.audit.c.action == "code.undo")).one()
        records = [json.loads(row) for row in connection.execute(sa.select(schema.log_leaf.c.record)).scalars()]
        reasons = connection.execute(sa.select(schema.undo.c.reason)).scalars().all()
    assert (audit.actor, audit.subject) == ("anna@example.com", f"2 codes of {burned.batch.order_name}")
    assert reasons == ["burned from pictures"] * 2
    assert [record["by"] for record in records if record["kind"] == "undo"] == ["staff", "staff"]
    (act,) = (record for record in records if record.get("action") == "code.undo")
    assert act["details"] == {"count": 2, "reason": "burned from pictures"}
    told = world.client.post("/api/v1/look", json={"code": burned.text(0)}).text
    assert "pictures" not in told


def test_codes_are_named_in_every_way_and_each_counts_once(world: World, burned: Issued) -> None:
    texts = [burned.text(0), burned.codes[1].serial, f"{burned.batch.order_name}:2", burned.text(0)]
    serial = code_queries.code_history(world.ctx, find_code(world.ctx, burned.text(1))).facts.serial_printed
    texts[1] = serial
    units = units_of_codes(world.ctx, texts)
    assert sorted(unit.index for unit in units) == [0, 1, 2]


def test_a_reason_is_needed(world: World, burned: Issued) -> None:
    for reason, error in ((" ", UndoReasonMissing), ("x" * 201, RangeInvalid)):
        with pytest.raises(error):
            undo(world, burned, reason=reason)
    assert look(world, burned.text(0))[0] == "already_verified"


def test_too_many_at_once_are_refused_whole(world: World, burned: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.services.batches.undo.MAX_AT_ONCE", 3)
    with pytest.raises(UndoSetTooLarge):
        undo(world, burned)
    assert undo(world, burned, "0-2") == 3


def test_the_command_says_what_it_will_do_and_asks(run: Run, world: World, burned: Issued) -> None:
    name = burned.batch.order_name
    refused = run(name, "--range", "0-5", "--reason", "attack", stdin="n\n")
    assert refused.exit_code == 1
    assert "would return to unused: 4" in refused.output
    assert look(world, burned.text(0))[0] == "already_verified"
    done = run(name, "--range", "0-1", "--reason", "attack", "--yes", "--json")
    assert json.loads(done.output) == {"returned": 2, "unused": 0, "returned_before": 0, "ended": 0}
    listed = run("--codes", "-", "--reason", "attack", "--yes", "--json", stdin=f"{burned.text(2)}\n{name}:7\n")
    assert json.loads(listed.output) == {"returned": 1, "unused": 1, "returned_before": 0, "ended": 0}


def test_the_command_takes_the_code_of_an_alert(run: Run, world: World, burned: Issued) -> None:
    world.verdict(burned.text(0), "buyer")
    world.verdict(burned.text(0), "friend")
    (alert,) = alert_queries.alerts(world.ctx, AlertFilter()).rows
    done = run("--alert", str(alert.id), "--reason", "attack", "--yes", "--json")
    assert json.loads(done.output)["returned"] == 1
    state, returned = look(world, burned.text(0))
    assert (state, returned["by"]) == ("unused", "staff")  # type: ignore[index]
    assert run("--alert", "999", "--reason", "x", "--yes").exit_code != 0


@pytest.mark.parametrize("arguments", [(), ("order", "--alert", "1"), ("--alert", "1", "--range", "0-1")])
def test_the_command_takes_one_set_at_a_time(arguments: tuple[str, ...], run: Run) -> None:
    assert run(*arguments, "--reason", "x").exit_code == 2
