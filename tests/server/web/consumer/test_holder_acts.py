"""Undo, handing on and erasure on a code's page: said plainly first, done after, and by the holder only."""

import re

import pytest

from server.domain.batches.range_act import ActKind
from tests.server.simulator import Issued, World
from tests.server.web.consumer.receipts import BEFORE, MINE, keep_code_on, proof_on
from tests.server.web.pages import Browser, heading, hidden, target

ASKS = {
    "undo": "Return this code to unused?",
    "hand_on": "Hand the receipt on to somebody?",
    "erase": "Erase what we keep about you?",
}
DONE = {
    "undo": "This code is unused again",
    "hand_on": "Handed on: give them this keep-code",
    "erase": "What we kept about you is erased",
}


@pytest.fixture
def issued(world: World) -> Issued:
    return world.issue()


@pytest.fixture
def page(issued: Issued) -> str:
    return target(issued.text(0))


def asked(browser: Browser, page: str, act: str, **shown: str) -> str:
    """Press the button of an act; the page that says what it will do."""
    answer = browser.send(page, {"act": act, **shown})
    assert answer.status_code == 200, answer.text
    assert heading(answer.text) == ASKS[act]
    return answer.text


def confirmed(browser: Browser, page: str, act: str, **shown: str) -> str:
    answer = browser.send(page, hidden(asked(browser, page, act, **shown)))
    assert answer.status_code == 200, answer.text
    assert heading(answer.text) == DONE[act]
    return answer.text


def heading_for(world: World, page: str) -> str:
    """What a stranger's look page says."""
    return heading(Browser(world.client).open(page).text)


def test_the_holders_page_offers_all_three_and_says_until_when(world: World, shopper: Browser, page: str) -> None:
    shopper.verify(page)
    world.clock.forward(hours=1)
    html = shopper.open(page).text
    assert "Undo it until <" not in html
    assert "Verified by mistake? Undo it until 22 November 2026, 21:00 GMT+09:00" in html
    assert "Giving or selling it? Hand the receipt on" in html
    assert re.findall(r'name="act" value="(\w+)"', html) == ["give", "hand_on", "undo", "erase"]
    for anchor in ("hand_on", "undo"):
        assert f'href="#{anchor}"' in html
        assert f'id="{anchor}"' in html
    world.clock.forward(hours=24)
    later = shopper.open(page).text
    assert re.findall(r'name="act" value="(\w+)"', later) == ["give", "hand_on", "erase"]
    assert "Undo it until" not in later


def test_asking_changes_nothing(world: World, shopper: Browser, page: str) -> None:
    shopper.verify(page)
    for act in ASKS:
        asked(shopper, page, act)
    world.clock.forward(hours=1)
    assert heading(shopper.open(page).text) == MINE


def test_an_undone_code_says_on_every_page_that_it_was_returned(world: World, shopper: Browser, page: str) -> None:
    proof = proof_on(shopper.verify(page).text)
    done = confirmed(shopper, page, "undo")
    gone = shopper.open(f"/proof/{proof}").text
    assert heading(gone) == "This receipt is no longer on record"
    assert "returned to unused on 21 November 2026 (UTC) by its holder" in gone
    assert "returned to unused on 21 November 2026 (today) by its holder" in done
    look = shopper.open(page).text
    assert heading(look).endswith(": returned to unused")
    assert "returned to unused on 21 November 2026 (today) by its holder" in look
    again = shopper.verify(page).text
    assert heading(again) == "Genuine code, once returned to unused"
    assert "nobody had verified it before you" not in again
    assert "returned to unused on 21 November 2026 by its holder" in again
    assert 'value="undo"' not in again
    stranger = Browser(world.client).open(page).text
    assert heading(stranger) == BEFORE
    assert "once returned to unused: on 21 November 2026 (today), by its holder" in stranger


def test_a_form_opened_before_an_undo_and_sent_after_it_burns_nothing(
    world: World, shopper: Browser, issued: Issued, page: str
) -> None:
    """Its token names the life that ended: who sends it is shown first what happened meanwhile."""
    early = Browser(world.client)
    form = hidden(early.open(page).text)
    shopper.verify(page)
    confirmed(shopper, page, "undo")
    sent = early.send(page, form)
    assert (sent.status_code, heading(sent.text)) == (409, heading(early.open(page).text))
    assert "returned to unused on 21 November 2026 (today) by its holder" in sent.text
    assert world.state(issued.text(0)) == "unused"
    again = early.send(page, hidden(sent.text))
    assert (again.status_code, heading(again.text)) == (200, "Genuine code, once returned to unused")


def test_a_page_that_was_open_too_long_asks_once_more(world: World, shopper: Browser, page: str) -> None:
    shopper.verify(page)
    form = hidden(asked(shopper, page, "undo"))
    world.clock.forward(minutes=11)
    late = shopper.send(page, form)
    assert (late.status_code, heading(late.text)) == (409, ASKS["undo"])
    assert "nothing has changed" in late.text
    assert heading(shopper.send(page, hidden(late.text)).text) == DONE["undo"]


def test_a_token_confirms_what_it_was_made_for_and_nothing_else(
    world: World, shopper: Browser, issued: Issued, page: str
) -> None:
    """Neither the token of another act nor that of another code, nor the one that verifies."""
    other = target(issued.text(1))
    verifying = hidden(shopper.open(page).text)["token"]
    shopper.verify(page)
    shopper.verify(other)
    tokens = [
        verifying,
        hidden(asked(shopper, page, "hand_on"))["token"],
        hidden(asked(shopper, other, "undo"))["token"],
    ]
    for token in tokens:
        answer = shopper.send(page, {"act": "undo", "token": token})
        assert (answer.status_code, heading(answer.text)) == (409, ASKS["undo"])
    assert heading_for(world, page) == BEFORE


def test_a_form_from_elsewhere_does_nothing(world: World, shopper: Browser, page: str) -> None:
    shopper.verify(page)
    form = hidden(asked(shopper, page, "erase"))
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert shopper.send(page, form, **headers).status_code == 409
    world.clock.forward(hours=1)
    assert heading(shopper.open(page).text) == MINE


@pytest.mark.parametrize("act", ASKS)
def test_a_stranger_gets_the_codes_page_and_no_more(act: str, world: World, shopper: Browser, page: str) -> None:
    shopper.verify(page)
    token = hidden(asked(shopper, page, act))["token"]
    stranger = Browser(world.client)
    for form in ({"act": act}, {"act": act, "token": token}, {"act": act, "token": token, "claim": "f" * 32}):
        answer = stranger.send(page, form)
        assert (answer.status_code, heading(answer.text)) == (409, BEFORE)
    assert heading(shopper.open(page).text) != BEFORE


def test_the_keep_code_does_all_of_it_in_another_browser_without_a_cookie(
    world: World, shopper: Browser, page: str
) -> None:
    keep_code = keep_code_on(shopper.verify(page).text)
    elsewhere = Browser(world.client)
    mine = elsewhere.send(page, {"keep_code": keep_code}).text
    form = re.search(r'<form class="hold" id="undo".*?</form>', mine, re.DOTALL)
    assert form is not None
    confirmed(elsewhere, page, "undo", **hidden(form.group()))  # type: ignore[arg-type]
    assert heading_for(world, page).endswith("returned to unused")


def test_guesses_in_an_act_end_like_all_others(world: World, shopper: Browser, page: str) -> None:
    from tests.server.services.holders.guesses import wrong

    keep_code = keep_code_on(shopper.verify(page).text)
    stranger = Browser(world.client)
    for number in range(5):
        assert stranger.send(page, {"act": "erase", "keep_code": wrong(number)}).status_code == 409
    spent = stranger.send(page, {"act": "erase", "keep_code": keep_code})
    assert (spent.status_code, heading(spent.text)) == (429, "Please try again tomorrow")
    assert stranger.send(page, {"act": "erase", "keep_code": "nonsense"}).status_code == 409


def test_a_product_is_handed_on_and_the_next_owner_sees_how_often(world: World, shopper: Browser, page: str) -> None:
    first = shopper.verify(page).text
    done = confirmed(shopper, page, "hand_on")
    handed = keep_code_on(done)
    assert handed != keep_code_on(first)
    assert 'name="act"' not in done
    assert "The next owner&#39;s receipt" in done
    world.clock.forward(hours=1)
    theirs = shopper.open(page).text
    assert heading(theirs) == "You handed this on"
    assert "On 21 November 2026 it went to its next owner" in theirs
    assert "tell Example Tea" not in theirs
    buyer = Browser(world.client)
    refused = buyer.send(page, {"keep_code": keep_code_on(first)}).text
    assert "or it was handed on" in refused
    mine = buyer.send(page, {"keep_code": handed}).text
    assert heading(mine) == "This code was handed on to you"
    assert "It was first verified on 21 November 2026" in mine
    assert "owner number 2" in mine
    assert "Undo it until" not in mine
    own = keep_code_on(confirmed(buyer, page, "hand_on", keep_code=handed))
    world.clock.forward(minutes=11)
    assert "owner number 3" in buyer.send(page, {"keep_code": own}).text
    assert "or it was handed on" in buyer.send(page, {"keep_code": handed}).text


def test_a_next_owner_is_never_told_that_they_verified_it(
    world: World, shopper: Browser, issued: Issued, page: str
) -> None:
    from tests.server.web.consumer.receipts import words_of

    shopper.verify(page)
    handed = keep_code_on(confirmed(shopper, page, "hand_on"))
    buyer = Browser(world.client)
    told = [
        buyer.send(page, {"keep_code": handed}).text,
        words_of(buyer.send(page, {"keep_code": handed, "receipt": "save"}).data),
        asked(buyer, page, "erase", keep_code=handed),
    ]
    world.act(issued, ActKind.RECALL, "0", reason="leaks")
    told.append(buyer.send(page, {"keep_code": handed}).text)
    for text in told:
        assert not re.search(r"[Yy]ou verified|it was you", text)
    assert "first verified on 21 November 2026 (1 minute ago), before it was handed on to you" in told[-1]
    assert "handed on to you" in told[1]


def test_a_handed_on_receipt_says_so_on_its_page_and_the_new_one_holds(shopper: Browser, page: str) -> None:
    old = proof_on(shopper.verify(page).text)
    new = proof_on(confirmed(shopper, page, "hand_on"))
    gone = shopper.open(f"/proof/{old}").text
    assert heading(gone) == "This receipt is no longer on record"
    assert "handed on to its next owner on 21 November 2026" in gone
    assert heading(shopper.open(f"/proof/{new}").text) == "This receipt holds"


def test_the_fourth_time_in_a_day_waits(shopper: Browser, page: str) -> None:
    keep_code = keep_code_on(shopper.verify(page).text)
    for _ in range(3):
        keep_code = keep_code_on(confirmed(shopper, page, "hand_on", keep_code=keep_code))
    refused = shopper.send(page, {"act": "hand_on", "keep_code": keep_code})
    assert (refused.status_code, heading(refused.text)) == (409, "Please hand it on another day")


def test_what_erasing_does_is_said_before_it_is_done(shopper: Browser, page: str) -> None:
    proof = proof_on(shopper.verify(page).text)
    question = asked(shopper, page, "erase")
    for sentence in ("The code stays verified", "This can&#39;t be taken back", "nobody can show any more"):
        assert sentence in question
    confirmed(shopper, page, "erase")
    assert heading(shopper.open(page).text) == BEFORE
    gone = shopper.open(f"/proof/{proof}").text
    assert "had what was kept of it erased" in gone
    assert heading(shopper.send(page, {"act": "erase"}).text) == BEFORE


def test_who_undid_is_offered_erasure_in_words_that_are_true_then(shopper: Browser, page: str) -> None:
    shopper.verify(page)
    done = confirmed(shopper, page, "undo")
    assert re.findall(r'name="act" value="(\w+)"', done) == ["erase"]
    question = asked(shopper, page, "erase")
    erased = shopper.send(page, hidden(question)).text
    assert heading(erased) == DONE["erase"]
    for html in (done, question, erased):
        assert "The code stays verified" not in html
    assert heading(shopper.open(page).text).endswith("returned to unused")
    assert shopper.send(page, {"act": "erase"}).status_code == 409


def test_a_recalled_code_offers_erasure_alone_and_answers_with_the_recall(
    world: World, shopper: Browser, issued: Issued, page: str
) -> None:
    shopper.verify(page)
    world.act(issued, ActKind.RECALL, "0", reason="leaks")
    html = shopper.open(page).text
    assert re.findall(r'name="act" value="(\w+)"', html) == ["erase"]
    answer = shopper.send(page, {"act": "undo"})
    assert answer.status_code == 409
    assert heading(answer.text) == heading(html)


def test_a_late_undo_is_told_kindly(world: World, shopper: Browser, page: str) -> None:
    shopper.verify(page)
    world.clock.forward(hours=25)
    answer = shopper.send(page, {"act": "undo"})
    assert (answer.status_code, heading(answer.text)) == (409, "This verification can&#39;t be undone")
    assert "nothing has changed" in answer.text


def test_the_head_before_a_verification_stands_on_its_proofs_page_and_on_paper(
    world: World, shopper: Browser, page: str
) -> None:
    from server.services.log.heads import sign_newest_head
    from tests.server.web.consumer.receipts import words_of

    sign_newest_head(world.ctx.db, world.ctx.keys.log_head, now=world.clock.now)
    proof = proof_on(shopper.verify(page).text)
    head = world.ctx.keys.proofs.open(proof).log_head
    assert head is not None
    assert head.replace("+", "&#43;") in shopper.open(f"/proof/{proof}").text.replace("+", "&#43;")
    for file in (
        shopper.open(f"/proof/{proof}/receipt.pdf").data,
        shopper.send(page, {"receipt": "save"}).data,
    ):
        printed = words_of(file)
        assert "Last head of the log before it" in printed
        assert head.split(" ")[2] in printed.replace(" ", "")
