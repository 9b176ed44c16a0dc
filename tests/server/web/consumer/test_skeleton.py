"""One skeleton for every answer: the same places in the same order, by the real template."""

import re
from collections.abc import Callable

import pytest

from server.web.consumer.pages import PageMaker
from server.web.consumer.view import Offers, Page, Tint
from tests.server.web.pages import EVERY_SEEN, burn_form

Render = Callable[[Page], str]


@pytest.mark.parametrize("name", EVERY_SEEN)
def test_the_heading_is_the_only_h1_and_comes_before_everything_that_is_told(
    name: str, maker: PageMaker, render: Render
) -> None:
    html = render(maker.code_page(EVERY_SEEN[name], Offers(burn=burn_form())))
    assert html.count("<h1") == 1
    body = html[html.index("<main>") :]
    assert body.index("<h1") < body.index('class="say"')
    for later in ('id="product"', "<h2", "<details", "<form"):
        assert later not in body[: body.index("<h1")]


@pytest.mark.parametrize("name", EVERY_SEEN)
def test_a_shape_never_stands_without_its_word(name: str, maker: PageMaker, render: Render) -> None:
    html = render(maker.code_page(EVERY_SEEN[name]))
    mark = re.search(r'<p class="mark">(<svg.*?</svg>)<span>(.*?)</span>', html, re.DOTALL)
    assert mark is not None
    assert mark.group(2) in {"Fine", "Not yet", "Please note", "Take care", "Stop"}


@pytest.mark.parametrize("name", EVERY_SEEN)
def test_the_page_obeys_the_content_security_policy(name: str, maker: PageMaker, render: Render) -> None:
    html = render(maker.code_page(EVERY_SEEN[name], Offers(burn=burn_form())))
    assert "<script" not in html
    assert "style=" not in html
    assert "javascript:" not in html
    assert not re.search(r'(src|href)="//', html)


@pytest.mark.parametrize("name", EVERY_SEEN)
def test_no_list_is_empty_and_every_link_within_the_page_has_its_place(
    name: str, maker: PageMaker, render: Render
) -> None:
    html = render(maker.code_page(EVERY_SEEN[name]))
    assert not re.search(r"<(ol|ul|dl)[^>]*>\s*</\1>", html)
    for place in re.findall(r'href="#(\w+)"', html):
        assert f'id="{place}"' in html


def test_red_is_for_recalls_alone(maker: PageMaker) -> None:
    red = {name for name, seen in EVERY_SEEN.items() if maker.code_page(seen).tint is Tint.RECALL}
    assert red == {"recalled", "recalled, yours", "recalled, handed on to you"}


def test_only_a_look_offers_the_button(maker: PageMaker, render: Render) -> None:
    assert "I have bought this" in render(maker.code_page(EVERY_SEEN["look"], Offers(burn=burn_form())))
    assert "I have bought this" not in render(maker.code_page(EVERY_SEEN["already verified"]))


def test_the_genuine_pack_is_shown_open_where_a_copy_may_be_about(maker: PageMaker, render: Render) -> None:
    shown_open = {name for name, seen in EVERY_SEEN.items() if "<details open>" in render(maker.code_page(seen))}
    assert shown_open == {
        "already verified",
        "already verified, handed on by you",
        "already verified, nowhere",
        "already verified, returned before",
        "locked",
        "locked, yours",
        "locked, key withdrawn",
    }


def test_a_withdrawn_key_is_not_told_as_copies_that_were_found(maker: PageMaker, render: Render) -> None:
    copies, key = (render(maker.code_page(EVERY_SEEN[name])) for name in ("locked", "locked, key withdrawn"))
    assert "Copies of this code were found" in copies
    assert "was withdrawn" in key
    assert "Copies" not in key
    assert "did not make" not in key


def test_a_withdrawn_key_is_a_caution_beside_the_usual_answer(maker: PageMaker, render: Render) -> None:
    said = {name: render(maker.code_page(one)) for name, one in EVERY_SEEN.items()}
    assert {name for name, html in said.items() if "was withdrawn later" in html} == {
        "look, key withdrawn",
        "genuine, hidden, key withdrawn",
    }
    hidden = said["genuine, hidden, key withdrawn"]
    assert "You are the first" in hidden
    assert "you can be confident" not in hidden


def test_who_verified_a_locked_code_first_is_told_that_it_stays_on_record(maker: PageMaker, render: Render) -> None:
    own, others = (render(maker.code_page(EVERY_SEEN[name])) for name in ("locked, yours", "locked"))
    assert "You verified this code first, on" in own
    assert "That stays on record." in own
    assert "stays on record" not in others


def test_a_visible_code_is_called_copyable_with_and_without_a_picture(maker: PageMaker, render: Render) -> None:
    with_picture, bare = (render(maker.code_page(EVERY_SEEN[name])) for name in ("genuine, visible", "genuine, bare"))
    assert "compare your pack with the pictures below." in with_picture
    assert "Codes can be copied, so please also compare your pack." in bare
    assert "Codes can be copied" not in render(maker.code_page(EVERY_SEEN["genuine, hidden"]))


def test_a_link_to_a_form_of_the_same_page_stays_on_it(maker: PageMaker, render: Render) -> None:
    html = render(maker.unreadable_page("move_closer", {"module_px": 1.84}))
    assert "please move closer" in html
    assert "pixel" not in html
    assert 'href="#photo"' in html
    assert 'id="photo"' in html


def test_an_unknown_advice_is_still_a_sentence(maker: PageMaker, render: Render) -> None:
    assert "could not be opened as a picture" in render(maker.unreadable_page("something_new", {}))


@pytest.mark.parametrize("status", [400, 404, 405, 413, 429, 431, 500])
def test_a_problem_has_the_same_skeleton(status: int, maker: PageMaker, render: Render) -> None:
    html = render(maker.plain_page(f"problem_{status}"))
    assert html.count("<h1") == 1
    assert "What to do now" in html
