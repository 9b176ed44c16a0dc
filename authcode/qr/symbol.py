"""Stage 2, print: draw one QR symbol with the `qrcode` package, which is also the oracle of every faster way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from qrcode import util
from qrcode.main import QRCode

from authcode.qr.codewords import MAX_VERSION, MIN_VERSION, PACKAGE_LEVELS, Level, data_bits
from keys.base.errors import AuthcodeError

_MODE_INDICATOR_BITS: Final = 4


class SymbolTooLong(AuthcodeError):
    """The text needs more bits than the version and level hold."""

    code = "symbol_too_long"
    sentence = (
        "this code needs {needed_bits} bits, and a version {version} symbol of level {level} holds {held_bits}: "
        "choose a lower level or a shorter prefix"
    )
    needed_bits: int
    held_bits: int
    version: int
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Symbol:
    """One drawn QR symbol."""

    version: int
    """1 to 40."""
    level: Level
    mask: int
    """Data mask pattern, 0 to 7 (ISO/IEC 18004 clause 7.8)."""
    modules: npt.NDArray[np.bool_]
    """bool[n, n], row first, True is dark, quiet zone excluded, read only."""


def _bits(segments: Sequence[util.QRData], version: int) -> int:
    """Bits of the segments with their mode and count indicators (ISO/IEC 18004 clause 7.4), without a terminator."""
    buffer = util.BitBuffer()
    for segment in segments:
        segment.write(buffer)
    indicators = (_MODE_INDICATOR_BITS + int(util.length_in_bits(segment.mode, version)) for segment in segments)
    return len(buffer) + sum(indicators)


def smallest_version(segments: Sequence[util.QRData], level: Level) -> int:
    """The smallest version whose data codewords hold the segments.

    Raises:
        SymbolTooLong: not even version 40 does.
    """
    for version in range(MIN_VERSION, MAX_VERSION + 1):
        if _bits(segments, version) <= data_bits(version, level):
            return version
    raise SymbolTooLong(_bits(segments, MAX_VERSION), data_bits(MAX_VERSION, level), MAX_VERSION, level)


def draw_symbol(
    segments: Sequence[util.QRData], level: Level, *, version: int | None = None, mask: int | None = None
) -> Symbol:
    """Draw segments as a QR symbol, bit for bit as the `qrcode` package draws them.

    The segments are never optimised. `version` None is the smallest that fits, `mask` (0 to 7) None the one that the
    package's penalty score prefers.

    Raises:
        SymbolTooLong: the segments do not fit the version.
    """
    if version is None:
        version = smallest_version(segments, level)
    needed, held = _bits(segments, version), data_bits(version, level)
    if needed > held:
        raise SymbolTooLong(needed, held, version, level)
    code = QRCode(version=version, error_correction=PACKAGE_LEVELS[level], border=0, mask_pattern=mask)
    for segment in segments:
        code.add_data(segment)
    chosen = int(code.best_mask_pattern()) if mask is None else mask
    code.makeImpl(False, chosen)  # noqa: FBT003 (the package's own signature; `make` does not return the mask)
    modules = np.array(code.modules, dtype=np.bool_)
    modules.flags.writeable = False
    return Symbol(version=version, level=level, mask=chosen, modules=modules)
