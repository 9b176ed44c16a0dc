"""Which unit a text names that staff paste or type: a code, a serial, order and index, or a line of a code list."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from authcode.code.payload import NotOurs
from authcode.code.serial import TypedSerialInvalid, read_copied_serial
from keys.base.errors import AuthcodeError
from keys.base.typed_text import pasted_token, plain_text
from server.domain.batches.range_act import read_index
from server.domain.codes.unit import Unit
from server.runtime.context import Context
from server.services.batches.range_acts import OrderUnknown, find_order
from server.services.codes.resolve import resolve, resolve_serial, verified
from server.storage.engine import Connection
from server.storage.redemptions import unit_life

MAX_SEARCH_CHARACTERS = 1024
"""A line of a code list has about 200; no search needs more."""

_QWERTZ = str.maketrans("YZyz\N{LATIN CAPITAL LETTER O WITH DIAERESIS}-_?\N{LATIN SMALL LETTER SHARP S}", "ZYzy:/?_-")
_AZERTY = str.maketrans(
    "QAZWqazwM,?:!\N{SECTION SIGN})\N{DEGREE SIGN}\xe0&\xe9\"'(-\xe8_\xe7", "AQWZaqwz:mM./?-_0123456789"
)
"""The characters of codes, as a hand scanner that presses the keys of a US keyboard writes them on a computer with a
German or a French layout, back into what it read."""
_DEAD_ACUTE = re.compile("\N{ACUTE ACCENT}|(.)\N{COMBINING ACUTE ACCENT}")  # the German key in the place of "="
_MAX_FIELDS = 8  # a line of a code list has four; a serial is tried with each serial key
_FIELDS = re.compile(r"[\s,;|\"]+")


class CodeUnknown(AuthcodeError):
    """Nothing that was pasted or typed names a registered unit."""

    code = "code_unknown"
    http_status = 404
    sentence = "No registered code was found; paste a code, type its serial, or write ORDER:INDEX."


class ScannerFault(StrEnum):
    """How a hand scanner, which types like a keyboard, changed the code that it read."""

    CAPS_LOCK = "caps_lock"
    LAYOUT = "layout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The unit that a text names, in its present life; `fault` where a hand scanner has a setting to change."""

    unit: Unit
    fault: ScannerFault | None = None


def find_code(ctx: Context, text: str) -> Unit:
    """The unit that a pasted code, a typed serial, `ORDER:INDEX` or a line of a code list names, in its present life.

    Raises:
        CodeUnknown: none of these.
    """
    return search_code(ctx, text).unit


def search_code(ctx: Context, text: str) -> Found:
    """The same, with what a hand scanner did to the text.

    Raises:
        CodeUnknown: none of these.
    """
    with ctx.db.read() as connection:
        return _found(ctx, connection, text)


def unit_named(ctx: Context, connection: Connection, text: str) -> Unit:
    """The same within a transaction."""
    return _found(ctx, connection, text).unit


def _found(ctx: Context, connection: Connection, text: str) -> Found:
    if len(text) > MAX_SEARCH_CHARACTERS:
        raise CodeUnknown
    line = plain_text(text).strip(" \t\r\n\"'<>")
    for code, fault in _spellings(text):
        unit = _by_code(ctx, connection, code)
        if unit is not None:
            return Found(unit=unit_life(connection, unit).unit, fault=fault)
    for read in (_by_serial, _by_index, _by_line):
        unit = read(ctx, connection, line)
        if unit is not None:
            return Found(unit=unit_life(connection, unit).unit)
    raise CodeUnknown


def _spellings(text: str) -> Iterator[tuple[str, ScannerFault | None]]:
    """The code that a text may be: as it was pasted, and with what a hand scanner's keyboard did taken back."""
    yield pasted_token(text), None
    yield pasted_token(text.swapcase()), ScannerFault.CAPS_LOCK
    typed = unicodedata.normalize("NFC", text).strip()
    yield typed.translate(_AZERTY), ScannerFault.LAYOUT
    without_accents = _DEAD_ACUTE.sub(r"=\1", unicodedata.normalize("NFD", typed))
    yield unicodedata.normalize("NFC", without_accents).translate(_QWERTZ), ScannerFault.LAYOUT


def _by_code(ctx: Context, connection: Connection, text: str) -> Unit | None:
    try:
        return resolve(ctx, connection, *verified(ctx, text)).unit
    except NotOurs:
        return None


def _by_serial(ctx: Context, connection: Connection, text: str) -> Unit | None:
    try:
        return resolve_serial(ctx, connection, read_copied_serial(text)).unit
    except (TypedSerialInvalid, NotOurs):
        return None


def _by_index(_ctx: Context, connection: Connection, text: str) -> Unit | None:
    order, _, digits = text.rpartition(":")
    index = read_index(digits)
    if not order or index is None:
        return None
    try:
        batch = find_order(connection, order, None)
    except OrderUnknown:
        return None
    return Unit(row=batch.row, index=index) if index < batch.count else None


def _by_line(ctx: Context, connection: Connection, text: str) -> Unit | None:
    """The unit of a line of `codes.csv` (its code or its serial), or of an order and an index in two fields."""
    fields = [field for field in _FIELDS.split(text) if field]
    for field in fields[:_MAX_FIELDS]:
        unit = _by_code(ctx, connection, pasted_token(field)) or _by_serial(ctx, connection, field)
        if unit is not None:
            return unit
    order, _, index = " ".join(fields).rpartition(" ")
    return _by_index(ctx, connection, f"{order}:{index}")
