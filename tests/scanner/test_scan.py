"""Pictures of symbols: what they say, where they lie, and that time is kept."""

import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner import read_symbols, scan, scan_photo
from scanner.engines import Corners, Reading, has_wechat
from scanner.errors import PhotoEmpty
from scanner.find.leftover import seems_left
from scanner.find.localise import crowding
from scanner.quality import advise

TEXT = "HTTPS://V.EXAMPLE.COM/K1" + "0123456789ABC" + "DEFGHJKMNPQRSTVWXYZ" * 5

EASY = {
    "flat": {},
    "turned": {"turn_deg": 33.0},
    "upside down": {"turn_deg": 180.0},
    "tilted": {"tilt": 0.15, "turn_deg": -12.0},
    "blurred": {"blur_px": 1.5},
    "noisy": {"noise": 18.0},
    "unevenly lit": {"light": (0.25, 1.2)},
    "in the dark": {"light": (0.1, 0.15), "noise": 1.0},
}


@pytest.mark.parametrize("fault", EASY)
def test_a_photographed_symbol_is_read_in_its_place(
    draw: Callable[..., Any], camera: Callable[..., Any], encode: Callable[..., bytes], fault: str
) -> None:
    lens = camera(**EASY[fault])
    found = scan_photo(encode(lens.photograph(draw(TEXT)), "JPEG", quality=85))
    assert [symbol.text for symbol in found.symbols] == [TEXT]
    assert found.advice is None
    modules = len(draw(TEXT, module_px=1, border=0))
    outer = lens.corners()
    middle = outer.mean(axis=0)
    inner = middle + (outer - middle) * modules / (modules + 8)
    assert np.abs(np.array(found.symbols[0].corners) - inner).max() < 0.1 * lens.width_px


def test_corners_begin_at_the_symbols_own_top_left_and_go_clockwise(draw: Callable[..., Any]) -> None:
    page = np.full((300, 500), 255, dtype=np.uint8)
    symbol = draw("UPRIGHT", module_px=6)
    page[40 : 40 + len(symbol), 120 : 120 + len(symbol)] = symbol
    (found,) = read_symbols(cv2.cvtColor(page, cv2.COLOR_GRAY2BGR))
    near, far = 24, len(symbol) - 24
    wanted = [(120 + near, 40 + near), (120 + far, 40 + near), (120 + far, 40 + far), (120 + near, 40 + far)]
    assert np.abs(np.array(found.corners) - wanted).max() <= 2


def page_of(draw: Callable[..., Any], texts: list[str], columns: int = 3, pitch: int = 260) -> npt.NDArray[np.uint8]:
    rows = -(-len(texts) // columns)
    page = np.full((rows * pitch, columns * pitch), 255, dtype=np.uint8)
    for index, text in enumerate(texts):
        symbol = draw(text, module_px=5)
        top, left = index // columns * pitch, index % columns * pitch
        page[top : top + len(symbol), left : left + len(symbol)] = symbol
    return cv2.cvtColor(page, cv2.COLOR_GRAY2BGR)


def test_all_symbols_of_a_page_are_read_each_once(draw: Callable[..., Any]) -> None:
    texts = [f"HTTPS://V.EXAMPLE.COM/{number:04}" for number in range(12)]
    assert sorted(symbol.text for symbol in read_symbols(page_of(draw, texts))) == texts


def test_one_text_at_two_places_is_two_symbols(draw: Callable[..., Any]) -> None:
    found = read_symbols(page_of(draw, ["TWICE", "TWICE", "ONCE"]))
    assert Counter(symbol.text for symbol in found) == {"TWICE": 2, "ONCE": 1}


def test_light_modules_on_a_dark_ground_are_read(draw: Callable[..., Any]) -> None:
    assert [symbol.text for symbol in read_symbols(cv2.cvtColor(255 - draw(TEXT), cv2.COLOR_GRAY2BGR))] == [TEXT]


def test_a_text_comes_out_exactly(draw: Callable[..., Any]) -> None:
    text = "Grüße, 認証 \\x00 (01)09506000134352"
    assert [symbol.text for symbol in read_symbols(cv2.cvtColor(draw(text), cv2.COLOR_GRAY2BGR))] == [text]


def test_the_ladder_reads_what_zxing_cpp_alone_does_not(
    draw: Callable[..., Any], camera: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = 0
    for width_px in range(96, 126, 4):
        photo = camera(width_px=width_px, blur_px=0.9, noise=6.0, seed=width_px).photograph(draw(TEXT))
        monkeypatch.setattr(scan, "RUNGS", ())
        monkeypatch.setattr(scan, "LATE_RUNGS", ())
        monkeypatch.setattr(scan, "has_wechat", lambda: False)
        alone = bool(read_symbols(photo))
        monkeypatch.undo()
        found += bool(read_symbols(photo)) and not alone
    assert found >= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3), (17, 5000)])
def test_pictures_of_odd_shape_hold_nothing(shape: tuple[int, int]) -> None:
    assert read_symbols(np.full((*shape, 3), 127, dtype=np.uint8)) == []


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)],
)
def test_what_is_no_bgr_picture_is_refused(wrong: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="uint8"):
        read_symbols(wrong)


def test_a_refused_file_raises_its_own_error() -> None:
    with pytest.raises(PhotoEmpty):
        scan_photo(b"")


@settings(max_examples=25)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_noise_of_any_shape_is_never_read(height: int, width: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert read_symbols(noise) == []


@pytest.mark.parametrize("error", [cv2.error("odd size"), UnicodeDecodeError("utf-8", b"\xc3", 0, 1, "no")])
def test_a_decoder_that_stumbles_has_read_nothing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stumbling:
        def detectAndDecode(self, _gray: npt.NDArray[np.uint8]) -> None:  # noqa: N802 - OpenCV's name
            raise error

    monkeypatch.setattr(cv2, "wechat_qrcode_WeChatQRCode", Stumbling, raising=False)
    assert read_symbols(np.full((300, 300, 3), 90, dtype=np.uint8)) == []


# What is accepted


def test_reading_goes_on_past_texts_that_are_not_accepted(
    draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(draw, ["FOREIGN"])
    asked, rungs = [], []

    def accept(text: str) -> bool:
        asked.append(text)
        return False

    monkeypatch.setattr(scan, "RUNGS", scan.RUNGS[:2])
    monkeypatch.setattr(scan, "LATE_RUNGS", ())
    original = scan.read_with_zxing
    monkeypatch.setattr(scan, "read_with_zxing", lambda gray: rungs.append(gray.shape) or original(gray))
    assert [symbol.text for symbol in read_symbols(page, accept=accept)] == ["FOREIGN"]
    assert len(rungs) == 3
    assert asked == ["FOREIGN"]


def test_reading_stops_at_the_first_accepted_text(draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = scan.read_with_zxing
    monkeypatch.setattr(scan, "read_with_zxing", lambda gray: calls.append(1) or original(gray))
    read_symbols(page_of(draw, ["FOREIGN", "OURS"]), accept=lambda text: text == "OURS")
    assert len(calls) == 1


# More than one


def test_a_label_beside_one_that_was_read_is_looked_for_in_other_views(
    draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = scan.read_with_zxing, []

    def short_sighted(gray: npt.NDArray[np.uint8]) -> list[Reading]:
        calls.append(gray.shape)
        return original(gray)[: len(calls)]

    monkeypatch.setattr(scan, "read_with_zxing", short_sighted)
    found = read_symbols(page_of(draw, ["ONE", "TWO", "THREE"]))
    assert sorted(symbol.text for symbol in found) == ["ONE", "THREE", "TWO"]
    assert len(calls) == 3


def corners_of(left: int, top: int, side: int) -> Corners:
    return ((left, top), (left + side, top), (left + side, top + side), (left, top + side))


def test_finder_patterns_outside_what_was_read_seem_left(draw: Callable[..., Any]) -> None:
    page = np.ascontiguousarray(page_of(draw, ["ONE", "TWO", "THREE"])[:, :, 0])
    side = len(draw("ONE", module_px=5, border=0))
    read = [corners_of(260 * column + 20, 20, side) for column in range(3)]
    assert seems_left(page, read[:2])
    assert not seems_left(page, read)
    assert not seems_left(page, [])
    assert not seems_left(np.full((64, 64), 255, np.uint8), [corners_of(0, 0, 9)])


# Time


class Clock:
    """A clock that moves by `step` seconds whenever it is read."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_with_no_time_left_only_the_first_reading_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(scan, "read_with_zxing", lambda gray: calls.append(gray.shape) or [])
    monkeypatch.setattr(scan, "read_with_wechat", lambda gray: calls.append(gray.shape) or [])
    assert read_symbols(np.full((3000, 4000, 3), 200, np.uint8), deadline_s=0.0) == []
    assert calls == [(600, 800)]


def test_no_rung_is_begun_that_is_likely_to_end_late(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(scan, "read_with_zxing", lambda gray: calls.append(gray.shape) or [])
    monkeypatch.setattr(scan, "read_with_wechat", lambda gray: calls.append(gray.shape) or [])
    read_symbols(np.full((400, 400, 3), 200, np.uint8), deadline_s=1.0, clock=Clock(0.12))
    assert 1 < len(calls) < 1 + len(scan.RUNGS + scan.LATE_RUNGS)


def wall_of_finders(side: int, module_px: int) -> npt.NDArray[np.uint8]:
    pattern = np.full((9, 9), 255, dtype=np.uint8)
    pattern[1:8, 1:8], pattern[2:7, 2:7], pattern[3:6, 3:6] = 0, 255, 0
    tile = np.kron(pattern, np.ones((module_px, module_px), dtype=np.uint8))
    times = side // len(tile) + 1
    return np.repeat(np.tile(tile, (times, times))[:side, :side, np.newaxis], 3, axis=2)


HOSTILE = {
    "a wall of small patterns": lambda: wall_of_finders(4000, 1),
    "a wall of patterns": lambda: wall_of_finders(4000, 2),
    "a small wall of patterns": lambda: wall_of_finders(1600, 1),
    "large patterns": lambda: wall_of_finders(4000, 8),
    "noise": lambda: np.random.default_rng(5).integers(0, 256, (3000, 4000, 3), dtype=np.uint8),
    "coarse noise": lambda: np.kron(
        np.random.default_rng(6).integers(0, 2, (600, 800, 1), dtype=np.uint8) * 255, np.ones((4, 4, 3), np.uint8)
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_pictures_made_to_exhaust_a_decoder_end_near_the_deadline(name: str) -> None:
    picture = HOSTILE[name]()
    began = time.process_time()
    read_symbols(picture)
    advise(np.ascontiguousarray(picture[:, :, 0]))
    assert time.process_time() - began < 4.0  # two cores' worth of a second, twice over for a busy machine


def test_a_wall_of_patterns_looks_crowded_and_a_page_of_labels_does_not(draw: Callable[..., Any]) -> None:
    wall = wall_of_finders(1600, 2)[:, :, 0]
    labels = np.ascontiguousarray(page_of(draw, [f"LABEL {number}" for number in range(12)])[:, :, 0])
    assert crowding(wall).finders > 1500  # 32 rows by chance: between 2,000 and 13,000
    assert crowding(labels).finders < 500
    assert crowding(np.full((50, 50), 255, np.uint8)).hits == 0


# The house


def test_importing_the_package_loads_no_decoder() -> None:
    program = "import sys, scanner; print([name for name in ('cv2', 'zxingcpp', 'numpy') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_every_public_name_can_be_had_and_no_other() -> None:
    import scanner

    assert all(getattr(scanner, name) for name in scanner.__all__)
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        scanner.nothing_of_ours  # noqa: B018


# Real photos


def chosen(real_photos: list[Any], groups: set[str], every: int) -> list[Any]:
    photos = [photo for photo in real_photos if photo.group in groups]
    return photos[::every]


def plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip("\n")


def test_real_photos_are_read(real_photos: list[Any]) -> None:
    photos = chosen(real_photos, {"boofcv", "zxing", "zxing-cpp", "jsqr"}, 6)
    assert len(photos) >= 60
    read = []
    for photo in photos:
        found = scan_photo(photo.path.read_bytes())
        assert bool(found.symbols) != bool(found.advice)
        known = {plain(text) for text in photo.texts if text is not None}
        if known:
            read.append(bool(known & {plain(symbol.text) for symbol in found.symbols}))
    assert statistics.mean(read) >= (0.9 if has_wechat() else 0.85)


def test_nothing_is_read_in_photos_without_a_code(real_photos: list[Any]) -> None:
    photos = chosen(real_photos, {"no-code"}, 1)
    assert photos
    for photo in photos:
        found = scan_photo(photo.path.read_bytes())
        assert found.symbols == ()
        assert found.advice is not None
        json.dumps(dict(found.advice.facts))
