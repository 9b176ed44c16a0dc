"""Claims, holder cookies, hashes and page tokens."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.codes.claim import (
    ClaimInvalid,
    check_claim,
    claim_of_holder,
    holder_of_claim,
    is_guessable,
    marks_of,
    read_holder,
    read_page_claim,
)
from server.domain.codes.holder_acts import HolderAct
from server.domain.codes.page_token import PageTokenInvalid, TokenScope, check_page_token, make_page_token
from server.domain.codes.unit import Unit

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
UNIT, OTHER = Unit(row=1, index=2), Unit(row=1, index=3)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TTL = timedelta(minutes=10)
visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)


@given(visible)
def test_every_text_of_visible_ascii_up_to_64_is_a_claim(claim: str) -> None:
    assert check_claim(claim) == claim


@pytest.mark.parametrize("claim", ["", "x" * 65, "with space", "tab\t", "é", "\x7f", "\ud800", None, 5, ["a"]])
def test_anything_else_is_no_claim(claim: object) -> None:
    with pytest.raises(ClaimInvalid) as refused:
        check_claim(claim)
    assert "space" not in str(refused.value)


@given(visible, visible)
def test_a_claim_is_known_again_on_its_unit_only(claim: str, other: str) -> None:
    mark = marks_of(UNIT, claim=claim, cookie=None, key=KEY).claim_hash
    assert mark == marks_of(UNIT, claim=claim, cookie=None, key=KEY).claim_hash
    assert mark != marks_of(OTHER, claim=claim, cookie=None, key=KEY).claim_hash
    assert mark != marks_of(Unit(row=1, index=2, life=1), claim=claim, cookie=None, key=KEY).claim_hash
    assert mark != marks_of(UNIT, claim=claim, cookie=None, key=OTHER_KEY).claim_hash
    assert (mark == marks_of(UNIT, claim=other, cookie=None, key=KEY).claim_hash) == (claim == other)


def test_a_cookie_from_a_claim_has_the_form_of_our_cookies_and_leads_to_claims_for_other_units() -> None:
    holder = holder_of_claim("claim", key=KEY)
    assert read_holder(holder) == holder == holder_of_claim("claim", key=KEY)
    assert claim_of_holder(holder, UNIT) != claim_of_holder(holder, OTHER)
    assert check_claim(claim_of_holder(holder, UNIT))


@pytest.mark.parametrize("cookie", [None, "", "x", "G" * 64, "a" * 63, "a" * 65])
def test_a_cookie_of_another_form_is_no_cookie(cookie: str | None) -> None:
    assert read_holder(cookie) is None


def test_a_token_holds_for_its_unit_and_tier_until_it_expires() -> None:
    token = make_page_token(TokenScope(UNIT, 0), key=KEY, now=NOW, ttl=TTL)
    check_page_token(token, TokenScope(UNIT, 0), key=KEY, now=NOW + TTL)
    for unit, tier, key, now in (
        (OTHER, 0, KEY, NOW),
        (Unit(row=1, index=2, life=1), 0, KEY, NOW),
        (UNIT, 2, KEY, NOW),
        (UNIT, 0, OTHER_KEY, NOW),
        (UNIT, 0, KEY, NOW + TTL + timedelta(seconds=1)),
    ):
        with pytest.raises(PageTokenInvalid):
            check_page_token(token, TokenScope(unit, tier), key=key, now=now)


def test_a_token_of_one_act_confirms_no_other() -> None:
    purposes = ("", *HolderAct)
    for made in purposes:
        token = make_page_token(TokenScope(UNIT, 0, made), key=KEY, now=NOW, ttl=TTL)
        check_page_token(token, TokenScope(UNIT, 0, made), key=KEY, now=NOW)
        for asked in set(purposes) - {made}:
            with pytest.raises(PageTokenInvalid):
                check_page_token(token, TokenScope(UNIT, 0, asked), key=KEY, now=NOW)


def test_a_claim_below_128_bits_can_be_guessed_and_a_page_takes_none() -> None:
    assert read_page_claim("x" * 22) == "x" * 22
    assert (is_guessable("x" * 21), is_guessable("x" * 22)) == (True, False)
    assert read_page_claim("x" * 21) is None


@given(st.text(max_size=60) | st.none())
def test_no_other_text_is_a_token(text: str | None) -> None:
    with pytest.raises(PageTokenInvalid):
        check_page_token(text, TokenScope(UNIT, 0), key=KEY, now=NOW)


@given(st.integers(0, 42), st.integers(33, 126))
def test_every_change_of_a_token_is_noticed(place: int, character: int) -> None:
    token = make_page_token(TokenScope(UNIT, 0), key=KEY, now=NOW, ttl=TTL)
    changed = token[:place] + chr(character) + token[place + 1 :]
    if changed != token:
        with pytest.raises(PageTokenInvalid):
            check_page_token(changed, TokenScope(UNIT, 0), key=KEY, now=NOW)
