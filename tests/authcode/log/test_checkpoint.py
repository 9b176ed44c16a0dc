"""Signed heads: the published note of Go's sumdb, our own, and every way to spoil one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcode.log.checkpoint import (
    Head,
    LogDocumentInvalid,
    LogKey,
    LogKeyInvalid,
    open_head,
    read_head,
    read_log_key,
    sign_head,
)
from authcode.log.merkle import LogProofRefused
from keys.primitives import SigningKey, verify_bytes

# golang.org/x/mod/sumdb/note, the example of its documentation.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NEUMANN_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="

SIGNER = SigningKey(bytes(range(32)))
HEAD = Head(origin="authcode.example/log", size=7, root=bytes(range(32)))
KEY = LogKey(name=HEAD.origin, public_key=SIGNER.public_key)
NOTE = sign_head(HEAD, SIGNER)


def test_a_published_key_and_signature_are_read_as_their_makers_do() -> None:
    key = read_log_key(NEUMANN)
    assert (key.name, key.key_id.hex(), key.text) == ("PeterNeumann", "c74f20a3", NEUMANN)
    signature = base64.b64decode(NEUMANN_SIGNATURE)
    assert signature[:4] == key.key_id
    verify_bytes(key.public_key, NEUMANN_TEXT.encode(), signature[4:])
    with pytest.raises(LogDocumentInvalid):  # a note, but no head
        read_head(f"{NEUMANN_TEXT}\n— PeterNeumann {NEUMANN_SIGNATURE}\n")


def test_a_head_is_three_lines_a_blank_one_and_a_signature_line() -> None:
    origin, size, root, blank, signature, end = NOTE.split("\n")
    assert (origin, size, blank, end) == (HEAD.origin, "7", "", "")
    assert root == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    assert signature.startswith(f"— {HEAD.origin} ")
    assert open_head(NOTE, read_log_key(KEY.text)) == HEAD
    assert sign_head(HEAD, SIGNER) == NOTE


def test_lines_of_witnesses_are_passed_over_and_extensions_too() -> None:
    witness = sign_head(HEAD, SigningKey(bytes(32))).rpartition("\n\n")[2]
    assert open_head(NOTE + witness.replace(HEAD.origin, "witness.example"), KEY) == HEAD
    assert open_head(NOTE + witness, KEY) == HEAD  # of our name, and another key's
    longer = HEAD.text + "an extension\n"
    signed = NOTE.rpartition(" ")[2]
    note = f"{longer}\n— {HEAD.origin} {signed}"
    assert read_head(note) == HEAD
    with pytest.raises(LogProofRefused):  # the signature covers the extension as well
        open_head(note, KEY)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        HEAD.text,
        HEAD.text + "\n",
        NOTE.rstrip("\n"),
        NOTE.replace("\n7\n", "\n07\n"),
        NOTE.replace("\n7\n", "\n+7\n"),
        NOTE.replace("\n7\n", "\n\u0667\n"),
        NOTE.replace("\n7\n", "\n99999999999999999999\n"),
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("Hh8=", "Hh9="),  # another spelling of the same bytes
        NOTE.replace("Hh8=", "Hh8"),
        NOTE.replace("Hh8=\n", "\n"),
        NOTE.replace("\n7\n", "\n\n7\n"),
        NOTE + "\n",
        NOTE + "— \n",
        NOTE + NOTE.rpartition("\n\n")[2] * 64,
        NOTE.replace(HEAD.origin, "two words", 1),
        NOTE + "— x " + "A" * 200_000 + "\n",
        NOTE + "\ud800",
    ],
)
def test_whatever_is_no_head_is_refused_as_such(note: str) -> None:
    with pytest.raises(LogDocumentInvalid):
        open_head(note, KEY)


@pytest.mark.parametrize(
    ("note", "key"),
    [
        (NOTE.replace("\n7\n", "\n8\n"), KEY),
        (NOTE, LogKey(name=KEY.name, public_key=SigningKey(bytes(32)).public_key)),
        (NOTE, LogKey(name="another.example", public_key=KEY.public_key)),
        (NOTE.replace("AAECAw", "AAECBw"), KEY),
    ],
)
def test_a_head_of_another_log_key_or_size_does_not_hold(note: str, key: LogKey) -> None:
    with pytest.raises(LogProofRefused):
        open_head(note, key)


@given(st.integers(0, len(NOTE) - 1), st.characters())
def test_no_changed_character_passes(place: int, character: str) -> None:
    changed = NOTE[:place] + character + NOTE[place + 1 :]
    if changed != NOTE:
        with pytest.raises((LogDocumentInvalid, LogProofRefused)):
            open_head(changed, KEY)


@given(st.text())
def test_no_text_does_anything_but_be_refused(text: str) -> None:
    with pytest.raises(LogDocumentInvalid):
        open_head(text, KEY)
    with pytest.raises(LogKeyInvalid):
        read_log_key(text)


@pytest.mark.parametrize(
    "text",
    [
        KEY.text.replace("authcode", "authcodes"),
        KEY.text[:-1],
        "x+00000000+" + KEY.text.rpartition("+")[2],
        # The identity point: one signature under it would be valid for every message.
        LogKey(name="x", public_key=b"\x01" + bytes(31)).text,
    ],
)
def test_a_key_that_is_not_what_its_name_says_is_refused(text: str) -> None:
    with pytest.raises(LogKeyInvalid):
        read_log_key(text)
