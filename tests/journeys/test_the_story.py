"""The story of the demo, and what it leaves behind, seen with other people's tools."""

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from PIL import Image

from server.commands.database import opened_context
from server.domain.alerts.alert import AlertFilter
from server.services.queries.alerts import alerts
from server.web.dashboard.words import alert_sentence
from tests.journeys.story import Told, answers

pytestmark = pytest.mark.slow

ORDERS = ("demo-1-short", "demo-1-gs1")

# Asked for everything it knows, zxing-cpp also finds linear codes in a sheet's texture.
QR_CODES = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)


def test_the_demo_asks_everything_and_hears_what_the_story_says(told: Told) -> None:
    for verdict in (
        "unused",
        "genuine",
        "verified_by_you",
        "already_verified",
        "not_ours",
        "not_activated",
        "recalled",
        "sample",
        "void",
    ):
        assert verdict in told.output
    assert "EXPECTED" not in told.output
    assert "the same bytes" in told.output


def test_the_one_time_password_of_staff_is_printed_once(told: Told, told_again: Told) -> None:
    (line,) = [line for line in told.output.splitlines() if "one-time password" in line]
    assert line.split()[-1] not in told_again.output


def test_a_demo_that_is_ended_by_a_signal_takes_its_server_with_it(told_again: Told) -> None:
    assert told_again.stayed
    assert not answers(told_again.port)


def test_a_second_run_replays_the_story_with_new_orders_and_another_address(told_again: Told) -> None:
    assert "EXPECTED" not in told_again.output
    second = told_again.codes("demo-2-short")
    assert not set(second) & set(told_again.codes("demo-1-short"))
    assert all(code.startswith("HTTP://192.0.2.20:8470/") for code in second)
    assert "dashboard, alert inside  http://192.0.2.20:8470/staff/" in told_again.output
    assert "1 sample," in told_again.output


def test_no_two_alerts_of_the_story_read_alike(told_again: Told) -> None:
    with opened_context(told_again.home) as ctx:
        rows = alerts(ctx, AlertFilter()).rows
    said = [alert_sentence(row) for row in rows]
    assert len(said) >= 6
    assert len(set(said)) == len(said)
    assert "Aurel Night Serum 30 ml, demo-1-short code 0: one code scanned by two people" in said


@pytest.mark.parametrize("order", ORDERS)
def test_every_png_is_read_by_a_decoder_that_is_not_ours_and_by_no_decoder_wrongly(told: Told, order: str) -> None:
    pictures = sorted((told.home / "orders" / order / "png").glob("*.png"))
    codes = told.codes(order)
    assert len(pictures) == len(codes) == 24
    read_by_opencv = 0
    for path, code in zip(pictures, codes, strict=True):
        symbol = np.asarray(Image.open(path).convert("L"))
        assert [found.text for found in zxingcpp.read_barcodes(symbol, formats=QR_CODES)] == [code]
        text = cv2.QRCodeDetector().detectAndDecode(symbol)[0]
        assert text in {"", code}
        read_by_opencv += text == code
    # OpenCV's detector overlooks some symbols, and corrects a codeword or two less than the standard allows.
    assert read_by_opencv >= 12


@pytest.mark.parametrize("order", ORDERS)
def test_every_symbol_on_the_sheet_is_read_from_another_renderer(told: Told, order: str, tmp_path: Path) -> None:
    for sheet in sorted((told.home / "orders" / order / "pdf").glob("*.pdf")):
        subprocess.run(["pdftoppm", "-gray", "-r", "300", str(sheet), str(tmp_path / sheet.stem)], check=True)
    texts: set[str] = set()
    for page in sorted(tmp_path.glob("*.pgm")):
        texts |= {found.text for found in zxingcpp.read_barcodes(np.asarray(Image.open(page)), formats=QR_CODES)}
    assert texts == set(told.codes(order))


@pytest.mark.parametrize("order", ORDERS)
def test_every_svg_is_well_formed_and_there_is_one_for_each_code(told: Told, order: str) -> None:
    drawings = sorted((told.home / "orders" / order / "svg").glob("*.svg"))
    assert len(drawings) == 24
    for drawing in drawings:
        assert ET.parse(drawing).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own file


def test_nobody_else_may_read_the_codes_or_the_passphrases(told: Told) -> None:
    secrets = [*told.home.glob("orders/*/codes.csv"), *told.home.glob("*/passphrase"), *told.home.glob("*/keys/*")]
    assert len(secrets) > 8
    assert [path for path in secrets if path.is_file() and path.stat().st_mode & 0o077] == []


def test_no_code_of_the_story_stands_in_a_log(told: Told) -> None:
    tails = [code[-40:] for order in ORDERS for code in told.codes(order)]
    logs = [path.read_text(encoding="utf-8", errors="replace") for path in told.home.rglob("*.log")]
    assert logs
    for log in logs:
        assert not any(tail in log for tail in tails)
