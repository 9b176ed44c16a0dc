"""Stage 3, photo, and Stage 7, alert: the codes in a picture that staff put into the search. No look, never a burn."""

from dataclasses import dataclass
from functools import partial

from authcode.code.foreign import ForeignText, describe_foreign
from authcode.code.payload import NotOurs
from authcode.code.serial import printed_serial
from scanner import Advice
from server.domain.codes.unit import Unit
from server.runtime.context import Context
from server.services.codes.photo import MAX_SYMBOLS, is_ours, scan_in_turn
from server.services.codes.resolve import foreign_text, resolve, verified
from server.storage.redemptions import unit_life


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCode:
    """One registered code of a picture: its unit in its present life, its order, its serial as printed."""

    unit: Unit
    order: str
    serial_printed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFind:
    """What a picture holds for staff.

    `unregistered` counts codes with a good signature that no batch has, `foreign` are the others, each once; `advice`
    says why nothing was read.
    """

    codes: tuple[FoundCode, ...]
    unregistered: int
    foreign: tuple[ForeignText, ...]
    left_out: int
    advice: Advice | None


def find_in_photo(ctx: Context, data: bytes, address: str | None) -> PhotoFind:
    """Read an untrusted picture in the confined readers, under the limits of everybody's pictures.

    Raises:
        PhotoError: the bytes are no picture that may be opened, or one that takes too much time or memory.
        PhotosBusy: too many pictures are being read, or one of the same network.
    """
    scan = scan_in_turn(ctx, data, address, accept=partial(is_ours, ctx))
    codes: dict[Unit, FoundCode] = {}
    foreign: list[ForeignText] = []
    unregistered = 0
    with ctx.db.read() as connection:
        for symbol in scan.symbols[:MAX_SYMBOLS]:
            try:
                code = resolve(ctx, connection, *verified(ctx, symbol.text))
            except NotOurs:
                foreign.append(foreign_text(ctx, symbol.text) or describe_foreign(symbol.text))
                continue
            if code.unit is None or code.batch is None:
                unregistered += 1
                continue
            unit = unit_life(connection, code.unit).unit
            serial = printed_serial(code.serial)
            codes.setdefault(unit, FoundCode(unit=unit, order=code.batch.order_name, serial_printed=serial))
    return PhotoFind(
        codes=tuple(codes.values()),
        unregistered=unregistered,
        foreign=tuple(dict.fromkeys(foreign)),
        left_out=max(0, len(scan.symbols) - MAX_SYMBOLS),
        advice=scan.advice,
    )
