"""What a person types as an option's value; a wrong one is answered with what was given, what is expected and how."""

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Final

import click

_DAY: Final = "%Y-%m-%d"
_MOMENTS: Final = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", _DAY)
_MAX_DIGITS: Final = 12
"""More than anybody counts, and far below the length that Python refuses to read as a number."""


class _Day(click.ParamType[date]):
    """A day of the calendar, in the one order that is read alike everywhere (ISO 8601)."""

    name = "YYYY-MM-DD"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, or click's own error."""
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, _DAY).replace(tzinfo=UTC).date()
        except ValueError:
            self.fail(f"{value!r} is no day; write year-month-day, as in 2028-03-31", param, ctx)


def _moment_of(value: str) -> datetime | None:
    for form in _MOMENTS:
        with suppress(ValueError):
            return datetime.strptime(value, form).replace(tzinfo=UTC)
    return None


class _Moment(click.ParamType[datetime]):
    """A moment in UTC: a day, which begins at midnight, or a day and a time."""

    name = "YYYY-MM-DD[THH:MM:SSZ]"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, aware, or click's own error."""
        if isinstance(value, datetime):
            return value
        found = _moment_of(value)
        if found is None:
            expected = "a day or a moment in UTC, as in 2028-03-31 or 2028-03-31T14:30:00Z or '2028-03-31 14:30'"
            self.fail(f"{value!r} is no moment; write {expected}", param, ctx)
        return found


class _WholeNumber(click.ParamType[int]):
    """A number of things in plain digits: what separates thousands here is a decimal mark elsewhere."""

    name = "NUMBER"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or click's own error."""
        if isinstance(value, int):
            return value
        if not value.isascii() or not value.isdigit():
            self.fail(f"{value[:40]!r} is no whole number; write digits alone, as in 5000", param, ctx)
        if len(value) > _MAX_DIGITS:
            self.fail(f"{value[:_MAX_DIGITS]}... has more than {_MAX_DIGITS} digits", param, ctx)
        return int(value)


DAY: Final = _Day()
MOMENT: Final = _Moment()
WHOLE_NUMBER: Final = _WholeNumber()
