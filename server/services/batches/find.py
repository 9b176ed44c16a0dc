"""Which unit a text names that staff paste or type: a code, a serial, or an order and an index."""

from authcode.code.payload import NotOurs
from authcode.code.serial import TypedSerialInvalid, read_copied_serial
from keys.base.errors import AuthcodeError
from server.domain.batches.range_act import read_index
from server.domain.codes.unit import Unit
from server.runtime.context import Context
from server.services.batches.range_acts import OrderUnknown, find_order
from server.services.codes.resolve import resolve, resolve_serial, verified
from server.storage.engine import Connection
from server.storage.redemptions import unit_life


class CodeUnknown(AuthcodeError):
    """Nothing that was pasted or typed names a registered unit."""

    code = "code_unknown"
    http_status = 404
    sentence = "No registered code was found; paste a code, type its serial, or write ORDER:INDEX."


def find_code(ctx: Context, text: str) -> Unit:
    """The unit that a pasted code, a typed serial, or `ORDER:INDEX` names, in its present life.

    Raises:
        CodeUnknown: none of these.
    """
    with ctx.db.read() as connection:
        return unit_named(ctx, connection, text)


def unit_named(ctx: Context, connection: Connection, text: str) -> Unit:
    """The same within a transaction."""
    for read in (_by_code, _by_serial, _by_index):
        unit = read(ctx, connection, text.strip())
        if unit is not None:
            return unit_life(connection, unit).unit
    raise CodeUnknown


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
