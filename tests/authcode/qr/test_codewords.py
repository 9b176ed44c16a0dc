"""The codeword map, proven against the `qrcode` package, which knows nothing of it."""

import numpy as np
import pytest
from qrcode import base, constants, util
from qrcode.main import QRCode

from authcode.qr.codewords import (
    Level,
    alignment_centres,
    blocks_of,
    codeword_map,
    data_bits,
    function_patterns,
    symbol_width,
)

PACKAGE = {
    Level.L: constants.ERROR_CORRECT_L,
    Level.M: constants.ERROR_CORRECT_M,
    Level.Q: constants.ERROR_CORRECT_Q,
    Level.H: constants.ERROR_CORRECT_H,
}


def drawn_by_package(version: int, level: Level, codewords: list[int], mask: int = 0) -> np.ndarray:
    """The symbol in which the package lays down the given final sequence of codewords."""
    code = QRCode(version=version, error_correction=PACKAGE[level])
    code.data_cache = codewords
    code.makeImpl(False, mask)  # noqa: FBT003
    return np.array(code.modules, dtype=bool)


def interleaved_by_package(version: int, level: Level, data: list[int]) -> list[int]:
    buffer = util.BitBuffer()
    for value in data:
        buffer.put(value, 8)
    return list(util.create_bytes(buffer, base.rs_blocks(version, PACKAGE[level])))


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("version", range(1, 41))
def test_blocks_are_those_of_the_package(version: int, level: Level) -> None:
    blocks = blocks_of(version, level)
    theirs = base.rs_blocks(version, PACKAGE[level])
    assert list(blocks.data) == [block.data_count for block in theirs]
    assert {block.total_count - block.data_count for block in theirs} == {blocks.check}
    assert data_bits(version, level) == util.BIT_LIMIT_TABLE[PACKAGE[level]][version]


@pytest.mark.parametrize("version", range(1, 41))
def test_alignment_patterns_stand_where_the_package_puts_them(version: int) -> None:
    assert list(alignment_centres(version)) == util.pattern_position(version)


@pytest.mark.parametrize("version", range(1, 41))
def test_function_patterns_are_the_modules_that_no_data_changes(version: int) -> None:
    level = Level.L
    total = sum(block.total_count for block in base.rs_blocks(version, PACKAGE[level]))
    zeros, ones = (drawn_by_package(version, level, [value] * total) for value in (0, 255))
    codeword_modules = codeword_map(version, level).block >= 0
    assert np.array_equal(zeros != ones, codeword_modules)
    assert not (codeword_modules & function_patterns(version)).any()
    remainder = ~codeword_modules & ~function_patterns(version)
    assert int(remainder.sum()) in {0, 3, 4, 7}


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("version", range(1, 21))
def test_every_bit_of_every_codeword_lies_where_the_map_says(version: int, level: Level) -> None:
    # Each bit of (block, place) is drawn as one bit plane: the package's symbols then spell out the whole map.
    blocks, places = blocks_of(version, level), codeword_map(version, level)
    theirs = base.rs_blocks(version, PACKAGE[level])
    order = [
        (number, place)
        for place in range(max(block.data_count for block in theirs))
        for number, block in enumerate(theirs)
        if place < block.data_count
    ]
    order += [
        (number, theirs[number].data_count + place) for place in range(blocks.check) for number in range(len(theirs))
    ]
    nothing = drawn_by_package(version, level, [0] * len(order))
    carrying = places.block >= 0
    for expected, values in (
        (places.block, [number for number, _ in order]),
        (places.codeword, [place for _, place in order]),
    ):
        seen = np.zeros_like(expected)
        for plane in range(8):
            codewords = [255 if value >> plane & 1 else 0 for value in values]
            seen |= ((drawn_by_package(version, level, codewords) != nothing) << plane).astype(np.int16)
        assert np.array_equal(seen[carrying], expected[carrying])
    for bit in range(8):
        changed = drawn_by_package(version, level, [1 << bit] * len(order)) != nothing
        assert np.array_equal(changed, places.bit == bit)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("version", [1, 5, 6, 8, 9, 11, 14, 20])
def test_a_flipped_data_codeword_changes_its_own_modules_and_check_codewords_of_its_block_only(
    version: int, level: Level
) -> None:
    random = np.random.default_rng(version)
    blocks, places = blocks_of(version, level), codeword_map(version, level)
    data = random.integers(0, 256, sum(blocks.data)).tolist()
    before = drawn_by_package(version, level, interleaved_by_package(version, level, data), mask=3)
    for _ in range(4):
        block = int(random.integers(len(blocks.data)))
        place = int(random.integers(blocks.data[block]))
        flipped = list(data)
        flipped[sum(blocks.data[:block]) + place] ^= 0xFF
        changed = before != drawn_by_package(version, level, interleaved_by_package(version, level, flipped), mask=3)
        own = (places.block == block) & (places.codeword == place)
        checks = (places.block == block) & (places.codeword >= blocks.data[block])
        assert changed[own].all()
        assert not (changed & ~own & ~checks).any()
        assert set(places.codeword[changed & checks].tolist()) == set(
            range(blocks.data[block], blocks.data[block] + blocks.check)
        )


@pytest.mark.parametrize(
    ("version", "level", "data", "check"),
    [
        (1, Level.L, (19,), 7),
        (5, Level.Q, (15, 15, 16, 16), 18),
        (7, Level.H, (13, 13, 13, 13, 14), 26),
        (8, Level.M, (38, 38, 39, 39), 22),
        (22, Level.H, (13,) * 34, 24),
        (40, Level.H, (15,) * 20 + (16,) * 61, 30),
    ],
)
def test_blocks_are_those_of_table_9_of_the_standard(
    version: int, level: Level, data: tuple[int, ...], check: int
) -> None:
    assert (blocks_of(version, level).data, blocks_of(version, level).check) == (data, check)


@pytest.mark.parametrize(
    ("version", "centres"),
    [(1, ()), (2, (6, 18)), (7, (6, 22, 38)), (32, (6, 34, 60, 86, 112, 138)), (40, (6, 30, 58, 86, 114, 142, 170))],
)
def test_alignment_patterns_are_those_of_annex_e_of_the_standard(version: int, centres: tuple[int, ...]) -> None:
    assert alignment_centres(version) == centres


def test_small_symbols_keep_check_codewords_to_detect_misreads() -> None:
    assert blocks_of(1, Level.L).correctable == 2
    assert blocks_of(1, Level.H).correctable == 8
    assert blocks_of(8, Level.Q).correctable == 11


@pytest.mark.parametrize("version", [0, 41, -1])
def test_a_version_that_does_not_exist_is_refused(version: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 40"):
        symbol_width(version)


def test_maps_are_shared_and_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        codeword_map(6, Level.M).block[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        function_patterns(6)[0, 0] = False
