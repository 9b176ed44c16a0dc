"""Stage 3, photo, and Stage 4, decode: the codes in a picture from a visitor. Looks only; never a burn."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from authcode.code.payload import NotOurs
from scanner import Advice, PhotoScan
from server.domain.codes.verdict import Verdict
from server.domain.places.place import truncated_network
from server.runtime.context import Context
from server.services.codes.attempts import Visitor
from server.services.codes.look import Look, look_at_symbols
from server.services.codes.resolve import SerialKeyMissing, verified
from server.settings import RateLimit

MAX_SYMBOLS = 32
"""Symbols of one picture that are looked up, so that none costs us more; a printed sheet may hold twice as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolLook:
    """One symbol: its text, its four corners as (x, y) in pixels of the picture, and what a look at it says."""

    text: str
    corners: tuple[tuple[float, float], ...]
    look: Look

    @property
    def ours(self) -> bool:
        """Whether a known key vouches for it."""
        return self.look.state is not Verdict.NOT_OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoLook:
    """What a picture holds; `advice` says why nothing was read. Of `left_out` symbols nothing was looked up."""

    symbols: tuple[SymbolLook, ...]
    left_out: int
    advice: Advice | None


def scan_in_turn(ctx: Context, data: bytes, address: str | None, *, accept: Callable[[str], bool]) -> PhotoScan:
    """Read a picture for texts that `accept` takes; one of a known network at a time where rate limits apply.

    Raises:
        PhotoError: the bytes are no picture that may be opened, or one that takes too much time or memory.
        PhotosBusy: too many pictures are being read, or one of the same network.
    """
    network = truncated_network(address)
    limited = ctx.settings.rate_limit is not RateLimit.OFF and network is not None
    whose = f"network {network}" if limited else None
    return ctx.photos.scan(data, accept=accept, sender=whose)


def is_ours(ctx: Context, text: str) -> bool:
    """Whether a key of ours vouches for a text; also where the key that reads its serial is missing here."""
    try:
        verified(ctx, text)
    except NotOurs:
        return False
    except SerialKeyMissing:
        return True  # the look at it says that there is no answer yet
    return True


def read_photo(ctx: Context, data: bytes, visitor: Visitor) -> PhotoLook:
    """Look at every code of a picture (untrusted, of any kind that `scanner` opens).

    Raises:
        PhotoError: the bytes are no picture that may be opened, or one that takes too much time or memory.
        PhotosBusy: too many pictures are being read, or one of the same network.
    """
    found = scan_in_turn(ctx, data, visitor.address, accept=partial(is_ours, ctx))
    shown = found.symbols[:MAX_SYMBOLS]
    looks = look_at_symbols(ctx, [symbol.text for symbol in shown], visitor)
    symbols = tuple(
        SymbolLook(text=symbol.text, corners=tuple((float(x), float(y)) for x, y in symbol.corners), look=look)
        for symbol, look in zip(shown, looks, strict=True)
    )
    return PhotoLook(symbols=symbols, left_out=len(found.symbols) - len(shown), advice=found.advice)
