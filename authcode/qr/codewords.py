"""Stage 2, print: where every codeword of a QR symbol is, by the placement rules of ISO/IEC 18004.

A symbol's data is cut into Reed-Solomon blocks, the blocks are interleaved, and the result runs in a zigzag through
the modules that no function pattern occupies. What a logo costs is decided here: not by its area, but by the number
of codewords it touches *in each block*. The tables of blocks and alignment patterns are those of the `qrcode` package,
which draws the symbols; the order of the modules is written from the standard, and the tests prove it against that
package.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from qrcode import constants, util
from qrcode.base import rs_blocks

MIN_VERSION: Final = 1
MAX_VERSION: Final = 40
_TIMING: Final = 6
"""Row and column of the timing patterns (ISO/IEC 18004 clause 5.3.5)."""
QUIET_ZONE_MODULES: Final = 4
"""Width of the light border that ISO/IEC 18004 clause 5.3.8 demands on all four sides, in modules."""


class Level(StrEnum):
    """Error correction level: about 7, 15, 25 or 30 % of the codewords can be restored (ISO/IEC 18004 clause 6.5.1)."""

    L = "L"
    M = "M"
    Q = "Q"
    H = "H"


PACKAGE_LEVELS: Final[dict[Level, int]] = {
    Level.L: constants.ERROR_CORRECT_L,
    Level.M: constants.ERROR_CORRECT_M,
    Level.Q: constants.ERROR_CORRECT_Q,
    Level.H: constants.ERROR_CORRECT_H,
}
"""The `qrcode` package's own numbers for the levels."""

# ISO/IEC 18004 table 9, note b: small symbols keep some check codewords to detect misreads; they correct nothing.
_MISREAD_PROTECTION: Final[dict[tuple[int, Level], int]] = {
    (1, Level.L): 3,
    (1, Level.M): 2,
    (1, Level.Q): 1,
    (1, Level.H): 1,
    (2, Level.L): 2,
    (3, Level.L): 1,
}


def symbol_width(version: int) -> int:
    """Width of a QR symbol in modules, quiet zone excluded (ISO/IEC 18004 clause 5.3.1).

    Raises:
        ValueError: `version` is not one of 1 to 40.
    """
    if not MIN_VERSION <= version <= MAX_VERSION:
        raise ValueError(f"a QR symbol has a version from {MIN_VERSION} to {MAX_VERSION}, not {version}")
    return 17 + 4 * version


def alignment_centres(version: int) -> tuple[int, ...]:
    """Rows (and columns) of the centres of the alignment patterns (ISO/IEC 18004 annex E); none in version 1."""
    return tuple(util.pattern_position(version))


@lru_cache(maxsize=MAX_VERSION)
def function_patterns(version: int) -> npt.NDArray[np.bool_]:
    """bool[n, n], read only: True where no codeword may be (ISO/IEC 18004 clauses 5.3.2 to 5.3.7, 7.9 and 7.10).

    These are the finder patterns with their separators, timing, alignment, format and version information.
    """
    width = symbol_width(version)
    modules = np.zeros((width, width), dtype=np.bool_)
    modules[_TIMING, :] = modules[:, _TIMING] = True
    modules[:9, :9] = modules[:9, -8:] = modules[-8:, :9] = True  # finders, separators, format information
    for row in (centres := alignment_centres(version)):
        for column in centres:
            if (row, column) not in {(6, 6), (6, width - 7), (width - 7, 6)}:  # finder patterns are there
                modules[row - 2 : row + 3, column - 2 : column + 3] = True
    first_with_version_information = 7
    if version >= first_with_version_information:
        modules[:6, -11:-8] = modules[-11:-8, :6] = True
    modules.flags.writeable = False
    return modules


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """How the codewords of one version and level are shared out among Reed-Solomon blocks (ISO/IEC 18004 table 9)."""

    data: tuple[int, ...]
    """Data codewords of each block, in block order; the longer blocks come last."""
    check: int
    """Error correction codewords in every block."""
    correctable: int
    """Codewords in error, t, that every block restores with certainty."""


def blocks_of(version: int, level: Level) -> Blocks:
    """The Reed-Solomon blocks of a version and level (ISO/IEC 18004 table 9)."""
    blocks = rs_blocks(version, PACKAGE_LEVELS[level])
    check = blocks[0].total_count - blocks[0].data_count
    correctable = (check - _MISREAD_PROTECTION.get((version, level), 0)) // 2
    return Blocks(data=tuple(block.data_count for block in blocks), check=check, correctable=correctable)


def data_bits(version: int, level: Level) -> int:
    """Bits that segments may fill in a version and level (ISO/IEC 18004 table 7)."""
    return 8 * sum(blocks_of(version, level).data)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodewordMap:
    """For every module the codeword it belongs to. Arrays are [n, n], row first, quiet zone excluded, read only."""

    block: npt.NDArray[np.int16]
    """Number of the Reed-Solomon block, or -1 in function patterns and remainder bits."""
    codeword: npt.NDArray[np.int16]
    """Place of the codeword in its block, data codewords first, or -1."""
    bit: npt.NDArray[np.int16]
    """Place of the module in its codeword, 7 (most significant) to 0, or -1."""


def _interleaved(blocks: Blocks) -> list[tuple[int, int]]:
    """(block, place in block) of each codeword in the order it is laid down (ISO/IEC 18004 clause 7.6)."""
    data = [
        (number, place)
        for place in range(max(blocks.data))
        for number, length in enumerate(blocks.data)
        if place < length
    ]
    check = [(number, length + place) for place in range(blocks.check) for number, length in enumerate(blocks.data)]
    return data + check


def _zigzag(version: int) -> list[tuple[int, int]]:
    """(row, column) of each module open to codewords, in the order they are filled (ISO/IEC 18004 clause 7.7.3)."""
    taken = function_patterns(version)
    width = symbol_width(version)
    # Two columns at a time from the right, first upwards; the vertical timing pattern is stepped over.
    rights = [column if column > _TIMING else column - 1 for column in range(width - 1, 0, -2)]
    order: list[tuple[int, int]] = []
    for turn, right in enumerate(rights):
        rows = range(width - 1, -1, -1) if turn % 2 == 0 else range(width)
        order += [(row, column) for row in rows for column in (right, right - 1) if not taken[row, column]]
    return order


@lru_cache(maxsize=16)
def codeword_map(version: int, level: Level) -> CodewordMap:
    """Where the codewords of a version and level are: `_interleaved` along `_zigzag`, eight modules each."""
    width = symbol_width(version)
    block, codeword, bit = (np.full((width, width), -1, dtype=np.int16) for _ in range(3))
    places = iter(_zigzag(version))
    for number, place in _interleaved(blocks_of(version, level)):
        for significance in range(7, -1, -1):
            module = next(places)
            block[module], codeword[module], bit[module] = number, place, significance
    for array in (block, codeword, bit):
        array.flags.writeable = False
    return CodewordMap(block=block, codeword=codeword, bit=bit)
