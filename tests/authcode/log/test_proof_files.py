"""Proof files: written, read and checked with nothing but the log's public key."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcode.log.checkpoint import Head, LogDocumentInvalid, LogKey, sign_head
from authcode.log.merkle import LogProofRefused, consistency_path, inclusion_path, leaf_hash, perfect_root, root_hash
from authcode.log.proof import (
    ConsistencyProof,
    Entry,
    InclusionProof,
    open_consistency,
    open_inclusion,
    read_consistency,
    read_inclusion,
)
from keys.primitives import SigningKey

SIGNER = SigningKey(bytes(range(32)))
ORIGIN = "authcode.example/log"
KEY = LogKey(name=ORIGIN, public_key=SIGNER.public_key)
ENTRIES = [Entry(salt=bytes([number]) * 16, record=f'{{"n":{number}}}') for number in range(11)]


def subtree(level: int, number: int) -> bytes:
    first = number << level
    return perfect_root([entry.leaf for entry in ENTRIES[first : first + (1 << level)]])


def head(size: int) -> Head:
    return Head(origin=ORIGIN, size=size, root=root_hash(size, subtree))


def inclusion(index: int, size: int = 11, *, shown: bool = True) -> InclusionProof:
    entry = ENTRIES[index] if shown else None
    path = inclusion_path(index, size, subtree)
    return InclusionProof(index=index, path=path, note=sign_head(head(size), SIGNER), entry=entry)


def consistency(old: int, size: int = 11) -> ConsistencyProof:
    return ConsistencyProof(old=old, path=consistency_path(old, size, subtree), note=sign_head(head(size), SIGNER))


def test_the_leaf_of_an_entry_is_the_hash_of_zero_salt_and_record() -> None:
    entry = Entry(salt=b"0123456789abcdef", record='{"n":1}')
    assert entry.leaf == leaf_hash(b'0123456789abcdef{"n":1}')
    assert entry.facts == {"n": 1}


def test_an_inclusion_proof_has_the_published_form_and_carries_its_entry_and_its_head() -> None:
    proof = inclusion(4)
    lines = proof.text.split("\n")
    assert lines[:3] == [
        "c2sp.org/tlog-proof@v1",
        "extra " + base64.b64encode(ENTRIES[4].salt + b'{"n":4}').decode(),
        "index 4",
    ]
    assert lines[3 + len(proof.path)] == ""
    assert proof.text.endswith(proof.note)
    assert read_inclusion(proof.text) == proof
    found = open_inclusion(proof.text, KEY)
    assert (found.index, found.leaf, found.head) == (4, ENTRIES[4].leaf, head(11))
    assert found.entry is not None
    assert found.entry.facts == {"n": 4}


def test_a_consistency_proof_has_the_form_that_witnesses_are_sent() -> None:
    proof = consistency(6)
    assert proof.text.startswith("old 6\n")
    assert read_consistency(proof.text) == proof
    assert open_consistency(proof.text, KEY, kept=head(6)) == head(11)
    assert open_consistency(consistency(0).text, KEY, kept=head(0)) == head(11)


def test_an_erased_entry_is_still_proved_to_whoever_names_its_leaf() -> None:
    text = inclusion(4, shown=False).text
    assert "extra" not in text
    assert open_inclusion(text, KEY, leaf=ENTRIES[4].leaf).entry is None
    with pytest.raises(LogDocumentInvalid, match="leaf"):
        open_inclusion(text, KEY)
    with pytest.raises(LogProofRefused):
        open_inclusion(text, KEY, leaf=ENTRIES[5].leaf)


def test_a_kept_head_that_the_log_no_longer_continues_shows_the_rewriting() -> None:
    rewritten = Head(origin=ORIGIN, size=6, root=bytes(32))
    with pytest.raises(LogProofRefused, match="rewritten"):
        open_consistency(consistency(6).text, KEY, kept=rewritten)
    with pytest.raises(LogProofRefused, match="rewritten"):
        open_consistency(consistency(11).text, KEY, kept=Head(origin=ORIGIN, size=11, root=bytes(32)))
    with pytest.raises(LogProofRefused, match="starts from"):
        open_consistency(consistency(6).text, KEY, kept=head(5))


def test_another_entry_index_or_leaf_is_refused() -> None:
    good = inclusion(4)
    other = InclusionProof(index=4, path=good.path, note=good.note, entry=ENTRIES[5])
    moved = InclusionProof(index=5, path=good.path, note=good.note, entry=ENTRIES[4])
    for proof in (other, moved):
        with pytest.raises(LogProofRefused):
            open_inclusion(proof.text, KEY)
    with pytest.raises(LogProofRefused, match="another leaf"):
        open_inclusion(good.text, KEY, leaf=ENTRIES[5].leaf)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v2\n" + inclusion(4).text.partition("\n")[2],
        inclusion(4).text.replace("index 4", "index 04"),
        inclusion(4).text.replace("index 4", "Index 4"),
        inclusion(4).text.replace("extra ", "extra  "),
        inclusion(4).text.replace("index 4\n", "index 4\nAAAA\n"),
        inclusion(4).text.replace("index 4\n", "index 4\n" + ("A" * 43 + "=\n") * 64),
        inclusion(4).text.replace("\n\n", "\n"),
        "c2sp.org/tlog-proof@v1\nextra AAAA\n" + inclusion(4).text.partition("\n")[2].partition("\n")[2],
        "x" * 200_000,
    ],
)
def test_whatever_is_no_inclusion_proof_is_refused_as_such(text: str) -> None:
    with pytest.raises(LogDocumentInvalid):
        open_inclusion(text, KEY)


@pytest.mark.parametrize("text", ["", "old 6", "old -6\n\n", "new 6\n\n", "old 6\nAAAA\n\n" + consistency(6).note])
def test_whatever_is_no_consistency_proof_is_refused_as_such(text: str) -> None:
    with pytest.raises(LogDocumentInvalid):
        open_consistency(text, KEY, kept=head(6))


@given(place=st.integers(0, 10), data=st.data())
def test_no_character_of_a_proof_can_be_changed(place: int, data: st.DataObject) -> None:
    text = inclusion(place).text
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.characters()) + text[at + 1 :]
    if changed != text:
        with pytest.raises((LogDocumentInvalid, LogProofRefused)):
            open_inclusion(changed, KEY)


@pytest.mark.parametrize("record", ["[1]", "{", "[" * 100_000])
def test_a_record_that_is_no_object_is_refused_when_it_is_read(record: str) -> None:
    with pytest.raises(LogDocumentInvalid):
        _ = Entry(salt=bytes(16), record=record).facts
