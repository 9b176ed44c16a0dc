"""Segments as docs/format.md §2 lays them down, and symbols bit for bit as the `qrcode` package draws them."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qrcode import constants
from qrcode.main import QRCode
from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, QRData

from authcode.qr.codewords import Level
from authcode.qr.segments import CodeNotDrawable, segments_of
from authcode.qr.symbol import SymbolTooLong, draw_symbol, smallest_version
from keys.format.records import Form

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PACKAGE = {
    Level.L: constants.ERROR_CORRECT_L,
    Level.M: constants.ERROR_CORRECT_M,
    Level.Q: constants.ERROR_CORRECT_Q,
    Level.H: constants.ERROR_CORRECT_H,
}
FORMS_AND_LEVELS = [(form, level) for form in Form for level in Level]


def test_the_short_form_is_one_alphanumeric_segment(shop: SimpleNamespace) -> None:
    code = shop.code_text(Form.SHORT, 1)
    assert [(segment.mode, segment.data) for segment in segments_of(code, Form.SHORT)] == [
        (MODE_ALPHA_NUM, code.encode())
    ]


def test_a_short_code_without_any_letter_is_still_alphanumeric() -> None:
    assert [segment.mode for segment in segments_of("0123456789", Form.SHORT)] == [MODE_ALPHA_NUM]


def test_the_link_form_is_exactly_two_segments_parted_after_the_serial(shop: SimpleNamespace) -> None:
    code = shop.code_text(Form.GS1, 2)
    path, query = code.split("?")
    assert [(segment.mode, segment.data) for segment in segments_of(code, Form.GS1)] == [
        (MODE_ALPHA_NUM, path.encode()),
        (MODE_8BIT_BYTE, f"?{query}".encode()),
    ]


@given(tail=st.text(BASE64URL, min_size=86, max_size=86), serial=st.text(CROCKFORD, min_size=13, max_size=13))
def test_no_content_tempts_the_link_form_into_other_segments(tail: str, serial: str) -> None:
    code = f"HTTPS://V.EXAMPLE.COM/01/09506000134352/21/{serial}?8030=K1{tail}"
    segments = segments_of(code, Form.GS1)
    assert [segment.mode for segment in segments] == [MODE_ALPHA_NUM, MODE_8BIT_BYTE]
    assert b"".join(segment.data for segment in segments) == code.encode()
    assert segments[0].data.endswith(serial.encode())


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("https://v.example.com/K1", Form.SHORT),
        ("", Form.SHORT),
        ("HTTPS://V.EXAMPLE.COM/K1\n", Form.SHORT),
        ("HTTPS://V.EXAMPLE.COM/É", Form.SHORT),
        ("HTTPS://V.EXAMPLE.COM/01/09506000134352/21/ABC", Form.GS1),
        ("HTTPS://V.EXAMPLE.COM/01/09506000134352/21/ABC?", Form.GS1),
        ("HTTPS://V.EXAMPLE.COM/01/09506000134352/21/ABC?8030=é", Form.GS1),
        ("https://v.example.com/01/09506000134352/21/ABC?8030=K1", Form.GS1),
    ],
)
def test_a_text_of_another_shape_is_refused_and_not_repeated(text: str, form: Form) -> None:
    with pytest.raises(CodeNotDrawable) as refusal:
        segments_of(text, form)
    assert refusal.value.code == "code_not_drawable"
    assert not text or text not in str(refusal.value)


@given(st.text(max_size=60), st.sampled_from(Form))
def test_any_text_gives_segments_of_itself_or_our_error(text: str, form: Form) -> None:
    try:
        segments = segments_of(text, form)
    except CodeNotDrawable:
        return
    assert b"".join(segment.data for segment in segments) == text.encode()


@pytest.mark.parametrize(("form", "level"), FORMS_AND_LEVELS)
def test_symbols_are_those_of_the_package_mask_included(shop: SimpleNamespace, form: Form, level: Level) -> None:
    code = shop.code_text(form, 3)
    package = QRCode(version=None, error_correction=PACKAGE[level], border=0)
    if form is Form.SHORT:
        package.add_data(code, optimize=0)
    else:
        path, query = code.split("?")
        package.add_data(QRData(path, MODE_ALPHA_NUM))
        package.add_data(QRData(f"?{query}", MODE_8BIT_BYTE))
    package.make(fit=True)
    symbol = draw_symbol(segments_of(code, form), level)
    assert (symbol.version, symbol.level) == (package.version, level)
    assert symbol.mask == package.best_mask_pattern()
    package.make(fit=True)
    assert np.array_equal(symbol.modules, np.array(package.modules, dtype=bool))


@pytest.mark.parametrize("mask", range(8))
def test_a_given_version_and_mask_are_kept(shop: SimpleNamespace, mask: int) -> None:
    code = shop.code_text(Form.SHORT, 4)
    package = QRCode(version=9, error_correction=PACKAGE[Level.Q], border=0, mask_pattern=mask)
    package.add_data(code, optimize=0)
    package.make(fit=False)
    symbol = draw_symbol(segments_of(code, Form.SHORT), Level.Q, version=9, mask=mask)
    assert (symbol.version, symbol.mask) == (9, mask)
    assert np.array_equal(symbol.modules, np.array(package.modules, dtype=bool))


@pytest.mark.parametrize(
    ("form", "level", "version"),
    [
        (Form.SHORT, Level.M, 6),
        (Form.SHORT, Level.Q, 8),
        (Form.SHORT, Level.H, 9),
        (Form.GS1, Level.M, 8),
        (Form.GS1, Level.Q, 10),
        (Form.GS1, Level.H, 11),
    ],
)
def test_codes_need_the_versions_the_format_promises(
    shop: SimpleNamespace, form: Form, level: Level, version: int
) -> None:
    assert smallest_version(segments_of(shop.code_text(form, 5), form), level) == version


@settings(max_examples=60)
@given(length=st.integers(1, 2500), level=st.sampled_from(Level))
def test_the_smallest_version_is_the_one_the_package_chooses(length: int, level: Level) -> None:
    segments = segments_of("A" * length, Form.SHORT)
    package = QRCode(error_correction=PACKAGE[level])
    package.add_data(segments[0])
    try:
        expected = package.best_fit()
    except ValueError:  # the package's own overflow
        with pytest.raises(SymbolTooLong):
            smallest_version(segments, level)
        return
    assert smallest_version(segments, level) == expected


def test_a_text_too_long_for_every_version_is_refused_with_both_numbers() -> None:
    with pytest.raises(SymbolTooLong, match="version 40 symbol of level H holds 10208") as refusal:
        smallest_version(segments_of("A" * 1853, Form.SHORT), Level.H)
    assert (refusal.value.code, refusal.value.version) == ("symbol_too_long", 40)
    assert smallest_version(segments_of("A" * 1852, Form.SHORT), Level.H) == 40


def test_a_text_too_long_for_its_version_is_refused_with_both_numbers(shop: SimpleNamespace) -> None:
    segments = segments_of(shop.code_text(Form.SHORT, 6), Form.SHORT)
    with pytest.raises(SymbolTooLong, match="783 bits, and a version 5 symbol of level Q holds 496") as refusal:
        draw_symbol(segments, Level.Q, version=5)
    assert (refusal.value.needed_bits, refusal.value.held_bits) == (783, 496)


@pytest.mark.parametrize(("form", "level"), FORMS_AND_LEVELS)
def test_two_foreign_readers_read_every_form_and_level(shop: SimpleNamespace, form: Form, level: Level) -> None:
    code = shop.code_text(form, 7)
    modules = draw_symbol(segments_of(code, form), level).modules
    picture = np.where(np.pad(modules, 4).repeat(8, axis=0).repeat(8, axis=1), 0, 255).astype(np.uint8)
    assert shop.read_by_zxing(picture) == [code]
    assert shop.read_by_opencv(picture) == code


def test_modules_of_a_symbol_cannot_be_changed_afterwards(shop: SimpleNamespace) -> None:
    symbol = draw_symbol(segments_of(shop.code_text(Form.SHORT, 8), Form.SHORT), Level.M, mask=0)
    with pytest.raises(ValueError, match="read-only"):
        symbol.modules[0, 0] = False
