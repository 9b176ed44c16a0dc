"""The state order, exhaustively, and unit ids."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.codes.redemption import (
    Conditions,
    Marks,
    Redemption,
    Unit,
    Use,
    Verdict,
    is_holder,
    state_check,
    use_of,
    verdict_of,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=10)
FIRST = Redemption(at=NOW, country="KR", region="11", claim_hash=b"c" * 16, holder_hash=b"h" * 16)

units = st.builds(Unit, row=st.integers(0, 2**25 - 1), index=st.integers(0, 2**35 - 1), life=st.integers(0, 3))


@pytest.mark.parametrize("use", list(Use))
@pytest.mark.parametrize("flags", list(itertools.product((False, True), repeat=6)))
def test_the_state_order_holds_for_every_combination(flags: tuple[bool, ...], use: Use) -> None:
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
    assert verdict_of(conditions, use) == expected
    assert (state_check(conditions) is None) == (
        expected in {"unused", "genuine", "verified_by_you", "already_verified"}
    )


@given(units)
def test_a_unit_id_names_its_unit_and_fits_62_bits(unit: Unit) -> None:
    assert Unit.of_id(unit.id) == unit
    assert 0 <= unit.id < 2**62
    assert unit.id == unit.life * 2**60 + unit.row * 2**35 + unit.index


@given(units, units)
def test_two_units_never_share_an_id(one: Unit, other: Unit) -> None:
    assert (one.id == other.id) == (one == other)


@pytest.mark.parametrize("field", [{"row": 2**25}, {"index": 2**35}, {"life": 4}, {"row": -1}, {"index": -1}])
def test_a_unit_beyond_its_bits_cannot_be_built(field: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Unit(**{"row": 1, "index": 1, **field})


@pytest.mark.parametrize("number", [-1, 2**62])
def test_no_unit_has_an_id_out_of_range(number: int) -> None:
    with pytest.raises(ValueError, match="not a unit id"):
        Unit.of_id(number)


@pytest.mark.parametrize(
    ("marks", "holds"),
    [
        (Marks(claim_hash=b"c" * 16), True),
        (Marks(holder_hash=b"h" * 16), True),
        (Marks(claim_hash=b"x" * 16, holder_hash=b"h" * 16), True),
        (Marks(claim_hash=b"x" * 16, holder_hash=b"y" * 16), False),
        (Marks(), False),
    ],
)
def test_either_hash_makes_the_holder(marks: Marks, *, holds: bool) -> None:
    assert is_holder(FIRST, marks) is holds


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
