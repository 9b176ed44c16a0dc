"""A root hands a brand over to the next: who pinned the old one goes on by itself, and nobody else can do that."""

import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcode.verifier import ed25519 as points
from keys.base.errors import (
    AuthcodeError,
    KeyringRollback,
    KeyringSignatureInvalid,
    PublicKeyInvalid,
    RootChanged,
    SuccessionInvalid,
)
from keys.format.keyring import Keyring, open_keyring, sign_keyring
from keys.format.succession import earlier_roots, vouch
from keys.primitives import SigningKey, check_public_key, verify_bytes
from keys.trust import TrustFile

Make = Callable[..., Keyring]
OLD, NEW, NEXT, STRANGER = (SigningKey(bytes([number]) * 32) for number in (21, 22, 23, 24))
BRAND_ID = b"\x0b" * 16


def _handed_over(keyring: Keyring, *roots: SigningKey) -> bytes:
    steps = [vouch(keyring.brand_id, old, new.public_key) for old, new in itertools.pairwise(roots)]
    return sign_keyring(keyring, roots[-1], succession=steps)


def test_a_step_is_signed_by_the_old_root_over_the_layout_of_the_format_page() -> None:
    step = vouch(BRAND_ID, OLD, NEW.public_key)
    statement = b"authcode-root-v1" + BRAND_ID + OLD.public_key + NEW.public_key
    assert len(statement) == 96
    verify_bytes(OLD.public_key, statement, bytes.fromhex(str(step["signature"])))


def test_a_keyring_opens_under_its_root_and_under_each_root_before(keyring: Make) -> None:
    document = _handed_over(keyring(), OLD, NEW, NEXT)
    for trusted in (OLD, NEW, NEXT):
        opened = open_keyring(document, root_fingerprint=trusted.fingerprint)
        assert opened.root_fingerprint == NEXT.fingerprint
        assert opened.earlier_roots == (OLD.fingerprint, NEW.fingerprint)
    with pytest.raises(KeyringSignatureInvalid):
        open_keyring(document, root_fingerprint=STRANGER.fingerprint)


def test_a_verifier_that_pinned_the_old_root_moves_on_and_believes_the_old_one_no_more(
    keyring: Make, tmp_path: Path
) -> None:
    trust = TrustFile(tmp_path / "trust.json")
    trust.admit(sign_keyring(keyring(), OLD))
    trust.admit(_handed_over(keyring(version=2), OLD, NEW))
    assert trust.pins()[BRAND_ID].root == NEW.fingerprint
    with pytest.raises(RootChanged):
        trust.admit(sign_keyring(keyring(version=3), OLD))
    with pytest.raises(RootChanged):  # whoever stole the old root cannot hand the brand over a second time
        trust.admit(_handed_over(keyring(version=3), OLD, STRANGER))
    trust.admit(_handed_over(keyring(version=3), OLD, NEW))


def test_a_verifier_that_missed_two_changes_of_root_catches_up(keyring: Make, tmp_path: Path) -> None:
    trust = TrustFile(tmp_path / "trust.json")
    trust.admit(sign_keyring(keyring(), OLD))
    assert trust.admit(_handed_over(keyring(version=9), OLD, NEW, NEXT)).root_fingerprint == NEXT.fingerprint


def test_a_new_root_brings_no_older_keyring(keyring: Make, tmp_path: Path) -> None:
    trust = TrustFile(tmp_path / "trust.json")
    trust.admit(sign_keyring(keyring(version=5), OLD))
    for version in (4, 5):
        with pytest.raises(KeyringRollback):
            trust.admit(_handed_over(keyring(version=version), OLD, NEW))


def test_a_copy_whose_steps_were_cut_off_on_the_way_is_still_the_same_keyring(keyring: Make, tmp_path: Path) -> None:
    trust = TrustFile(tmp_path / "trust.json")
    trust.admit(sign_keyring(keyring(), NEW))
    trust.admit(_handed_over(keyring(), OLD, NEW))
    assert trust.pins()[BRAND_ID].version == 1


def _step(old_root: SigningKey, new_root: SigningKey, /, **changes: object) -> dict[str, object]:
    return {**vouch(BRAND_ID, old_root, new_root.public_key), **changes}


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([_step(OLD, NEW), _step(STRANGER, NEXT)], "step 2 does not begin"),
        ([_step(OLD, NEW)], "does not lead"),
        ([_step(OLD, NEXT, signature=_step(STRANGER, NEXT)["signature"])], "step 1 is not signed"),
        ([vouch(bytes(16), OLD, NEXT.public_key)], "step 1 is not signed"),
        ([_step(OLD, NEXT, old=NEXT.public_key.hex())], "step 1 is not signed"),
        ([_step(OLD, NEXT, note="x")], "step 1 cannot be read"),
        ([_step(OLD, NEXT, signature="00")], "step 1 cannot be read"),
        ([_step(OLD, NEXT, old=5)], "step 1 cannot be read"),
        ([{}], "step 1 cannot be read"),
        ([_step(NEXT, NEXT)], "twice"),
        ([_step(NEXT, OLD), _step(OLD, NEXT)], "twice"),
    ],
)
def test_a_succession_that_does_not_hold_is_refused_and_says_where(
    keyring: Make, steps: list[dict[str, object]], reason: str
) -> None:
    with pytest.raises(SuccessionInvalid, match=reason):
        open_keyring(sign_keyring(keyring(), NEXT, succession=steps), root_fingerprint=NEXT.fingerprint)


def test_the_identity_key_vouches_for_nobody() -> None:
    identity = b"\x01" + bytes(31)
    step = {"old": identity.hex(), "new": NEXT.public_key.hex(), "signature": (identity + bytes(32)).hex()}
    with pytest.raises(SuccessionInvalid):
        earlier_roots([step], brand_id=BRAND_ID, root=NEXT.public_key)


def test_an_old_root_of_mixed_order_vouches_for_nobody_though_its_signature_holds() -> None:
    """Such a key is a point of the curve and no small one; other verifiers disagree about what it signs."""
    two_torsion, secret = (0, points.P - 1, 1, 0), 12345
    old = points.encode_point(points.add(points.multiply(secret, points.BASE), two_torsion))
    with pytest.raises(PublicKeyInvalid):
        check_public_key(old)
    statement = b"authcode-root-v1" + BRAND_ID + old + NEXT.public_key
    for nonce in itertools.count(2):  # every other challenge is even, and takes the torsion away
        commitment = points.encode_point(points.multiply(nonce, points.BASE))
        digest = hashlib.sha512(commitment + old + statement).digest()
        challenge = int.from_bytes(digest, "little") % points.ORDER
        if challenge % 2 == 0:
            break
    response = (nonce + challenge * secret) % points.ORDER
    signature = commitment + response.to_bytes(32, "little")
    verify_bytes(old, statement, signature)
    step = {"old": old.hex(), "new": NEXT.public_key.hex(), "signature": signature.hex()}
    with pytest.raises(SuccessionInvalid, match="step 1"):
        earlier_roots([step], brand_id=BRAND_ID, root=NEXT.public_key)


@given(st.lists(st.dictionaries(st.sampled_from(["old", "new", "signature", "x"]), st.text(max_size=70)), max_size=3))
def test_hostile_steps_raise_only_our_error(steps: list[dict[str, str]]) -> None:
    if steps:
        with pytest.raises(AuthcodeError):
            earlier_roots(steps, brand_id=BRAND_ID, root=NEXT.public_key)


# --- Keyrings that a verifier must not take, each with its sentence and its code.


def test_every_keyring_to_be_refused_has_its_own_code(keyring: Make, tmp_path: Path) -> None:
    trust = TrustFile(tmp_path / "trust.json")
    trust.admit(sign_keyring(keyring(version=5), OLD))
    fine = json.loads(sign_keyring(keyring(version=6), OLD))
    payload = json.loads(fine["payload"])

    def signed(**changes: object) -> bytes:
        from keys.format.document import sign_document
        from keys.primitives import LABEL_KEYRING

        return sign_document(LABEL_KEYRING, json.dumps({**payload, **changes}, indent=1), OLD)

    twice = [*payload["code_keys"], payload["code_keys"][0]]
    no_point = [{**payload["code_keys"][0], "public_key": "02" + "00" * 31}]
    refused = {
        "keyring_rollback": sign_keyring(keyring(version=4), OLD),
        "root_changed": sign_keyring(keyring(version=6), STRANGER),
        "public_key_invalid": signed(code_keys=no_point),
        "key_id_taken": signed(code_keys=twice),
        "keyring_invalid": signed(expires="2027-03-01T08:30:00Z"),
        "document_invalid": json.dumps(fine).encode(),
        "keyring_signature_invalid": sign_keyring(keyring(version=6), OLD).replace(b"Blue Stars", b"Blue Stare"),
        "brand_conflict": sign_keyring(keyring(version=6, brand_id=bytes(16)), STRANGER),
        "succession_invalid": sign_keyring(keyring(version=6), OLD, succession=[_step(STRANGER, NEW)]),
    }
    for code, document in refused.items():
        with pytest.raises(AuthcodeError) as caught:
            trust.admit(document)
        assert caught.value.code == code
        assert len(str(caught.value)) > 30
    assert trust.pins()[BRAND_ID].version == 5


def test_an_expired_keyring_is_taken_and_says_that_it_is_out_of_date(keyring: Make, tmp_path: Path) -> None:
    made = keyring()
    opened = TrustFile(tmp_path / "trust.json").admit(sign_keyring(made, OLD))
    assert not opened.keyring.expired(made.expires - timedelta(seconds=1))
    assert opened.keyring.expired(made.expires)
    assert replace(made, version=2).expired(made.expires)
