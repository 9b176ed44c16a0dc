"""`authcode log check`: files and a public key, no server, no home."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from authcode.commands.log import check
from authcode.log.checkpoint import Head, LogKey, sign_head
from authcode.log.merkle import consistency_path, inclusion_path, perfect_root, root_hash
from authcode.log.proof import ConsistencyProof, Entry, InclusionProof
from keys.primitives import SigningKey

SIGNER = SigningKey(bytes(range(32)))
ORIGIN = "authcode.example/log"
KEY = LogKey(name=ORIGIN, public_key=SIGNER.public_key).text
ENTRIES = [Entry(salt=bytes([number]) * 16, record=f'{{"serial":"S{number}"}}') for number in range(9)]


def subtree(level: int, number: int) -> bytes:
    return perfect_root([entry.leaf for entry in ENTRIES[number << level : (number + 1) << level]])


def note(size: int) -> str:
    return sign_head(Head(origin=ORIGIN, size=size, root=root_hash(size, subtree)), SIGNER)


def proof(index: int, *, shown: bool = True) -> str:
    path = inclusion_path(index, 9, subtree)
    return InclusionProof(index=index, path=path, note=note(9), entry=ENTRIES[index] if shown else None).text


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text(KEY + "\n", encoding="utf-8")
    (tmp_path / "kept").write_text(note(4), encoding="utf-8")
    (tmp_path / "head").write_text(note(9), encoding="utf-8")
    (tmp_path / "proof").write_text(proof(2), encoding="utf-8")
    (tmp_path / "bare").write_text(proof(2, shown=False), encoding="utf-8")
    growth = ConsistencyProof(old=4, path=consistency_path(4, 9, subtree), note=note(9))
    (tmp_path / "growth").write_text(growth.text, encoding="utf-8")
    forked = sign_head(Head(origin=ORIGIN, size=4, root=bytes(32)), SIGNER)
    (tmp_path / "forked").write_text(forked, encoding="utf-8")
    return tmp_path


def run(files: Path, *words: str) -> Result:
    known = {path.name: str(path) for path in files.iterdir()}
    return CliRunner().invoke(check, [known.get(word, word) for word in words])


def test_a_head_a_proof_and_a_growth_hold_and_say_what_they_show(files: Path) -> None:
    result = run(files, "--key", "key", "--kept", "kept", "head", "proof", "growth", "--json")
    assert result.exit_code == 0, result.output
    head, inclusion, growth = map(json.loads, result.output.splitlines())
    assert (head["kind"], head["size"], head["origin"]) == ("head", 9, ORIGIN)
    assert (inclusion["kind"], inclusion["index"], inclusion["record"]) == ("inclusion", 2, {"serial": "S2"})
    assert (growth["kind"], growth["old"], growth["size"]) == ("consistency", 4, 9)
    told = run(files, "--key", KEY, "--kept", "kept", "head", "proof", "growth").output
    assert told.count("holds") == 3
    assert "serial S2" in told


def test_a_proof_without_its_entry_needs_the_leaf(files: Path) -> None:
    assert run(files, "--key", KEY, "bare", "--leaf", ENTRIES[2].leaf.hex()).exit_code == 0
    assert run(files, "--key", KEY, "bare", "--leaf", ENTRIES[3].leaf.hex()).exit_code == 1
    assert run(files, "--key", KEY, "bare", "--leaf", "00").exit_code == 2


def test_two_signed_heads_of_one_size_are_told_as_a_rewritten_history(files: Path) -> None:
    result = run(files, "--key", KEY, "kept", "forked")
    assert result.exit_code == 1
    assert "rewritten" in result.output
    result = run(files, "--key", KEY, "--kept", "forked", "growth")
    assert result.exit_code == 1
    assert "rewritten" in result.output


def test_each_file_is_judged_and_one_that_does_not_hold_makes_the_answer_no(files: Path) -> None:
    (files / "moved").write_text(proof(2).replace("index 2", "index 3"), encoding="utf-8")
    result = run(files, "--key", KEY, "moved", "head", "--json")
    assert result.exit_code == 1
    assert [json.loads(line)["holds"] for line in result.output.splitlines()] == [False, True]


def test_another_logs_key_makes_the_answer_no(files: Path) -> None:
    other = LogKey(name=ORIGIN, public_key=SigningKey(bytes(32)).public_key).text
    assert run(files, "--key", other, "head").exit_code == 1
    assert run(files, "--key", other, "--kept", "kept", "head").exit_code == 1


def test_a_growth_needs_the_head_that_was_kept(files: Path) -> None:
    result = run(files, "--key", KEY, "growth")
    assert result.exit_code == 2
    assert "--kept" in result.output


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * 300_000])
def test_what_is_no_file_of_a_log_is_an_error_and_no_answer(files: Path, content: bytes) -> None:
    (files / "odd").write_bytes(content)
    result = run(files, "--key", KEY, "odd")
    assert result.exception is not None
    assert getattr(result.exception, "code", None) == "log_document_invalid"
