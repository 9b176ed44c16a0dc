"""The dashboard's form that returns a code to unused."""

from server.services.batches.find import find_code
from tests.server.simulator import Issued, World, both_databases, claim_of
from tests.server.web.dashboard.staff import Staff


def page_of(world: World, issued: Issued) -> str:
    return f"/staff/codes/{find_code(world.ctx, issued.text(0)).id}"


@both_databases
def test_staff_return_a_used_code_with_a_reason_after_reading_what_it_does(world: World, anna: Staff) -> None:
    issued = world.issue()
    unused = page_of(world, issued)
    assert "Return to unused</button>" not in anna.open(unused).text
    world.verdict(issued.text(0), "thief")
    page = page_of(world, issued)
    assert "says for good that it was returned" in anna.open(page).text
    for form, told in (
        ({"reason": "shelf pictures"}, "tick the box"),
        ({"understood": "yes", "reason": " "}, "Give a reason"),
    ):
        assert told in anna.submit(page, form, to=f"{page}/undo")
        assert world.state(issued.text(0)) == "already_verified"
    done = anna.submit(page, {"understood": "yes", "reason": "shelf pictures"}, to=f"{page}/undo")
    assert "Returned to unused." in done
    assert "By staff: shelf pictures" in done
    assert world.state(issued.text(0)) == "unused"
    assert page_of(world, issued) != page
    before = anna.open(page).text
    assert "How the code stands now" in before
    world.verdict(issued.text(0), "buyer")
    assert "Return to unused</button>" not in anna.open(page_of(world, issued)).text
    again = anna.submit(page, {"understood": "yes", "reason": "x"}, to=f"{page}/undo")
    assert "staff returned it before" in again


def test_a_page_that_stood_open_takes_nothing_from_the_next_buyer(world: World, anna: Staff) -> None:
    issued = world.issue()
    world.verdict(issued.text(0), "first")
    page = page_of(world, issued)
    anna.open(page)
    world.client.post("/api/v1/undo", json={"code": issued.text(0), "claim": claim_of("first")})
    assert world.verdict(issued.text(0), "buyer") == "genuine"
    told = anna.submit(page, {"understood": "yes", "reason": "x"}, to=f"{page}/undo")
    assert "this verification has ended since" in told
    assert world.state(issued.text(0)) == "already_verified"


def test_nobody_returns_a_code_without_a_login_or_a_token(world: World, anna: Staff) -> None:
    issued = world.issue()
    world.verdict(issued.text(0), "thief")
    page = page_of(world, issued)
    form = {"understood": "yes", "reason": "x"}
    assert Staff(world.client).send(f"{page}/undo", form).status_code in {400, 401}
    assert anna.send(f"{page}/undo", form).status_code == 400
    assert world.state(issued.text(0)) == "already_verified"
