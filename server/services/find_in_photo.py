"""Stage 3, photo, and Stage 7, alert: the codes in a picture that staff put into the search. No look, never a burn."""

from dataclasses import dataclass

from authcode.foreign import describe_foreign
from authcode.payload import NotOurs
from authcode.serial import printed_serial
from scanner import Advice
from server.context import Context
from server.domain.redemption import Unit
from server.services.read_photo import MAX_SYMBOLS, scan_in_turn
from server.services.resolve_code import Resolved, resolve, verified
from server.storage.redemptions import unit_use


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCode:
    """One registered code of a picture: its unit in its present life, its order, its serial as printed."""

    unit: Unit
    order: str
    serial_printed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFind:
    """What a picture holds for staff.

    `unregistered` counts codes with a good signature that no batch has, `foreign` names where the others lead (an empty
    text where that is unclear or no address); `advice` says why nothing was read.
    """

    codes: tuple[FoundCode, ...]
    unregistered: int
    foreign: tuple[str, ...]
    left_out: int
    advice: Advice | None


def find_in_photo(ctx: Context, data: bytes, address: str | None) -> PhotoFind:
    """Read a picture (JPEG, PNG or WebP, untrusted) in the confined readers, under the limits of everybody's pictures.

    Raises:
        PhotoError: the bytes are no picture that may be opened, or one that takes too much time or memory.
        PhotosBusy: too many pictures are being read, or one of the same network.
    """
    scan = scan_in_turn(ctx, data, address, accept=lambda text: _resolve(ctx, text) is not None)
    codes: dict[Unit, FoundCode] = {}
    foreign: list[str] = []
    unregistered = 0
    for symbol in scan.symbols[:MAX_SYMBOLS]:
        code = _resolve(ctx, symbol.text)
        if code is None:
            foreign.append(describe_foreign(symbol.text).host or "")
        elif code.unit is None or code.batch is None:
            unregistered += 1
        else:
            with ctx.db.read() as connection:
                unit = unit_use(connection, code.unit).unit
            serial = printed_serial(code.serial)
            codes.setdefault(unit, FoundCode(unit=unit, order=code.batch.order_name, serial_printed=serial))
    told = tuple(dict.fromkeys(foreign))
    return PhotoFind(
        codes=tuple(codes.values()),
        unregistered=unregistered,
        foreign=told,
        left_out=max(0, len(scan.symbols) - MAX_SYMBOLS),
        advice=scan.advice,
    )


def _resolve(ctx: Context, text: str) -> Resolved | None:
    """The code that a text is, where a known key vouches for it."""
    try:
        code, named = verified(ctx, text)
    except NotOurs:
        return None
    with ctx.db.read() as connection:
        return resolve(ctx, connection, code, named)
