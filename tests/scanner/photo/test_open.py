"""Untrusted bytes: every picture that is taken comes out upright, everything else is refused with its own code."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from keys.base.errors import AuthcodeError
from scanner import errors, open_photo, scan_photo
from scanner.photo.formats import MAX_WHOLE_PIXELS
from scanner.photo.jpeg import jpeg_extent
from scanner.photo.open import MAX_PHOTO_BYTES, open_views

WIDE = np.zeros((40, 64, 3), dtype=np.uint8)
WIDE[:20, :32] = (255, 0, 0)  # blue in the top left quarter
WIDE[20:, 32:] = (0, 0, 255)  # red in the bottom right one


def corner(bgr: npt.NDArray[np.uint8], row: int, column: int) -> list[bool]:
    return [int(level) > 128 for level in bgr[row, column]]


KINDS = ["JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF", "AVIF"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_still_picture_of_each_kind_is_opened_with_blue_first(encode: Callable[..., bytes], kind: str) -> None:
    photo = open_photo(encode(WIDE, kind))
    assert photo.kind == kind
    assert photo.bgr.shape == (40, 64, 3)
    assert photo.bgr.dtype == np.uint8
    assert photo.bgr.flags.c_contiguous
    assert corner(photo.bgr, 5, 5) == [True, False, False]
    assert corner(photo.bgr, -5, -5) == [False, False, True]


@pytest.mark.parametrize(
    ("orientation", "blue_at", "shape"),
    [
        (1, (0, 0), (40, 64)),
        (2, (0, 1), (40, 64)),
        (3, (1, 1), (40, 64)),
        (4, (1, 0), (40, 64)),
        (5, (0, 0), (64, 40)),
        (6, (0, 1), (64, 40)),
        (7, (1, 1), (64, 40)),
        (8, (1, 0), (64, 40)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
def test_a_picture_is_turned_upright_as_its_exif_orientation_says(
    encode: Callable[..., bytes], kind: str, orientation: int, blue_at: tuple[int, int], shape: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    bgr = open_photo(encode(WIDE, kind, exif=exif)).bgr
    assert bgr.shape[:2] == shape
    row, column = (-5 if far else 5 for far in blue_at)
    assert corner(bgr, row, column) == [True, False, False]


@pytest.mark.parametrize("exif", [b"Exif\x00\x00MM\x00*\xff\xff\xff\xff", b"Exif\x00\x00garbage", b"Exif\x00\x00"])
def test_broken_exif_data_are_no_reason_to_refuse_a_good_picture(encode: Callable[..., bytes], exif: bytes) -> None:
    assert open_photo(encode(WIDE, "JPEG", exif=exif)).bgr.shape == WIDE.shape


def test_an_odd_orientation_counts_as_none(encode: Callable[..., bytes]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    assert open_photo(encode(WIDE, "JPEG", exif=exif)).bgr.shape == WIDE.shape


def test_transparent_parts_lie_on_white_paper() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(file, "PNG")
    assert (open_photo(file.getvalue()).bgr == 255).all()


def test_a_palette_with_a_transparent_colour_lies_on_white_paper() -> None:
    file = io.BytesIO()
    Image.new("P", (8, 8), 0).save(file, "PNG", transparency=0)
    assert (open_photo(file.getvalue()).bgr == 255).all()


def test_sixteen_bits_of_grey_keep_their_order() -> None:
    levels = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    bgr = open_photo(file.getvalue()).bgr
    assert (bgr[:, :, 0].ravel() == levels.ravel() // 256).all()


@pytest.mark.parametrize("mode", ["1", "L", "CMYK"])
def test_other_kinds_of_colour_become_three_channels(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (9, 7)).save(file, "JPEG" if mode == "CMYK" else "PNG")
    assert open_photo(file.getvalue()).bgr.shape == (7, 9, 3)


def test_an_empty_upload_is_refused() -> None:
    with pytest.raises(errors.PhotoEmpty) as caught:
        open_photo(b"")
    assert caught.value.code == "photo_empty"


def test_a_file_beyond_the_limit_is_refused_with_both_lengths() -> None:
    with pytest.raises(errors.PhotoTooLarge) as caught:
        open_photo(b"\xff\xd8\xff" + bytes(MAX_PHOTO_BYTES))
    assert (caught.value.code, caught.value.http_status) == ("photo_too_large", 413)
    assert (caught.value.size_bytes, caught.value.limit_bytes) == (MAX_PHOTO_BYTES + 3, MAX_PHOTO_BYTES)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"this is no picture, whatever its name says", "unknown"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"BM" + bytes(60), "unknown"),
        (b"PK\x03\x04 an archive called .jpg", "unknown"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), "HEIC"),
        (b"\x00\x00\x00\x18ftypavif" + bytes(40), "AVIF"),
        (b"GIF89a" + bytes(20), "GIF"),
        (b"II*\x00" + bytes(20), "TIFF"),
        (b"\xff\xd8\xff\xe0" + bytes(60) + b"\xff\xd9", "JPEG"),
    ],
)
def test_what_is_no_picture_is_refused_naming_what_is_taken(data: bytes, found: str) -> None:
    with pytest.raises(errors.PhotoUnreadable, match="JPEG, PNG, WebP, HEIC") as caught:
        open_photo(data)
    assert (caught.value.code, caught.value.found) == ("photo_unreadable", found)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_picture_that_breaks_off_says_so(encode: Callable[..., bytes], kind: str, share: float) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    data = encode(noise, kind)
    cut = data[: max(25, int(len(data) * share))]
    with pytest.raises(errors.PhotoTruncated) as caught:
        open_photo(cut)
    assert (caught.value.code, caught.value.size_bytes) == ("photo_truncated", len(cut))


def test_a_webp_of_a_few_bytes_breaks_off() -> None:
    with pytest.raises(errors.PhotoTruncated):
        open_photo(b"RIFF\x20\x00\x00\x00WEBPVP8 ")


def test_a_picture_that_is_broken_inside_is_unreadable(encode: Callable[..., bytes]) -> None:
    data = bytearray(encode(WIDE, "PNG"))
    data[data.index(b"IDAT") + 6] ^= 0xFF
    with pytest.raises(errors.PhotoUnreadable):
        open_photo(bytes(data))


@pytest.mark.parametrize("kind", ["PNG", "WebP", "GIF", "TIFF"])
def test_of_an_animation_or_a_book_the_first_frame_counts(kind: str) -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=50)
    assert corner(open_photo(file.getvalue()).bgr, 8, 8) == [False, False, True]


def test_of_a_multi_picture_file_the_first_picture_counts() -> None:
    file = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (5, 5))])
    assert open_photo(file.getvalue()).bgr.shape == (10, 20, 3)


def png_announcing(width: int, height: int) -> bytes:
    """A PNG whose header announces a size and whose few bytes would unpack to it."""

    def chunk(name: str, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (7_100, 7_100), (65_535, 1), (1, 2**31 - 1)])
def test_a_decompression_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(errors.PhotoTooManyPixels) as caught:
        open_photo(png_announcing(width, height))
    assert (caught.value.code, caught.value.http_status) == ("photo_too_many_pixels", 413)
    assert (caught.value.width, caught.value.height) == (width, height)


@pytest.mark.parametrize("announced", ["VP8X", "VP8L", "VP8 "])
def test_a_webp_bomb_is_refused_before_its_decoder_is_made(announced: str) -> None:
    bodies = {
        "VP8X": b"\x00" * 4 + (16383).to_bytes(3, "little") * 2,
        "VP8L": b"\x2f" + (16383 | 16383 << 14).to_bytes(4, "little") + bytes(5),
        "VP8 ": b"\x00\x00\x00\x9d\x01\x2a" + (16383).to_bytes(2, "little") * 2,
    }
    chunk = announced.encode() + struct.pack("<I", 10) + bodies[announced]
    with pytest.raises(errors.PhotoTooManyPixels) as caught:
        open_photo(b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk)
    assert caught.value.width * caught.value.height > MAX_WHOLE_PIXELS


def test_a_jpeg_bomb_is_refused_by_its_header(encode: Callable[..., bytes]) -> None:
    data = encode(WIDE, "JPEG")
    at = data.index(b"\xff\xc0") + 5  # start of frame: height and width (ITU-T T.81, B.2.2)
    with pytest.raises(errors.PhotoTooManyPixels):
        open_photo(data[:at] + struct.pack(">HH", 16000, 16000) + data[at + 4 :])


# What phones, messengers and scripts make of a picture


TEXT = "HTTPS://V.EXAMPLE.COM/7Q4K"


def photo_of(draw: Callable[..., npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    return np.repeat(draw(TEXT)[:, :, np.newaxis], 3, axis=2)


def texts(data: bytes) -> list[str]:
    return [symbol.text for symbol in scan_photo(data).symbols]


Draw = Callable[..., npt.NDArray[np.uint8]]


@pytest.mark.parametrize(
    "behind", [b"\x00\x00\x00\x18ftypmp42" + b"\xff\xda" * 400, bytes(900), b"PK\x03\x04", b"\xff\xd8\xff"]
)
def test_what_stands_behind_a_picture_is_no_part_of_it(draw: Draw, encode: Callable[..., bytes], behind: bytes) -> None:
    assert texts(encode(photo_of(draw)) + behind) == [TEXT]


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\r\n", b" " * 64])
@pytest.mark.parametrize("kind", KINDS)
def test_a_few_bytes_before_a_picture_are_skipped(
    draw: Draw, encode: Callable[..., bytes], kind: str, before: bytes
) -> None:
    assert texts(before + encode(photo_of(draw), kind)) == [TEXT]


def test_more_bytes_before_it_are_no_picture(encode: Callable[..., bytes]) -> None:
    with pytest.raises(errors.PhotoUnreadable):
        scan_photo(b" " * 65 + encode(WIDE))


def test_a_thumbnail_and_scans_in_a_segment_are_no_part_of_the_picture(encode: Callable[..., bytes]) -> None:
    plain = encode(WIDE)
    hidden = encode(WIDE) + b"\xff\xda\xff\xd9" * 100
    segment = b"\xff\xed" + (len(hidden) + 2).to_bytes(2) + hidden
    extent = jpeg_extent(plain[:2] + segment + plain[2:])
    assert (extent.scans, extent.whole, extent.end) == (1, True, len(plain) + len(segment))
    assert (extent.width, extent.height, extent.progressive) == (64, 40, False)


@pytest.mark.parametrize("lost", [1, 2, 0.02, 0.05])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_of_a_picture_that_breaks_off_what_is_there_is_read(
    draw: Draw, encode: Callable[..., bytes], kind: str, lost: float
) -> None:
    page = np.pad(photo_of(draw), ((0, 300), (0, 0), (0, 0)), constant_values=200)
    page[-200:] = np.random.default_rng(1).integers(0, 255, (200, page.shape[1], 3))
    data = encode(page, kind)
    assert texts(data[: -int(lost) if lost >= 1 else int(len(data) * (1 - lost))]) == [TEXT]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
def test_where_nothing_is_read_in_what_is_there_the_picture_is_said_to_break_off(
    encode: Callable[..., bytes], kind: str
) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    data = encode(noise, kind)
    with pytest.raises(errors.PhotoTruncated):
        scan_photo(data[: len(data) // 2])


@pytest.mark.parametrize("kind", ["PNG", "WebP", "TIFF", "AVIF"])
@pytest.mark.parametrize("ink", [0, 255])
@pytest.mark.parametrize("clear", ["ground", "modules"])
def test_a_symbol_on_nothing_is_read_on_white_on_black_or_as_its_transparency(
    draw: Draw, kind: str, ink: int, clear: str
) -> None:
    modules = draw(TEXT)
    shown = modules == 0 if clear == "ground" else modules != 0
    picture = np.zeros((*modules.shape, 4), dtype=np.uint8)
    picture[:, :, :3], picture[:, :, 3] = ink, np.where(shown, 255, 0)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind)
    assert texts(file.getvalue()) == [TEXT]


def test_the_pages_of_a_pdf_are_read(draw: Draw) -> None:
    file = io.BytesIO()
    cover, label = Image.new("RGB", (600, 800), "white"), Image.fromarray(photo_of(draw))
    cover.save(file, "PDF", save_all=True, append_images=[label])
    assert texts(file.getvalue()) == [TEXT]
    assert open_photo(file.getvalue()).kind == "PDF"


def test_a_pdf_behind_a_password_or_without_a_page_is_unreadable() -> None:
    with pytest.raises(errors.PhotoUnreadable):
        scan_photo(b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\ntrailer <</Root 1 0 R>>")


def test_the_heic_of_a_phone_is_read() -> None:
    pytest.importorskip("pi_heif")
    assert texts((Path(__file__).parents[2] / "data" / "photo.heic").read_bytes()) == ["HTTPS://V.EXAMPLE.COM/HEIC"]


def test_a_large_jpeg_is_decoded_at_half_its_size(encode: Callable[..., bytes]) -> None:
    data = encode(np.full((9000, 6000, 3), 120, dtype=np.uint8), quality=20)
    assert next(open_views(data).views).shape == (4500, 3000)


def test_a_jpeg_of_too_many_scans_for_its_size_is_refused_unread(encode: Callable[..., bytes]) -> None:
    data = encode(np.full((3000, 4000, 3), 120, dtype=np.uint8), progressive=True)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(errors.PhotoTooCostly):
        scan_photo(data[:-2] + data[last:-2] * 60 + data[-2:])


SEEDS = [
    *(b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\x00\x00\x00WEBPVP8X"),
    *(b"GIF89a", b"II*\x00", b"%PDF-1.7\n", b"\x00\x00\x00\x18ftypheic", b"\x00\x00\x00\x18ftypavif"),
    b"BM" + bytes(8) + b"\x36\x00\x00\x00\x28\x00\x00\x00",
]


@settings(max_examples=150)
@given(st.sampled_from(SEEDS), st.binary(max_size=200))
def test_any_bytes_are_a_picture_or_a_refusal_of_ours(start: bytes, rest: bytes) -> None:
    caught: Exception | None = None
    try:
        open_photo(start + rest)
    except AuthcodeError as error:
        caught = error
    assert caught is None or type(caught) in errors.PhotoError.__subclasses__()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(KINDS), hits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255))))
def test_a_picture_with_changed_bytes_is_a_picture_or_a_refusal_of_ours(
    encode: Callable[..., bytes], kind: str, hits: list[tuple[float, int]]
) -> None:
    data = bytearray(encode(WIDE, kind))
    for place, value in hits:
        data[int(place * (len(data) - 1))] = value
    try:
        bgr = open_photo(bytes(data)).bgr
    except errors.PhotoError:
        return
    assert bgr.dtype == np.uint8
    assert bgr.size <= 3 * MAX_WHOLE_PIXELS
