"""Print sheets: read back from pages drawn by PDFium, measured in millimetres, the same bytes every time."""

import datetime as dt
import errno
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pikepdf
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcode.design.logo import Logo, load_logo
from authcode.design.plan import Design, LabelTooLarge, plan_design
from authcode.design.type import Face, line_width_mm, shortened
from authcode.print import pdf as pdfs
from authcode.print.pdf import SheetWriter
from authcode.print.sheet import GRID_TOP_MM, SheetGeometry, SheetHeading, plan_sheet
from authcode.print.writer import UnknownFormat, open_writers
from authcode.qr.codewords import Level
from keys.format.records import Form

HOST = "v.example.com"
MM = 72 / 25.4
Style = tuple[Form, Level, tuple[int, int] | None]
SAMPLES = {
    Form.SHORT: "HTTPS://V.EXAMPLE.COM/" + "0" * 118,
    Form.GS1: "HTTPS://V.EXAMPLE.COM/01/09506000134352/21/0000000000000?8030=" + "A" * 88,
}


def planned(
    form: Form = Form.SHORT, level: Level = Level.M, *, logo: Logo | None = None, label_mm: float | None = None
) -> Design:
    return plan_design(SAMPLES[form], form, level=level, logo=logo, label_mm=label_mm)


def heading(count: int, order: str = "spring-2026") -> SheetHeading:
    return SheetHeading(order=order, host=HOST, issued_on=dt.date(2026, 11, 21), label_count=count)


def write_sheets(
    shop: SimpleNamespace,
    folder: Path,
    design: Design,
    count: int,
    tiers: tuple[str | None, ...] = (None,),
) -> SheetGeometry:
    geometry = plan_sheet(design, HOST)
    with SheetWriter(folder, design, geometry, heading(count)) as writer:
        for index in range(count):
            for tier in tiers:
                writer.write(shop.make_label(design, shop.code_text(design.form, index), index, tier))
    return geometry


def text_of(path: Path, page: int = 0) -> str:
    with pypdfium2.PdfDocument(path) as document:
        return document[page].get_textpage().get_text_range()


@pytest.mark.parametrize(
    "style",
    [
        (Form.SHORT, Level.L, None),
        (Form.SHORT, Level.M, None),
        (Form.SHORT, Level.M, (600, 600)),
        (Form.SHORT, Level.Q, (600, 600)),
        (Form.SHORT, Level.H, (900, 300)),
        (Form.GS1, Level.M, None),
        (Form.GS1, Level.M, (600, 600)),
        (Form.GS1, Level.Q, (900, 300)),
        (Form.GS1, Level.H, (600, 600)),
    ],
)
def test_every_symbol_on_a_page_at_300_dpi_is_read_by_both_readers(
    shop: SimpleNamespace, style: Style, tmp_path: Path, logo_file: Callable[..., Path]
) -> None:
    form, level, logo = style
    design = planned(form, level, logo=load_logo(logo_file(logo)) if logo else None)
    count = 7
    geometry = write_sheets(shop, tmp_path / "pdf", design, count)
    page = shop.pdf_page(tmp_path / "pdf" / "sheet-001.pdf")
    read_by_opencv = []
    for place in range(count):
        x, y = geometry.symbol_corner(place)
        box = [round(edge / 25.4 * 300) for edge in (x, y, x + design.label_mm, y + design.label_mm)]
        picture = np.asarray(page.crop(box).convert("L"), dtype=np.uint8)
        assert shop.read_by_zxing(picture) == [shop.code_text(form, place)]
        read_by_opencv.append(shop.read_by_opencv(picture))
    # OpenCV overlooks about one symbol in thirty at four pixels a module, plain ones as often as those with a logo.
    expected = [shop.code_text(form, place) for place in range(count)]
    assert set(read_by_opencv) <= {*expected, ""}
    assert sum(text == code for text, code in zip(read_by_opencv, expected, strict=True)) >= count - 1


def test_a_whole_page_read_at_once_gives_every_code(shop: SimpleNamespace, tmp_path: Path) -> None:
    design = planned()
    geometry = write_sheets(shop, tmp_path, design, 60)
    page = np.asarray(shop.pdf_page(tmp_path / "sheet-001.pdf").convert("L"), dtype=np.uint8)
    codes = {shop.code_text(Form.SHORT, index) for index in range(min(60, geometry.labels_per_page))}
    assert set(shop.read_by_zxing(page)) == codes


def test_the_quiet_zone_is_white_on_every_side_of_every_symbol(shop: SimpleNamespace, tmp_path: Path) -> None:
    design = planned()
    geometry = write_sheets(shop, tmp_path, design, 8)
    page = np.asarray(shop.pdf_page(tmp_path / "sheet-001.pdf", dpi=600).convert("L"), dtype=np.uint8)
    scale = 600 / 25.4
    for place in range(8):
        x, y = (round(edge * scale) for edge in geometry.symbol_corner(place))
        side, quiet = round(design.label_mm * scale), int(4 * design.module_mm * scale) - 1
        cell = page[y : y + side, x : x + side] < 128
        rows, columns = np.flatnonzero(cell.any(axis=1)), np.flatnonzero(cell.any(axis=0))
        for dark in (rows, columns):
            assert dark[0] >= quiet
            assert side - 1 - dark[-1] >= quiet


def test_each_label_carries_its_serial_and_where_to_check_it(shop: SimpleNamespace, tmp_path: Path) -> None:
    write_sheets(shop, tmp_path, planned(), 3)
    text = text_of(tmp_path / "sheet-001.pdf")
    assert text.count("Check only at v.example.com") == 3
    for index in range(3):
        assert shop.serial_text(index) in text


def test_the_head_of_each_page_names_order_sheet_serials_and_date(shop: SimpleNamespace, tmp_path: Path) -> None:
    design = planned()
    geometry = plan_sheet(design, HOST)
    count = geometry.labels_per_page + 2
    write_sheets(shop, tmp_path, design, count)
    per_page = geometry.labels_per_page
    for page, (first, last) in enumerate([(0, per_page - 1), (per_page, count - 1)]):
        text = text_of(tmp_path / "sheet-001.pdf", page)
        assert "spring-2026" in text
        assert f"sheet {page + 1} of 2" in text
        assert f"indices {first}-{last}" in text
        assert "2026-11-21" in text
        assert re.search(f"{shop.serial_text(first)} . {shop.serial_text(last)}", text)


def test_an_order_name_of_any_length_and_script_leaves_the_head_in_place(shop: SimpleNamespace, tmp_path: Path) -> None:
    design = planned()
    geometry = plan_sheet(design, HOST)
    order = "(Frühling) \\ 春 " + "w" * 200
    with SheetWriter(tmp_path, design, geometry, heading(1, order=order)) as writer:
        writer.write(shop.make_label(design, shop.code_text(Form.SHORT, 0)))
    text = text_of(tmp_path / "sheet-001.pdf")
    assert "(Frühling) \\ ? www" in text
    assert "sheet 1 of 1" in text
    assert "indices 0-" in text


@given(
    label_mm=st.floats(14, 180),
    host=st.from_regex(r"[a-z]{1,30}\.[a-z]{2,30}", fullmatch=True),
)
def test_cells_stand_on_whole_millimetres_inside_the_page_and_hold_their_label(label_mm: float, host: str) -> None:
    geometry = plan_sheet(planned(label_mm=label_mm), host)
    assert geometry.labels_per_page >= 1
    assert isinstance(geometry.pitch_x_mm, int)
    assert geometry.pitch_x_mm >= label_mm + 2
    assert geometry.pitch_y_mm >= label_mm + 6
    assert geometry.left_mm >= 12
    assert GRID_TOP_MM + geometry.rows * geometry.pitch_y_mm <= 285
    for line in geometry.check_lines:
        assert line_width_mm(line, Face.SANS, 5.5) <= geometry.pitch_x_mm - 4
    x, y = geometry.symbol_corner(geometry.labels_per_page - 1)
    assert x + label_mm <= 198
    assert y + label_mm <= 285


def test_a_long_host_gets_a_line_of_its_own() -> None:
    assert plan_sheet(planned(), HOST).check_lines == ("Check only at v.example.com",)
    long_host = "verification.of.a.long-named-brand.example.com"
    assert plan_sheet(planned(), long_host).check_lines == ("Check only at", long_host)


def test_a_host_too_long_for_any_sheet_is_refused() -> None:
    with pytest.raises(LabelTooLarge):
        plan_sheet(planned(), ".".join(["w" * 60] * 4))


def test_symbols_are_stencils_in_black_ink_and_the_logo_is_stored_once_a_file(
    shop: SimpleNamespace, tmp_path: Path, logo_file: Callable[..., Path]
) -> None:
    design = planned(level=Level.Q, logo=load_logo(logo_file()))
    geometry = plan_sheet(design, HOST)
    count = geometry.labels_per_page + 1
    write_sheets(shop, tmp_path, design, count)
    with pikepdf.open(tmp_path / "sheet-001.pdf") as document:
        images = [thing for thing in document.objects if isinstance(thing, pikepdf.Stream) and "/Width" in thing]
        stencils = [image for image in images if image.get("/ImageMask", False)]
        assert (len(stencils), len(images)) == (count, count + 1)
        assert {int(stencil.BitsPerComponent) for stencil in stencils} == {1}
        for page in document.pages:
            operators = {str(operator) for _, operator in pikepdf.parse_content_stream(page)}
            assert operators == {"g", "G", "w", "BT", "Tf", "Td", "Tj", "ET", "m", "l", "S", "q", "cm", "Do", "Q"}
            colours = [
                [float(value) for value in operands]
                for operands, operator in pikepdf.parse_content_stream(page)
                if str(operator) in {"g", "G"}
            ]
            assert colours == [[0.0], [0.0]]
        fonts = {
            str(thing.BaseFont)
            for thing in document.objects
            if isinstance(thing, pikepdf.Dictionary) and "/BaseFont" in thing
        }
        assert fonts == {"/Helvetica", "/Helvetica-Bold", "/Courier-Bold"}


def test_a_grey_logo_is_printed_in_black_ink(shop: SimpleNamespace, tmp_path: Path) -> None:
    shop.drawn_logo((60, 60)).convert("LA").save(tmp_path / "logo.png")
    design = planned(level=Level.Q, logo=load_logo(tmp_path / "logo.png"))
    write_sheets(shop, tmp_path, design, 1)
    with pikepdf.open(tmp_path / "sheet-001.pdf") as document:
        spaces = {
            str(thing.ColorSpace)
            for thing in document.objects
            if isinstance(thing, pikepdf.Stream) and "/ColorSpace" in thing
        }
    assert spaces == {"/DeviceGray"}


def test_crop_marks_are_hairlines_that_begin_three_millimetres_outside_the_cut(
    shop: SimpleNamespace, tmp_path: Path
) -> None:
    geometry = write_sheets(shop, tmp_path, planned(), 1)
    left, right = geometry.left_mm * MM, (geometry.left_mm + geometry.columns * geometry.pitch_x_mm) * MM
    top = (297 - GRID_TOP_MM) * MM
    bottom = top - geometry.rows * geometry.pitch_y_mm * MM
    with pikepdf.open(tmp_path / "sheet-001.pdf") as document:
        drawn = [
            ([float(value) for value in operands], str(operator))
            for operands, operator in pikepdf.parse_content_stream(document.pages[0])
            if str(operator) in {"m", "l", "w"}
        ]
    assert drawn[0] == ([0.25], "w")
    ends = [point for point, _ in drawn[1:]]
    lines = list(zip(ends[::2], ends[1::2], strict=True))
    assert len(lines) == 1 + 2 * (geometry.columns + 1) + 2 * (geometry.rows + 1)  # one is the rule below the head
    for start, end in lines[1:]:
        away = [max(left - x, x - right, bottom - y, y - top) for x, y in (start, end)]
        assert min(away) == pytest.approx(3 * MM, abs=0.01)
        assert max(away) == pytest.approx(7 * MM, abs=0.01)


def test_a_large_order_is_split_into_files_of_whole_pages(
    shop: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = planned(label_mm=80.0)
    geometry = plan_sheet(design, HOST)
    monkeypatch.setattr(pdfs, "CODES_PER_FILE", 2 * geometry.labels_per_page + 1)
    count = 5 * geometry.labels_per_page - 1
    write_sheets(shop, tmp_path, design, count)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["sheet-001.pdf", "sheet-002.pdf", "sheet-003.pdf"]
    pages = []
    for file in files:
        with pikepdf.open(file) as document:
            pages.append(len(document.pages))
    assert pages == [2, 2, 1]
    assert "sheet 5 of 5" in text_of(files[2])


def test_an_order_that_fills_its_last_file_leaves_no_empty_one(
    shop: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = planned(label_mm=80.0)
    count = plan_sheet(design, HOST).labels_per_page
    monkeypatch.setattr(pdfs, "CODES_PER_FILE", count)
    write_sheets(shop, tmp_path, design, 2 * count)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["sheet-001.pdf", "sheet-002.pdf"]


def test_both_tiers_of_a_pair_have_sheets_of_their_own(shop: SimpleNamespace, tmp_path: Path) -> None:
    write_sheets(shop, tmp_path, planned(), 2, tiers=("outer", "inner"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["sheet-inner-001.pdf", "sheet-outer-001.pdf"]
    assert "inner: spring-2026" in text_of(tmp_path / "sheet-inner-001.pdf")
    assert text_of(tmp_path / "sheet-outer-001.pdf").count("Check only") == 2


def test_the_same_order_gives_the_same_bytes_and_no_time_but_the_date_handed_in(
    shop: SimpleNamespace, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        write_sheets(shop, tmp_path / name, planned(), 5)
    first, second = ((tmp_path / name / "sheet-001.pdf").read_bytes() for name in ("a", "b"))
    assert first == second
    with pikepdf.open(tmp_path / "a" / "sheet-001.pdf") as document:
        assert dict(document.docinfo) == {"/Title": "spring-2026", "/CreationDate": "D:20261121"}


def test_a_full_disk_is_an_os_error(shop: SimpleNamespace, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    design = planned()
    writer = SheetWriter(tmp_path, design, plan_sheet(design, HOST), heading(1))
    (tmp_path / "sheet-001.pdf").symlink_to(full)
    writer.write(shop.make_label(design, shop.code_text(Form.SHORT, 0)))
    with pytest.raises(OSError, match="No space left") as refusal:
        writer.close()
    assert refusal.value.errno == errno.ENOSPC


def interrupted(shop: SimpleNamespace, folder: Path, design: Design) -> None:
    with SheetWriter(folder, design, plan_sheet(design, HOST), heading(2)) as writer:
        writer.write(shop.make_label(design, shop.code_text(Form.SHORT, 0)))
        raise KeyboardInterrupt


def test_an_interrupted_order_leaves_no_sheet_that_looks_finished(shop: SimpleNamespace, tmp_path: Path) -> None:
    design = planned()
    with pytest.raises(KeyboardInterrupt):
        interrupted(shop, tmp_path, design)
    assert list(tmp_path.iterdir()) == []


def test_an_order_without_labels_writes_no_sheet(shop: SimpleNamespace, tmp_path: Path) -> None:
    write_sheets(shop, tmp_path, planned(), 0)
    assert list(tmp_path.iterdir()) == []


def test_every_format_writes_into_its_own_folder(shop: SimpleNamespace, tmp_path: Path) -> None:
    design = planned()
    for writer in open_writers(["csv", "pdf", "png", "svg", "png"], tmp_path, design, heading(1)):
        with writer:
            writer.write(shop.make_label(design, shop.code_text(Form.SHORT, 0)))
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert names == ["pdf/sheet-001.pdf", "png/000000.png", "svg/000000.svg"]


def test_an_unknown_format_is_refused_with_the_known_ones_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="'gif'; the formats are csv, pdf, png, svg") as refusal:
        open_writers(["pdf", "gif"], tmp_path / "out", planned(), heading(1))
    assert (refusal.value.code, refusal.value.name) == ("format_unknown", "gif")
    assert not (tmp_path / "out").exists()


def test_type_is_measured_as_a_font_with_the_same_widths_measures_it() -> None:
    # Courier is exactly 0.6 of its size; the sans is checked by sums of published widths.
    assert line_width_mm("7Q4K M2XD 9FA1 C·5", Face.MONO_BOLD, 6) == pytest.approx(18 * 0.6 * 6 * 25.4 / 72)
    assert line_width_mm("Check", Face.SANS, 10) == pytest.approx((722 + 556 + 556 + 500 + 500) / 100 * 25.4 / 72)
    assert line_width_mm("A·", Face.SANS_BOLD, 10) == pytest.approx((722 + 278) / 100 * 25.4 / 72)
    assert line_width_mm("春", Face.SANS, 10) == pytest.approx(10.15 * 25.4 / 72)


@given(text=st.text(max_size=60), width=st.floats(5, 100))
def test_a_shortened_line_fits_and_begins_as_the_text_does(text: str, width: float) -> None:
    short = shortened(text, Face.SANS_BOLD, 9, width)
    assert line_width_mm(short, Face.SANS_BOLD, 9) <= width
    assert short == text or (short.endswith("…") and text.startswith(short[:-1].rstrip()))
