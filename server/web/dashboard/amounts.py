"""Amounts as staff read them."""

_WORDS_UP_TO = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def counted(amount: int, one: str, many: str | None = None) -> str:
    """An amount with its noun; small amounts as words."""
    written = _WORDS_UP_TO[amount] if amount < len(_WORDS_UP_TO) else number(amount)
    return f"{written} {one if amount == 1 else many or one + 's'}"


def number(amount: int) -> str:
    """A whole number with its thousands apart."""
    return f"{amount:,}"
