"""Logos: what a file may be, where a logo stands, and that the margin it leaves is the margin there is."""

import contextlib
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from authcode.design import logo as logos
from authcode.design.logo import Logo, LogoDoesNotFit, LogoTooLarge, LogoUnreadable, fit_logo, load_logo
from authcode.design.margin import margin_of, touched_codewords
from authcode.qr.codewords import Level, blocks_of, codeword_map, function_patterns, symbol_width
from authcode.qr.segments import segments_of
from authcode.qr.symbol import draw_symbol, smallest_version
from keys.format.records import Form

WITH_LOGO = [
    (Form.SHORT, Level.M),
    (Form.SHORT, Level.Q),
    (Form.SHORT, Level.H),
    (Form.GS1, Level.M),
    (Form.GS1, Level.Q),
    (Form.GS1, Level.H),
]


def black(width: int, height: int) -> Logo:
    return Logo(pixels=np.zeros((height, width), dtype=np.uint8))


def touched_by_counting(version: int, level: Level, covered: np.ndarray) -> list[int]:
    """The same count, one module at a time."""
    places = codeword_map(version, level)
    touched: dict[int, set[int]] = {number: set() for number in range(len(blocks_of(version, level).data))}
    for row, column in zip(*np.nonzero(covered), strict=True):
        if (block := int(places.block[row, column])) >= 0:
            touched[block].add(int(places.codeword[row, column]))
    return [len(codewords) for codewords in touched.values()]


def picture_of(modules: np.ndarray) -> np.ndarray:
    return np.where(np.pad(modules, 4).repeat(8, axis=0).repeat(8, axis=1), 0, 255).astype(np.uint8)


@settings(max_examples=60)
@given(
    version=st.integers(1, 20),
    level=st.sampled_from(Level),
    box=st.tuples(*[st.floats(0, 1) for _ in range(4)]),
)
def test_margin_is_the_poorest_block_counted_by_hand(
    version: int, level: Level, box: tuple[float, float, float, float]
) -> None:
    side = symbol_width(version)
    covered = np.zeros((side, side), dtype=bool)
    (top, bottom), (left, right) = sorted(int(side * edge) for edge in box[:2]), sorted(int(side * e) for e in box[2:])
    covered[top:bottom, left:right] = True
    counted = touched_by_counting(version, level, covered)
    assert touched_codewords(version, level, covered).tolist() == counted
    correctable = blocks_of(version, level).correctable
    if (covered & function_patterns(version)).any():
        assert margin_of(version, level, covered) == float("-inf")
    else:
        assert margin_of(version, level, covered) == (correctable - max(counted)) / correctable


@pytest.mark.parametrize("size", [(100, 100), (300, 100), (100, 250), (77, 41)])
@pytest.mark.parametrize("version", range(1, 21))
def test_a_fitted_logo_keeps_its_shape_its_white_and_half_of_every_block(version: int, size: tuple[int, int]) -> None:
    for level in Level:
        try:
            place = fit_logo(version, level, black(*size))
        except LogoDoesNotFit:
            continue
        side = symbol_width(version)
        assert place.w / place.h == pytest.approx(size[0] / size[1])
        assert min(place.w, place.h) >= 3
        assert place.x0 + place.w / 2 == pytest.approx(side / 2)
        assert place.clear_x0 + 1 <= place.x0 + 1e-9
        assert place.x0 + place.w <= place.clear_x0 + place.clear_w - 1 + 1e-9
        assert place.clear_y0 + 1 <= place.y0 + 1e-9
        assert place.y0 + place.h <= place.clear_y0 + place.clear_h - 1 + 1e-9
        covered = ~place.clear(np.ones((side, side), dtype=bool))
        assert covered.sum() == place.clear_w * place.clear_h
        assert not (covered & function_patterns(version)).any()
        assert place.margin == margin_of(version, level, covered)
        assert all(
            2 * touched <= blocks_of(version, level).correctable
            for touched in touched_by_counting(version, level, covered)
        )


@pytest.mark.parametrize("version", [2, 3, 4, 5, 6, 14, 15, 20])
def test_where_no_alignment_pattern_stands_in_the_middle_the_logo_does(version: int) -> None:
    place = fit_logo(version, Level.H, black(100, 100))
    assert place.y0 + place.h / 2 == symbol_width(version) / 2


@pytest.mark.parametrize("version", range(7, 14))
def test_the_alignment_pattern_in_the_middle_is_never_hidden(version: int) -> None:
    place = fit_logo(version, Level.H, black(200, 100))
    middle = symbol_width(version) // 2
    modules = np.zeros((symbol_width(version),) * 2, dtype=bool)
    modules[middle - 2 : middle + 3, middle - 2 : middle + 3] = True
    assert place.clear(modules).sum() == 25


@pytest.mark.parametrize(("version", "level"), [(6, Level.M), (6, Level.H), (15, Level.Q), (9, Level.H), (10, Level.Q)])
def test_no_larger_place_on_the_axis_keeps_the_margin(version: int, level: Level) -> None:
    # By trying every centred square, whatever way the place was searched for.
    side = symbol_width(version)
    best = 0
    for inner in range(1, side - 1, 2):
        cleared = inner + 2
        left = (side - cleared) // 2
        tops = range(side - cleared + 1) if 7 <= version <= 13 else [left]
        for top in tops:
            covered = np.zeros((side, side), dtype=bool)
            covered[top : top + cleared, left : left + cleared] = True
            if margin_of(version, level, covered) >= 0.5:
                best = max(best, inner)
    assert fit_logo(version, level, black(100, 100)).w == best


@pytest.mark.parametrize(
    ("version", "level", "size"), [(5, Level.L, (100, 100)), (1, Level.H, (100, 100)), (9, Level.H, (3000, 10))]
)
def test_a_logo_without_a_readable_place_is_refused_with_numbers(
    version: int, level: Level, size: tuple[int, int]
) -> None:
    with pytest.raises(LogoDoesNotFit, match=r"at most \d+\.\d x \d+\.\d modules") as refusal:
        fit_logo(version, level, black(*size))
    assert refusal.value.code == "logo_does_not_fit"
    assert min(refusal.value.largest) < 3
    assert (refusal.value.version, refusal.value.level, refusal.value.margin) == (version, level, 0.5)


def test_keeping_more_of_the_correction_makes_the_logo_smaller() -> None:
    widths = [fit_logo(9, Level.H, black(100, 100), keep=keep).w for keep in (0.25, 0.5, 0.7)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > widths[-1]


@pytest.mark.parametrize("bits", [range(8), range(1)])
@pytest.mark.parametrize(("form", "level"), WITH_LOGO)
def test_a_symbol_with_a_logo_and_the_promised_damage_on_top_still_reads(
    shop: SimpleNamespace, form: Form, level: Level, bits: range
) -> None:
    code = shop.code_text(form, 20)
    segments = segments_of(code, form)
    version = smallest_version(segments, level)
    place = fit_logo(version, level, black(300, 200))
    whole = draw_symbol(segments, level, version=version).modules
    with_logo = place.clear(whole)
    with_logo[round(place.y0) : round(place.y0 + place.h), round(place.x0) : round(place.x0 + place.w)] = True
    covered = ~place.clear(np.ones_like(whole))
    places, blocks = codeword_map(version, level), blocks_of(version, level)

    def damaged(spared: int) -> np.ndarray:
        modules = with_logo.copy()
        random = np.random.default_rng(5)
        for block, touched in enumerate(touched_codewords(version, level, covered).tolist()):
            hidden = set(places.codeword[covered & (places.block == block)].tolist())
            free = [codeword for codeword in range(blocks.data[block] + blocks.check) if codeword not in hidden]
            for codeword in random.choice(free, blocks.correctable - touched - spared, replace=False):
                own = (places.block == block) & (places.codeword == codeword) & np.isin(places.bit, bits)
                modules[own] ^= True
        return picture_of(modules)

    assert shop.read_by_zxing(damaged(spared=0)) == [code]
    # OpenCV gives up one or two codewords before the standard's limit, with or without a logo.
    assert shop.read_by_opencv(damaged(spared=2)) == code


@pytest.mark.parametrize(("form", "level"), WITH_LOGO)
def test_one_codeword_beyond_the_margin_is_lost_and_the_margin_says_so(
    shop: SimpleNamespace, form: Form, level: Level
) -> None:
    code = shop.code_text(form, 21)
    segments = segments_of(code, form)
    version = smallest_version(segments, level)
    modules = draw_symbol(segments, level, version=version).modules.copy()
    places, blocks = codeword_map(version, level), blocks_of(version, level)
    covered = (places.block == 1) & (places.codeword <= blocks.correctable)
    assert margin_of(version, level, covered) < 0
    modules[covered] ^= True
    assert code not in shop.read_by_zxing(picture_of(modules))


def test_a_transparent_logo_stands_on_white(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (40, 20), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 20, 20))
    picture.save(tmp_path / "logo.png")
    logo = load_logo(tmp_path / "logo.png")
    assert (logo.width_px, logo.height_px, logo.grey) == (40, 20, False)
    assert logo.pixels[10, 10].tolist() == [0, 0, 255]
    assert logo.pixels[10, 30].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_logo_of_any_mode_becomes_grey_or_rgb(mode: str, tmp_path: Path) -> None:
    if mode == "I;16":
        picture = Image.fromarray(np.full((30, 30), 0x8000, dtype=np.uint16))
    else:
        picture = Image.new("L", (30, 30), 128).convert(mode)
    picture.save(tmp_path / "logo.png")
    logo = load_logo(tmp_path / "logo.png")
    assert logo.grey
    assert logo.pixels.shape == (30, 30)
    if mode != "1":
        assert abs(int(logo.pixels[15, 15]) - 128) <= 3


def test_a_large_logo_is_scaled_down_in_its_own_shape(tmp_path: Path) -> None:
    Image.new("RGB", (3000, 1500), "navy").save(tmp_path / "logo.png")
    logo = load_logo(tmp_path / "logo.png")
    assert (logo.width_px, logo.height_px) == (480, 240)


def test_a_photographed_logo_is_turned_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (80, 40), "white")
    picture.paste((0, 0, 0), (0, 0, 10, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn right"
    picture.save(tmp_path / "logo.jpg", exif=exif, quality=95)
    logo = load_logo(tmp_path / "logo.jpg")
    assert (logo.width_px, logo.height_px) == (40, 80)
    assert logo.pixels[2].mean() < 60
    assert logo.pixels[-2].mean() > 200


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animated_logo_is_refused(kind: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "logo.bin", kind, save_all=True, append_images=frames[1:])
    with pytest.raises(LogoUnreadable, match="animated") as refusal:
        load_logo(tmp_path / "logo.bin")
    assert refusal.value.code == "logo_unreadable"


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [6_000, 12_000, 60_000])
def test_a_decompression_bomb_is_refused_by_its_header(side: int, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(png_header(side, side))
    with pytest.raises(LogoTooLarge, match="pixels") as refusal:
        load_logo(tmp_path / "logo.png")
    assert (refusal.value.code, refusal.value.http_status, refusal.value.unit) == ("logo_too_large", 413, "pixels")
    assert refusal.value.measured > refusal.value.limit


def test_a_file_of_too_many_bytes_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "logo.png").open("wb") as file:
        file.truncate(logos.MAX_LOGO_BYTES + 1)
    with pytest.raises(LogoTooLarge, match="8,388,609 bytes"):
        load_logo(tmp_path / "logo.png")


def test_files_that_are_no_picture_are_refused(tmp_path: Path, logo_file: Callable[..., Path]) -> None:
    whole = logo_file().read_bytes()
    gif = io.BytesIO()
    Image.new("L", (9, 9)).save(gif, "GIF")
    for data in (b"", b"not a picture", whole[:40], whole[: len(whole) // 2], gif.getvalue(), b"<svg/>"):
        (tmp_path / "bad.png").write_bytes(data)
        with pytest.raises(LogoUnreadable):
            load_logo(tmp_path / "bad.png")


def test_a_missing_logo_is_refused_by_its_name_alone(tmp_path: Path) -> None:
    with pytest.raises(LogoUnreadable, match=r"missing\.png cannot be opened") as refusal:
        load_logo(tmp_path / "missing.png")
    assert str(tmp_path) not in str(refusal.value)


@settings(max_examples=60)
@given(place=st.integers(0, 2_000), value=st.integers(0, 255), cut=st.integers(0, 2_000))
def test_a_damaged_logo_file_raises_only_our_errors(
    shop: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory, place: int, value: int, cut: int
) -> None:
    file = io.BytesIO()
    shop.drawn_logo((60, 60)).save(file, "PNG")
    data = bytearray(file.getvalue())
    data[place % len(data)] = value
    path = tmp_path_factory.mktemp("damaged") / "logo.png"
    path.write_bytes(bytes(data[: len(data) - cut % len(data)]))
    with contextlib.suppress(LogoUnreadable, LogoTooLarge):
        assert load_logo(path).pixels.size > 0
