"""The order of characters in a line, held to another writing of UAX 9."""

from bidi import get_display
from hypothesis import given
from hypothesis import strategies as st

from authcode.print.bidi import is_control, levels, visual_order

LETTERS = "ab1 2.,-+%:/!\u05d0\u05d1\u05d2\u0628\u062c\u0663\u00e9\u65e5"


def shown(text: str) -> str:
    return "".join(text[place] for place in visual_order(levels(text)))


@given(st.text(LETTERS, min_size=1, max_size=30))
def test_the_order_is_that_of_the_other_writing(text: str) -> None:
    assert shown(text) == get_display(text)


def test_a_latin_text_is_left_as_it_is_and_a_hebrew_one_turned() -> None:
    assert shown("Tea 24") == "Tea 24"
    assert shown("\u05d0\u05d1 24 Tea") == "Tea 24 \u05d1\u05d0"
    assert shown("") == ""


@given(st.text(max_size=40))
def test_any_text_keeps_each_of_its_characters(text: str) -> None:
    assert sorted(visual_order(levels(text))) == list(range(len(text)))


def test_controls_are_recognised() -> None:
    assert [one for one in "a\u202eb\u2066\u200d" if is_control(one)] == ["\u202e", "\u2066"]
