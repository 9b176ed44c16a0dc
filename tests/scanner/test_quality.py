"""Advice: a picture spoilt in one way is told that way, with the number behind it."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner import Advice, AdviceCode, read_symbols, scan_photo
from scanner.find.localise import find_finders
from scanner.find.pose import find_pose
from scanner.quality import advise

TEXT = "HTTPS://V.EXAMPLE.COM/K1" + "0123456789ABC" + "DEFGHJKMNPQRSTVWXYZ" * 5


def advice_for(camera: Callable[..., Any], print_: npt.NDArray[np.uint8], **faults: float) -> Advice:
    return advise(camera(**faults).photograph(print_)[:, :, 0])


def test_a_symbol_far_away_asks_to_move_closer(draw: Callable[..., Any], camera: Callable[..., Any]) -> None:
    advice = advice_for(camera, draw(TEXT), size=(1600, 1200), width_px=85)
    assert advice.code == AdviceCode.MOVE_CLOSER
    assert 1 < advice.facts["module_px"] < 2.5


def test_a_smeared_symbol_asks_to_hold_still(draw: Callable[..., Any], camera: Callable[..., Any]) -> None:
    advice = advice_for(camera, draw(TEXT), blur_px=7.0)
    assert advice.code == AdviceCode.HOLD_STILL
    assert 0 < advice.facts["sharpness"] < 0.1


def test_night_is_too_dark_and_a_washed_out_picture_too_bright(
    draw: Callable[..., Any], camera: Callable[..., Any]
) -> None:
    dark = advice_for(camera, draw(TEXT), light=(0.1, 0.2))
    bright = advise(np.full((300, 300), 250, dtype=np.uint8))
    assert dark.code == AdviceCode.TOO_DARK
    assert dark.facts["mean"] < 60
    assert bright.code == AdviceCode.TOO_BRIGHT
    assert bright.facts["mean"] == 250


def test_a_blank_spot_over_the_symbol_is_glare(draw: Callable[..., Any], camera: Callable[..., Any]) -> None:
    gray = (camera(width_px=420).photograph(draw(TEXT))[:, :, 0] * 0.8).astype(np.uint8)
    rows, columns = np.mgrid[: gray.shape[0], : gray.shape[1]]
    gray[(rows - 300) ** 2 + (columns - 400) ** 2 < 110**2] = 255
    advice = advise(gray)
    assert advice.code == AdviceCode.GLARE
    assert 0.15 < advice.facts["share"] < 0.9


def test_a_symbol_beyond_the_edge_asks_for_the_whole_code(draw: Callable[..., Any], camera: Callable[..., Any]) -> None:
    advice = advice_for(camera, draw(TEXT), shift=(330.0, 0.0), width_px=400)
    assert advice.code == AdviceCode.WHOLE_CODE
    assert advice.facts["finders"] in {1, 2}


def test_a_picture_without_a_code_says_so() -> None:
    desk = np.random.default_rng(2).integers(90, 170, (300, 400)).astype(np.uint8)
    assert advise(desk).code == AdviceCode.NO_CODE


def test_a_blank_wall_holds_no_code() -> None:
    assert advise(np.full((300, 400), 130, dtype=np.uint8)).code == AdviceCode.NO_CODE


def test_a_lamp_in_a_picture_without_a_code_is_glare() -> None:
    desk = np.random.default_rng(2).integers(90, 140, (300, 400)).astype(np.uint8)
    desk[50:150, 100:220] = 255
    assert advise(desk).code == AdviceCode.GLARE


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_logo_with_white_areas_is_no_code_and_no_glare(encode: Callable[..., bytes], kind: str) -> None:
    logo = np.full((400, 600, 3), (20, 90, 60), dtype=np.uint8)
    rows, columns = np.mgrid[:400, :600]
    logo[(rows - 200) ** 2 + (columns - 300) ** 2 < 120**2] = 255
    assert scan_photo(encode(logo, kind)).advice.code == AdviceCode.NO_CODE


def test_fog_without_a_code_asks_to_hold_still() -> None:
    fog = np.repeat(np.linspace(60, 180, 1200)[np.newaxis, :], 300, axis=0).astype(np.uint8)
    assert advise(fog).code == AdviceCode.HOLD_STILL


@pytest.mark.parametrize(("module_px", "code"), [(3, AdviceCode.MOVE_CLOSER), (10, AdviceCode.WHOLE_CODE)])
def test_a_located_damaged_symbol_asks_for_more_of_it(
    draw: Callable[..., Any], encode: Callable[..., bytes], module_px: int, code: AdviceCode
) -> None:
    gray = draw(TEXT, module_px=module_px)
    side = len(gray)
    low, high = int(0.4 * side), int(0.85 * side)
    blots = np.random.default_rng(1).integers(0, 2, (high - low, high - low)) * 200
    gray[low:high, low:high] = blots
    found = scan_photo(encode(np.repeat(gray[:, :, np.newaxis], 3, axis=2) // 2 + 20, "PNG"))
    assert found.symbols == ()
    assert found.advice.code == code


def around_a_bottle(print_: npt.NDArray[np.uint8], degrees: float) -> npt.NDArray[np.uint8]:
    """A print as it is seen on a cylinder of which it covers `degrees`, its axis upright."""
    side = len(print_)
    radius = side / np.radians(degrees)
    half = radius * np.sin(np.radians(degrees / 2))
    rows, columns = np.mgrid[:side, : int(2 * half)].astype(np.float32)
    along = (radius * np.arcsin(np.clip((columns - half) / radius, -1, 1)) + side / 2).astype(np.float32)
    seen = cv2.remap(print_, along, rows, cv2.INTER_LINEAR)
    return np.pad(seen, 80, constant_values=150)


@pytest.mark.parametrize("degrees", [60, 90, 120, 140])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_code_around_a_bottle_is_read(draw: Callable[..., Any], degrees: float, turns: int) -> None:
    seen = np.rot90(around_a_bottle(draw(TEXT), degrees), turns)
    found = read_symbols(np.ascontiguousarray(np.repeat(seen[:, :, np.newaxis], 3, axis=2)))
    assert [symbol.text for symbol in found] == [TEXT]


def test_a_code_around_a_bottle_is_bent_by_the_modules_counted_along_and_across(draw: Callable[..., Any]) -> None:
    pose = find_pose(find_finders(around_a_bottle(draw(TEXT), 100)))
    assert pose is not None
    assert 1.1 < pose.bend < 1.4
    assert advise(around_a_bottle(draw(TEXT), 100)).code == AdviceCode.BENT
    flat = find_pose(find_finders(around_a_bottle(draw(TEXT), 5)))
    assert flat is not None
    assert flat.bend < 1.03


@pytest.mark.parametrize("turn", [0, 30, 90])
def test_a_code_seen_from_the_side_leans(draw: Callable[..., Any], turn: float) -> None:
    print_ = draw(TEXT)
    middle = (len(print_) / 2, len(print_) / 2)
    turned = cv2.warpAffine(print_, cv2.getRotationMatrix2D(middle, turn, 0.7), print_.shape, borderValue=255)
    seen = np.pad(cv2.resize(turned, None, fx=1, fy=1 / 3, interpolation=cv2.INTER_AREA), 60, constant_values=150)
    advice = advise(seen)
    assert advice.code == AdviceCode.TILT
    assert 2.5 < advice.facts["lean"] < 3.5


def test_a_picture_that_moved_is_told_to_hold_still(draw: Callable[..., Any], camera: Callable[..., Any]) -> None:
    gray = camera(turn_deg=20.0).photograph(draw(TEXT))[:, :, 0]
    moved = cv2.filter2D(gray, -1, np.full((1, 25), 1 / 25))
    assert advise(moved).code == AdviceCode.HOLD_STILL


def test_a_sheet_of_codes_of_which_none_is_read_asks_for_one(draw: Callable[..., Any]) -> None:
    code = draw(TEXT, module_px=4)
    half = len(code) // 2
    code[half - 30 : half + 30, half - 30 : half + 30] = 128
    assert advise(np.tile(code, (2, 2))).code == AdviceCode.ONE_CODE_AT_A_TIME


def test_a_located_sliver_is_not_measured() -> None:
    gray = np.random.default_rng(2).integers(0, 255, (300, 400)).astype(np.uint8)
    sliver = ((10.0, 10.0), (90.0, 10.0), (90.0, 10.2), (10.0, 10.2))
    assert advise(gray, [((-50.0, -50.0), (-10.0, -50.0), (-10.0, -10.0), (-50.0, -10.0))]).code in AdviceCode
    assert advise(gray, [sliver]).code in AdviceCode


def test_finders_are_found_with_their_module_and_place(draw: Callable[..., Any]) -> None:
    symbol = draw(TEXT, module_px=8)
    found = sorted((round(finder.x), round(finder.y)) for finder in find_finders(symbol))
    near, far = 8 * 7.5, len(symbol) - 8 * 7.5
    assert len(found) == 3
    assert np.abs(np.array(found) - [(near, near), (near, far), (far, near)]).max() <= 2
    assert all(abs(finder.module_px - 8) < 0.5 for finder in find_finders(symbol))


def test_a_picture_without_outlines_has_no_finders() -> None:
    assert find_finders(np.full((64, 64), 128, dtype=np.uint8)) == []


@settings(max_examples=40)
@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 255), st.integers(0, 255))
def test_every_picture_gets_some_advice_with_finite_numbers(height: int, width: int, low: int, high: int) -> None:
    gray = np.random.default_rng(4).integers(min(low, high), max(low, high) + 1, (height, width)).astype(np.uint8)
    advice = advise(gray)
    assert advice.code in AdviceCode
    assert all(np.isfinite(value) for value in advice.facts.values())
    assert advice.facts
