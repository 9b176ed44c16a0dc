"""Staff put a picture into the search: one code leads to its history, several are listed, none is used up."""

import shutil
import unicodedata
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from keys.format.domains import Listing
from keys.format.records import Form
from keys.store.issuer import IssuerHome
from server.domain.batches.range_act import ActKind
from server.services.brands.keyring import publish_keyring
from tests.server.simulator import Issued, World
from tests.server.web.dashboard.staff import Staff
from tests.server.web.pages import heading, hidden
from tests.server.web.photos import foreign_photo, photo_of


def find(anna: Staff, photo: BytesIO | None) -> TestResponse:
    token = hidden(anna.open("/staff/codes").text)["csrf_token"]
    picture = {} if photo is None else {"photo": (photo, "picture.png")}
    return anna.send("/staff/codes/photo", {"csrf_token": token, **picture})


LAYOUTS = {
    "German": ("YZyz:/?_-=", "ZYzy\u00d6-_?\u00df\u00b4"),
    "French": ("AQWZaqwz:;m,M./?-_0123456789", "QAZWqazwMm,;?:!\u00a7)\u00b0\u00e0&\u00e9\"'(-\u00e8_\u00e7"),
}
"""What the keys of a US keyboard write in other layouts."""


def search(anna: Staff, text: str) -> str:
    """What staff read after a search, and the hint above it."""
    token = hidden(anna.open("/staff/codes").text)["csrf_token"]
    answer = anna.send("/staff/codes", {"csrf_token": token, "code": text})
    return anna.follow(answer.location) if answer.status_code == 303 else answer.text


@pytest.mark.parametrize(
    "around", ["\ufeff{}", " {}", '"{}"', "<{}>", "\u201c{}\u201d.", "{}\u200b\n", "3,7Q4KM2XD9FA1C,{}", "({})"]
)
@pytest.mark.parametrize("form", [Form.SHORT, Form.GS1])
def test_a_code_is_found_with_what_was_copied_around_it(anna: Staff, world: World, form: Form, around: str) -> None:
    page = search(anna, around.format(world.issue(form=form).text(3)))
    assert "index 3" in page
    assert "Caps Lock" not in page
    assert "layout" not in page


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", [Form.SHORT, Form.GS1])
def test_a_hand_scanner_with_another_keyboard_layout_is_understood_and_named(
    anna: Staff, world: World, form: Form, layout: str
) -> None:
    issued = world.issue(form=form)
    for index in range(4):
        page = search(anna, issued.text(index).translate(str.maketrans(*LAYOUTS[layout])))
        assert f"index {index}" in page
        assert "another keyboard layout" in page
    assert "another keyboard layout" not in anna.open("/staff/codes").text


def test_an_accent_that_a_german_keyboard_put_on_the_next_letter_is_taken_off(anna: Staff, world: World) -> None:
    text = world.issue(form=Form.GS1).text(1).translate(str.maketrans(*LAYOUTS["German"]))
    front, _, back = text.partition("\u00b4")
    assert "index 1" in search(anna, front + unicodedata.normalize("NFC", f"{back[0]}\u0301{back[1:]}"))


def test_a_hand_scanner_with_caps_lock_is_understood_and_named(anna: Staff, world: World) -> None:
    link = world.issue(form=Form.GS1)
    for swapped in (link.text(2).swapcase(), f"\ufeff<{link.text(2).swapcase()}>"):
        page = search(anna, swapped)
        assert "index 2" in page
        assert "Caps Lock was on" in page


@pytest.mark.parametrize("line", ["{order} 3", "{order}:3", "{order}, 3", "{order}\t3\n", "{order};3", '"{order}","3"'])
def test_order_and_index_are_found_as_tables_write_them(anna: Staff, world: World, line: str) -> None:
    assert "index 3" in search(anna, line.format(order=world.issue().batch.order_name))


@pytest.mark.parametrize(
    "line", ["{0.index},{0.serial},{0.code}", "{0.index}\t{0.serial}", "{0.index};{0.serial};single"]
)
def test_a_line_of_a_code_list_is_found(anna: Staff, issued: Issued, line: str) -> None:
    assert "index 3" in search(anna, line.format(next(code for code in issued.codes if code.index == 3)))


@pytest.mark.parametrize(
    "text", ["order-1 99", "no-such-order 3", ", ,", "x" * 2000, "\u00b4", "7Q4K M2XD", "a b c d e f"]
)
def test_what_names_no_code_is_refused_without_an_echo(anna: Staff, issued: Issued, text: str) -> None:
    assert issued.text(0)
    page = search(anna, text)
    assert "No registered code was found" in page
    assert f">{text}<" not in page


def test_a_picture_of_one_code_leads_to_its_history_and_uses_nothing_up(
    anna: Staff, world: World, issued: Issued
) -> None:
    answer = find(anna, photo_of((issued.text(3), Form.SHORT)))
    assert answer.status_code == 303
    page = anna.follow(answer.location)
    assert "index 3" in page
    assert "No attempts to verify yet." in page
    assert "<dt>Looks</dt><dd>0</dd>" in page
    assert world.state(issued.text(3)) == "unused"
    assert world.verdict(issued.text(3), "the-buyer") == "genuine"


def test_several_codes_of_a_picture_are_listed(anna: Staff, issued: Issued) -> None:
    answer = find(anna, photo_of((issued.text(0), Form.SHORT), (issued.text(4), Form.SHORT)))
    assert "Two codes in the picture" in answer.text
    for index in (0, 4):
        assert f"{issued.batch.order_name}, index {index}" in answer.text
    assert issued.text(0) not in answer.text


def test_codes_beyond_the_most_of_a_picture_are_counted_for_staff_too(
    anna: Staff, issued: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.services.queries.photo_search.MAX_SYMBOLS", 2)
    answer = find(anna, photo_of(*((issued.text(number), Form.SHORT) for number in range(3))))
    assert "not looked up: 1 more." in answer.text


def test_a_code_that_leads_elsewhere_is_named_and_not_opened(anna: Staff, issued: Issued) -> None:
    assert issued.text(0)
    answer = find(anna, foreign_photo("https://verify-tea.example.net/q?id=1"))
    assert answer.status_code == 404
    assert "It leads to verify-tea.example.net; we did not open it." in answer.text
    assert "id=1" not in answer.text
    assert "no web address that is clear" in find(anna, foreign_photo("<script>alert(1)</script>")).text


def test_a_look_alike_is_named_to_staff_as_it_is_to_shoppers(anna: Staff, world: World, tmp_path: Path) -> None:
    shutil.copytree(world.brand.home / "issuer", tmp_path / "issuing" / "issuer")
    issuer = IssuerHome.open(tmp_path / "issuing").unlock("issuer-pass")
    opened = issuer.add_domains({Listing.LOOKALIKE: ["verify-tea.example.net"]}, world.clock.now)
    publish_keyring(world.ctx.db, opened.document, server_id=None, now=world.clock.now)
    answer = find(anna, foreign_photo("https://verify-tea.example.net/q?id=1"))
    assert f"verify-tea.example.net (on the list of {opened.keyring.brand}: a look-alike)" in answer.text


def test_a_signed_code_that_no_batch_has_is_told_as_one(anna: Staff, world: World) -> None:
    unknown = world.codes(world.manifest()[0])[0].code
    answer = find(anna, photo_of((unknown, Form.SHORT)))
    assert "a code of ours that no batch has" in answer.text


def test_a_picture_without_a_code_is_told_what_it_lacks(anna: Staff) -> None:
    stream = BytesIO()
    Image.new("L", (400, 300), 200).save(stream, "PNG")
    stream.seek(0)
    answer = find(anna, stream)
    assert (answer.status_code, heading(answer.text)) == (404, "Find a code")
    assert "No code was" in answer.text


@pytest.mark.parametrize("sent", [None, b"", b"<svg onload=alert(1)>", b"\xff\xd8\xff\xe0cut"])
def test_what_is_no_picture_is_refused_with_a_sentence(anna: Staff, sent: bytes | None) -> None:
    answer = find(anna, None if sent is None else BytesIO(sent))
    assert 400 <= answer.status_code < 500
    assert 'role="alert"' in answer.text
    assert "onload" not in answer.text


def test_a_picture_needs_a_login_and_the_pages_own_form(anna: Staff, world: World, issued: Issued) -> None:
    photo = photo_of((issued.text(0), Form.SHORT))
    assert anna.send("/staff/codes/photo", {"photo": (photo, "picture.png")}).status_code == 400
    stranger = Staff(world.app.test_client())
    photo = photo_of((issued.text(0), Form.SHORT))
    assert stranger.send("/staff/codes/photo", {"photo": (photo, "picture.png")}).status_code in {400, 401}
    assert anna.open("/staff/codes/photo").status_code == 404


def test_the_picture_of_a_voided_code_is_found_too(anna: Staff, world: World, issued: Issued) -> None:
    world.act(issued, ActKind.VOID, "2", reason="torn")
    answer = find(anna, photo_of((issued.text(2), Form.SHORT)))
    assert answer.status_code == 303
    assert "void" in anna.follow(answer.location)
