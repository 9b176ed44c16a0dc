"""Types of options; a wrong value is answered with what was given, what is expected, and an example."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Final, Generic, TypeVar

import click

_Value = TypeVar("_Value")

_MOMENTS: Final = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_MAX_DIGITS: Final = 12
"""More than an order can have, and far below the length that Python refuses to read as a number."""


class _Typed(click.ParamType[_Value], Generic[_Value]):
    """An option's type by a function that raises ValueError with the sentence for the user."""

    def __init__(self, name: str, read: Callable[[str], _Value]) -> None:
        self.name, self._read = name, read

    def convert(self, value: str | _Value, param: click.Parameter | None, ctx: click.Context | None) -> _Value:
        """The value, or click's own error."""
        if not isinstance(value, str):
            return value  # a default
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _read_moment(value: str) -> datetime:
    for form in _MOMENTS:
        with suppress(ValueError):
            return datetime.strptime(value, form).replace(tzinfo=UTC)
    expected = "a day or a moment in UTC, as in 2028-03-31 or 2028-03-31T14:30:00Z or '2028-03-31 14:30'"
    raise ValueError(f"{value!r} is no moment; write {expected}")


def _read_day(value: str) -> date:
    with suppress(ValueError):
        return datetime.strptime(value, _MOMENTS[-1]).replace(tzinfo=UTC).date()
    raise ValueError(f"{value!r} is no day; write year-month-day, as in 2028-03-31")


def _read_whole_number(value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise ValueError(f"{value[:40]!r} is no whole number; write digits alone, as in 5000")
    if len(value) > _MAX_DIGITS:
        raise ValueError(f"{value[:_MAX_DIGITS]}... has more than {_MAX_DIGITS} digits")
    return int(value)


DAY: Final = _Typed("YYYY-MM-DD", _read_day)
MOMENT: Final = _Typed("YYYY-MM-DD[THH:MM:SSZ]", _read_moment)
"""A moment, aware and in UTC: a day, which begins at midnight, or a day and a time."""
WHOLE_NUMBER: Final = _Typed("NUMBER", _read_whole_number)
"""Plain digits: what separates thousands here is a decimal mark elsewhere."""
