"""Acts on ranges: the latest of a kind decides, and the balance of a batch always adds up."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.batches.range_act import (
    ActDetails,
    ActKind,
    RangeAct,
    RangeInvalid,
    Withdrawal,
    check_details,
    read_range,
    standing_of,
    stretches,
)
from server.domain.codes.verdict import Verdict, state_check

COUNT = 12
TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@st.composite
def acts(draw: st.DrawFn) -> list[RangeAct]:
    made = []
    for number in range(draw(st.integers(0, 8))):
        first = draw(st.integers(0, COUNT - 1))
        expires = draw(st.sampled_from([None, date(2026, 11, 20), TODAY, date(2027, 1, 1)]))
        made.append(
            RangeAct(
                number=number,
                kind=draw(st.sampled_from(ActKind)),
                first=first,
                last=draw(st.integers(first, COUNT - 1)),
                actor="anna",
                at=NOW + timedelta(hours=number),
                details=ActDetails(expires=expires, lot=f"L{number}"),
            )
        )
    return made


@given(acts())
def test_the_latest_act_of_a_kind_on_an_index_decides(made: list[RangeAct]) -> None:
    for index in range(COUNT):
        standing = standing_of(made, index)
        by_kind = {
            ActKind.ACTIVATE: standing.activation,
            ActKind.VOID: standing.void,
            ActKind.RECALL: standing.recall,
            ActKind.SAMPLE: standing.sample,
        }
        for kind, found in by_kind.items():
            covering = [act for act in made if act.kind is kind and act.first <= index <= act.last]
            assert found == (covering[-1] if covering else None)


@given(acts())
def test_a_lock_holds_until_a_later_unlock(made: list[RangeAct]) -> None:
    for index in range(COUNT):
        both = [act for act in made if act.kind in {ActKind.LOCK, ActKind.UNLOCK} and act.covers(index)]
        locked = bool(both) and both[-1].kind is ActKind.LOCK
        standing = standing_of(made, index)
        assert standing.lock == (both[-1] if locked else None)
        assert standing.conditions(today=TODAY).locked is locked


WITHDRAWALS = st.builds(
    Withdrawal,
    since=st.integers(0, 9).map(lambda hours: NOW + timedelta(hours=hours)),
    registered_at=st.sampled_from([NOW - timedelta(hours=1), NOW + timedelta(hours=4)]),
    locks=st.booleans(),
)


@given(acts(), WITHDRAWALS)
def test_any_activation_before_a_withdrawal_puts_a_unit_into_the_world(
    made: list[RangeAct], withdrawal: Withdrawal
) -> None:
    for index in range(COUNT):
        activated = [act.at for act in made if act.kind is ActKind.ACTIVATE and act.covers(index)]
        before = withdrawal.registered_at < withdrawal.since and any(at < withdrawal.since for at in activated)
        conditions = standing_of(made, index).conditions(today=TODAY, withdrawal=withdrawal)
        assert conditions.not_ours is not before
        assert conditions.locked or not withdrawal.locks
        assert (state_check(conditions) is Verdict.NOT_OURS) is not before


@given(acts(), st.none() | WITHDRAWALS)
def test_stretches_cover_every_index_once_and_say_what_each_unit_would_say(
    made: list[RangeAct], withdrawal: Withdrawal | None
) -> None:
    pieces = stretches(made, count=COUNT, today=TODAY, withdrawal=withdrawal)
    assert [index for piece in pieces for index in range(piece.first, piece.last + 1)] == list(range(COUNT))
    assert sum(piece.count for piece in pieces) == COUNT
    for piece in pieces:
        for index in range(piece.first, piece.last + 1):
            alone = (
                state_check(standing_of(made, index).conditions(today=TODAY, withdrawal=withdrawal)) or Verdict.UNUSED
            )
            assert alone is piece.state
    assert all(one.state is not two.state for one, two in pairwise(pieces))


def test_a_pack_is_good_until_the_end_of_its_date() -> None:
    act = RangeAct(
        number=1, kind=ActKind.ACTIVATE, first=0, last=0, actor="a", at=NOW, details=ActDetails(expires=TODAY)
    )
    assert not standing_of([act], 0).conditions(today=TODAY).expired
    assert standing_of([act], 0).conditions(today=date(2026, 11, 22)).expired


@pytest.mark.parametrize(
    ("text", "range_"), [(None, (0, 9)), ("0-9", (0, 9)), ("3-3", (3, 3)), ("7", (7, 7)), ("00-02", (0, 2))]
)
def test_a_range_is_read_as_written(text: str | None, range_: tuple[int, int]) -> None:
    assert read_range(text, count=10) == range_


@pytest.mark.parametrize(
    "text", ["", "-", "3-", "-3", "a-b", "1-2-3", "5-4", "0-10", "10", " 1-2", "1 - 2", "²-3", "1" * 50, "+1-2"]
)
def test_a_range_out_of_form_or_out_of_the_batch_is_refused(text: str) -> None:
    with pytest.raises(RangeInvalid) as refused:
        read_range(text, count=10)
    assert refused.value.code == "range_invalid"


@given(st.integers(0, 20), st.integers(0, 20))
def test_only_ranges_within_the_batch_pass(first: int, last: int) -> None:
    if first <= last < COUNT:
        assert read_range(f"{first}-{last}", count=COUNT) == (first, last)
    else:
        with pytest.raises(RangeInvalid):
            read_range(f"{first}-{last}", count=COUNT)


def test_texts_lose_the_spaces_around_them_and_markets_are_country_codes_each_once() -> None:
    assert check_details(ActDetails(reason=" it leaks ")).reason == "it leaks"
    with pytest.raises(RangeInvalid):
        check_details(ActDetails(reason=" "))
    assert check_details(ActDetails(markets=("kr", " JP ", "KR"))).markets == ("KR", "JP")


@pytest.mark.parametrize(
    ("details", "said"),
    [
        (ActDetails(markets=("KR;JP",)), "'KR;JP' is no country. Give markets as two-letter country codes"),
        (ActDetails(markets=("uk",)), "'UK' is no country (the United Kingdom is GB)."),
        (ActDetails(lot="x" * 201), "The lot must be 1 to 200 printable characters; this has 201."),
        (ActDetails(link="example.com"), "as in https://example.com/recall."),
    ],
)
def test_a_refused_detail_is_answered_with_what_was_given_or_what_is_expected(details: ActDetails, said: str) -> None:
    with pytest.raises(RangeInvalid) as refused:
        check_details(details)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "details",
    [
        ActDetails(markets=("KOR",)),
        ActDetails(markets=("K1",)),
        ActDetails(markets=("XX",)),
        ActDetails(markets=("EU",)),
        ActDetails(markets=("",)),
        ActDetails(markets=tuple(a + b for a in "ABCDEFGH" for b in "ABCDEFGH")),
        ActDetails(lot=""),
        ActDetails(lot="x" * 201),
        ActDetails(reason="two\nlines"),
        ActDetails(link="javascript:alert(1)"),
    ],
)
def test_details_out_of_form_are_refused(details: ActDetails) -> None:
    with pytest.raises(RangeInvalid):
        check_details(details)
