"""The error tree: stable codes, sentences that say what to do."""

import inspect
import re

import pytest

from keys.base import errors
from keys.base.errors import AuthcodeError

LEAVES = [
    leaf
    for _name, leaf in inspect.getmembers(errors, inspect.isclass)
    if issubclass(leaf, AuthcodeError) and leaf is not AuthcodeError
]


def test_every_leaf_has_a_code_of_its_own_made_of_its_name() -> None:
    codes = [leaf.code for leaf in LEAVES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in codes)
    made_of_name = {re.sub("(?<!^)(?=[A-Z])", "_", leaf.__name__).lower() for leaf in LEAVES}
    assert made_of_name == set(codes)


def test_every_leaf_has_a_status_of_a_refused_request() -> None:
    assert all(400 <= leaf.http_status < 500 for leaf in LEAVES)


class _Named(AuthcodeError):
    """An error for these tests."""

    code = "named"
    sentence = "{name!r} is too {what}, by {by:.1f}"
    name: str
    by: float = 1.25

    @property
    def what(self) -> str:
        """What is wrong, as a word."""
        return "long" if self.by > 0 else "short"


def test_a_declared_error_writes_its_facts_into_its_sentence_and_keeps_them() -> None:
    error = _Named("a{b}", by=-2)
    assert (str(error), error.name, error.by) == ("'a{b}' is too short, by -2.0", "a{b}", -2)
    assert str(_Named(name="x")) == "'x' is too long, by 1.2"


@pytest.mark.parametrize(("values", "named"), [((), {}), (("x", 1.0, 2), {}), (("x",), {"other": 1})])
def test_a_declared_error_takes_its_own_facts_and_no_others(
    values: tuple[object, ...], named: dict[str, object]
) -> None:
    with pytest.raises(TypeError, match="_Named takes name, by"):
        _Named(*values, **named)  # type: ignore[arg-type]


class _Parts(AuthcodeError):
    """An error whose sentence names an attribute and an item of its facts."""

    code = "parts"
    sentence = "{number.real:g} of {sides[0]:g} x {sides[1]:g}"
    number: complex
    sides: tuple[float, float]


def test_a_sentence_may_name_attributes_and_items_of_a_fact() -> None:
    assert str(_Parts(2 + 1j, (3.0, 4.5))) == "2 of 3 x 4.5"
