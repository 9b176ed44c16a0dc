"""Contents are shown as the characters that were meant, whatever the label's maker wrote them in."""

import pytest
import qrcode
from qrcode.util import MODE_8BIT_BYTE, QRData

from scanner.contents import readable
from scanner.engines import read_with_zxing
from tests.scanner.conftest import modules_of


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("你好 世界 正品查询", "gbk"),
        ("正品保证", "gbk"),
        ("真伪查询请扫码", "gb18030"),
        ("안녕하세요 정품 확인", "euc_kr"),
        ("こんにちは 本物", "shift_jis"),
        ("本物確認", "shift_jis"),
        ("*ﾃﾞｻﾞｲﾝQR*", "shift_jis"),
        ("ﾃｽﾄ", "shift_jis"),
        ("Grüße aus Köln", "latin-1"),
        ("Größe", "latin-1"),
        ("Ä", "latin-1"),
        ("Grüße, 認証, 인증", "utf-8"),
        ("HTTPS://V.EXAMPLE.COM/7Q4K", "ascii"),
    ],
)
def test_a_symbol_without_eci_says_what_was_written(text: str, encoding: str) -> None:
    symbol = qrcode.QRCode(border=4)
    symbol.add_data(QRData(text.encode(encoding), mode=MODE_8BIT_BYTE))
    assert [reading.text for reading in read_with_zxing(modules_of(symbol))] == [text]


@pytest.mark.parametrize("raw", [b"\xff\xff", b"\xa1", b"caf\xe9", b"\x80\x81"])
def test_bytes_that_are_no_pairs_stay_as_the_decoder_took_them(raw: bytes) -> None:
    assert readable(raw, raw.decode("latin-1")) == raw.decode("latin-1")
