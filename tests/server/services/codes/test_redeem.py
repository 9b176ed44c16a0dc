"""Burning through the API and on pages: who is first, who is told what (docs/protocol.md §2)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from authcode.code.serial import Tier, printed_serial
from authcode.order.order import Tiers
from keys.format.records import Form, Profile
from server.domain.batches.range_act import ActKind
from server.domain.codes.claim import (
    HOLDER_DAYS,
    LOOK_DAYS,
    ClaimInvalid,
    HolderCookie,
    claim_of_holder,
    holder_of_claim,
)
from server.domain.codes.page_token import PageTokenInvalid
from server.domain.codes.unit import Unit
from server.domain.codes.verdict import Verdict
from server.services.codes.attempts import Visitor
from server.services.codes.look import Look, look_at_page, look_at_serial, text_of_page
from server.services.codes.redeem import Answer, PageForm, verify_on_page
from server.storage import schema
from tests.server.simulator import World, both_databases

pytestmark = both_databases

SHORT_KINDS = [(Form.SHORT, Profile.SIGNED), (Form.SHORT, Profile.COMPACT), (Form.GS1, Profile.SIGNED)]
STRANGER = Visitor(address="203.0.113.7")


def rows(world: World, table: sa.Table) -> int:
    with world.ctx.db.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def target(text: str) -> tuple[str, str]:
    """Raw path and query of a code's page."""
    path, _, query = text.partition("://")[2].partition("/")[2].partition("?")
    return f"/{path}", query


@pytest.mark.parametrize(("form", "profile"), SHORT_KINDS)
def test_the_first_claim_is_genuine_and_everybody_else_is_refused(world: World, form: Form, profile: Profile) -> None:
    code = world.issue(form=form, profile=profile).text(3)
    assert world.state(code) == "unused"
    assert world.verdict(code, "anna") == "genuine"
    assert world.verdict(code, "ben") == "already_verified"
    assert world.state(code) == "already_verified"
    assert rows(world, schema.redemption) == 1


def test_looking_never_burns(world: World) -> None:
    code = world.issue().text(0)
    for _ in range(5):
        assert world.state(code) == "unused"
        assert look_at_page(world.ctx, *target(code), STRANGER).state is Verdict.UNUSED
    assert rows(world, schema.redemption) == rows(world, schema.scan) == 0


def test_the_same_claim_hears_the_same_bytes_within_the_window_and_verified_by_you_later(world: World) -> None:
    code = world.issue().text(3)
    first = world.ask(code, "anna").data
    assert b'"verdict": "genuine"' in first
    world.verdict(code, "ben")
    world.clock.forward(minutes=10)
    assert world.ask(code, "anna").data == first
    world.clock.forward(seconds=1)
    later = world.ask(code, "anna").get_json()
    assert later["verdict"] == "verified_by_you"
    assert later["first_verified_at"] == "2026-11-21T12:00:00Z"
    assert later["later"] == {"at": "2026-11-21T12:00:00Z", "country": None}
    assert later["was_yours"] is True


def test_others_learn_day_and_country_only(world: World) -> None:
    code = world.issue().text(3)
    world.verdict(code, "anna")
    told = world.ask(code, "ben").get_json()
    assert (told["verdict"], told["first_verified_at"], told["was_yours"]) == ("already_verified", "2026-11-21", False)
    assert told["later"] is None


def test_what_stands_in_the_way_is_said_in_order_and_burns_nothing(world: World) -> None:
    issued = world.issue()
    code = issued.text(5)
    said = []
    for kind, details in (
        (ActKind.ACTIVATE, {"lot": "L2", "expires": date(2026, 11, 1)}),
        (ActKind.SAMPLE, {}),
        (ActKind.VOID, {"reason": "misprint"}),
        (ActKind.RECALL, {"reason": "a seal may leak", "link": "https://example.com/recall"}),
    ):
        world.act(issued, kind, "5", **details)
        said.append(world.verdict(code, "anna"))
        assert world.state(code) == said[-1]
    assert said == ["expired", "sample", "void", "recalled"]
    assert rows(world, schema.redemption) == 0
    assert rows(world, schema.scan) == 4
    told = world.ask(code, "anna").get_json()
    assert told["recall"] == {
        "at": "2026-11-21T12:00:00Z",
        "reason": "a seal may leak",
        "link": "https://example.com/recall",
    }
    assert world.verdict(issued.text(4), "anna") == "genuine"


def test_a_code_is_dead_until_it_is_activated(world: World) -> None:
    issued = world.issue(activate=False)
    assert world.verdict(issued.text(2), "anna") == "not_activated"
    world.act(issued, ActKind.ACTIVATE, "0-2")
    assert world.verdict(issued.text(2), "anna") == "genuine"
    assert world.verdict(issued.text(3), "anna") == "not_activated"


def test_a_recall_takes_precedence_over_the_holder_and_says_that_it_was_theirs(world: World) -> None:
    issued = world.issue()
    world.verdict(issued.text(1), "anna")
    world.act(issued, ActKind.RECALL, reason="a seal may leak")
    told = world.ask(issued.text(1), "anna").get_json()
    assert (told["verdict"], told["was_yours"]) == ("recalled", True)
    assert world.ask(issued.text(1), "ben").get_json()["was_yours"] is False


def test_every_attempt_is_in_the_history_whatever_was_said(world: World) -> None:
    issued = world.issue()
    for claim in ("anna", "anna", "ben"):
        world.verdict(issued.text(1), claim)
    with world.ctx.db.read() as connection:
        found = connection.execute(sa.select(schema.scan).order_by(schema.scan.c.id)).all()
    assert [(row.said, row.burned, row.own) for row in found] == [
        ("genuine", True, True),
        ("genuine", False, True),
        ("already_verified", False, False),
    ]
    assert found[0].mark == found[1].mark != found[2].mark
    assert found[0].unit == Unit(row=issued.batch.row, index=1).id


def test_an_outer_code_is_looked_at_and_the_inner_one_of_the_same_unit_is_burned(world: World) -> None:
    issued = world.issue(tiers=Tiers.PAIR)
    outer, inner = issued.text(3, Tier.OUTER), issued.text(3, Tier.INNER)
    assert world.verdict(outer, "anna") == "unused"
    seen = look_at_page(world.ctx, *target(outer), STRANGER)
    assert (seen.state, seen.token, seen.facts.tier) == (Verdict.UNUSED, None, Tier.OUTER)
    assert rows(world, schema.redemption) == rows(world, schema.scan) == 0
    assert world.verdict(inner, "anna") == "genuine"
    assert world.verdict(outer, "ben") == "already_verified"
    assert world.verdict(outer, "anna") == "genuine"
    assert rows(world, schema.scan) == 1


def test_units_of_two_batches_never_meet(world: World) -> None:
    one, two = world.issue(), world.issue()
    assert world.verdict(one.text(0), "anna") == "genuine"
    assert world.verdict(two.text(0), "ben") == "genuine"


# pages


def looked(world: World, code: str, visitor: Visitor = STRANGER) -> Look:
    seen = look_at_page(world.ctx, *target(code), visitor)
    assert seen.token
    assert seen.claim
    return seen


def burn(world: World, code: str, seen: Look, visitor: Visitor = STRANGER) -> Answer:
    text = text_of_page(world.ctx, *target(code))
    return verify_on_page(world.ctx, text, PageForm(token=seen.token, claim=seen.claim), visitor)


@pytest.mark.parametrize(("form", "profile"), SHORT_KINDS)
def test_a_page_burns_with_its_token_and_gives_a_cookie_that_knows_its_holder(
    world: World, form: Form, profile: Profile
) -> None:
    code = world.issue(form=form, profile=profile).text(0)
    seen = looked(world, code)
    answer = burn(world, code, seen)
    assert answer.verdict is Verdict.GENUINE
    value = holder_of_claim(seen.claim, key=world.ctx.keys.holder)
    assert seen.holder_cookie == HolderCookie(value=value, days=LOOK_DAYS)
    assert answer.holder_cookie == HolderCookie(value=value, days=HOLDER_DAYS)
    holder = replace(STRANGER, cookie=value)
    world.clock.forward(minutes=11)
    assert look_at_page(world.ctx, *target(code), holder).state is Verdict.VERIFIED_BY_YOU
    assert look_at_page(world.ctx, *target(code), STRANGER).state is Verdict.ALREADY_VERIFIED


def test_a_double_tap_is_answered_alike_and_given_the_same_cookie(world: World) -> None:
    code = world.issue().text(0)
    seen = looked(world, code)
    one, two = burn(world, code, seen), burn(world, code, seen)
    assert one == two
    world.clock.forward(hours=1)
    late = burn(world, code, seen)
    assert (late.verdict, late.holder_cookie) == (Verdict.VERIFIED_BY_YOU, one.holder_cookie)


def test_a_browser_with_a_cookie_claims_by_it_on_every_unit(world: World) -> None:
    issued = world.issue()
    holder = replace(STRANGER, cookie="ab" * 32)
    seen = looked(world, issued.text(1), holder)
    assert seen.claim == claim_of_holder("ab" * 32, seen.unit)
    answer = burn(world, issued.text(1), seen, holder)
    kept = HolderCookie(value="ab" * 32, days=HOLDER_DAYS)
    assert (answer.verdict, answer.holder_cookie, answer.known_by_cookie) == (Verdict.GENUINE, kept, True)
    assert burn(world, issued.text(1), replace(seen, claim="0f" * 16), holder).verdict is Verdict.GENUINE


def test_a_token_that_does_not_hold_leads_back_to_the_look_page_with_the_same_claim(world: World) -> None:
    issued = world.issue()
    code = issued.text(0)
    seen, other = looked(world, code), looked(world, issued.text(1))
    for token in (None, "", "x", other.token, seen.token[:-1] + "x"):
        with pytest.raises(PageTokenInvalid):
            burn(world, code, replace(seen, token=token))
    world.clock.forward(minutes=10, seconds=1)
    with pytest.raises(PageTokenInvalid):
        burn(world, code, seen)
    again = look_at_page(world.ctx, *target(code), STRANGER, claim=seen.claim)
    assert (again.state, again.claim) == (Verdict.UNUSED, seen.claim)
    assert rows(world, schema.redemption) == rows(world, schema.scan) == 0
    assert burn(world, code, again).verdict is Verdict.GENUINE


@pytest.mark.parametrize("claim", [None, "", "with space", "x" * 65, "x" * 32, "0F" * 16, "0f" * 15])
def test_a_page_without_a_usable_claim_burns_nothing(world: World, claim: str | None) -> None:
    code = world.issue().text(0)
    with pytest.raises(ClaimInvalid):
        burn(world, code, replace(looked(world, code), claim=claim))
    page = world.client.post(target(code)[0], data={"token": looked(world, code).token, "claim": claim or ""})
    assert page.status_code == 409
    assert rows(world, schema.redemption) == rows(world, schema.scan) == 0


def test_a_page_offers_a_gesture_unless_its_state_raises_nothing(world: World) -> None:
    issued = world.issue(activate=False)
    page = target(issued.text(0))
    assert look_at_page(world.ctx, *page, STRANGER).token
    world.act(issued, ActKind.ACTIVATE)
    assert look_at_page(world.ctx, *page, STRANGER).token
    world.verdict(issued.text(0), "anna")
    assert look_at_page(world.ctx, *page, STRANGER).token
    world.act(issued, ActKind.RECALL)
    assert look_at_page(world.ctx, *page, STRANGER).token is None


def test_telling_the_brand_of_a_code_that_is_not_activated_burns_nothing(world: World) -> None:
    code = world.issue(activate=False).text(0)
    assert burn(world, code, looked(world, code)).verdict is Verdict.NOT_ACTIVATED
    assert (rows(world, schema.redemption), rows(world, schema.scan)) == (0, 1)


def test_a_page_knows_its_code_by_the_raw_path_alone(world: World) -> None:
    short, link = world.issue().text(0), world.issue(form=Form.GS1).text(0)
    path, _ = target(short)
    link_path, query = target(link)
    seen = {
        "lower case": look_at_page(world.ctx, path.lower(), "", STRANGER),
        "foreign keys in the query": look_at_page(world.ctx, path, "utm_source=x&fbclid=y", STRANGER),
        "a link with more keys": look_at_page(world.ctx, link_path, f"a=b&{query}&c=d", STRANGER),
    }
    assert {name: look.state for name, look in seen.items()} == dict.fromkeys(seen, Verdict.UNUSED)
    for raw, asked in (
        (path.replace(path[5], f"%{ord(path[5]):02X}", 1), ""),
        (path + "/", ""),
        ("/" + path, ""),
        (path[:-1], ""),
        (link_path, f"{query}&{query}"),
        (link_path.lower(), query.lower()),
        (link_path, query.replace("=", "%3D")),
    ):
        found = look_at_page(world.ctx, raw, asked, STRANGER)
        assert (found.state, found.facts, found.foreign) == (Verdict.NOT_OURS, None, None)


def test_a_link_that_lost_its_8030_is_a_look_by_serial(world: World) -> None:
    path, _ = target(world.issue(form=Form.GS1).text(0))
    seen = look_at_page(world.ctx, path, "", STRANGER)
    assert (seen.state, seen.token) == (Verdict.UNUSED, None)
    text = text_of_page(world.ctx, path, "")
    answer = verify_on_page(world.ctx, text, PageForm(token=None, claim="0f" * 16), STRANGER)
    assert answer.verdict is Verdict.NOT_OURS
    assert rows(world, schema.redemption) == 0


def test_a_typed_serial_shows_and_never_burns(world: World) -> None:
    issued = world.issue(tiers=Tiers.PAIR)
    for code in issued.codes[:4]:
        seen = look_at_serial(world.ctx, printed_serial(code.serial).lower(), STRANGER)
        assert (seen.state, seen.token, seen.facts.serial) == (Verdict.UNUSED, None, code.serial)
    assert rows(world, schema.redemption) == 0
    unknown = printed_serial("0000000000000")
    assert look_at_serial(world.ctx, unknown, STRANGER).state is Verdict.NOT_OURS


def test_a_later_activation_brings_its_own_lot(world: World) -> None:
    issued = world.issue()
    world.act(issued, ActKind.ACTIVATE, "2-3", lot="L9", markets=("JP",))
    facts = [look_at_page(world.ctx, *target(issued.text(index)), STRANGER).facts for index in (1, 2)]
    assert [(fact.lot, fact.markets) for fact in facts] == [("L1", ("KR",)), ("L9", ("JP",))]
    assert facts[0].product.name == "Spring Tea 50 g"
    assert facts[0].host == "v.example.com"
    assert facts[0].expires == (world.clock.now + timedelta(days=400)).date()
