# ruff: noqa: ANN401 - fixtures' classes live in conftest, which tests cannot import
"""Signing and verifying: what a key vouches for, or one refusal."""

import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

import authcode
from authcode.code.payload import NotOurs, parse_code, signed_message
from authcode.code.serial import SerialUnit, Tier
from authcode.code.sign import CodeSigner
from authcode.code.verify import OfflineState, OnlineOnly, verify_code, verify_offline
from keys.format.keyring import KeyringSet, OpenedKeyring
from keys.format.records import Form, KeyState, Profile


@pytest.mark.parametrize(("key_id", "form"), [("K1", Form.SHORT), ("K2", Form.GS1), ("K3", Form.SHORT)])
def test_what_a_key_signed_it_vouches_for(brand: Any, key_id: str, form: Form) -> None:
    verified = verify_code(brand.code(key_id, batch=9, index=3), brand.keyrings, mac_keys=brand.mac_keys)
    assert verified.brand_id == brand.keyring.brand_id
    assert verified.key == brand.keyring.code_key(key_id)
    assert verified.form is form
    assert verified.gtin == ("09506000134352" if form is Form.GS1 else "0" * 14)
    assert brand.cipher.unit(verified.serial) == SerialUnit(batch=9, index=3, tier=Tier.SINGLE)


def test_another_library_makes_the_same_signature(brand: Any) -> None:
    for key_id, seed in (("K1", b"\x01" * 32), ("K2", b"\x02" * 32)):
        _, key, parsed = parse_code(brand.code(key_id), brand.keyrings)
        message = _message(brand, key, parsed)
        assert Ed25519PrivateKey.from_private_bytes(seed).sign(message) == parsed.tag


def test_the_compact_tag_is_the_head_of_an_hmac(brand: Any) -> None:
    _, key, parsed = parse_code(brand.code("K3"), brand.keyrings)
    assert hmac.new(b"\x03" * 32, _message(brand, key, parsed), hashlib.sha256).digest()[:10] == parsed.tag


def _message(brand: Any, key: Any, parsed: Any) -> bytes:
    return signed_message(key, brand.keyring.brand_id, serial=parsed.serial, gtin=parsed.gtin)


@pytest.mark.parametrize("key_id", ["K1", "K2", "K3"])
def test_a_tag_moved_to_another_serial_is_refused(brand: Any, key_id: str) -> None:
    first, second = brand.code(key_id, index=0), brand.code(key_id, index=1)
    serials = [parse_code(text, brand.keyrings)[2].serial for text in (first, second)]
    with pytest.raises(NotOurs):
        verify_code(first.replace(*serials), brand.keyrings, mac_keys=brand.mac_keys)


def test_a_tag_moved_to_another_gtin_is_refused(brand: Any) -> None:
    with pytest.raises(NotOurs):
        verify_code(brand.code("K2").replace("09506000134352", "09506000134376"), brand.keyrings)


def test_a_tag_made_for_another_brand_or_prefix_is_refused(brand: Any, key_record: Any) -> None:
    other = replace(brand.keyring, brand_id=b"\xff" * 16)
    with pytest.raises(NotOurs):
        verify_code(brand.code("K1"), KeyringSet([other]))
    prefix = "HTTPS://W.EXAMPLE.COM/"
    moved = replace(
        brand.keyring,
        prefixes=(prefix,),
        code_keys=(key_record("K1", Profile.SIGNED, Form.SHORT, prefix=prefix),),
    )
    with pytest.raises(NotOurs):
        verify_code(brand.code("K1").replace("//V.", "//W."), KeyringSet([moved]))


def test_a_compact_code_is_refused_or_left_to_the_server(brand: Any) -> None:
    text = brand.code("K3")
    with pytest.raises(OnlineOnly) as caught:
        verify_code(text, brand.keyrings)
    assert caught.value.key_id == "K3"
    with pytest.raises(NotOurs):
        verify_code(text, brand.keyrings, mac_keys={"K3": b"\x09" * 32})


def test_every_refusal_reads_the_same(brand: Any) -> None:
    forged = brand.code("K1")[:-1] + ("0" if brand.code("K1")[-1] != "0" else "8")
    said = set()
    for text in ("", "HTTPS://EVIL.EXAMPLE/", forged, brand.code("K1").replace("/K1", "/Z9"), "é" * 600, b"\xff\x00"):
        with pytest.raises(NotOurs) as caught:
            verify_code(text, brand.keyrings)
        said.add((str(caught.value), caught.value.code, caught.value.http_status, caught.value.__cause__))
    assert len(said) == 1


@given(st.binary(min_size=64, max_size=64))
def test_no_random_tag_verifies(brand: Any, tag: bytes) -> None:
    _, _, parsed = parse_code(brand.code("K1"), brand.keyrings)
    with pytest.raises(NotOurs):
        verify_code(authcode.code.payload.format_code(replace(parsed, tag=tag)), brand.keyrings)


def test_a_withdrawn_key_still_vouches_and_says_so(brand: Any, key_record: Any, now: datetime) -> None:
    withdrawn = key_record("K1", Profile.SIGNED, Form.SHORT, state=KeyState.WITHDRAWN, reason="stolen")
    keyring = replace(brand.keyring, code_keys=(withdrawn,))
    assert verify_code(brand.code("K1"), KeyringSet([keyring])).key.state is KeyState.WITHDRAWN
    opened = OpenedKeyring(keyring=keyring, root_fingerprint=brand.root.fingerprint, document=b"")
    late = now + timedelta(days=99)
    assert verify_offline(brand.code("K1"), opened, now).state is OfflineState.KEY_WITHDRAWN
    assert verify_offline(brand.code("K1"), opened, late).state is OfflineState.KEY_WITHDRAWN


def test_offline_a_signature_is_valid_until_the_key_list_is_out_of_date(brand: Any, now: datetime) -> None:
    expires = brand.keyring.expires
    in_date = verify_offline(brand.code("K2"), brand.opened, expires - timedelta(seconds=1))
    assert in_date.state is OfflineState.SIGNATURE_VALID
    assert (in_date.keyring.brand, in_date.keyring.version, in_date.keyring.expires) == ("Example Tea", 1, expires)
    assert verify_offline(brand.code("K2"), brand.opened, expires).state is OfflineState.KEY_LIST_OUT_OF_DATE
    with pytest.raises(NotOurs):
        verify_offline("hello", brand.opened, now)
    with pytest.raises(OnlineOnly):
        verify_offline(brand.code("K3"), brand.opened, now)


def test_a_retired_key_verifies(brand: Any, key_record: Any, now: datetime) -> None:
    keyring = replace(brand.keyring, code_keys=(key_record("K1", Profile.SIGNED, Form.SHORT, state=KeyState.RETIRED),))
    opened = OpenedKeyring(keyring=keyring, root_fingerprint=brand.root.fingerprint, document=b"")
    assert verify_offline(brand.code("K1"), opened, now).state is OfflineState.SIGNATURE_VALID


def test_signing_is_deterministic_and_each_key_signs_otherwise(brand: Any) -> None:
    serial = "7Q4KM2XD9FA1C"
    assert brand.signer("K1").code(serial) == brand.signer("K1").code(serial)
    other = CodeSigner(brand.keyring.brand_id, brand.keyring.code_key("K1"), b"\x55" * 32)
    assert other.code(serial) != brand.signer("K1").code(serial)


def test_the_front_door_opens_to_every_name_it_lists() -> None:
    for name in dir(authcode):
        assert callable(getattr(authcode, name))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = authcode.nothing
