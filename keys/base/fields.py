"""A strict reader of JSON objects: every field is read by name, kind and bounds, and anything else is refused.

Signed payloads, key files and trust files are read through it, so that hostile text can raise nothing but ValueError,
which each format turns into its own error. Unknown fields are ignored: what a reader cannot do without gets a new
format number.
"""

import json
import re
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NoReturn, Self, TypeVar

from keys.base.instants import parse_instant

_Choice = TypeVar("_Choice", bound=StrEnum)
_HEX = re.compile("(?:[0-9a-f]{2})*")

MAX_DEPTH: Final = 16
"""Levels of a JSON text: four times what ours have, and what every reader can follow."""


def _object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is named twice")
    return found


def _refuse_number(_text: str) -> NoReturn:
    raise ValueError("not a whole number")


def _check_values(value: object, depth: int) -> None:
    """Refuse what readers of JSON disagree about: how deep it may nest, and halves of a surrogate pair."""
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, dict):
        for name, inner in value.items():
            name.encode("utf-8")
            _check_values(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_values(inner, depth + 1)


class Fields:
    """The fields of one JSON object."""

    __slots__ = ("_values",)

    def __init__(self, values: object) -> None:
        """Read from `values`, which must be a JSON object (else ValueError)."""
        if not isinstance(values, dict):
            raise ValueError("an object is expected")  # noqa: TRY004 - wrong content, not a wrong call
        self._values: dict[str, Any] = values

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Read a JSON object in UTF-8 (docs/format.md §1), or raise ValueError.

        Refused are a field named twice, a number that is not whole, lone surrogates, and more than `MAX_DEPTH` levels.
        """
        try:
            decoded = text.decode("utf-8") if isinstance(text, bytes) else text
            decoded.encode("utf-8")
            values = json.loads(
                decoded, object_pairs_hook=_object_of, parse_constant=_refuse_number, parse_float=_refuse_number
            )
            _check_values(values, 1)
            return cls(values)
        except RecursionError:
            raise ValueError("nested too deeply") from None

    def text(self, name: str, *, longest: int = 10_000) -> str:
        """A string of 1 to `longest` characters, encodable as UTF-8."""
        value = self._values.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            raise ValueError(f"{name} must be a text of 1 to {longest} characters")
        value.encode("utf-8")
        return value

    def text_or_none(self, name: str, *, longest: int = 10_000) -> str | None:
        """As `text`, or null, or left out."""
        return None if self._values.get(name) is None else self.text(name, longest=longest)

    def number(self, name: str, *, low: int, high: int) -> int:
        """An integer from `low` to `high`."""
        value = self._values.get(name)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{name} must be an integer from {low} to {high}")
        return value

    def instant(self, name: str) -> datetime:
        """A moment (aware UTC), written as `keys.base.instants` does."""
        return parse_instant(self.text(name, longest=20))

    def binary(self, name: str, *, n_bytes: int) -> bytes:
        """Exactly `n_bytes` bytes in lower-case hexadecimal."""
        value = self.text(name, longest=2 * n_bytes)
        if len(value) != 2 * n_bytes or _HEX.fullmatch(value) is None:
            raise ValueError(f"{name} must be {n_bytes} bytes in lower-case hexadecimal")
        return bytes.fromhex(value)

    def binary_or_none(self, name: str, *, n_bytes: int) -> bytes | None:
        """As `binary`, or null, or left out."""
        return None if self._values.get(name) is None else self.binary(name, n_bytes=n_bytes)

    def choice(self, name: str, kind: type[_Choice]) -> _Choice:
        """One of the values of the enumeration `kind`."""
        value = self.text(name)
        if value not in list(kind):
            raise ValueError(f"{name} must be one of {', '.join(kind)}")
        return kind(value)

    def texts(self, name: str, *, most: int, longest: int) -> tuple[str, ...]:
        """A list of at most `most` strings of 1 to `longest` characters each."""
        items = self._items(name, most)
        if not all(isinstance(item, str) and 1 <= len(item) <= longest for item in items):
            raise ValueError(f"{name} must hold texts of 1 to {longest} characters")
        for item in items:
            item.encode("utf-8")
        return tuple(items)

    def objects(self, name: str, *, most: int) -> tuple["Fields", ...]:
        """A list of at most `most` objects."""
        return tuple(Fields(item) for item in self._items(name, most))

    def nested(self, name: str) -> "Fields":
        """An object within this one."""
        return Fields(self._values.get(name))

    def values(self) -> dict[str, object]:
        """All fields as they were read, for formats that compare or carry them whole."""
        return dict(self._values)

    def _items(self, name: str, most: int) -> list[Any]:
        value = self._values.get(name)
        if not isinstance(value, list) or len(value) > most:
            raise ValueError(f"{name} must be a list of at most {most}")
        return value
