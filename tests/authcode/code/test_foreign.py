"""What is shown of a text that is not ours."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcode.code.foreign import SHOWN_CHARACTERS, ForeignKind, describe_foreign


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://evil.example/K1ABC", "evil.example"),
        ("HTTP://EVIL.EXAMPLE", "evil.example"),
        ("https://evil.example:8443/?x#y", "evil.example"),
        ("https://evil.example?x", "evil.example"),
        ("https://evil.example#v.example.com", "evil.example"),
        ("https://xn--80ak6aa92e.com/", "xn--80ak6aa92e.com"),
        ("https://evil.example/\n\\@v.example.com/", "evil.example"),
        ("http://192.168.0.10/x", "192.168.0.10"),
        ("http://localhost:8000/", "localhost"),
    ],
)
def test_a_plain_address_is_named_with_its_host(text: str, host: str) -> None:
    assert describe_foreign(text).host == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "evil.example/x",
        "ftp://evil.example/",
        "javascript:alert(1)",
        r"HTTPS://EVIL.COM\@V.EXAMPLE.COM/",
        "https://v.example.com@evil.example/",
        "https:/evil.example/",
        "https:evil.example",
        "https:///evil.example/",
        "https://evil.example%2f.v.example.com/",
        "https://ev\nil.example/",
        " https://evil.example/",
        "https://evil。example/",
        "https://éxample.com/",
        "https://[::1]/",
        "https://.evil.example/",
        "https://evil..example/",
        "https://evil.example:99999/",
        "https://evil.example:/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://256.1.1.1/",
        "http://3232235786/",
        "https://" + "a." * 140 + "com/",
    ],
)
def test_where_readers_could_disagree_the_host_is_unclear(text: str) -> None:
    assert describe_foreign(text).host is None


@given(st.text(max_size=100))
def test_what_is_shown_is_short_and_printable(text: str) -> None:
    shown = describe_foreign(text).shortened
    assert len(shown) <= SHOWN_CHARACTERS
    assert shown.isprintable()
    if len(text) <= SHOWN_CHARACTERS and text.isprintable():
        assert shown == text


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert describe_foreign("A" * 41).shortened == "A" * 39 + "…"


def test_marks_that_turn_text_around_are_not_shown() -> None:
    assert describe_foreign("a\u202eb\u200bc\x1b[31m").shortened == "a\ufffdb\ufffdc\ufffd[31m"


@given(st.from_regex(r"https?://[a-z0-9.:@\\/?#%\[\]-]{0,30}", fullmatch=True))
def test_a_named_host_is_what_another_parser_finds_too(text: str) -> None:
    host = describe_foreign(text).host
    if host is not None:
        assert urlsplit(text).hostname == host


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("https://shop.example/x", "link"),
        ("HTTPS://EVIL.EXAMPLE\\@V.EXAMPLE/", "link"),
        ("https://bit.ly/3xYz", "shortened_link"),
        ("HTTP://WWW.TinyURL.com/a", "shortened_link"),
        ("https://rabbit.ly/3xYz", "link"),
        ("upi://pay?pa=someone@bank", "payment"),
        ("WXP://F2F0ABC", "payment"),
        ("https://qr.alipay.com/fkx", "payment"),
        ("bitcoin:175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W?amount=1", "payment"),
        ("BCD\n002\n1\nSCT\n\nName\nDE00", "payment"),
        ("SPC\r\n0200\r\n1\r\nCH00", "payment"),
        ("SPD*1.0*ACC:CZ00*AM:1.00", "payment"),
        ("00020101021226300012br.gov.bcb.pix", "payment"),
        ("tel:+15550100", "telephone"),
        ("SMSTO:+15550100:hello", "telephone"),
        ("WIFI:T:WPA;S:cafe;P:secret;;", "wifi"),
        ("0002 boxes", "text"),
        ("payment due", "text"),
        ("", "text"),
    ],
)
def test_what_a_phone_would_do_with_a_text_is_named(text: str, kind: str) -> None:
    assert describe_foreign(text).kind is ForeignKind(kind)


@given(st.text(max_size=80))
def test_nothing_of_a_password_is_shown(rest: str) -> None:
    assert describe_foreign(f"WIFI:T:WPA;P:secret;{rest}").shortened == "WIFI:\N{HORIZONTAL ELLIPSIS}"
