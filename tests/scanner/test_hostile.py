"""Pictures made to keep a decoder busy."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from scanner import open_photo
from scanner.errors import PhotoUnreadable
from scanner.localise import crowding

FINDER = np.pad(np.pad(np.ones((3, 3), np.uint8), 1), 1, constant_values=1)


def test_a_crowd_that_leaves_the_expected_rows_empty_is_still_seen() -> None:
    tile = np.pad(1 - FINDER, 1, constant_values=1).repeat(4, axis=0).repeat(4, axis=1) * 255
    crowd = np.tile(tile, (60, 60)).astype(np.uint8)
    step = crowd.shape[0] // 32
    crowd[step // 2 :: step] = 255
    assert crowding(crowd).finders > 100


def test_a_jpeg_of_very_many_scans_is_refused_before_it_is_decoded() -> None:
    stream = BytesIO()
    Image.effect_noise((640, 480), 60).convert("RGB").save(stream, "JPEG", progressive=True)
    whole = stream.getvalue()
    open_photo(whole)
    last = whole.rindex(b"\xff\xda")
    with pytest.raises(PhotoUnreadable):
        open_photo(whole[:-2] + whole[last:-2] * 200 + whole[-2:])
