# ruff: noqa: ANN401, T201 - vectors are JSON; run by hand it prints
"""The log's and the receipts' vectors: the library and the single file give one answer to each, refusals included.

Run by hand it writes them anew, which is a change of the format: `python tests/authcode/log/test_log_vectors.py`.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from authcode.log.checkpoint import Head, LogKey, encode, open_head, read_log_key, read_named_head, sign_head
from authcode.log.merkle import consistency_path, inclusion_path, perfect_root, root_hash
from authcode.log.proof import (
    ConsistencyProof,
    Entry,
    InclusionProof,
    is_consistency,
    is_inclusion,
    open_consistency,
    open_inclusion,
)
from authcode.log.receipt import check_entry, head_before
from keys.base.errors import AuthcodeError
from keys.primitives import SigningKey
from keys.proof import Proof, ProofKeys, open_proof, public_keys_of

VECTORS: Final = Path(__file__).parents[3] / "docs" / "vectors"
SIGNER, STRANGER = SigningKey(bytes(range(32))), SigningKey(b"\x21" * 32)
ORIGIN: Final = "authcode-log/0011223344556677"
PROOF_SEED: Final = b"\x31" * 32
AT: Final = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
BRAND: Final = bytes(range(16)).hex()
GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493


def _record(number: int) -> str:
    facts = {"at": "2026-03-01T08:30:00Z", "batch": 1, "brand": BRAND, "claim": "c1" * 16, "country": "KR"}
    facts |= {"format": 1, "holder": "d1" * 16, "kind": "redemption", "life": 0, "serial": f"7Q4KM2XD9FA1{number}"}
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


GROWTHS: Final = ((2, 3), (3, 4), (3, 5), (3, 7), (5, 6), (5, 8), (6, 7), (6, 8), (7, 8))
"""Growths to other sizes than the published head's, most of them from sizes that are no power of two."""
ENTRIES: Final = [Entry(salt=bytes([number]) * 16, record=_record(number)) for number in range(9)]


def _subtree(level: int, number: int) -> bytes:
    return perfect_root([entry.leaf for entry in ENTRIES[number << level : (number + 1) << level]])


def _head(size: int, origin: str = ORIGIN) -> Head:
    return Head(origin=origin, size=size, root=root_hash(size, _subtree))


def _note(size: int, *, origin: str = ORIGIN, key: SigningKey = SIGNER) -> str:
    return sign_head(_head(size, origin), key)


def _entry(index: int, size: int = 9, *, shown: bool = True, note: str | None = None) -> str:
    entry = ENTRIES[index] if shown else None
    path = inclusion_path(index, size, _subtree)
    return InclusionProof(index=index, path=path, note=note or _note(size), entry=entry).text


def _growth(old: int, size: int = 9, *, note: str | None = None) -> str:
    return ConsistencyProof(old=old, path=consistency_path(old, size, _subtree), note=note or _note(size)).text


def _plus_order(note: str) -> str:
    """The same note with S + L in place of S: a second spelling of one signature."""
    text, _, line = note.removesuffix("\n").rpartition(" ")
    data = base64.b64decode(line)
    number = int.from_bytes(data[36:], "little") + GROUP_ORDER
    return f"{text} {encode(data[:36] + number.to_bytes(32, 'little'))}\n"


def log_cases() -> Iterator[dict[str, Any]]:
    """Heads, entries and growths that hold, and what was done to others."""
    entry, growth, head = _entry(5), _growth(4), _note(9)
    path_line = growth.split("\n")[1]
    witness = sign_head(_head(9), STRANGER).rpartition("\n\n")[2].replace(ORIGIN, "witness.example")
    yield {"name": "a head", "text": head}
    yield {"name": "a head that a witness signed too", "text": head + witness}
    yield {"name": "an entry in its place", "text": entry}
    yield {"name": "the only entry", "text": _entry(0, 1)}
    yield {"name": "a leaf whose entry is not shown", "text": _entry(5, shown=False), "leaf": ENTRIES[5].leaf.hex()}
    for old in range(1, 10):
        yield {"name": f"a growth from {old} leaves", "text": _growth(old), "kept": _head(old).named}
    for old, size in GROWTHS:
        yield {"name": f"a growth from {old} to {size} leaves", "text": _growth(old, size), "kept": _head(old).named}
    yield from unusual_cases(head)
    yield {"name": "a head signed by another key", "text": _note(9, key=STRANGER)}
    yield {"name": "a head of another log", "text": _note(9, origin="authcode-log/ffffffffffffffff")}
    yield {"name": "a head with S plus the group order", "text": _plus_order(head)}
    yield {"name": "a head whose size was edited", "text": head.replace("\n9\n", "\n8\n", 1)}
    yield {"name": "a head whose size has a leading zero", "text": head.replace("\n9\n", "\n09\n", 1)}
    yield {"name": "a head without its last line end", "text": head[:-1]}
    yield {"name": "a head with Windows line ends", "text": head.replace("\n", "\r\n")}
    yield {"name": "a head without a signature", "text": head.partition("\n\n")[0] + "\n"}
    yield {"name": "an entry whose record was edited", "text": entry.replace(*_edited(entry))}
    yield {"name": "an entry at another place", "text": entry.replace("index 5", "index 4")}
    yield {"name": "an entry beyond the tree", "text": entry.replace("index 5", "index 9")}
    yield {"name": "an entry with a negative place", "text": entry.replace("index 5", "index -5")}
    yield {"name": "an entry with a cut tail", "text": entry[:-30]}
    yield {"name": "an entry with a doubled tail", "text": entry + entry[-60:]}
    yield {"name": "an entry with a cut path", "text": _without_line(entry, 3)}
    yield {"name": "an entry with a doubled step", "text": _doubled_line(entry, 3)}
    yield {"name": "an entry under the head of another log", "text": _entry(5, note=_note(9, origin="authcode-log/ff"))}
    yield {"name": "a leaf that nobody named", "text": _entry(5, shown=False)}
    yield {"name": "another leaf than was named", "text": entry, "leaf": ENTRIES[4].leaf.hex()}
    kept = _head(4).named
    yield {"name": "a growth from another size", "text": growth, "kept": _head(3).named}
    yield {"name": "a growth from another root", "text": growth, "kept": replace(_head(4), root=bytes(32)).named}
    for old, size in (*((old, 9) for old in (1, 2, 3, 5, 6, 7, 8)), *GROWTHS):
        for other, root in (("another root", bytes(32)), ("the newer root", _head(size).root)):
            start = replace(_head(old), root=root).named
            name = f"a growth from {other}, of {old} to {size} leaves"
            yield {"name": name, "text": _growth(old, size), "kept": start}
    for old in (3, 5, 6, 7):
        text = _growth(old, note=_rewritten())
        yield {"name": f"a growth to another root, from {old} leaves", "text": text, "kept": _head(old).named}
    yield {
        "name": "a growth with an empty path",
        "text": growth.replace(path_line + "\n", "", 1),
        "kept": _head(4).named,
    }
    yield {"name": "a growth with a doubled step", "text": _doubled_line(_growth(3), 1), "kept": _head(3).named}
    yield {"name": "a growth to another root", "text": _growth(4, note=_rewritten()), "kept": kept}
    yield {"name": "two roots for one size", "text": _growth(9), "kept": replace(_head(9), root=bytes(32)).named}
    yield {"name": "a growth signed by another key", "text": _growth(4, note=_note(9, key=STRANGER)), "kept": kept}
    yield {"name": "nothing", "text": ""}
    yield from unusual_refusals(head)


def unusual_cases(head: str) -> Iterator[dict[str, Any]]:
    """What a log of ours does not write, and a checker takes."""
    yield {"name": "a head that the log's key signed twice", "text": head + head.rpartition("\n\n")[2]}
    yield {"name": "a head with a line more than three", "text": _extended(head)}
    yield {"name": "a record in another spelling", "text": _only_entry('{"b": 1, "a": 2}')}


def unusual_refusals(head: str) -> Iterator[dict[str, Any]]:
    """What is signed, or leads to the root, and is refused."""
    yield {"name": "a head signed by the log's key and once wrongly", "text": head + _wrong_line(head)}
    yield {"name": "a record that is no object", "text": _only_entry("[1]")}
    yield {"name": "a record that is no JSON", "text": _only_entry("x")}
    yield {"name": "an entry without a record", "text": _only_entry("")}


def _extended(head: str) -> str:
    """The same head with one more line, signed."""
    text = head.partition("\n\n")[0] + "\nextension\n"
    key_id = LogKey(name=ORIGIN, public_key=SIGNER.public_key).key_id
    return f"{text}\n\N{EM DASH} {ORIGIN} {encode(key_id + SIGNER.sign(text.encode()))}\n"


def _wrong_line(head: str) -> str:
    """A signature line in the name of the log's key that is no signature of this head."""
    assert head != _note(4)
    return _note(4).rpartition("\n\n")[2]


def _only_entry(record: str) -> str:
    """The proof of an entry that is alone in its tree."""
    entry = Entry(salt=b"\x09" * 16, record=record)
    note = sign_head(Head(origin=ORIGIN, size=1, root=entry.leaf), SIGNER)
    return InclusionProof(index=0, path=(), note=note, entry=entry).text


def pair_cases() -> Iterator[dict[str, Any]]:
    """Two heads each, and whether one log can have signed both."""
    head, forked = _note(9), _rewritten()
    yield {"name": "one head twice", "texts": [head, head], "holds": True}
    yield {"name": "two heads of two sizes", "texts": [_note(4), head], "holds": True}
    yield {"name": "two heads of one size with two roots", "texts": [head, forked], "holds": False}
    yield {"name": "the same, the other way round", "texts": [forked, head], "holds": False}


def _edited(entry: str) -> tuple[str, str]:
    line = entry.split("\n")[1].removeprefix("extra ")
    changed = base64.b64decode(line).replace(b'"life":0', b'"life":1')
    return line, encode(changed)


def _without_line(text: str, number: int) -> str:
    lines = text.split("\n")
    return "\n".join(lines[:number] + lines[number + 1 :])


def _doubled_line(text: str, number: int) -> str:
    lines = text.split("\n")
    return "\n".join([*lines[: number + 1], *lines[number:]])


def _rewritten() -> str:
    return sign_head(replace(_head(9), root=b"\x07" * 32), SIGNER)


def _proof(**changes: Any) -> Proof:
    values: dict[str, Any] = {
        "issuer": "https://v.example.com",
        "id": "0" * 21,
        "at": AT,
        "brand": BRAND,
        "gtin": None,
        "serial": "7Q4KM2XD9FA15",
        "life": 0,
        "hop": 0,
        "log_head": _head(4).named,
    }
    return Proof(**{**values, **changes})


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def receipt_cases() -> Iterator[dict[str, Any]]:
    """Receipts that hold, and what was done to others; with an `entry`, whether it is theirs."""
    ours = ProofKeys([PROOF_SEED])
    good = ours.sign(_proof())
    header, payload, signature = good.split(".")
    yield {"name": "a receipt", "proof": good}
    yield {"name": "a receipt that names no head", "proof": ours.sign(_proof(log_head=None))}
    yield {"name": "a receipt of a link form, handed on", "proof": ours.sign(_proof(gtin="09506000134352", hop=3))}
    other_letters = _proof(issuer='https://\u00e9.example/\U0001f375"\\\x7f\n/')
    yield {"name": "a receipt whose issuer has other letters", "proof": ours.sign(other_letters)}
    yield {"name": "its own entry, behind the head it names", "proof": good, "entry": _entry(5)}
    yield {"name": "the algorithm none", "proof": f"{_with_header(header, alg='none')}.{payload}."}
    yield {"name": "the algorithm HS256", "proof": f"{_with_header(header, alg='HS256')}.{payload}.{signature}"}
    yield {"name": "the algorithm EdDSA", "proof": f"{_with_header(header, alg='EdDSA')}.{payload}.{signature}"}
    yield {"name": "another type", "proof": f"{_with_header(header, typ='JWT')}.{payload}.{signature}"}
    yield {"name": "one more header", "proof": f"{_with_header(header, crit=['b64'])}.{payload}.{signature}"}
    yield {"name": "another server's key", "proof": ProofKeys([b"\x32" * 32]).sign(_proof())}
    stolen = ProofKeys([b"\x32" * 32]).sign(_proof()).split(".")
    yield {"name": "our key's name on another's signature", "proof": f"{header}.{stolen[1]}.{stolen[2]}"}
    yield {"name": "a cut tail", "proof": good[:-9]}
    yield {"name": "a doubled tail", "proof": good + good[-20:]}
    yield {"name": "doubled whole", "proof": f"{good}.{good}"}
    yield {"name": "spare bits that are set", "proof": good[:-1] + chr(ord(good[-1]) + 1)}
    yield {"name": "a claim edited", "proof": f"{header}.{_with_claims(payload, hop=1)}.{signature}"}
    yield {"name": "another head named", "proof": f"{header}.{_with_claims(payload, log=_head(3).named)}.{signature}"}
    yield {"name": "a code in place of a receipt", "proof": "HTTPS://V.EXAMPLE.COM/K1"}
    yield {"name": "nothing", "proof": ""}
    yield {"name": "the entry of another verification", "proof": good, "entry": _entry(6)}
    late = ours.sign(_proof(log_head=_head(7).named))
    yield {"name": "an entry before the head that it names", "proof": late, "entry": _entry(5)}
    other = ours.sign(_proof(log_head=_head(4, "authcode-log/ff").named))
    yield {"name": "the head of another log", "proof": other, "entry": _entry(5)}
    yield {"name": "an entry and no head", "proof": ours.sign(_proof(log_head=None)), "entry": _entry(5)}
    yield {"name": "an entry of another day", "proof": ours.sign(_proof(at=AT.replace(day=2))), "entry": _entry(5)}
    yield {"name": "another life", "proof": ours.sign(_proof(life=1)), "entry": _entry(5)}
    yield {"name": "an entry that is not shown", "proof": good, "entry": _entry(5, shown=False)}
    unnamed = ours.sign(_proof(log_head="no head"))
    yield {"name": "an entry, and what is named is no head", "proof": unnamed, "entry": _entry(5)}
    headers, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload))
    for where, header_spelling, claims_spelling in (
        ("a header in another order", _spelled(dict(reversed(headers.items()))), payload),
        ("a header with spaces", _encoded(json.dumps(headers).encode()), payload),
        ("a header with an escape", _encoded(_text(headers).replace("typ", "\\u0074yp").encode()), payload),
        ("claims in another order", header, _spelled(dict(reversed(claims.items())))),
        ("claims with spaces", header, _encoded(json.dumps(claims).encode())),
        ("a claim of null", header, _spelled({**claims, "gtin": None})),
        ("a claim too many", header, _spelled({**claims, "later": 1})),
        ("a claim too few", header, _spelled({name: claims[name] for name in claims if name != "hop"})),
        ("a moment that is no whole number", header, _spelled({**claims, "iat": claims["iat"] + 0.5})),
    ):
        message = f"{header_spelling}.{claims_spelling}"
        signed = _encoded(SigningKey(PROOF_SEED).sign(message.encode()))
        yield {"name": f"{where}, and signed", "proof": f"{message}.{signed}"}


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _spelled(value: dict[str, Any]) -> str:
    return _encoded(_text(value).encode())


def _with_header(part: str, **changes: Any) -> str:
    header = json.loads(base64.urlsafe_b64decode(part + "=="))
    return _encoded(json.dumps({**header, **changes}, separators=(",", ":")).encode())


def _with_claims(part: str, **changes: Any) -> str:
    claims = json.loads(base64.urlsafe_b64decode(part + "=="))
    return _encoded(json.dumps({**claims, **changes}, separators=(",", ":")).encode())


def _log_key() -> str:
    return LogKey(name=ORIGIN, public_key=SIGNER.public_key).text


def by_library_log(key: str, case: dict[str, Any]) -> dict[str, Any]:
    """What the library says of one text of a log."""
    opened, text = read_log_key(key), case["text"]
    if is_inclusion(text):
        leaf = bytes.fromhex(case["leaf"]) if "leaf" in case else None
        found = open_inclusion(text, opened, leaf=leaf)
        record = None if found.entry is None else found.entry.facts
        shown = {"kind": "inclusion", "index": found.index, "leaf": found.leaf.hex(), "record": record}
        return {**shown, "size": found.head.size}
    if is_consistency(text):
        kept = read_named_head(case["kept"])
        return {"kind": "consistency", "old": kept.size, "size": open_consistency(text, opened, kept=kept).size}
    return {"kind": "head", "size": open_head(text, opened).size}


def by_library_receipt(keys: dict[str, Any], key: str, case: dict[str, Any]) -> dict[str, Any]:
    """What the library says of one receipt."""
    proof = open_proof(case["proof"], public_keys_of(keys))
    if "entry" in case:
        head_before(proof)
        leaf = ENTRIES[5].leaf
        check_entry(
            proof, open_inclusion(case["entry"], read_log_key(key), leaf=None if "extra" in case["entry"] else leaf)
        )
    return proof.claims()


def _answered(answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return answer()
    except AuthcodeError as refused:
        return {"error": refused.code}


def log_text() -> str:
    key = _log_key()
    cases = [{**case, "answer": _answered(lambda case=case: by_library_log(key, case))} for case in log_cases()]  # type: ignore[misc]
    return json.dumps({"key": key, "cases": cases, "pairs": list(pair_cases())}, indent=1) + "\n"


def receipts_text() -> str:
    keys, key = ProofKeys([PROOF_SEED]).document(), _log_key()
    cases = [
        {**case, "answer": _answered(lambda case=case: by_library_receipt(keys, key, case))}  # type: ignore[misc]
        for case in receipt_cases()
    ]
    return json.dumps({"keys": keys, "log_key": key, "cases": cases}, indent=1) + "\n"


FILES: Final[dict[str, Callable[[], str]]] = {"log.json": log_text, "receipts.json": receipts_text}


def _load(name: str) -> Any:
    return (
        json.loads((VECTORS / name).read_text(encoding="ascii"))
        if (VECTORS / name).exists()
        else {"cases": [], "pairs": []}
    )


LOG, RECEIPTS = _load("log.json"), _load("receipts.json")


@pytest.mark.parametrize("name", FILES)
def test_the_published_vectors_are_what_the_library_answers(name: str) -> None:
    assert (VECTORS / name).read_text(encoding="ascii") == FILES[name]()


def test_what_holds_and_what_does_not_are_both_among_them() -> None:
    for vectors, n_good in ((LOG, 17 + len(GROWTHS)), (RECEIPTS, 5)):
        good = [case["name"] for case in vectors["cases"] if "error" not in case["answer"]]
        assert good == [case["name"] for case in vectors["cases"]][:n_good]
        assert len(vectors["cases"]) > 2 * n_good
    assert [case["holds"] for case in LOG["pairs"]] == [True, True, False, False]


@pytest.mark.parametrize("case", LOG["cases"], ids=lambda case: case["name"])
def test_the_single_file_answers_as_the_library_on_the_log(case: dict[str, Any], single_file: Any) -> None:
    def answer() -> dict[str, Any]:
        check = log_check(single_file, LOG["key"], case.get("leaf"))
        if "kept" in case:
            check.before = single_file.read_named_head(case["kept"])
        facts: dict[str, Any] = check.facts(case["text"])
        assert facts.pop("origin") == ORIGIN
        return facts

    assert told(single_file, answer) == case["answer"]


@pytest.mark.parametrize("case", RECEIPTS["cases"], ids=lambda case: case["name"])
def test_the_single_file_answers_as_the_library_on_receipts(case: dict[str, Any], single_file: Any) -> None:
    def answer() -> dict[str, Any]:
        proof = single_file.open_proof(case["proof"], single_file.public_keys_of(RECEIPTS["keys"]))
        if "entry" in case:
            leaf = None if "extra" in case["entry"] else ENTRIES[5].leaf.hex()
            check = log_check(single_file, RECEIPTS["log_key"], leaf, proof)
            check.start(None)
            check.facts(case["entry"])
        claims: dict[str, Any] = proof.claims()
        return claims

    assert told(single_file, answer) == case["answer"]


def log_check(single_file: Any, key: str, leaf: str | None, proof: Any = None) -> Any:
    bare_leaf = None if leaf is None else bytes.fromhex(leaf)
    return single_file.LogCheck(key=single_file.read_log_key(key), leaf=bare_leaf, proof=proof)


@pytest.mark.parametrize("case", LOG.get("pairs", []), ids=lambda case: case["name"])
def test_the_single_file_and_the_library_judge_two_heads_alike(
    case: dict[str, Any], single_file: Any, tmp_path: Path
) -> None:
    from click.testing import CliRunner

    from authcode.commands.log import check

    paths = [tmp_path / f"{number}.txt" for number in range(2)]
    for path, text in zip(paths, case["texts"], strict=True):
        path.write_text(text, encoding="utf-8")
    words = ["--key", LOG["key"], *map(str, paths)]
    by_file = single_file.answer_files(single_file.file_options(["log", *words]))
    by_library = CliRunner().invoke(check, [*words, "--json"]).output.splitlines()
    assert [one["holds"] for one in by_file] == [True, case["holds"]]
    assert [json.loads(line)["holds"] for line in by_library] == [True, case["holds"]]


def told(single_file: Any, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return answer()
    except (single_file.Refused, single_file.AuthcodeError) as refused:
        return {"error": refused.code}


def run_single_file(standalone: Path, *arguments: str) -> tuple[int, list[Any]]:
    """With no package but the standard library, and no site directory."""
    command = [sys.executable, "-I", "-S", str(standalone), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    contents = {
        "key": _log_key() + "\n",
        "keys": json.dumps(RECEIPTS["keys"]),
        "receipt": ProofKeys([PROOF_SEED]).sign(_proof()) + "\n",
        "altered": ProofKeys([PROOF_SEED]).sign(_proof())[:-9],
        "kept": _note(4),
        "head": _note(9),
        "entry": _entry(5),
        "other": _entry(6),
        "growth": _growth(4),
        "rewritten": _growth(4, note=_rewritten()),
        "forked": _rewritten(),
    }
    for name, text in contents.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "holds"),
    [
        (("log", "--key", "key", "--kept", "kept", "head", "entry", "growth"), 0, [True, True, True]),
        (("log", "--key", "key", "--kept", "kept", "growth", "rewritten"), 1, [True, False]),
        (("log", "--key", "key", "head", "forked"), 1, [True, False]),
        (("log", "--key", "key", "--kept", "forked", "head"), 1, [False]),
        (("receipt", "receipt", "--keys", "keys"), 0, [True]),
        (("receipt", "receipt", "--keys", "keys", "--key", "key", "growth", "entry"), 0, [True, True, True]),
        (("receipt", "receipt", "--keys", "keys", "--key", "key", "rewritten", "other"), 1, [True, False, False]),
        (("receipt", "altered", "--keys", "keys"), 2, []),
        (("receipt", "receipt", "--keys", "keys", "entry"), 2, []),
    ],
)
def test_the_single_files_command_line(
    words: tuple[str, ...], code: int, holds: list[bool], files: Path, standalone: Path
) -> None:
    named = {path.name: str(path) for path in files.iterdir()}
    arguments = [words[0], *(named.get(word, word) for word in words[1:]), "--json"]
    ended, answers = run_single_file(standalone, *arguments)
    assert (ended, [answer["holds"] for answer in answers if "error" not in answer]) == (code, holds)


CONCLUSIONS: Final = [
    (
        ("log", "head"),
        "Conclusion: each head is signed by the log's key.",
        "whether the log was rewritten (give a proof",
    ),
    (("log", "--kept", "kept", "growth"), "the log has only grown since the head that was kept", "its server knows"),
    (("log", "entry"), "Conclusion: the entry is in the log.", "from a head that somebody kept (--kept)"),
    (("log", "--kept", "kept", "growth", "rewritten"), "Conclusion: NO, not everything holds.", "Keep these files"),
    (
        ("receipt", "growth", "entry"),
        "and the log has only grown since the head that the receipt names",
        "written after its date",
    ),
    (("receipt", "entry"), "the receipt is genuine, and the entry is in the log.", "whether the log was rewritten"),
]


@pytest.mark.parametrize(("words", "concluded", "left_open"), CONCLUSIONS)
def test_both_command_lines_tell_people_the_same_and_name_what_was_not_checked(
    words: tuple[str, ...], concluded: str, left_open: str, files: Path, standalone: Path
) -> None:
    from click.testing import CliRunner

    from authcode.commands.log import check

    kind, *named = words[0], *(str(files / word) if (files / word).exists() else word for word in words[1:])
    receipt, keys, key = (str(files / name) for name in ("receipt", "keys", "key"))
    own = [receipt, "--keys", keys] if kind == "receipt" else []
    ours = ["--receipt", receipt, "--receipt-keys", keys] if kind == "receipt" else []
    command = [sys.executable, "-I", "-S", str(standalone), kind, *own, "--key", key, *named]
    by_file = subprocess.run(command, capture_output=True, text=True, check=False)
    by_library = CliRunner().invoke(check, ["--key", key, *ours, *named])
    assert by_library.exit_code == by_file.returncode
    told = by_file.stdout
    assert by_library.output == told
    assert concluded in told
    assert left_open in told
    if "entry" in words:
        told_of = (
            "that on 1 March 2026 at 08:30:00 UTC, in the country KR the code with serial 7Q4KM2XD9FA15 was verified"
        )
        assert told_of in told
    assert "None" not in told
    assert "hold: this does not hold" not in told


def test_a_growth_without_the_head_it_starts_from_is_a_slip_and_no_evidence(files: Path, standalone: Path) -> None:
    command = [sys.executable, "-I", "-S", str(standalone), "log", "--key", str(files / "key"), str(files / "growth")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--kept" in ended.stderr
    assert "operator" not in ended.stderr


def test_the_librarys_command_line_dates_a_receipt_alike(files: Path) -> None:
    from click.testing import CliRunner

    from authcode.commands.log import check

    def run(*words: str) -> tuple[int, list[bool]]:
        arguments = [str(files / word) if (files / word).exists() else word for word in words]
        ended = CliRunner().invoke(check, ["--key", str(files / "key"), *arguments, "--json"])
        return ended.exit_code, [
            json.loads(line)["holds"] for line in ended.output.splitlines() if line.startswith("{")
        ]

    receipt = ("--receipt", "receipt", "--receipt-keys", "keys")
    assert run(*receipt, "growth", "entry") == (0, [True, True])
    assert run(*receipt, "rewritten", "other") == (1, [False, False])
    assert run("--receipt", "receipt", "head")[0] == 2
    assert run(*receipt, "--kept", "kept", "head")[0] == 2


if __name__ == "__main__":
    for name, text in FILES.items():
        (VECTORS / name).write_text(text(), encoding="ascii")
        print(VECTORS / name)
