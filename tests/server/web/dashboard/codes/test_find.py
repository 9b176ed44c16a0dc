"""Staff put a picture into the search: one code leads to its history, several are listed, none is used up."""

import shutil
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
