"""Serial and MAC keys travel sealed: only the server they are for opens them, and only the brand can have sent them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.base.errors import AddressInvalid, AuthcodeError, KeyringSignatureInvalid, SealNotOpened, SharedKeysInvalid
from keys.format.document import sign_document
from keys.format.records import Form, Profile, Purpose
from keys.primitives import LABEL_SHARED_KEYS, SigningKey, address_of, open_sealed, seal_to
from keys.store.issuer import IssuerHome, UnlockedIssuer
from keys.store.transfer import receive_shared_keys, send_shared_keys

SECRET = b"\x31" * 32
OTHER = b"\x32" * 32


@pytest.fixture
def unlocked(issuer: IssuerHome, passphrase: str) -> UnlockedIssuer:
    return issuer.unlock(passphrase)


@pytest.fixture
def sent(unlocked: UnlockedIssuer) -> bytes:
    prefix = unlocked.keyring.keyring.prefixes[0]
    unlocked.new_code_key(profile=Profile.COMPACT, form=Form.SHORT, prefix=prefix, now=unlocked.keyring.keyring.issued)
    return send_shared_keys(unlocked, address_of(SECRET))


def test_what_was_sent_arrives_whole(unlocked: UnlockedIssuer, sent: bytes) -> None:
    root = unlocked.keyring.root_fingerprint
    arrived = receive_shared_keys(sent, SECRET, root_fingerprint=root)
    assert arrived.shared == unlocked.shared_keys()
    assert len(arrived.shared.mac) == len(arrived.shared.serial) == 1
    assert (arrived.keyring, arrived.server_id) == (unlocked.keyring, unlocked.server_id)


def test_no_secret_shows_in_the_file_and_no_signing_key_is_in_the_seal(unlocked: UnlockedIssuer, sent: bytes) -> None:
    content = open_sealed(SECRET, bytes.fromhex(json.loads(sent)["sealed"]))
    shared = unlocked.shared_keys()
    for secret in (*shared.serial.values(), *shared.mac.values()):
        assert secret.hex().encode() in content
        assert secret.hex().encode() not in sent
    store = unlocked._store  # noqa: SLF001 - every secret there is has to be looked for
    for header in store.headers():
        if header.purpose in {Purpose.ROOT, Purpose.OFFICE, Purpose.SIGNING}:
            assert store.get(header.purpose, header.key_id).hex().encode() not in content + sent


def test_another_server_can_not_open_them(sent: bytes) -> None:
    with pytest.raises(SharedKeysInvalid, match="for the server with the address"):
        receive_shared_keys(sent, OTHER, root_fingerprint=None)
    readdressed = sent.replace(address_of(SECRET).hex().encode(), address_of(OTHER).hex().encode(), 1)
    with pytest.raises(SealNotOpened):
        receive_shared_keys(readdressed, OTHER, root_fingerprint=None)


def test_a_stranger_who_knows_the_address_can_not_slip_in_keys(unlocked: UnlockedIssuer, sent: bytes) -> None:
    values = json.loads(sent)
    content = open_sealed(SECRET, bytes.fromhex(values["sealed"]))
    payload = json.loads(content)["payload"]

    def received(document: bytes) -> None:
        forged = {**values, "sealed": seal_to(address_of(SECRET), document).hex()}
        receive_shared_keys(json.dumps(forged).encode(), SECRET, root_fingerprint=None)

    with pytest.raises(SharedKeysInvalid, match="no office key"):
        received(sign_document(LABEL_SHARED_KEYS, payload, SigningKey(OTHER)))
    office = unlocked.office_key()
    received(sign_document(LABEL_SHARED_KEYS, payload, office))
    for old, new in (
        (address_of(SECRET).hex(), address_of(OTHER).hex()),
        (unlocked.keyring.keyring.brand_id.hex(), "00" * 16),
        ('"key_id": "', '"key_id": "!'),
        ('"number": 1', '"number": 0'),
        ('"server_id"', '"server"'),
    ):
        with pytest.raises(SharedKeysInvalid):
            received(sign_document(LABEL_SHARED_KEYS, payload.replace(old, new), office))


def test_keys_signed_by_a_withdrawn_office_key_are_refused_and_by_a_retired_one_taken(
    unlocked: UnlockedIssuer, sent: bytes
) -> None:
    """Whoever has the withdrawn key seals keys of their own under the brand's newest keyring."""
    now = unlocked.keyring.keyring.issued
    stolen = unlocked.office_key()
    payload = json.loads(open_sealed(SECRET, bytes.fromhex(json.loads(sent)["sealed"])))["payload"]

    def signed_by_the_old_one() -> bytes:
        sealed = seal_to(address_of(SECRET), sign_document(LABEL_SHARED_KEYS, payload, stolen)).hex()
        return json.dumps(
            {**json.loads(sent), "keyring": unlocked.keyring.document.decode(), "sealed": sealed}
        ).encode()

    unlocked.rotate_office_key(now)
    assert receive_shared_keys(signed_by_the_old_one(), SECRET, root_fingerprint=None).shared == unlocked.shared_keys()
    unlocked.rotate_office_key(now, withdraw_old=True)
    with pytest.raises(SharedKeysInvalid, match="no office key"):
        receive_shared_keys(signed_by_the_old_one(), SECRET, root_fingerprint=None)
    assert receive_shared_keys(send_shared_keys(unlocked, address_of(SECRET)), SECRET, root_fingerprint=None)


def test_keys_of_another_root_than_the_named_one_are_refused(sent: bytes) -> None:
    with pytest.raises(KeyringSignatureInvalid):
        receive_shared_keys(sent, SECRET, root_fingerprint=SigningKey(OTHER).fingerprint)


@pytest.mark.parametrize("address", [b"", bytes(31), bytes(32), b"\x01" + bytes(31)])
def test_what_is_no_address_is_sealed_to_nobody(unlocked: UnlockedIssuer, address: bytes) -> None:
    with pytest.raises(AddressInvalid):
        send_shared_keys(unlocked, address)


def test_a_changed_seal_does_not_open() -> None:
    sealed = bytearray(seal_to(address_of(SECRET), b"keys"))
    assert open_sealed(SECRET, bytes(sealed)) == b"keys"
    sealed[-1] ^= 1
    for wrong in (bytes(sealed), bytes(sealed[:20]), b""):
        with pytest.raises(SealNotOpened):
            open_sealed(SECRET, wrong)


def test_an_address_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        address_of(bytes(31))


@given(
    st.binary(max_size=200)
    | st.dictionaries(st.sampled_from(["format", "to"]), st.text()).map(json.dumps).map(str.encode)
)
def test_hostile_files_raise_only_our_error(sent: bytes) -> None:
    with pytest.raises(AuthcodeError):
        receive_shared_keys(sent, SECRET, root_fingerprint=None)


def test_a_file_is_not_read_beyond_its_limit(tmp_path: Path) -> None:
    with pytest.raises(SharedKeysInvalid):
        receive_shared_keys(b" " * ((1 << 22) + 1), SECRET, root_fingerprint=None)
    assert not list(tmp_path.iterdir())
