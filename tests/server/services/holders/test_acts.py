"""What a holder may do with a verification: undo it, hand it on, have it erased; and what nobody else may."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from authcode.code.serial import Tier
from authcode.log.checkpoint import open_head, read_head, read_log_key
from authcode.log.merkle import LogProofRefused
from authcode.log.proof import open_consistency, open_inclusion
from authcode.log.receipt import check_entry, head_before
from authcode.order.order import Tiers
from server.domain.alerts.alert import AlertFilter
from server.domain.batches.range_act import ActKind
from server.domain.codes.holder_acts import MAX_HOPS, MAX_HOPS_A_DAY, HolderAct
from server.domain.codes.keep_code import KEEP_CODE_CHARACTERS
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.domain.network_limits import WRONG_KEEP_CODES_HERE
from server.services.batches.find import find_code
from server.services.codes.attempts import Visitor
from server.services.codes.look import text_of_page
from server.services.codes.redeem import verify
from server.services.holders.act_request import HolderCredentials
from server.services.holders.acts import preview_on_page
from server.services.holders.keep_codes import prove
from server.services.log.heads import sign_newest_head
from server.services.log.proofs import prove_leaf
from server.services.queries import alerts as alert_queries
from server.services.queries import codes as code_queries
from server.storage import schema
from server.storage.redemptions import unit_life
from tests.server.services.holders.guesses import wrong
from tests.server.simulator import START, Issued, MakeWorld, World, both_databases, claim_of

pytestmark = both_databases

Json = dict[str, Any]
ADDRESS = "203.0.113.9"


@pytest.fixture
def issued(world: World) -> Issued:
    return world.issue()


def ask(world: World, act: str, code: str, **shown: str) -> tuple[int, Json]:
    answer = world.client.post(f"/api/v1/{act}", json={"code": code, **shown})
    return answer.status_code, answer.get_json()


def done(world: World, act: str, code: str, **shown: str) -> Json:
    status, body = ask(world, act, code, **shown)
    assert status == 200, body
    return body


def genuine(world: World, code: str, claim: str = "anna") -> Json:
    body = world.ask(code, claim).get_json()
    assert body["verdict"] == "genuine"
    return dict(body)


def look(world: World, code: str) -> Json:
    return dict(world.client.post("/api/v1/look", json={"code": code}).get_json())


def checked(world: World, proof: str) -> Json:
    return dict(world.client.post("/api/v1/proofs", json={"proof": proof}).get_json())


# undo


def test_an_undone_code_is_unused_and_says_for_good_that_it_was_returned(world: World, issued: Issued) -> None:
    code = issued.text(0)
    first = genuine(world, code)
    assert first["undo_until"] == "2026-11-22T12:00:00Z"
    body = done(world, "undo", code, claim=claim_of("anna"))
    returned = {"on": "2026-11-21", "by": "holder"}
    assert (body["act"], body["state"], body["returned"], body["keep_code"]) == ("undo", "unused", returned, None)
    assert (look(world, code)["state"], look(world, code)["returned"]) == ("unused", returned)
    again = genuine(world, code, "ben")
    assert again["returned"] == returned
    assert again["proof"] != first["proof"]
    assert again["keep_code"] != first["keep_code"]
    world.clock.forward(days=2)
    for claim, verdict in (("ben", "verified_by_you"), ("anna", "already_verified")):
        later = world.ask(code, claim).get_json()
        assert (later["verdict"], later["returned"]) == (verdict, returned)
    assert look(world, issued.text(1))["returned"] is None


def test_a_late_duplicate_of_a_programs_request_does_not_use_up_the_code_again(world: World, issued: Issued) -> None:
    code = issued.text(0)
    genuine(world, code)
    done(world, "undo", code, claim=claim_of("anna"))
    for _ in range(2):
        late = world.ask(code, "anna").get_json()
        assert (late["verdict"], late["returned"]["by"], late["proof"]) == ("unused", "holder", None)
    assert look(world, code)["state"] == "unused"
    genuine(world, code, "ben")
    assert world.verdict(code, "anna") == "already_verified"


def test_the_undone_proof_says_live_what_became_of_it(world: World, issued: Issued) -> None:
    proof = genuine(world, issued.text(0))["proof"]
    done(world, "undo", issued.text(0), claim=claim_of("anna"))
    told = checked(world, proof)
    assert (told["on_record"], told["ended"]) == (False, {"how": "returned", "on": "2026-11-21", "by": "holder"})
    genuine(world, issued.text(0), "anna-again")
    assert checked(world, proof)["on_record"] is False
    assert world.client.get(f"/api/v1/proofs/{told['proof']['jti']}").get_json()["ended"]["how"] == "returned"


def test_a_holder_undoes_once_and_within_the_window(world: World, issued: Issued) -> None:
    code = issued.text(0)
    genuine(world, code)
    done(world, "undo", code, claim=claim_of("anna"))
    assert genuine(world, code, "anna-again")["undo_until"] is None
    assert ask(world, "undo", code, claim=claim_of("anna-again"))[1]["code"] == "undo_over"
    genuine(world, issued.text(1))
    world.clock.forward(hours=24, seconds=1)
    status, body = ask(world, "undo", issued.text(1), claim=claim_of("anna"))
    assert (status, body["code"]) == (409, "undo_over")


def test_the_window_is_a_setting_and_none_means_never(make_world: MakeWorld) -> None:
    world = make_world(undo_window_s=0)
    code = world.issue().text(0)
    assert genuine(world, code)["undo_until"] is None
    assert ask(world, "undo", code, claim=claim_of("anna"))[1]["code"] == "undo_over"


@pytest.mark.parametrize("act", ["undo", "hand-on", "erase"])
def test_nobody_but_the_holder_is_answered_and_one_text_serves_for_every_reason(
    act: str, world: World, issued: Issued
) -> None:
    code, other = issued.text(0), issued.text(1)
    genuine(world, code)
    genuine(world, other, "ben")
    strangers_keep_code = world.ask(other, "ben").get_json()["keep_code"]
    proof = world.ask(code, "anna").get_json()["proof"]
    refusals = [
        ask(world, act, code, claim=claim_of("ben")),
        ask(world, act, other, claim=claim_of("anna")),
        ask(world, act, issued.text(2), claim=claim_of("anna")),
        ask(world, act, "x", claim=claim_of("anna")),
        ask(world, act, code, keep_code=strangers_keep_code),
        ask(world, act, code, claim=proof[:64].replace(".", "-")),
        ask(world, act, code, claim=checked(world, proof)["proof"]["jti"] + "x"),
    ]
    assert {(status, json.dumps(body)) for status, body in refusals} == {(404, json.dumps(refusals[0][1]))}
    assert refusals[0][1]["code"] == "holder_unknown"
    for body in ({}, {"claim": claim_of("anna"), "keep_code": strangers_keep_code}, {"claim": 7}):
        assert world.client.post(f"/api/v1/{act}", json={"code": code, **body}).status_code == 400
    assert world.ask(code, "anna").get_json()["verdict"] == "genuine"


def test_guessed_keep_codes_undo_nothing_and_share_the_tries_of_the_unit(world: World, issued: Issued) -> None:
    code = issued.text(0)
    keep_code = genuine(world, code)["keep_code"]
    for number, act in enumerate(["undo", "hand-on", "erase", "undo", "hand-on"]):
        assert ask(world, act, code, keep_code=wrong(number))[0] == 404
    assert WRONG_KEEP_CODES_HERE == 5
    for typed in (keep_code, wrong(9)):
        assert ask(world, "undo", code, keep_code=typed)[1]["code"] == "keep_code_tries_spent"
    world.clock.forward(hours=24, microseconds=-1)
    assert world.ask(code, "anna").get_json()["verdict"] == "verified_by_you"


def test_tries_end_alike_on_a_code_that_nobody_holds(world: World, issued: Issued) -> None:
    """Else 404 and 429 would tell a used code from an unused one."""
    genuine(world, issued.text(0))
    told = [
        [ask(world, "undo", issued.text(index), keep_code=wrong(number))[0] for number in range(WRONG_KEEP_CODES_HERE)]
        for index in (0, 1)
    ]
    assert told == [[404] * WRONG_KEEP_CODES_HERE] * 2
    world.clock.forward(days=3)
    for index in (0, 1):
        for number in range(WRONG_KEEP_CODES_HERE + 1):
            last = ask(world, "hand-on", issued.text(index), keep_code=wrong(number))
        assert last[1]["code"] == "keep_code_tries_spent"


def test_a_keep_code_that_is_only_asked_with_is_counted_and_known_by_its_use_in_many_places(
    world: World, issued: Issued
) -> None:
    """A forger who ships it with every copy is seen, whichever form the copies' owners enter it into."""
    code = issued.text(0)
    keep_code = genuine(world, code)["keep_code"]
    path = "/" + code.split("/", 3)[3]
    for number in range(40):
        holder = HolderCredentials(visitor=Visitor(address=f"10.{number}.0.1"), keep_code=keep_code)
        assert preview_on_page(world.ctx, text_of_page(world.ctx, path, ""), HolderAct.HAND_ON, holder).token
    (alert,) = alert_queries.alerts(world.ctx, AlertFilter(rule="keep_code_shared")).rows
    assert (alert.count, alert.people) == (40, 40)


@pytest.mark.parametrize("act", ["undo", "hand-on"])
def test_a_right_keep_code_is_counted_where_its_act_is_refused_too(act: str, world: World, issued: Issued) -> None:
    code = issued.text(0)
    keep_code = genuine(world, code)["keep_code"]
    world.act(issued, ActKind.RECALL, "0", reason="leaks")
    assert ask(world, act, code, keep_code=keep_code)[1]["code"] == "act_not_now"
    history = code_queries.code_history(world.ctx, find_code(world.ctx, code))
    assert next((scan.channel, scan.said, scan.own) for scan in history.scans.rows) == ("keep", "recalled", True)


def test_a_keep_code_undoes_as_a_claim_does(world: World, issued: Issued) -> None:
    keep_code = genuine(world, issued.text(0))["keep_code"]
    assert done(world, "undo", issued.text(0), keep_code=keep_code.lower())["state"] == "unused"
    assert ask(world, "undo", issued.text(0), keep_code=keep_code)[0] == 404


@pytest.mark.parametrize("act", ["undo", "hand-on"])
def test_a_recalled_or_void_code_is_neither_undone_nor_handed_on(act: str, world: World, issued: Issued) -> None:
    genuine(world, issued.text(0))
    world.act(issued, ActKind.RECALL, "0", reason="leaks")
    assert ask(world, act, issued.text(0), claim=claim_of("anna"))[1]["code"] == "act_not_now"
    assert done(world, "erase", issued.text(0), claim=claim_of("anna"))["state"] == "recalled"


def test_an_undo_stands_in_the_history_and_in_the_log_and_nothing_is_deleted(world: World, issued: Issued) -> None:
    genuine(world, issued.text(0))
    done(world, "undo", issued.text(0), claim=claim_of("anna"))
    genuine(world, issued.text(0), "ben")
    with world.ctx.db.read() as connection:
        assert len(connection.execute(sa.select(schema.redemption)).all()) == 2
        (undone,) = connection.execute(sa.select(schema.undo)).all()
        assert connection.execute(sa.select(schema.scan.c.channel)).scalars().all() == ["api", "undo", "api"]
    sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    with world.ctx.db.read() as connection:
        query = sa.select(schema.log_leaf.c.record).where(schema.log_leaf.c.subject == undone.unit)
        records = [json.loads(record) for record in connection.execute(query.order_by("number")).scalars()]
    assert [(record["kind"], record.get("by")) for record in records] == [("redemption", None), ("undo", "holder")]
    history = code_queries.code_history(world.ctx, find_code(world.ctx, issued.text(0)))
    assert history.facts.first_verified_at == START
    assert [one.by for one in history.returns] == ["holder"]


def test_an_undone_code_is_counted_as_unused_where_used_ones_are_counted(world: World, issued: Issued) -> None:
    from server.storage.redemptions import count_used_between

    genuine(world, issued.text(0))
    genuine(world, issued.text(1))
    done(world, "undo", issued.text(0), claim=claim_of("anna"))
    with world.ctx.db.read() as connection:
        assert count_used_between(connection, issued.batch.row, 0, 9) == 1
    genuine(world, issued.text(0), "ben")
    with world.ctx.db.read() as connection:
        assert count_used_between(connection, issued.batch.row, 0, 9) == 2


def test_an_outer_code_undoes_nothing(world: World) -> None:
    issued = world.issue(tiers=Tiers.PAIR)
    genuine(world, issued.text(0, Tier.INNER))
    assert ask(world, "undo", issued.text(0, Tier.OUTER), claim=claim_of("anna"))[0] == 404
    done(world, "undo", issued.text(0, Tier.INNER), claim=claim_of("anna"))
    assert look(world, issued.text(0, Tier.OUTER))["returned"]["by"] == "holder"


# handing on


def test_the_next_owner_has_a_keep_code_of_their_own_and_the_old_one_is_dead(world: World, issued: Issued) -> None:
    code = issued.text(0)
    first = genuine(world, code)
    world.clock.forward(days=3)
    body = done(world, "hand-on", code, keep_code=first["keep_code"])
    assert (body["act"], body["state"], body["hop"]) == ("hand_on", "already_verified", 1)
    world.clock.forward(hours=1)
    refused = world.client.post("/api/v1/verify", json={"code": code, "keep_code": first["keep_code"]}).get_json()
    assert (refused["verdict"], refused["keep_code"], refused["hop"]) == ("already_verified", None, None)
    assert world.ask(code, "anna").get_json()["verdict"] == "already_verified"
    mine = world.client.post("/api/v1/verify", json={"code": code, "keep_code": body["keep_code"]}).get_json()
    assert (mine["verdict"], mine["hop"], mine["undo_until"]) == ("verified_by_you", 1, None)
    assert mine["first_verified_at"] == "2026-11-21T12:00:00Z"
    assert len(body["keep_code"].replace("-", "")) == KEEP_CODE_CHARACTERS


def test_the_old_proof_says_that_it_was_handed_on_and_the_fresh_one_holds(world: World, issued: Issued) -> None:
    first = genuine(world, issued.text(0))
    world.clock.forward(days=3)
    fresh = done(world, "hand-on", issued.text(0), claim=claim_of("anna"))["proof"]
    old, new = checked(world, first["proof"]), checked(world, fresh)
    assert (old["on_record"], old["ended"]) == (False, {"how": "handed_on", "on": "2026-11-24", "by": None})
    assert (new["on_record"], new["proof"]["hop"], new["proof"]["iat"]) == (True, 1, old["proof"]["iat"])


def test_a_lost_answer_is_given_again_within_the_window_and_not_after_it(world: World, issued: Issued) -> None:
    first = genuine(world, issued.text(0))
    body = done(world, "hand-on", issued.text(0), claim=claim_of("anna"))
    assert done(world, "hand-on", issued.text(0), claim=claim_of("anna")) == body
    assert done(world, "hand-on", issued.text(0), keep_code=first["keep_code"]) == body
    assert ask(world, "undo", issued.text(0), claim=claim_of("anna"))[0] == 404
    world.clock.forward(minutes=11)
    assert ask(world, "hand-on", issued.text(0), claim=claim_of("anna"))[0] == 404


def test_the_next_owner_hands_on_to_themselves_and_nobody_else_knows_the_keep_code(
    world: World, issued: Issued
) -> None:
    code = issued.text(0)
    genuine(world, code)
    sold = done(world, "hand-on", code, claim=claim_of("anna"))["keep_code"]
    own = done(world, "hand-on", code, keep_code=sold)
    assert own["hop"] == 2
    world.clock.forward(minutes=11)
    assert prove(world.ctx, code, keep_code=sold, visitor=Visitor()) is None
    assert prove(world.ctx, code, keep_code=own["keep_code"], visitor=Visitor()) is not None


def test_a_code_is_handed_on_a_few_times_a_day(world: World, issued: Issued) -> None:
    code = issued.text(0)
    keep_code = genuine(world, code)["keep_code"]
    for _ in range(MAX_HOPS_A_DAY):
        keep_code = done(world, "hand-on", code, keep_code=keep_code)["keep_code"]
    status, body = ask(world, "hand-on", code, keep_code=keep_code)
    assert (status, body["code"]) == (429, "hand_on_limit")
    world.clock.forward(hours=24)
    assert done(world, "hand-on", code, keep_code=keep_code)["hop"] == MAX_HOPS_A_DAY + 1


def test_a_code_is_handed_on_fifty_times_in_all(world: World, issued: Issued) -> None:
    code = issued.text(0)
    keep_code = genuine(world, code)["keep_code"]
    for number in range(MAX_HOPS):
        handed = done(world, "hand-on", code, keep_code=keep_code)
        assert handed["hop"] == number + 1
        keep_code = handed["keep_code"]
        world.clock.forward(hours=8)
    world.clock.forward(days=2)
    status, body = ask(world, "hand-on", code, keep_code=keep_code)
    assert (status, body["code"]) == (429, "hand_on_limit")
    assert done(world, "erase", code, keep_code=keep_code)["state"] == "already_verified"


def test_each_owners_uses_of_the_keep_code_are_counted_for_themselves(world: World, issued: Issued) -> None:
    code = issued.text(0)
    keep_code = genuine(world, code)["keep_code"]
    for _ in range(2):
        for _ in range(15):
            prove(world.ctx, code, keep_code=keep_code, visitor=Visitor())
        world.clock.forward(days=1)
        keep_code = done(world, "hand-on", code, keep_code=keep_code)["keep_code"]
    assert alert_queries.alerts(world.ctx, AlertFilter()).rows == ()


# several at once


def at_once(world: World, act: str, code: str, **shown: str) -> list[tuple[int, Json]]:
    """The same request from eight threads, each with a connection of its own."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: ask(world, act, code, **shown), range(8)))


def test_of_many_undos_at_once_one_is_done(world: World, issued: Issued) -> None:
    genuine(world, issued.text(0))
    answers = at_once(world, "undo", issued.text(0), claim=claim_of("anna"))
    assert sorted(status for status, _ in answers) == [200] + [404] * 7
    assert look(world, issued.text(0))["state"] == "unused"


def test_many_taps_hand_on_once_and_are_all_given_the_same_keep_code(world: World, issued: Issued) -> None:
    genuine(world, issued.text(0))
    answers = at_once(world, "hand-on", issued.text(0), claim=claim_of("anna"))
    assert {json.dumps(body) for _, body in answers} == {json.dumps(answers[0][1])}
    assert (answers[0][0], answers[0][1]["hop"]) == (200, 1)


def test_of_undo_and_burn_in_the_same_moment_nobody_is_told_a_plain_genuine(world: World, issued: Issued) -> None:
    """Who verifies while it is being returned meets the ended life or the new one, and never one without its past."""
    code = issued.text(0)
    genuine(world, code)
    with ThreadPoolExecutor(8) as pool:
        burns = [pool.submit(world.ask, code, f"buyer-{number}") for number in range(4)]
        undone = pool.submit(ask, world, "undo", code, claim=claim_of("anna"))
        burns += [pool.submit(world.ask, code, f"late-{number}") for number in range(4)]
    assert undone.result()[0] == 200
    told = [burn.result().get_json() for burn in burns]
    first = [body for body in told if body["verdict"] == "genuine"]
    assert len(first) <= 1
    assert all(body["returned"] for body in first)
    assert {body["verdict"] for body in told} <= {"genuine", "already_verified"}


# erasure


def test_erasing_leaves_the_code_used_and_nobody_its_holder(world: World, issued: Issued) -> None:
    code = issued.text(0)
    first = genuine(world, code)
    body = done(world, "erase", code, keep_code=first["keep_code"])
    assert (body["state"], body["first_country"], body["was_yours"]) == ("already_verified", None, False)
    assert world.ask(code, "anna").get_json()["verdict"] == "already_verified"
    assert prove(world.ctx, code, keep_code=first["keep_code"], visitor=Visitor()) is None
    assert ask(world, "erase", code, claim=claim_of("anna"))[0] == 404
    told = checked(world, first["proof"])
    assert (told["on_record"], told["ended"]) == (False, {"how": "erased", "on": None, "by": None})


def test_nothing_of_the_holder_is_left_in_any_table(world: World, issued: Issued) -> None:
    code = issued.text(0)
    answer = verify(world.ctx, code, claim=claim_of("anna"), visitor=Visitor(address=ADDRESS))
    assert answer.receipt is not None
    handed = done(world, "hand-on", code, claim=claim_of("anna"))
    prove(world.ctx, code, keep_code=handed["keep_code"], visitor=Visitor(address=ADDRESS))
    prove(world.ctx, code, keep_code=wrong(1), visitor=Visitor(address=ADDRESS))
    kept = traces(world, issued)
    assert len(kept) >= 6
    done(world, "erase", code, keep_code=handed["keep_code"])
    with world.ctx.db.read() as connection:
        everything = {
            name: str(connection.execute(sa.select(table)).all()) for name, table in schema.metadata.tables.items()
        }
    for trace in kept:
        found = [name for name, rows in everything.items() if str(trace) in rows or trace.hex() in rows]
        assert found == []


def test_what_the_holder_did_before_it_could_be_verified_is_erased_too(world: World) -> None:
    issued = world.issue(activate=False)
    code = issued.text(0)
    for claim in ("anna", "ben"):
        early = verify(world.ctx, code, claim=claim_of(claim), visitor=Visitor(address=ADDRESS))
        assert early.verdict is Verdict.NOT_ACTIVATED
    world.act(issued, ActKind.ACTIVATE)
    genuine(world, code)
    with world.ctx.db.read() as connection:
        mark = connection.execute(sa.select(schema.redemption.c.holder_hash)).scalar_one()
    done(world, "erase", code, claim=claim_of("anna"))
    with world.ctx.db.read() as connection:
        rows = connection.execute(sa.select(schema.scan).order_by(schema.scan.c.id)).all()
        marks = connection.execute(sa.select(schema.alert_claim.c.mark)).scalars().all()
    assert mark not in {row.mark for row in rows} | set(marks)
    assert [row.network_unit is None for row in rows[:2]] == [True, False]


@pytest.mark.parametrize("bought", [False, True])
def test_who_undid_a_verification_may_have_it_erased(world: World, issued: Issued, *, bought: bool) -> None:
    code = issued.text(0)
    keep_code = genuine(world, code)["keep_code"]
    genuine(world, issued.text(1))
    other = done(world, "undo", issued.text(1), claim=claim_of("anna"))
    done(world, "undo", code, claim=claim_of("anna"))
    if bought:
        genuine(world, code, "ben")
    with world.ctx.db.read() as connection:
        unit = Unit(row=issued.batch.row, index=0).id
        (first,) = connection.execute(sa.select(schema.redemption).where(schema.redemption.c.unit == unit)).all()
    body = done(world, "erase", code, keep_code=keep_code)
    assert (body["state"], body["returned"]["by"]) == ("already_verified" if bought else "unused", "holder")
    assert ask(world, "erase", code, keep_code=keep_code)[0] == 404
    assert done(world, "erase", issued.text(1), claim=claim_of("anna"))["state"] == other["state"]
    with world.ctx.db.read() as connection:
        everything = str([connection.execute(sa.select(table)).all() for table in schema.metadata.tables.values()])
    for trace in (first.claim_hash, first.holder_hash):
        assert str(trace) not in everything
        assert trace.hex() not in everything
    if bought:
        assert world.ask(code, "ben").get_json()["verdict"] == "genuine"


def test_guesses_at_an_ended_verification_share_the_tries_of_the_code(world: World, issued: Issued) -> None:
    code = issued.text(0)
    keep_code = genuine(world, code)["keep_code"]
    done(world, "undo", code, claim=claim_of("anna"))
    for number in range(WRONG_KEEP_CODES_HERE):
        assert ask(world, "erase", code, keep_code=wrong(number))[0] == 404
    for typed in (keep_code, wrong(9)):
        assert ask(world, "erase", code, keep_code=typed)[1]["code"] == "keep_code_tries_spent"


def test_an_entry_without_a_place_is_given_one_and_erased_in_the_same_transaction(world: World, issued: Issued) -> None:
    for number in range(3):
        genuine(world, issued.text(number))
    done(world, "erase", issued.text(1), claim=claim_of("anna"))
    erased, waiting = schema.log_leaf.c, schema.log_pending.c
    with world.ctx.db.read() as connection:
        placed = connection.execute(sa.select(erased.subject, erased.record)).all()
        kinds = connection.execute(sa.select(waiting.kind).order_by(waiting.id)).scalars().all()
    unit = find_code(world.ctx, issued.text(1)).id
    assert [row.subject for row in placed if row.record is None] == [unit]
    assert kinds[-3:] == ["redemption", "redemption", "erasure"]


def traces(world: World, issued: Issued) -> set[bytes]:
    """Hashes, marks, network pseudonyms and salts that know the holders of the first code."""
    sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    unit = find_code(world.ctx, issued.text(0)).id
    kept: set[bytes | None] = set()
    with world.ctx.db.read() as connection:
        for table, columns in (
            (schema.redemption, ("claim_hash", "holder_hash")),
            (schema.handover, ("claim_hash", "holder_hash")),
            (schema.scan, ("mark", "network_day", "network_unit")),
        ):
            for row in connection.execute(sa.select(table).where(table.c.unit == unit)).mappings():
                if table is not schema.scan or row["own"]:
                    kept |= {row[name] for name in columns}
        leaves = sa.select(schema.log_leaf.c.salt).where(schema.log_leaf.c.subject == unit)
        kept |= set(connection.execute(leaves.where(schema.log_leaf.c.kind != "audit")).scalars())
    return {trace for trace in kept if trace}


def test_heads_and_proofs_from_before_an_erasure_hold_after_it(world: World, issued: Issued) -> None:
    code = issued.text(0)
    genuine(world, code)
    before = sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    unit = find_code(world.ctx, code)
    shown = prove_leaf(world.ctx.db, unit)
    assert shown.entry is not None
    done(world, "erase", code, claim=claim_of("anna"))
    sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    key = read_log_key(world.client.get("/log/key").text)
    bare = prove_leaf(world.ctx.db, unit)
    assert bare.entry is None
    assert open_inclusion(bare.text, key, leaf=shown.entry.leaf).index == shown.index
    assert open_inclusion(shown.text, key).entry == shown.entry  # whoever kept the entry can still prove it
    growth = world.client.get(f"/log/consistency?old={before.size}").text
    assert open_consistency(growth, key, kept=open_head(before.note, key)).size > before.size
    assert read_head(before.note).size == before.size


def test_what_others_did_stays_on_record(world: World, issued: Issued) -> None:
    code = issued.text(0)
    genuine(world, code)
    for claim in ("ben", "cleo"):
        world.verdict(code, claim)
    done(world, "erase", code, claim=claim_of("anna"))
    (alert,) = alert_queries.alerts(world.ctx, AlertFilter()).rows
    assert alert.count == 2
    with world.ctx.db.read() as connection:
        marks = connection.execute(sa.select(schema.scan.c.mark).where(~schema.scan.c.own)).scalars().all()
        assert len(set(marks)) == 2
        unit = find_code(world.ctx, code)
        use = unit_life(connection, unit)
    assert use.redemption is not None
    assert (use.redemption.erased, use.redemption.at) == (True, START)


# what is replayed elsewhere


def test_what_shows_the_holder_of_one_code_shows_nothing_on_another(world: World, issued: Issued) -> None:
    """Claim and keep-code are bound to unit, life and hop: a replay on another code, life or hop is a stranger's."""
    mine = genuine(world, issued.text(0))
    genuine(world, issued.text(1), "ben")
    replayed = world.ask(issued.text(1), "anna").get_json()
    assert (replayed["verdict"], replayed["proof"], replayed["was_yours"]) == ("already_verified", None, False)
    for shown in ({"claim": claim_of("anna")}, {"keep_code": mine["keep_code"]}):
        assert ask(world, "hand-on", issued.text(1), **shown)[0] == 404
    done(world, "undo", issued.text(0), claim=claim_of("anna"))
    genuine(world, issued.text(0), "cleo")
    for shown in ({"claim": claim_of("anna")}, {"keep_code": mine["keep_code"]}):
        for act in ("undo", "hand-on"):
            assert ask(world, act, issued.text(0), **shown)[0] == 404
    own = world.client.post("/api/v1/log/proof", json={"code": issued.text(0), "claim": claim_of("anna")})
    assert own.status_code == 404


def test_who_verified_proves_the_present_life_in_the_log(world: World, issued: Issued) -> None:
    genuine(world, issued.text(0))
    done(world, "undo", issued.text(0), claim=claim_of("anna"))
    genuine(world, issued.text(0), "cleo")
    answer = world.client.post("/api/v1/log/proof", json={"code": issued.text(0), "claim": claim_of("cleo")}).get_json()
    assert (answer["record"]["kind"], answer["record"]["life"]) == ("redemption", 1)


def test_a_next_owner_proves_in_the_log_what_their_receipt_says(world: World, issued: Issued) -> None:
    code = issued.text(0)
    sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    first = genuine(world, code)["keep_code"]
    handed = done(world, "hand-on", code, claim=claim_of("anna"))

    def prove_in_log(**shown: str) -> tuple[int, Json]:
        answer = world.client.post("/api/v1/log/proof", json={"code": code, **shown})
        return answer.status_code, answer.get_json()

    status, body = prove_in_log(keep_code=handed["keep_code"])
    assert (status, body["record"]["kind"]) == (200, "redemption")
    key = read_log_key(world.client.get("/log/key").text)
    check_entry(world.ctx.keys.proofs.open(handed["proof"]), open_inclusion(body["proof"], key))
    assert prove_in_log(claim=claim_of("anna")) == prove_in_log(keep_code=first)
    assert prove_in_log(keep_code=first)[1]["code"] == "log_entry_unknown"
    assert prove_in_log(keep_code=first[:-1] + ("0" if first[-1] != "0" else "1"))[1]["code"] == "keep_code_invalid"
    for shown in ({}, {"claim": claim_of("anna"), "keep_code": first}):
        assert prove_in_log(**shown)[1]["code"] == "request_invalid"
    history = code_queries.code_history(world.ctx, find_code(world.ctx, code))
    assert history.scans.rows[0].channel == "keep"
    for number in range(WRONG_KEEP_CODES_HERE):
        status, body = prove_in_log(keep_code=wrong(number))
    assert (status, body["code"]) == (429, "keep_code_tries_spent")
    assert world.client.post("/api/v1/log/proof", json={"code": "x", "keep_code": first}).status_code == 404


def test_a_receipt_is_dated_by_the_log_from_end_to_end(world: World, issued: Issued) -> None:
    """The head that it names, a growth from there, and its own entry behind it, all as the server hands them out."""
    sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    proof = world.ctx.keys.proofs.open(genuine(world, issued.text(0))["proof"])
    entry = world.client.post("/api/v1/log/proof", json={"code": issued.text(0), "claim": claim_of("anna")}).get_json()[
        "proof"
    ]
    key = read_log_key(world.client.get("/log/key").text)
    before = head_before(proof)
    included = open_inclusion(entry, key)
    check_entry(proof, included)
    growth = world.client.get(f"/log/consistency?old={before.size}").text
    assert open_consistency(growth, key, kept=before).size == included.head.size
    with pytest.raises(LogProofRefused):
        check_entry(replace(proof, at=START.replace(day=1)), included)
