# ruff: noqa: ANN401, RUF001 - fixtures' classes live in conftest, which tests cannot import; look-alikes are the point
"""The signed message, the two texts, and the strict parser (docs/format.md §2 and §3)."""

import struct
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authcode.code.payload import (
    GTIN_NONE,
    MAX_CODE_BYTES,
    GtinInvalid,
    NotOurs,
    check_gtin,
    code_from_path,
    dropped_link,
    format_code,
    gtin_check_digit,
    parse_code,
    shown_host,
    signed_message,
)
from keys.format.keyring import Keyring, KeyringSet
from keys.format.records import Form, Profile

GTIN = "09506000134352"
PARTS = {"brand_id": bytes(range(16)), "key_id": "K1", "serial": "7Q4KM2XD9FA1C", "prefix": "HTTPS://V.EXAMPLE.COM/"}


def _message(*, brand_id: bytes, serial: str, gtin: str, **key: Any) -> bytes:
    """The message of these fields, such too that no key record takes."""
    return signed_message(SimpleNamespace(**key), brand_id, serial=serial, gtin=gtin)  # type: ignore[arg-type]


def _refused(text: str | bytes, keyrings: KeyringSet) -> bool:
    with pytest.raises(NotOurs) as caught:
        parse_code(text, keyrings)
    return str(caught.value) == str(NotOurs())


@pytest.mark.parametrize(
    ("form", "profile", "gtin"),
    [
        (Form.SHORT, Profile.SIGNED, GTIN_NONE),
        (Form.SHORT, Profile.COMPACT, GTIN_NONE),
        (Form.GS1, Profile.SIGNED, GTIN),
    ],
)
def test_the_signed_message_has_the_layout_of_the_specification(form: Form, profile: Profile, gtin: str) -> None:
    message = _message(form=form, profile=profile, gtin=gtin, **PARTS)
    prefix = b"HTTPS://V.EXAMPLE.COM/"
    expected = struct.pack(
        "16s c B 16s 2s 13s 14s B 22s".replace(" ", ""),
        b"authcode-code-v1",
        b"S" if form is Form.SHORT else b"L",
        1 if profile is Profile.SIGNED else 2,
        bytes(range(16)),
        b"K1",
        b"7Q4KM2XD9FA1C",
        gtin.encode(),
        len(prefix),
        prefix,
    )
    assert message == expected
    assert len(message) == 64 + len(prefix)


@pytest.mark.parametrize(
    "wrong", [{"brand_id": b"short"}, {"key_id": "K12"}, {"serial": "7Q4K"}, {"gtin": "123"}, {"prefix": "X" * 256}]
)
def test_a_field_of_another_length_never_reaches_the_signature(wrong: dict[str, Any]) -> None:
    values: dict[str, Any] = {"form": Form.SHORT, "profile": Profile.SIGNED, "gtin": GTIN_NONE, **PARTS, **wrong}
    with pytest.raises(ValueError, match=r"wrong length|range\(0, 256\)"):
        _message(**values)


@pytest.mark.parametrize("key_id", ["K1", "K2", "K3"])
def test_what_we_write_we_parse(brand: Any, key_id: str) -> None:
    text = brand.code(key_id)
    keyring, key, parsed = parse_code(text, brand.keyrings)
    assert keyring is brand.keyring
    assert key.key_id == key_id
    assert format_code(parsed) == text
    assert parse_code(text.encode("ascii"), brand.keyrings) == (keyring, key, parsed)


def test_the_codes_have_the_lengths_that_fit_their_symbols(brand: Any) -> None:
    assert len(brand.code("K1")) == 140
    assert len(brand.code("K3")) == 22 + 2 + 13 + 16
    assert len(brand.code("K2")) == 22 + 3 + 14 + 4 + 13 + 6 + 2 + 86


def test_a_short_code_parses_in_lower_case_too(brand: Any) -> None:
    text = brand.code("K1")
    assert parse_code(text.lower(), brand.keyrings) == parse_code(text, brand.keyrings)


def test_of_a_link_only_scheme_and_host_may_be_lower_case(brand: Any) -> None:
    text = brand.code("K2")
    prefix, rest = text[:22], text[22:]
    assert parse_code(prefix.lower() + rest, brand.keyrings) == parse_code(text, brand.keyrings)
    assert _refused(prefix + rest.lower(), brand.keyrings)
    assert _refused(text.replace("/21/", "/21/").replace("K2", "k2"), brand.keyrings)


@pytest.mark.parametrize("extra", ["&fbclid=abc", "&a=1&b=2", "&80300=x", "&=", "&"])
def test_other_query_keys_of_a_link_are_ignored(brand: Any, extra: str) -> None:
    text = brand.code("K2")
    assert parse_code(text + extra, brand.keyrings) == parse_code(text, brand.keyrings)
    assert parse_code(text.replace("?", f"?{extra[1:]}&"), brand.keyrings) == parse_code(text, brand.keyrings)


def test_a_second_8030_is_refused_whatever_it_holds(brand: Any) -> None:
    text = brand.code("K2")
    for second in ("&8030=", "&8030", f"&8030={text.partition('=')[2]}"):
        assert _refused(text + second, brand.keyrings)


@pytest.mark.parametrize("key_id", ["K1", "K2", "K3"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text + "\n", id="newline at the end"),
        pytest.param(lambda text: "\n" + text, id="newline before"),
        pytest.param(lambda text: text + "\r", id="carriage return"),
        pytest.param(lambda text: text + "\x00", id="null"),
        pytest.param(lambda text: " " + text, id="space"),
        pytest.param(lambda text: text + "#", id="fragment"),
        pytest.param(lambda text: text.replace("/", "\\"), id="backslashes"),
        pytest.param(lambda text: text.replace("/", "%2F"), id="encoded slashes"),
        pytest.param(lambda text: text[:-1] + f"%{ord(text[-1]):02X}", id="percent form of the last character"),
        pytest.param(lambda text: text.replace("V.", "V。"), id="ideographic full stop"),
        pytest.param(lambda text: text.replace("E", "Е"), id="Cyrillic letters"),
        pytest.param(lambda text: text.replace("1", "１"), id="full-width digits"),
        pytest.param(lambda text: text.replace("S://", "ſ://"), id="long s, whose capital is S"),
        pytest.param(lambda text: text.replace("K", "\N{KELVIN SIGN}"), id="Kelvin sign, whose small letter is k"),
        pytest.param(lambda text: text + "\u200b", id="zero-width space"),
        pytest.param(lambda text: text.replace("V.EXAMPLE.COM", "V.EXAMPLE.COM:443"), id="default port"),
        pytest.param(lambda text: text.replace("V.EXAMPLE.COM", "V.EXAMPLE.COM."), id="final dot of the host"),
        pytest.param(lambda text: text.replace("//V.", "//U@V."), id="user before the host"),
        pytest.param(lambda text: text.replace("//V.", "//EVIL.COM\\@V."), id="the host that parsers disagree on"),
        pytest.param(lambda text: text.replace("HTTPS", "HTTP"), id="other scheme"),
        pytest.param(lambda text: text.replace("COM/", "COM//"), id="doubled slash"),
        pytest.param(lambda text: text.replace("COM/", "COM/./"), id="dot segment"),
        pytest.param(lambda text: text + "/", id="trailing slash"),
        pytest.param(lambda text: text + "?", id="empty query on a short code, or a second question mark"),
        pytest.param(lambda text: text[:-1], id="truncated"),
        pytest.param(lambda text: text[:22], id="only the prefix"),
        pytest.param(lambda text: text[22:], id="without its prefix"),
        pytest.param(lambda text: text[:-4] + "-" + text[-4:], id="hyphen"),
        pytest.param(lambda text: text + "&x=" + "A" * MAX_CODE_BYTES, id="over-long"),
        pytest.param(lambda text: text + text, id="twice"),
    ],
)
def test_every_odd_spelling_is_refused_with_one_text(brand: Any, key_id: str, change: Any) -> None:
    text = brand.code(key_id)
    assert _refused(change(text), brand.keyrings)


def test_spare_bits_of_a_tag_must_be_zero(brand: Any) -> None:
    crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for key_id, alphabet in (("K1", crockford), ("K2", base64url)):
        text = brand.code(key_id)
        spellings = [text[:-1] + last for last in alphabet]
        parsed = [spelling for spelling in spellings if not _is_refused(spelling, brand.keyrings)]
        assert len(parsed) == 4  # two bits of the signature, the spare ones zero
        assert text in parsed


def _is_refused(text: str, keyrings: KeyringSet) -> bool:
    try:
        parse_code(text, keyrings)
    except NotOurs:
        return True
    return False


def test_aliases_are_for_typed_text_only(brand: Any) -> None:
    for index in range(20):
        text = brand.code("K1", index=index)
        for digit, alias in (("0", "O"), ("1", "I"), ("1", "L")):
            at = text.rfind(digit)
            assert at > 22
            assert _refused(text[:at] + alias + text[at + 1 :], brand.keyrings)


def test_a_key_vouches_only_in_its_own_form_and_with_its_own_tag_length(brand: Any) -> None:
    signed, compact = brand.code("K1"), brand.code("K3")
    assert _refused(signed.replace("/K1", "/K3"), brand.keyrings)
    assert _refused(compact.replace("/K3", "/K1"), brand.keyrings)
    assert _refused(signed.replace("/K1", "/K2"), brand.keyrings)
    assert _refused(brand.code("K2").replace("=K2", "=K1"), brand.keyrings)
    assert _refused(signed.replace("/K1", "/Z9"), brand.keyrings)


def test_a_key_belongs_to_one_prefix(brand: Any, key_record: Any) -> None:
    other = "HTTPS://W.EXAMPLE.COM:8443/"
    keyring: Keyring = replace(brand.keyring, prefixes=(*brand.keyring.prefixes, other))
    text = brand.code("K1")
    assert _refused(text.replace("HTTPS://V.EXAMPLE.COM/", other), KeyringSet([keyring]))
    moved = key_record("K1", Profile.SIGNED, Form.SHORT, prefix=other)
    keyrings = KeyringSet([replace(keyring, code_keys=(moved,))])
    assert parse_code(text.replace("HTTPS://V.EXAMPLE.COM/", other), keyrings)[1].prefix == other


@given(st.one_of(st.text(), st.binary(), st.text(alphabet=st.characters(codec="ascii"))))
@example("HTTPS://V.EXAMPLE.COM/")
@example("HTTPS://V.EXAMPLE.COM/01/09506000134352/21/0000000000000?8030=")
@example("\ud800")
def test_hostile_input_raises_only_our_error(brand: Any, text: str | bytes) -> None:
    assert _refused(text, brand.keyrings)


@given(st.text(max_size=80), st.text(max_size=200))
@example("/K1", "")
@example("/01/09506000134352/21/7Q4KM2XD9FA1C", "8030=")
@example("/01/09506000134352/21/7Q4KM2XD9FA1C", "8030=\ud800\n")
def test_hostile_addresses_raise_only_our_error(brand: Any, path: str, query: str) -> None:
    with pytest.raises(NotOurs):
        parse_code(code_from_path(path, query, brand.keyrings), brand.keyrings)


@pytest.mark.parametrize("query", ["", "fbclid=%20x", "a=1&b", "utm+source=x;y"])
def test_a_page_rebuilds_the_text_from_raw_path_and_8030_alone(brand: Any, query: str) -> None:
    short, link = brand.code("K1"), brand.code("K2")
    assert code_from_path(short[21:], query, brand.keyrings) == short
    path, _, value = link[21:].partition("?")
    assert code_from_path(path, f"{value}&{query}", brand.keyrings) == link
    assert code_from_path(path, f"{query}&{value}", brand.keyrings) == link


def test_a_page_takes_a_short_code_in_lower_case(brand: Any) -> None:
    text = brand.code("K1")
    rebuilt = code_from_path(text[21:].lower(), "", brand.keyrings)
    assert parse_code(rebuilt, brand.keyrings) == parse_code(text, brand.keyrings)


def test_a_page_refuses_addresses_that_are_no_code(brand: Any) -> None:
    short, link = brand.code("K1"), brand.code("K2")
    path, _, value = link[21:].partition("?")
    odd = [
        ("", ""),
        ("/", ""),
        (short[22:], ""),
        (short[21:], "8030=K1"),
        (path, ""),
        (path, f"{value}&{value}"),
        (path, value.replace("8030", "%38030")),
        (path[1:], value),
        (short[21:].replace("K1", "Z9"), ""),
        (path, value.replace("K2", "Z9")),
        (short[21:].replace("K1", "%4B1"), ""),
        ("/" + "0" * 600, ""),
        ("/é" + short[22:], ""),
    ]
    for raw_path, query in odd:
        with pytest.raises(NotOurs):
            code_from_path(raw_path, query, brand.keyrings)


def test_a_link_that_lost_its_8030_still_tells_its_serial(brand: Any) -> None:
    link = brand.code("K2")
    path = link[21:].partition("?")[0]
    assert dropped_link(path, "utm=1") == (path[4:18], path[-13:])
    for odd in ("", "/", path[1:], path + "/", brand.code("K1")[21:]):
        assert dropped_link(odd, "") is None
    for query in ("8030", "8030=", "a=b&8030=x", "8030x=1"):
        assert dropped_link(path, query) is None


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("09506000134352", "09506000134352"),
        ("9506000134352", "09506000134352"),
        ("036000291452", "00036000291452"),
        ("96385074", "00000096385074"),
    ],
)
def test_a_gtin_of_any_length_is_kept_as_fourteen_digits(given_text: str, kept: str) -> None:
    assert check_gtin(given_text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9506000134353",
        "09506000134351",
        "123",
        "0" * 14,
        "0950600013435A",
        "０９５０６０００１３４３５２",
        "9506000134352\n",
    ],
)
def test_a_wrong_gtin_is_refused_and_named(text: str) -> None:
    with pytest.raises(GtinInvalid) as caught:
        check_gtin(text)
    assert caught.value.text == text


@given(st.text(alphabet="0123456789", min_size=13, max_size=13), st.integers(0, 12), st.integers(1, 9))
def test_every_single_error_in_a_gtin_shows(body: str, place: int, by: int) -> None:
    changed = body[:place] + str((int(body[place]) + by) % 10) + body[place + 1 :]
    assert gtin_check_digit(body) != gtin_check_digit(changed)


def test_a_link_with_a_wrong_check_digit_is_refused_before_its_signature(brand: Any) -> None:
    assert _refused(brand.code("K2").replace("09506000134352", "09506000134353"), brand.keyrings)


def test_the_host_is_shown_as_shoppers_read_it() -> None:
    assert shown_host("HTTPS://V.EXAMPLE.COM/") == "v.example.com"
    assert shown_host("HTTP://10.0.0.7:8080/") == "10.0.0.7:8080"
