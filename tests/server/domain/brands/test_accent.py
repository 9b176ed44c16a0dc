"""Accent colours: whatever a brand chooses, what is shown can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.brands.accent import LEAST_CONTRAST, contrast, is_colour, shades_of

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(colours)
def test_every_colour_has_shades_that_can_be_read_on_both_papers(colour: str) -> None:
    shades = shades_of(colour)
    assert contrast(shades.light, "#ffffff") >= LEAST_CONTRAST
    assert contrast(shades.light_press, "#ffffff") >= LEAST_CONTRAST
    assert contrast(shades.dark, "#121518") >= LEAST_CONTRAST
    assert contrast(shades.dark_press, "#121518") >= LEAST_CONTRAST


def test_a_colour_that_can_be_read_is_left_as_it_is() -> None:
    assert shades_of("#0a4a82").light == "#0a4a82"
    assert shades_of("#9accf8").dark == "#9accf8"


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("text", ["", "red", "#fff", "#0a4a8g", "#0A4A82", "#0a4a82;", "0a4a82", "#0a4a82\n"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    assert not is_colour(text)
