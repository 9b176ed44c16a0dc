"""PNG, SVG and the plan of a design: what is drawn is read back by readers that are not ours."""

import base64
import errno
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from authcode.design.logo import LogoDoesNotFit, load_logo
from authcode.design.plan import Design, LabelTooLarge, LabelTooSmall, plan_design
from authcode.print.png import PngWriter, encode_png
from authcode.print.svg import SvgWriter
from authcode.qr.codewords import Level
from keys.format.records import Form

Style = tuple[Form, Level, tuple[int, int] | None]
ALL_DESIGNS: list[Style] = [
    (form, level, logo)
    for form in Form
    for level in Level
    for logo in (None, (600, 600), (900, 300))
    if not (logo and level is Level.L)
]
SAMPLES = {
    Form.SHORT: "HTTPS://V.EXAMPLE.COM/" + "0" * 118,
    Form.GS1: "HTTPS://V.EXAMPLE.COM/01/09506000134352/21/0000000000000?8030=" + "A" * 88,
}
SVG = "{http://www.w3.org/2000/svg}"


def planned(form: Form, level: Level, logo: Path | None, label_mm: float | None = None) -> Design:
    return plan_design(SAMPLES[form], form, level=level, logo=load_logo(logo) if logo else None, label_mm=label_mm)


def rasterised(svg: bytes, pixels: int) -> np.ndarray:
    """A rasteriser for exactly what our SVG files hold: a ground, horizontal runs, one PNG."""
    root = ET.fromstring(svg)  # noqa: S314 (our own output)
    side = int(root.attrib["viewBox"].split()[2])
    ground, path, *images = list(root)
    assert (ground.tag, path.tag) == (f"{SVG}rect", f"{SVG}path")
    picture = Image.new("RGB", (side * pixels, side * pixels), ground.attrib["fill"])
    canvas = np.array(picture)
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path.attrib["d"])
    assert "".join(f"M{x} {y}h{w}v1h-{back}z" for x, y, w, back in runs) == path.attrib["d"]
    for x, y, w, back in runs:
        assert w == back
        canvas[int(y) * pixels : (int(y) + 1) * pixels, int(x) * pixels : (int(x) + int(w)) * pixels] = 0
    picture = Image.fromarray(canvas)
    for image in images:
        x, y, w, h = (round(float(image.attrib[name]) * pixels) for name in ("x", "y", "width", "height"))
        data = image.attrib["{http://www.w3.org/1999/xlink}href"].removeprefix("data:image/png;base64,")
        picture.paste(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB").resize((w, h)), (x, y))
    return np.asarray(picture.convert("L"), dtype=np.uint8)


@pytest.mark.parametrize("style", ALL_DESIGNS)
def test_every_drawn_png_and_svg_is_read_by_both_readers(
    shop: SimpleNamespace, style: Style, tmp_path: Path, logo_file: Callable[..., Path]
) -> None:
    form, level, logo = style
    design = planned(form, level, logo_file(logo) if logo else None)
    code = shop.code_text(form, 31)
    label = shop.make_label(design, code)
    for picture in (
        shop.grey(PngWriter(tmp_path, design).encode(label)),
        rasterised(SvgWriter(tmp_path, design).encode(label), 9),
    ):
        assert shop.read_by_zxing(picture) == [code]
        assert shop.read_by_opencv(picture) == code


def test_a_plain_png_is_one_bit_with_whole_modules_a_white_quiet_zone_and_its_size_in_print(
    shop: SimpleNamespace, tmp_path: Path
) -> None:
    design = planned(Form.SHORT, Level.M, None)
    label = shop.make_label(design, shop.code_text(Form.SHORT, 1))
    with Image.open(io.BytesIO(PngWriter(tmp_path, design).encode(label))) as picture:
        assert picture.mode == "1"
        assert picture.size == (490, 490)
        assert 490 / picture.info["dpi"][0] * 25.4 == pytest.approx(design.label_mm, abs=0.01)
        dark = ~np.asarray(picture)
    assert not dark[:40].any()
    assert not dark[-40:].any()
    assert not dark[:, :40].any()
    assert not dark[:, -40:].any()
    assert np.array_equal(dark[40:-40:10, 40:-40:10], label.symbol.modules)
    assert np.array_equal(dark[::10, ::10].repeat(10, axis=0).repeat(10, axis=1), dark)


@pytest.mark.parametrize(("colour", "mode"), [("#0b6e4f", "RGB"), ("#606060", "L")])
def test_a_logo_in_a_png_stands_in_white_where_the_plan_put_it(
    shop: SimpleNamespace, colour: str, mode: str, tmp_path: Path
) -> None:
    Image.new("RGB", (100, 100), colour).save(tmp_path / "logo.png")
    design = planned(Form.SHORT, Level.H, tmp_path / "logo.png")
    label = shop.make_label(design, shop.code_text(Form.SHORT, 2))
    with Image.open(io.BytesIO(PngWriter(tmp_path, design).encode(label))) as picture:
        assert picture.mode == mode
        pixels = np.asarray(picture.convert("RGB"))
    place = design.placement
    assert place
    left, top = (10 * (4 + edge) for edge in (place.clear_x0, place.clear_y0))
    cleared = pixels[top : top + 10 * place.clear_h, left : left + 10 * place.clear_w]
    assert (cleared[:10] == 255).all()
    assert (cleared[:, -10:] == 255).all()
    assert (cleared[10:-10, 10:-10] == Image.new("RGB", (1, 1), colour).getpixel((0, 0))).all()


def test_an_svg_is_measured_in_modules_and_sized_in_millimetres(shop: SimpleNamespace, tmp_path: Path) -> None:
    design = planned(Form.SHORT, Level.M, None, label_mm=16.5)
    label = shop.make_label(design, shop.code_text(Form.SHORT, 3))
    root = ET.fromstring(SvgWriter(tmp_path, design).encode(label))  # noqa: S314 (our own output)
    assert root.attrib == {"width": "16.5mm", "height": "16.5mm", "viewBox": "0 0 49 49"}
    assert root[1].attrib["shape-rendering"] == "crispEdges"
    dark = rasterised(SvgWriter(tmp_path, design).encode(label), 1) == 0
    assert np.array_equal(dark, np.pad(label.symbol.modules, 4))


def test_the_same_label_gives_the_same_bytes(
    shop: SimpleNamespace, tmp_path: Path, logo_file: Callable[..., Path]
) -> None:
    design = planned(Form.SHORT, Level.Q, logo_file())
    again = planned(Form.SHORT, Level.Q, logo_file())
    code = shop.code_text(Form.SHORT, 4)
    for writer in (PngWriter, SvgWriter):
        first = writer(tmp_path / "a", design).encode(shop.make_label(design, code))
        assert first == writer(tmp_path / "b", again).encode(shop.make_label(again, code))


@pytest.mark.parametrize(
    ("index", "tier", "name"),
    [(0, None, "000000"), (42, "outer", "000042o"), (42, "inner", "000042i"), (1_234_567, None, "1234567")],
)
def test_files_are_named_by_index_and_tier_and_never_by_the_code(
    shop: SimpleNamespace, index: int, tier: str | None, name: str, tmp_path: Path
) -> None:
    design = planned(Form.SHORT, Level.M, None)
    label = shop.make_label(design, shop.code_text(Form.SHORT, 5), index, tier)
    for writer, ending in ((PngWriter, "png"), (SvgWriter, "svg")):
        with writer(tmp_path / ending, design) as opened:
            opened.write(label)
        assert [path.name for path in (tmp_path / ending).iterdir()] == [f"{name}.{ending}"]


@pytest.mark.parametrize("writer", [PngWriter, SvgWriter])
def test_a_full_disk_is_an_os_error(shop: SimpleNamespace, writer: type[PngWriter | SvgWriter], tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    design = planned(Form.SHORT, Level.M, None)
    label = shop.make_label(design, shop.code_text(Form.SHORT, 6))
    folder = tmp_path / "drawn"
    opened = writer(folder, design)
    (folder / f"000000.{writer.ending}").symlink_to(full)
    with pytest.raises(OSError, match="No space left") as refusal:
        opened.write(label)
    assert refusal.value.errno == errno.ENOSPC


@pytest.mark.parametrize("shape", [(5, 9), (5, 9, 3)])
def test_png_files_of_ours_are_read_by_pillow_pixel_for_pixel(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    with Image.open(io.BytesIO(encode_png(pixels))) as picture:
        assert np.array_equal(np.asarray(picture), pixels)
        assert "dpi" not in picture.info


@pytest.mark.parametrize(
    ("form", "level", "label_mm"),
    [(Form.SHORT, Level.M, 17), (Form.SHORT, Level.Q, 19), (Form.SHORT, Level.H, 21), (Form.GS1, Level.Q, 22)],
)
def test_the_default_label_is_the_whole_millimetre_with_readable_modules(
    form: Form, level: Level, label_mm: int
) -> None:
    design = planned(form, level, None)
    assert design.label_mm == label_mm
    assert (label_mm - 1) / design.side_modules < 0.33 <= design.module_mm
    assert design.margin == 1


@pytest.mark.parametrize("label_mm", [12.2, 5.0, 0.0, -3.0, float("nan")])
def test_a_label_with_modules_too_small_to_read_is_refused_with_numbers(label_mm: float) -> None:
    with pytest.raises(LabelTooSmall, match=r"needs at least 0\.25 mm, a label of 12\.25 mm") as refusal:
        planned(Form.SHORT, Level.M, None, label_mm=label_mm)
    assert refusal.value.code == "label_too_small"
    assert refusal.value.smallest_mm == 12.25


def test_a_label_of_just_readable_modules_is_planned() -> None:
    assert planned(Form.SHORT, Level.M, None, label_mm=12.25).module_mm == 0.25


@pytest.mark.parametrize("label_mm", [180.1, float("inf")])
def test_a_label_wider_than_a_sheet_is_refused(label_mm: float) -> None:
    with pytest.raises(LabelTooLarge) as refusal:
        planned(Form.SHORT, Level.M, None, label_mm=label_mm)
    assert (refusal.value.code, refusal.value.largest_mm) == ("label_too_large", 180)


def test_a_logo_that_finds_no_place_is_refused_when_planning(logo_file: Callable[..., Path]) -> None:
    with pytest.raises(LogoDoesNotFit):
        planned(Form.SHORT, Level.L, logo_file())
