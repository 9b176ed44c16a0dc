"""Claims, holder cookies, hashes and page tokens."""

import re
import secrets
import string
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.codes.claim import (
    ClaimInvalid,
    ClaimTooWeak,
    belong_together,
    check_claim,
    claim_of_holder,
    holder_of_claim,
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
texts = st.text(st.sampled_from(string.ascii_letters + string.digits + "-_"), min_size=1, max_size=64)


def test_what_programs_draw_at_random_is_a_claim() -> None:
    for draw in (secrets.token_urlsafe, secrets.token_hex, lambda _: str(uuid.uuid4()), lambda _: uuid.uuid4().hex):
        for _ in range(100):
            drawn = draw(16)
            assert check_claim(drawn) == drawn
            assert check_claim(drawn.upper()) == drawn.upper()


@pytest.mark.parametrize("claim", ["", "x" * 65, "with space", "tab\t", "é", "\x7f", "\ud800", "a.b", None, 5, ["a"]])
def test_a_claim_of_other_characters_is_refused_without_being_repeated(claim: object) -> None:
    with pytest.raises(ClaimInvalid) as refused:
        check_claim(claim)
    assert refused.value.code == "claim_invalid"
    assert "space" not in str(refused.value)


@pytest.mark.parametrize(
    "claim",
    [
        "a",
        "order-1001",
        "anna",
        "0123456789abcdefghijk",
        "1" * 22,
        "0" * 10 + "123456789012",
        "ab" * 16,
        "1234567" * 5,
        "abcdefg" * 4,
        "0123-4567-89012345_678",
    ],
)
def test_a_claim_that_can_be_guessed_is_too_weak(claim: str) -> None:
    with pytest.raises(ClaimTooWeak) as refused:
        check_claim(claim)
    assert refused.value.code == "claim_too_weak"


@given(texts)
def test_a_claim_is_kept_as_it_is_or_refused(claim: str) -> None:
    strong = len(claim) >= 22 and not re.fullmatch(r"[0-9_-]+", claim) and len(set(claim)) >= 8
    try:
        assert check_claim(claim) == claim
    except ClaimTooWeak:
        assert not strong
    else:
        assert strong


@given(texts, texts)
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
    assert read_page_claim(claim_of_holder(holder, UNIT))


def test_a_claim_and_the_cookie_made_with_it_belong_together_and_no_others_do() -> None:
    claim = "0123456789abcdef" * 2
    cookie, other = holder_of_claim(claim, key=KEY), "ab" * 32
    for shown in (claim, claim_of_holder(cookie, UNIT)):
        assert belong_together(shown, cookie, UNIT, key=KEY)
        assert not belong_together(shown, other, UNIT, key=KEY)
        assert not belong_together(shown, None, UNIT, key=KEY)
    assert not belong_together(claim_of_holder(cookie, OTHER), cookie, UNIT, key=KEY)
    assert not belong_together(claim, cookie, UNIT, key=OTHER_KEY)


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


@given(st.binary(min_size=16, max_size=16))
def test_a_page_takes_back_every_claim_that_it_can_have_made(drawn: bytes) -> None:
    assert read_page_claim(drawn.hex()) == drawn.hex()


@pytest.mark.parametrize("claim", [None, 5, "", "x" * 32, "0F" * 16, "0f" * 15, "0f" * 17])
def test_a_page_takes_no_claim_that_it_has_not_made(claim: object) -> None:
    assert read_page_claim(claim) is None


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
