"""Stage 2, print: what is left of the error correction when a part of a symbol is covered.

A Reed-Solomon block restores t codewords, no matter how many bits of each are wrong; one block too many lost and the
whole symbol is. So the margin of a covered area is the least, over all blocks, of (t - touched) / t, where a codeword
counts as touched as soon as one of its modules is covered: the worst case, whatever the text is.
"""

import numpy as np
import numpy.typing as npt

from authcode.qr.codewords import Level, blocks_of, codeword_map, function_patterns


def touched_codewords(version: int, level: Level, covered: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """int[blocks]: codewords of each Reed-Solomon block with at least one module in `covered` (bool[n, n])."""
    places = codeword_map(version, level)
    carrying = covered & (places.block >= 0)
    pairs = np.unique(np.stack((places.block[carrying], places.codeword[carrying])), axis=1)
    return np.bincount(pairs[0], minlength=len(blocks_of(version, level).data)).astype(np.int64)


def margin_of(version: int, level: Level, covered: npt.NDArray[np.bool_]) -> float:
    """Share of the error correction that is left for damage when `covered` (bool[n, n]) is lost.

    1 is an uncovered symbol, 0 one that reads only if nothing else is wrong; below 0 no reader copes. Minus infinity
    when a function pattern is covered: readers find and measure a symbol by them, and no correction replaces that.
    """
    if bool((covered & function_patterns(version)).any()):
        return float("-inf")
    correctable = blocks_of(version, level).correctable
    return float((correctable - touched_codewords(version, level, covered).max()) / correctable)
