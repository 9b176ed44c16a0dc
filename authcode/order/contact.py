"""Whom shoppers of a brand may ask: a mail address, a telephone or web address, or words such as "at the shop"."""

from typing import Final

MAX_CONTACT_CHARACTERS: Final = 200
"""One line on a telephone."""


def is_contact(text: str) -> bool:
    """Whether it can be shown."""
    return 0 < len(text) <= MAX_CONTACT_CHARACTERS and text.isprintable() and not text.isspace()
