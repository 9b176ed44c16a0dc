"""Unit ids: one for each unit, within 62 bits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.codes.unit import Unit

units = st.builds(Unit, row=st.integers(0, 2**25 - 1), index=st.integers(0, 2**35 - 1), life=st.integers(0, 3))


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
