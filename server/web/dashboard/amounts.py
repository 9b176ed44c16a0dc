"""Amounts as staff read them."""

_WORDS_UP_TO = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def counted(amount: int, one: str, many: str | None = None) -> str:
    """An amount with its noun; small amounts as words."""
    return f"{written(amount)} {one if amount == 1 else many or one + 's'}"


def written(amount: int) -> str:
    """An amount alone; a small one as a word."""
    return _WORDS_UP_TO[amount] if amount < len(_WORDS_UP_TO) else number(amount)


def number(amount: int) -> str:
    """A whole number with its thousands apart."""
    return f"{amount:,}"
