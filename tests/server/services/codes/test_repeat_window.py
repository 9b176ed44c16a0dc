"""One repeat window: as short as its setting for programs, and never below half a minute on pages."""

import pytest

from keys.format.records import Form
from server.domain.codes.holder_acts import HolderAct, HolderUnknown
from server.services.codes.attempts import Visitor
from server.services.codes.look import look_at_page
from server.services.codes.photo import read_photo
from server.services.codes.redeem import PageForm, verify, verify_on_page
from server.services.holders.acts import HolderCredentials, act_for_program, act_on_page, preview_on_page
from server.services.holders.keep_codes import receipt_on_page
from tests.server.simulator import MakeWorld, World
from tests.server.web.pages import target
from tests.server.web.photos import photo_of

COOKIE = "c" * 64
HER = Visitor(cookie=COOKIE)


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world(repeat_window_s=3)


def verified_on_page(world: World, text: str) -> str:
    """Press the button; the claim of the page."""
    page = look_at_page(world.ctx, target(text), "", HER)
    assert verify_on_page(world.ctx, text, PageForm(token=page.token, claim=page.claim), HER).verdict == "genuine"
    return str(page.claim)


def test_pages_photos_and_receipts_say_genuine_for_half_a_minute_and_programs_for_three_seconds(world: World) -> None:
    issued = world.issue()
    text = issued.text(0)
    claim = verified_on_page(world, text)
    picture = photo_of((text, Form.SHORT)).getvalue()

    def on_pages() -> list[str]:
        receipt = receipt_on_page(world.ctx, text, claim=claim, visitor=HER)
        assert receipt is not None
        photo = read_photo(world.ctx, picture, HER).symbols[0].look
        return [look_at_page(world.ctx, target(text), "", HER).state, receipt.verdict, photo.state]

    world.clock.forward(seconds=29)
    assert on_pages() == ["genuine"] * 3
    assert verify(world.ctx, text, claim=claim, visitor=Visitor()).verdict == "verified_by_you"
    world.clock.forward(seconds=2)
    assert on_pages() == ["verified_by_you"] * 3


def test_a_handing_on_whose_answer_was_lost_is_repeated_as_long(world: World) -> None:
    issued = world.issue()
    claim = verified_on_page(world, issued.text(0))
    her = HolderCredentials(visitor=HER, claim=claim)
    token = preview_on_page(world.ctx, issued.text(0), HolderAct.HAND_ON, her).token
    first = act_on_page(world.ctx, issued.text(0), HolderAct.HAND_ON, her, token=token)
    world.clock.forward(seconds=20)
    assert act_on_page(world.ctx, issued.text(0), HolderAct.HAND_ON, her, token=token).receipt == first.receipt
    with pytest.raises(HolderUnknown):
        act_for_program(world.ctx, issued.text(0), HolderAct.HAND_ON, HolderCredentials(visitor=Visitor(), claim=claim))
