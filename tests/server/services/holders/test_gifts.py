"""A gift: a link that gives a unit away once, to whoever brings it first, and how it ends otherwise."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from server.domain.batches.range_act import ActKind
from server.domain.codes.gift import GIFT_LIVES, MAX_KEPT, TOKEN_CHARACTERS
from server.domain.codes.holder_acts import MAX_HOPS_A_DAY
from server.domain.network_limits import WRONG_CLAIMS_HERE
from server.services.batches.undo import undo_by_staff, units_of_range
from server.services.log.heads import sign_newest_head
from server.storage import schema
from tests.server.simulator import Issued, World, both_databases, claim_of

pytestmark = both_databases

Json = dict[str, Any]


@pytest.fixture
def issued(world: World) -> Issued:
    return world.issue()


@pytest.fixture
def code(world: World, issued: Issued) -> str:
    """A code that Anna verified."""
    text = issued.text(0)
    assert world.verdict(text, "anna") == "genuine"
    return text


def ask(world: World, act: str, body: Json) -> tuple[int, Json]:
    answer = world.client.post(f"/api/v1/{act}", json=body)
    return answer.status_code, answer.get_json()


def done(world: World, act: str, code: str, who: str = "anna") -> Json:
    status, body = ask(world, act, {"code": code, "claim": claim_of(who)})
    assert status == 200, body
    return body


def given(world: World, code: str, who: str = "anna") -> str:
    return str(done(world, "give", code, who)["link"])


def take(world: World, link: str, who: str) -> tuple[int, Json]:
    return ask(world, "take", {"gift": link, "claim": claim_of(who)})


def refusal(world: World, link: str, who: str = "ben") -> tuple[int, str]:
    status, body = take(world, link, who)
    return status, body["code"]


def test_a_gift_moves_the_unit_to_its_taker_and_kills_what_the_giver_had(world: World, code: str) -> None:
    keep_code = world.ask(code, "anna").get_json()["keep_code"]
    gift = done(world, "give", code)
    told = ("give", "verified_by_you", True, "2026-12-21T12:00:00Z")
    assert (gift["act"], gift["state"], gift["was_yours"], gift["until"]) == told
    assert world.verdict(code, "anna") == "genuine"
    token = gift["link"].removeprefix("https://v.example.com/gift/")
    assert len(token) == TOKEN_CHARACTERS
    world.clock.forward(days=2)
    status, taken = take(world, gift["link"], "ben")
    assert (status, taken["verdict"], taken["hop"], taken["was_yours"]) == (200, "verified_by_you", 1, True)
    assert taken["first_verified_at"] == "2026-11-21T12:00:00Z"
    assert taken["keep_code"] != keep_code
    assert world.verdict(code, "ben") == "verified_by_you"
    assert world.verdict(code, "anna") == "already_verified"
    shown = [ask(world, "verify", {"code": code, "keep_code": kept})[1] for kept in (taken["keep_code"], keep_code)]
    assert [one["verdict"] for one in shown] == ["verified_by_you", "already_verified"]
    proof = ask(world, "proofs", {"proof": taken["proof"]})[1]
    assert (proof["on_record"], proof["proof"]["hop"]) == (True, 1)


def test_the_taker_may_ask_again_and_the_giver_is_never_told_the_new_keep_code(world: World, code: str) -> None:
    """Handing on repeats its answer to the giver for ten minutes; a gift does not, though they ask in the same way."""
    link = given(world, code)
    first = take(world, link, "ben")
    assert world.verdict(code, "ben") == "verified_by_you"  # within ten minutes too: he was not the first
    world.clock.forward(hours=1)
    assert take(world, link, "ben") == first
    world.clock.forward(hours=-1)
    for act in ("hand-on", "give", "withdraw"):
        assert ask(world, act, {"code": code, "claim": claim_of("anna")})[1]["code"] == "holder_unknown"


def test_a_token_is_used_once(world: World, code: str) -> None:
    link = given(world, code)
    assert take(world, link, "ben")[0] == 200
    assert refusal(world, link, "cleo") == (409, "gift_used")
    assert refusal(world, link, "anna") == (409, "gift_used")
    done(world, "hand-on", code, "ben")
    assert refusal(world, link, "ben") == (409, "gift_used")


def test_of_many_takers_at_once_one_wins(world: World, code: str) -> None:
    link = given(world, code)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: take(world, link, f"taker-{number}"), range(8)))
    assert sorted(status for status, _ in answers) == [200] + [409] * 7
    assert {body["code"] for status, body in answers if status != 200} == {"gift_used"}
    with world.ctx.db.read() as connection:
        assert connection.execute(sa.select(schema.redemption.c.hop)).scalars().all() == [1]
        assert len(connection.execute(sa.select(schema.handover)).all()) == 1


def test_many_taps_of_one_taker_are_all_given_the_same_answer(world: World, code: str) -> None:
    link = given(world, code)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: take(world, link, "ben"), range(4)))
    assert {json.dumps(answer) for answer in answers} == {json.dumps(answers[0])}
    assert answers[0][0] == 200


def test_a_gift_is_late_after_thirty_days(world: World, code: str) -> None:
    link = given(world, code)
    world.clock.forward(days=GIFT_LIVES.days, microseconds=1)
    assert refusal(world, link) == (410, "gift_late")
    world.clock.forward(microseconds=-1)
    assert take(world, link, "ben")[0] == 200


def test_a_gift_is_withdrawn_by_its_giver_by_a_newer_one_and_by_handing_on(world: World, code: str) -> None:
    first = given(world, code)
    assert done(world, "withdraw", code) == done(world, "withdraw", code)
    assert refusal(world, first) == (410, "gift_withdrawn")
    second, third = given(world, code), given(world, code)
    assert refusal(world, second) == (410, "gift_withdrawn")
    keep_code = done(world, "hand-on", code)["keep_code"]
    assert refusal(world, third) == (410, "gift_withdrawn")
    fourth = ask(world, "give", {"code": code, "keep_code": keep_code})[1]["link"]
    assert take(world, fourth, "ben")[0] == 200


def test_only_the_newest_links_are_kept(world: World, code: str) -> None:
    links = []
    for _ in range(MAX_KEPT + 2):
        links.append(given(world, code))
        world.clock.forward(minutes=1)
    assert refusal(world, links[0]) == (404, "gift_unknown")
    assert refusal(world, links[2]) == (410, "gift_withdrawn")
    with world.ctx.db.read() as connection:
        assert len(connection.execute(sa.select(schema.gift)).all()) == MAX_KEPT


def test_nobody_takes_their_own_gift(world: World, code: str) -> None:
    link = given(world, code)
    assert refusal(world, link, "anna") == (409, "gift_own")
    assert take(world, link, "ben")[0] == 200


@pytest.mark.parametrize("state", ["recalled", "locked", "undone", "returned by staff", "erased"])
def test_a_gift_is_not_taken_in_a_state_in_which_nothing_changes_hands(
    state: str, world: World, issued: Issued, code: str
) -> None:
    link = given(world, code)
    match state:
        case "recalled":
            world.act(issued, ActKind.RECALL, "0", reason="leaks")
        case "locked":
            world.act(issued, ActKind.LOCK, "0", reason="copies")
        case "undone":
            done(world, "undo", code)
        case "erased":
            done(world, "erase", code)
        case _:
            return_by_staff(world, issued)
    assert refusal(world, link) == (409, "act_not_now")
    if state in {"recalled", "locked"}:
        assert ask(world, "give", {"code": code, "claim": claim_of("anna")})[1]["code"] == "act_not_now"
        assert done(world, "withdraw", code)["act"] == "withdraw"
        assert refusal(world, link) == (410, "gift_withdrawn")


def return_by_staff(world: World, issued: Issued) -> None:
    units = units_of_range(world.ctx, issued.batch.order_name, "0")
    undo_by_staff(world.ctx, units, reason="a burn attack", actor="anna@example.com")


def test_a_unit_is_given_as_often_as_it_is_handed_on(world: World, code: str) -> None:
    owners = ["anna", *(f"owner-{number}" for number in range(MAX_HOPS_A_DAY))]
    for giver, taker in pairwise(owners):
        assert take(world, given(world, code, giver), taker)[0] == 200
    last = owners[-1]
    refused = ask(world, "give", {"code": code, "claim": claim_of(last)})
    assert (refused[0], refused[1]["code"]) == (429, "hand_on_limit")
    world.clock.forward(hours=24)
    assert take(world, given(world, code, last), "emil")[0] == 200


def test_links_that_none_has_are_counted_for_a_network_and_a_right_one_never_waits(world: World, code: str) -> None:
    link = given(world, code)
    wrong = link[:-1] + ("0" if link[-1] != "0" else "1")
    for _ in range(WRONG_CLAIMS_HERE):
        assert refusal(world, wrong) == (404, "gift_unknown")
    assert refusal(world, wrong) == (429, "claim_tries_spent")
    assert refusal(world, "x") == (404, "gift_unknown")  # it has not the form of one, and is no try
    assert take(world, link, "ben")[0] == 200


def test_the_letter_case_of_a_token_does_not_matter_and_everything_else_does(world: World, code: str) -> None:
    link = given(world, code)
    token = link.rpartition("/")[2]
    for altered in (f"{token} ", f"{token}.", token[:-1], f"{token}0", f"\u017f{token[1:]}"):
        assert refusal(world, altered) == (404, "gift_unknown")
    assert take(world, token.lower(), "ben")[0] == 200


def test_a_token_is_kept_as_a_hash_only_and_who_asks_must_bring_a_good_claim(world: World, code: str) -> None:
    token = given(world, code).rpartition("/")[2]
    weak = {"short": "claim_too_weak", "\u00fc" * 30: "claim_invalid", claim_of("x") * 3: "claim_invalid"}
    for claim, refused in weak.items():
        assert ask(world, "take", {"gift": token, "claim": claim})[1]["code"] == refused
    for body in ({"gift": token}, {"claim": claim_of("ben")}, {"gift": 7, "claim": claim_of("ben")}):
        assert ask(world, "take", body)[1]["code"] == "request_invalid"
    with world.ctx.db.read() as connection:
        everything = str([connection.execute(sa.select(table)).all() for table in schema.metadata.tables.values()])
    assert token not in everything


def test_the_history_and_the_log_have_a_gift_as_they_have_a_handing_on(world: World, code: str) -> None:
    done(world, "withdraw", code)
    take(world, given(world, code), "ben")
    sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    with world.ctx.db.read() as connection:
        channels = connection.execute(sa.select(schema.scan.c.channel).order_by(schema.scan.c.id)).scalars().all()
        query = sa.select(schema.log_leaf.c.record).where(schema.log_leaf.c.kind != "audit").order_by("number")
        records = [json.loads(record) for record in connection.execute(query).scalars()]
        holder = connection.execute(sa.select(schema.redemption.c.holder_hash)).scalar_one()
        marks = connection.execute(sa.select(schema.scan.c.mark).where(schema.scan.c.channel == "take")).scalars().all()
        own = connection.execute(sa.select(schema.scan.c.own)).scalars().all()
    assert channels == ["api", "withdraw", "give", "take"]
    assert [(record["kind"], record.get("hop")) for record in records] == [("redemption", None), ("handover", 1)]
    assert (records[1]["holder"], marks) == (holder.hex(), [holder])
    assert all(own)


def test_a_next_owner_has_giver_and_link_erased_with_the_rest(world: World, code: str) -> None:
    take(world, given(world, code), "ben")
    done(world, "erase", code, "ben")
    with world.ctx.db.read() as connection:
        (handed,) = connection.execute(sa.select(schema.handover)).all()
        gifts = connection.execute(sa.select(schema.gift.c.giver_hash)).scalars().all()
    assert (handed.claim_hash, handed.holder_hash, handed.giver_hash, gifts) == (None, None, None, [None])


def test_a_link_of_an_earlier_life_takes_nothing_of_the_next(world: World, code: str) -> None:
    link = given(world, code)
    done(world, "undo", code)
    assert world.verdict(code, "cleo") == "genuine"
    assert refusal(world, link) == (409, "act_not_now")
    assert world.verdict(code, "cleo") == "genuine"
    other = given(world, code, "cleo")
    assert take(world, other, "ben")[0] == 200


def test_a_seller_who_gives_by_the_keep_code_is_a_stranger_after_it(world: World, code: str) -> None:
    keep_code = world.ask(code, "anna").get_json()["keep_code"]
    link = ask(world, "give", {"code": code, "keep_code": keep_code})[1]["link"]
    assert take(world, link, "ben")[0] == 200
    assert ask(world, "give", {"code": code, "keep_code": keep_code})[1]["code"] == "holder_unknown"
