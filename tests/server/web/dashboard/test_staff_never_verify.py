"""Staff never burn: an account signed in to the dashboard sees a code and can send nothing to it."""

import re

import pytest

from keys.format.records import Form
from server.domain.batches.range_act import ActKind
from server.domain.codes.unit import Unit
from server.runtime.look_limits import LookLimits
from server.services.batches.find import find_code
from server.services.queries.codes import code_history
from tests.server.simulator import Issued, World
from tests.server.web.dashboard.staff import Staff
from tests.server.web.pages import Browser, heading, hidden, target

SENTENCE = "You are signed in as staff: codes are not verified here."


def links(html: str) -> list[str]:
    part = html.partition('<div class="act" id="staff">')[2].partition("</div>")[0]
    return re.findall(r'href="([^"]+)"', part)


@pytest.mark.parametrize("state", ["unused", "already_verified", "locked", "void", "not_activated"])
def test_staff_see_the_page_without_any_gesture_and_with_two_links(
    state: str, anna: Staff, world: World, shopper: Browser
) -> None:
    issued = world.issue(activate=state != "not_activated")
    if state == "already_verified":
        world.verdict(issued.text(0), "a-buyer-with-a-claim-0")
    elif state in {"locked", "void"}:
        world.act(issued, ActKind(state.replace("locked", "lock")), "0", reason="seen on a market")
    seen, mine = shopper.open(target(issued.text(0))).text, anna.open(target(issued.text(0))).text
    assert heading(mine) == heading(seen)
    assert SENTENCE in mine
    assert SENTENCE not in seen
    assert "<form" in seen
    assert "<form" not in mine
    history, reads = links(mine)
    assert reads == f"{history}#shopper"
    page = anna.open(history).text
    part = page.partition('id="shopper"')[2].partition("</section>")[0]
    assert heading(seen) in part
    assert "was_yours" not in part


def test_a_used_code_is_shown_to_staff_as_a_stranger_sees_it(anna: Staff, world: World, issued: Issued) -> None:
    world.verdict(issued.text(0), "a-buyer-with-a-claim-0")
    page = anna.open(links(anna.open(target(issued.text(0))).text)[1]).text
    assert "This code was verified before" in page.partition('id="shopper"')[2]
    assert "You verified" not in page


def test_a_code_of_an_unknown_batch_leads_staff_to_the_search(anna: Staff, world: World) -> None:
    manifest, _ = world.manifest()
    mine = anna.open(target(world.codes(manifest)[0].code)).text
    assert SENTENCE in mine
    assert links(mine) == ["/staff/codes"]


def test_looks_of_staff_are_no_looks_of_shoppers(anna: Staff, world: World, issued: Issued) -> None:
    limits = LookLimits(looks_per_unit=20, units_per_network=600, units_per_cookie=30)
    object.__setattr__(world.ctx, "look_limits", limits)
    for _ in range(25):
        assert "unused so far" in anna.open(target(issued.text(0))).text
    world.ctx.looks.flush()
    unit = Unit(row=issued.batch.row, index=0, life=0).id
    assert all(limits.may_tell(unit, f"10.0.{number}.1", now=world.clock.now) for number in range(20))
    assert code_history(world.ctx, find_code(world.ctx, issued.text(0))).looks == 0


class TestWhatStaffSend:
    """Every form of a code's page, sent by a browser that signed in after it had opened the page."""

    def refused(self, anna: Staff, code: str, form: dict[str, object]) -> None:
        answer = anna.send(target(code), form)
        assert answer.status_code == 403
        assert heading(answer.text) == "Staff do not verify codes here"
        assert SENTENCE in answer.text
        assert "private window" in answer.text
        assert "Nothing has been used up" in answer.text

    def test_a_verification_burns_nothing_and_leaves_no_attempt(
        self, anna: Staff, world: World, issued: Issued, shopper: Browser
    ) -> None:
        form = hidden(shopper.open(target(issued.text(0))).text)
        self.refused(anna, issued.text(0), form)
        self.refused(anna, issued.text(0), form | {"token": "x"})
        assert code_history(world.ctx, find_code(world.ctx, issued.text(0))).scans.total == 0
        assert heading(shopper.send(target(issued.text(0)), form).text) == "Genuine code. You are the first."

    def test_telling_the_brand_of_a_used_code_is_no_attempt(
        self, anna: Staff, world: World, issued: Issued, shopper: Browser
    ) -> None:
        world.verdict(issued.text(0), "a-buyer-with-a-claim-0")
        self.refused(anna, issued.text(0), hidden(shopper.open(target(issued.text(0))).text))
        assert code_history(world.ctx, find_code(world.ctx, issued.text(0))).scans.total == 1

    def test_a_keep_code_and_the_acts_of_a_holder_are_refused_and_change_nothing(
        self, anna: Staff, world: World, issued: Issued
    ) -> None:
        code = issued.text(0)
        keep_code = world.ask(code, "a-buyer-with-a-claim-0").get_json()["keep_code"]
        self.refused(anna, code, {"keep_code": keep_code})
        self.refused(anna, code, {"receipt": "save", "claim": "0" * 32})
        for act in ("undo", "hand_on", "erase"):
            self.refused(anna, code, {"act": act, "keep_code": keep_code})
        assert code_history(world.ctx, find_code(world.ctx, code)).scans.total == 1

    def test_a_link_form_is_refused_alike(self, anna: Staff, world: World) -> None:
        self.refused(anna, world.issue(form=Form.GS1).text(0), {"token": "x", "claim": "x"})

    def test_after_the_logout_the_same_browser_is_a_shopper(self, anna: Staff, issued: Issued) -> None:
        anna.submit("/staff/alerts", {}, to="/staff/logout")
        page = anna.open(target(issued.text(0))).text
        assert SENTENCE not in page
        answer = anna.send(target(issued.text(0)), hidden(page))
        assert heading(anna.follow(answer.location)) == "Genuine code. You are the first."


def test_staff_see_what_a_link_gives_and_take_nothing(
    anna: Staff, world: World, shopper: Browser, issued: Issued
) -> None:
    page = target(issued.text(0))
    shopper.verify(page)
    made = shopper.send(page, hidden(shopper.send(page, {"act": "give"}).text)).text
    link, receiver = re.findall(r"https://v\.example\.com(/gift/\w+)", made)[0], Browser(world.client)
    form = hidden(receiver.open(link).text)
    seen = anna.open(link).text
    assert heading(seen) == "Somebody gives you this pack"
    assert SENTENCE in seen
    assert "<form" not in seen
    refused = anna.send(link, form)
    assert (refused.status_code, heading(refused.text)) == (403, "Staff do not verify codes here")
    assert heading(receiver.send(link, form).text) == "This pack is yours now"
