"""The state order, exhaustively, and what an earlier use makes of the verdict."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.codes.redemption import Marks, Redemption
from server.domain.codes.verdict import Conditions, Use, Verdict, state_check, use_of, verdict_of

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=10)
FIRST = Redemption(at=NOW, country="KR", region="11", claim_hash=b"c" * 16, holder_hash=b"h" * 16)


@pytest.mark.parametrize("use", list(Use))
def test_the_state_order_holds_for_every_combination(use: Use) -> None:
    for flags in itertools.product((False, True), repeat=6):
        assert_state_order(flags, use)


def assert_state_order(flags: tuple[bool, ...], use: Use) -> None:
    recalled, voided, sample, expired, activated, locked = flags
    conditions = Conditions(
        recalled=recalled, voided=voided, sample=sample, expired=expired, activated=activated, locked=locked
    )
    # A second statement of the order, from the weakest to the strongest: the last one that holds is said.
    expected = {
        Use.NONE: "unused",
        Use.OWN_NOW: "genuine",
        Use.OWN_LATER: "verified_by_you",
        Use.OTHER: "already_verified",
    }[use]
    if locked:
        expected = "locked"
    if not activated:
        expected = "not_activated"
    if expired:
        expected = "expired"
    if sample:
        expected = "sample"
    if voided:
        expected = "void"
    if recalled:
        expected = "recalled"
    assert verdict_of(conditions, use) == expected, conditions
    assert (state_check(conditions) is None) == (
        expected in {"unused", "genuine", "verified_by_you", "already_verified"}
    )


@given(st.integers(0, 10**6))
def test_the_repeat_window_ends_after_ten_minutes(seconds: int) -> None:
    use = use_of(FIRST, Marks(claim_hash=b"c" * 16), now=NOW + timedelta(seconds=seconds), repeat_window=WINDOW)
    assert use is (Use.OWN_NOW if seconds <= 600 else Use.OWN_LATER)


def test_another_asker_is_another_whenever_they_come() -> None:
    assert use_of(FIRST, Marks(claim_hash=b"x" * 16), now=NOW, repeat_window=WINDOW) is Use.OTHER
    assert use_of(None, Marks(claim_hash=b"c" * 16), now=NOW, repeat_window=WINDOW) is Use.NONE


def test_every_verdict_of_the_interface_is_there_and_no_other() -> None:
    stable = (
        "genuine verified_by_you already_verified not_activated expired recalled void locked sample not_ours unused "
        "withheld"
    )
    assert {verdict.value for verdict in Verdict} == set(stable.split())
