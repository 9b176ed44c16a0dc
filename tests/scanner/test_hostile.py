"""Pictures made to keep a decoder busy."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from scanner import open_photo
from scanner.errors import PhotoTooCostly, PhotoTooManyPixels, PhotoUnreadable
from scanner.find.localise import crowding
from scanner.photo.open import open_views

FINDER = np.pad(np.pad(np.ones((3, 3), np.uint8), 1), 1, constant_values=1)


def test_a_crowd_that_leaves_the_expected_rows_empty_is_still_seen() -> None:
    tile = np.pad(1 - FINDER, 1, constant_values=1).repeat(4, axis=0).repeat(4, axis=1) * 255
    crowd = np.tile(tile, (60, 60)).astype(np.uint8)
    step = crowd.shape[0] // 32
    crowd[step // 2 :: step] = 255
    assert crowding(crowd).finders > 100


def test_a_jpeg_of_very_many_scans_is_refused_before_it_is_decoded() -> None:
    stream = BytesIO()
    Image.new("RGB", (2000, 1500), "grey").save(stream, "JPEG", progressive=True)
    whole = stream.getvalue()
    open_photo(whole)
    last = whole.rindex(b"\xff\xda")
    with pytest.raises(PhotoTooCostly):
        open_photo(whole[:-2] + whole[last:-2] * 200 + whole[-2:])


@pytest.mark.parametrize(("kind", "options"), [("WEBP", {"lossless": True}), ("PNG", {})])
def test_a_flat_picture_of_very_many_pixels_is_refused_by_its_header(kind: str, options: dict[str, bool]) -> None:
    stream = BytesIO()
    Image.new("L" if kind == "PNG" else "RGB", (8000, 6300), 250).save(stream, kind, **options)
    with pytest.raises(PhotoTooManyPixels):
        open_photo(stream.getvalue())


@pytest.mark.parametrize("chunk", [b"\x00\x00\x00\x00abCd\xa1\xf8\x10\x62", b"\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e"])
def test_a_png_of_very_many_chunks_is_refused_before_they_are_read(chunk: bytes) -> None:
    stream = BytesIO()
    Image.new("L", (64, 64)).save(stream, "PNG")
    whole = stream.getvalue()
    at = whole.index(b"IDAT") - 4
    with pytest.raises(PhotoUnreadable):
        open_photo(whole[:at] + chunk * 20_000 + whole[at:])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_grey_is_the_grey_of_the_whole_picture(mode: str, orientation: int) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (700, 300, 3), dtype=np.uint8)
    image = Image.fromarray(noise).convert("L" if mode == "I;16" else mode).convert(mode)
    stream, exif = BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    image.save(stream, "JPEG" if mode == "CMYK" else "PNG", exif=exif)
    data = stream.getvalue()
    assert np.array_equal(next(open_views(data).views), cv2.cvtColor(open_photo(data).bgr, cv2.COLOR_BGR2GRAY))
