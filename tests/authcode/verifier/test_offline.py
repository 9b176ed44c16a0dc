# ruff: noqa: ANN401, E501, T201 - vectors are JSON; one keyring stands on one line; run by hand it prints
"""Three verifiers, one answer: the library, the command line and the single file agree on every offline vector.

Run by hand it writes the vectors anew, which is a change of the format: `python tests/authcode/verifier/test_offline.py`.
"""

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from authcode import cli
from authcode.code.payload import NotOurs
from authcode.code.verify import verify_offline
from keys.base.crockford import encode_bits
from keys.base.errors import AuthcodeError
from keys.base.instants import format_instant, parse_instant
from keys.format.document import sign_document
from keys.format.keyring import open_keyring
from keys.format.succession import vouch
from keys.primitives import LABEL_CODE, LABEL_KEYRING, LABEL_MANIFEST, SigningKey

VECTORS: Final = Path(__file__).parents[3] / "docs" / "vectors"
NOW: Final = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
DAY: Final = timedelta(days=1)
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
ROOT, NEXT, STRANGER = (SigningKey(bytes([byte]) * 32) for byte in (0x11, 0x13, 0x14))
IDENTITY: Final = b"\x01" + bytes(31)


def _load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="ascii"))


def _payload() -> dict[str, Any]:
    document = json.loads(_load("documents.json")["keyring"])
    payload: dict[str, Any] = json.loads(document["payload"])
    return payload


def _signed(root: SigningKey = ROOT, steps: list[dict[str, object]] | None = None, **changes: Any) -> str:
    payload = {**_payload(), "root": root.public_key.hex(), **changes}
    return sign_document(LABEL_KEYRING, json.dumps(payload, indent=1), root, succession=steps or []).decode()


def _keys(**changes: Any) -> list[dict[str, Any]]:
    """The code keys, the first of them changed."""
    first, *others = _payload()["code_keys"]
    return [{**first, **changes}, *others]


def _step(old: SigningKey, new: SigningKey, brand_id: bytes | None = None) -> dict[str, object]:
    return vouch(brand_id or bytes(range(16)), old, new.public_key)


def keyrings() -> dict[str, str]:
    plain = _signed()
    heirless = json.loads(plain)
    withdrawn = {"state": "withdrawn", "reason": "laptop stolen"}
    office = _payload()["office_keys"][0]
    return {
        "plain": plain,
        "retired key": _signed(code_keys=_keys(state="retired")),
        "withdrawn key": _signed(code_keys=_keys(**withdrawn)),
        "unknown fields": _signed(later="addition", code_keys=_keys(later=1)),
        "without indentation": sign_document(LABEL_KEYRING, json.dumps(_payload()), ROOT).decode(),
        "name in other letters": _signed(brand='Чай "№ 1" 茶'),
        "new root": _signed(NEXT, [_step(ROOT, NEXT)]),
        "third root": _signed(STRANGER, [_step(ROOT, NEXT), _step(NEXT, STRANGER)]),
        "another brand with the same keys": _signed(STRANGER, brand_id="ff" * 16),
        "another brand under our root": _signed(brand_id="ff" * 16),
        "no steps to the new root": _signed(NEXT),
        "a step of another root": _signed(NEXT, [_step(STRANGER, NEXT)]),
        "a step signed by another": _signed(NEXT, [{**_step(ROOT, NEXT), "signature": _step(STRANGER, NEXT)["signature"]}]),
        "a step for another brand": _signed(NEXT, [_step(ROOT, NEXT, b"?" * 16)]),
        "a step with more fields": _signed(NEXT, [{**_step(ROOT, NEXT), "x": 1}]),
        "steps that do not meet": _signed(STRANGER, [_step(ROOT, NEXT), _step(ROOT, STRANGER)]),
        "a step to elsewhere": _signed(steps=[_step(ROOT, NEXT)]),
        "a root that comes twice": _signed(steps=[_step(ROOT, NEXT), _step(NEXT, ROOT)]),
        "signature of another root": json.dumps({**heirless, "signature": json.loads(_signed(STRANGER))["signature"]}, indent=1) + "\n",
        "payload edited": plain.replace("Example Tea", "Example Tee"),
        "signer edited": plain.replace(ROOT.fingerprint, STRANGER.fingerprint),
        "S plus the group order": json.dumps({**heirless, "signature": _plus_order(heirless["signature"])}, indent=1) + "\n",
        "reformatted": json.dumps(heirless) + "\n",
        "no newline at the end": plain[:-1],
        "a field twice": plain.replace('{\n "format"', '{\n "format": "authcode-keyring-1",\n "format"', 1),
        "a field twice in the payload": plain.replace('{\\n \\"brand_id\\"', '{\\n \\"version\\": 1,\\n \\"brand_id\\"', 1),
        "a manifest": sign_document(LABEL_MANIFEST, json.dumps(_payload(), indent=1), ROOT).decode(),
        "no JSON": "hello",
        "a list": "[]",
        "31 days": _signed(expires="2026-04-01T08:30:00Z"),
        "expires before it is issued": _signed(expires="2026-02-01T08:30:00Z"),
        "a time with a zone": _signed(issued="2026-03-01T08:30:00+00:00"),
        "a true version": _signed(version=True),
        "version zero": _signed(version=0),
        "a name with a line end": _signed(brand="Example\nTea"),
        "a name with a variation selector": _signed(brand="Example Tea\N{VARIATION SELECTOR-16}"),
        "a name with a letter that draws nothing": _signed(brand="Example Tea\N{HANGUL FILLER}"),
        "a name with an empty Braille pattern": _signed(brand="Example Tea\N{BRAILLE PATTERN BLANK}"),
        "no prefix": _signed(prefixes=[]),
        "a prefix twice": _signed(prefixes=[*_payload()["prefixes"]] * 2),
        "a prefix in lower case": _signed(prefixes=[*_payload()["prefixes"], "https://w.example.com/"]),
        "a prefix with its scheme's own port": _signed(prefixes=[*_payload()["prefixes"], "HTTPS://W.EXAMPLE.COM:443/"]),
        "a prefix with a path": _signed(prefixes=[*_payload()["prefixes"], "HTTPS://W.EXAMPLE.COM/X/"]),
        "a prefix with an octal host": _signed(prefixes=[*_payload()["prefixes"], "HTTPS://0177.1/"]),
        "a prefix with a hyphen at the end": _signed(prefixes=[*_payload()["prefixes"], "HTTPS://W-.EXAMPLE.COM/"]),
        "a domain in upper case": _signed(lookalike_domains=["V-EXAMPLE.COM"]),
        "a partner domain of one label": _signed(partner_domains=["com"]),
        "a key of a prefix that is not listed": _signed(code_keys=_keys(prefix="HTTPS://W.EXAMPLE.COM/")),
        "a key id twice": _signed(code_keys=[*_payload()["code_keys"], _payload()["code_keys"][0]]),
        "a key id in lower case": _signed(code_keys=_keys(key_id="k1")),
        "a key that is no point": _signed(code_keys=_keys(public_key="02" + "00" * 31)),
        "the identity as a key": _signed(code_keys=_keys(public_key=IDENTITY.hex())),
        "the identity as an office key": _signed(
            office_keys=[{**office, "public_key": IDENTITY.hex(), "fingerprint": "sha256:" + hashlib.sha256(IDENTITY).hexdigest()}]
        ),
        "a signed key without a public key": _signed(code_keys=_keys(public_key=None)),
        "a compact key in the link form": _signed(code_keys=_keys(profile="compact", form="gs1", public_key=None)),
        "a withdrawn key without a reason": _signed(code_keys=_keys(state="withdrawn")),
        "a reason without a withdrawal": _signed(code_keys=_keys(reason="lost")),
        "another state": _signed(code_keys=_keys(state="lost")),
        "serial key 256": _signed(code_keys=_keys(serial_key=256)),
        "an office key with another fingerprint": _signed(office_keys=[{**office, "fingerprint": ROOT.fingerprint}]),
        "an office key twice": _signed(office_keys=[office, office]),
        "a step in another order": _signed(NEXT, [dict(reversed(_step(ROOT, NEXT).items()))]),
        "a withdrawn compact key": _signed(code_keys=[*_payload()["code_keys"][:2], {**_payload()["code_keys"][2], **withdrawn}]),
        "a withdrawn office key": _signed(office_keys=[{**office, "state": "withdrawn"}]),
        "a withdrawn office key with a reason": _signed(office_keys=[{**office, **withdrawn}]),
        "a domain twice in a list": _signed(lookalike_domains=["a.example", "a.example"], partner_domains=["b.example"] * 2),
        "a domain in both lists": _signed(lookalike_domains=["a.example"], partner_domains=["a.example"]),
        "16 levels, the last an empty list": _signed_with("[" * 15 + "]" * 15),
        "16 levels, the last a number": _signed_with("[" * 14 + "1" + "]" * 14),
        "17 levels, the last an empty list": _signed_with("[" * 16 + "]" * 16),
        "17 levels, the last a number": _signed_with("[" * 15 + "1" + "]" * 15),
        "a number of 4300 digits": _signed_with("9" * 4300),
        "a number of 4301 digits": _signed_with("9" * 4301),
    }  # fmt: skip


def _signed_with(later: str) -> str:
    """A keyring with one more field, whose value is this text."""
    payload = json.dumps({**_payload(), "later": 0}, indent=1).replace('"later": 0', f'"later": {later}')
    return sign_document(LABEL_KEYRING, payload, ROOT).decode()


def _plus_order(signature: str) -> str:
    import base64

    raw = base64.urlsafe_b64decode(signature + "==")
    s = int.from_bytes(raw[32:], "little") + ORDER
    return base64.urlsafe_b64encode(raw[:32] + s.to_bytes(32, "little")).decode().rstrip("=")


def _edge_codes(code: dict[str, Any], seed: bytes) -> dict[str, str]:
    """The first code with tags that lax verifiers accept: its own secret key made each."""
    digest = hashlib.sha512(seed).digest()
    secret = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    public = SigningKey(seed).public_key
    message, tag = bytes.fromhex(code["signed_message"]), bytes.fromhex(code["tag"])
    assert message.startswith(LABEL_CODE)

    def with_r(r: bytes) -> bytes:
        k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little")
        return r + (k * secret % ORDER).to_bytes(32, "little")

    s = int.from_bytes(tag[32:], "little") + ORDER
    tags = {
        "S plus the group order": tag[:32] + s.to_bytes(32, "little"),
        "small-order R": with_r(IDENTITY),
        "non-canonical R": with_r(b"\xee" + b"\xff" * 30 + b"\x7f"),
    }
    return {name: code["code"][:37] + encode_bits(one) for name, one in tags.items()}


def _questions() -> list[dict[str, Any]]:
    codes, refused = _load("code.json"), _load("refusals.json")["refused"]
    short, link, compact = (codes["codes"][number]["code"] for number in (0, 5, 10))
    asked = [("plain", None, NOW + DAY, code["code"], "a published code") for code in codes["codes"]]
    asked += [("plain", None, NOW + DAY, one["text"], one["reason"]) for one in refused]
    for name, text in _edge_codes(codes["codes"][0], bytes.fromhex(codes["keys"][0]["secret"])).items():
        asked.append(("plain", None, NOW + DAY, text, f"K1: {name}"))
    asked += [
        ("plain", None, NOW + DAY, short.lower(), "short form in lower case"),
        ("plain", None, NOW + DAY, link + "&utm_source=app&x", "foreign query keys"),
        (
            "plain",
            None,
            NOW + DAY,
            link.replace("HTTPS://V.EXAMPLE.COM", "https://v.example.com"),
            "host in lower case",
        ),
        ("plain", ROOT.fingerprint, NOW + DAY, short, "the right root"),
        ("plain", STRANGER.fingerprint, NOW + DAY, short, "another root"),
        ("plain", None, NOW + 30 * DAY - timedelta(seconds=1), short, "the last second of the key list"),
        ("plain", None, NOW + 30 * DAY, short, "the key list out of date"),
        ("plain", None, NOW + 30 * DAY, short[:-1], "out of date, and no code"),
        ("withdrawn key", None, NOW + 60 * DAY, short, "withdrawn, and out of date"),
        ("withdrawn key", None, NOW + DAY, link, "another key is withdrawn"),
        ("plain", None, NOW + 30 * DAY, compact, "a compact code, and the key list out of date"),
        ("a withdrawn compact key", None, NOW + DAY, compact, "a compact code of a withdrawn key"),
        ("plain", None, NOW + DAY, compact[:-1], "a compact code, cut"),
    ]
    for name in keyrings():
        asked.append((name, None, NOW + DAY, short, f"keyring: {name}"))
    for name in ("new root", "third root", "no steps to the new root", "another brand under our root"):
        asked.append((name, ROOT.fingerprint, NOW + DAY, short, f"pinned the first root; keyring: {name}"))
    return [
        {"name": name, "keyring": keyring, "root": root, "at": format_instant(at), "text": text}
        for keyring, root, at, text, name in asked
    ]


def _library(keyring: str, question: dict[str, Any]) -> dict[str, Any]:
    try:
        opened = open_keyring(keyring.encode(), root_fingerprint=question["root"])
        answer = verify_offline(question["text"], opened, parse_instant(question["at"]))
    except NotOurs as error:
        return {"state": error.code}
    except AuthcodeError as error:
        return {"error": error.code}
    return {"state": str(answer.state)}


def offline_vectors() -> dict[str, object]:
    documents = keyrings()
    return {
        "comment": "What an offline verifier answers. Keys as in code.json; root null: whatever root signed is taken.",
        "keyrings": documents,
        "cases": [{**one, "answer": _library(documents[one["keyring"]], one)} for one in _questions()],
    }


def _text() -> str:
    return json.dumps(offline_vectors(), indent=1, ensure_ascii=True) + "\n"


def _published() -> Any:
    return _load("offline.json")


def test_the_published_offline_vectors_are_what_the_library_answers() -> None:
    assert (VECTORS / "offline.json").read_text(encoding="ascii") == _text()


def test_the_vectors_hold_every_answer_there_is() -> None:
    answers = {json.dumps(case["answer"]) for case in _published()["cases"]}
    states = {"signature_valid", "key_list_out_of_date", "key_withdrawn", "not_ours"}
    errors = {
        *("document_invalid", "keyring_invalid", "keyring_signature_invalid", "succession_invalid"),
        *("key_id_taken", "public_key_invalid", "prefix_invalid", "online_only"),
    }
    assert answers == {json.dumps({"state": one}) for one in states} | {json.dumps({"error": one}) for one in errors}


def test_the_single_file_answers_as_the_library_does(single_file: Any) -> None:
    content = _published()
    for case in content["cases"]:
        try:
            keyring = single_file.open_keyring(content["keyrings"][case["keyring"]].encode(), case["root"])
            told = single_file.verify_offline(case["text"], keyring, single_file.parse_instant(case["at"]))
            answer = {"state": told["state"]}
        except single_file.NotOurs:
            answer = {"state": "not_ours"}
        except (single_file.Refused, single_file.AuthcodeError) as error:
            answer = {"error": error.code}
        assert answer == case["answer"], case["name"]


def _as_command(case: dict[str, Any], keyring: Path) -> list[str]:
    root = ["--root", case["root"]] if case["root"] else []
    return ["--json", "--keyring", str(keyring), "--at", case["at"], *root, "--", case["text"]]


def test_the_command_line_answers_as_the_library_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = _published()
    for number, case in enumerate(content["cases"]):
        keyring = tmp_path / "keyring.json"
        keyring.write_text(content["keyrings"][case["keyring"]], encoding="utf-8")
        monkeypatch.setenv("AUTHCODE_HOME", str(tmp_path / str(number)))
        code = cli.run(["verify", "--offline", *_as_command(case, keyring)])
        told = json.loads(capsys.readouterr().out)
        assert _brief(told, code) == case["answer"], case["name"]


def _brief(told: dict[str, Any], code: int) -> dict[str, Any]:
    """An answer without its facts, whose exit code must be the one that belongs to it."""
    answer = {"error": told["error"]["code"]} if "error" in told else {"state": told["state"]}
    assert code == (2 if "error" in answer else 0 if answer["state"] == "signature_valid" else 1)
    return answer


def _run_single_file(standalone: Path, *arguments: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    command = [sys.executable, "-I", "-S", str(standalone), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_single_file_needs_nothing_but_python_and_ends_with_the_right_code(
    tmp_path: Path, standalone: Path
) -> None:
    content = _published()
    first_of_each: dict[str, dict[str, Any]] = {}
    for case in content["cases"]:
        first_of_each.setdefault(json.dumps(case["answer"]), case)
    keyring = tmp_path / "keyring.json"
    for case in first_of_each.values():
        keyring.write_text(content["keyrings"][case["keyring"]], encoding="utf-8")
        code, out, _ = _run_single_file(standalone, *_as_command(case, keyring))
        assert _brief(json.loads(out), code) == case["answer"], case["name"]


def test_the_single_file_tells_the_same_facts_as_the_command_line(
    tmp_path: Path, standalone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTHCODE_HOME", str(tmp_path))
    content, keyring = _published(), tmp_path / "keyring.json"
    for wanted in (
        "a published code",
        "keyring: name in other letters",
        "foreign query keys",
        "the key list out of date",
    ):
        case = next(case for case in content["cases"] if case["name"] == wanted)
        keyring.write_text(content["keyrings"][case["keyring"]], encoding="utf-8")
        (tmp_path / "trust.json").unlink(missing_ok=True)
        cli.run(["verify", "--offline", *_as_command(case, keyring)])
        told = json.loads(capsys.readouterr().out)
        assert told.pop("first_seen"), "the single file has no memory to say that from"
        assert json.loads(_run_single_file(standalone, *_as_command(case, keyring))[1]) == told
        words = [word for word in _as_command(case, keyring) if word != "--json"]
        cli.run(["verify", "--offline", *words])
        said = capsys.readouterr().out
        assert _run_single_file(standalone, *words)[1].decode() == said


def test_the_single_file_reads_standard_input_and_refuses_older_lists(tmp_path: Path, standalone: Path) -> None:
    keyring = tmp_path / "keyring.json"
    keyring.write_text(keyrings()["plain"], encoding="utf-8")
    text = _load("code.json")["codes"][0]["code"]
    options = ("--keyring", str(keyring), "--at", "2026-03-02T00:00:00Z")
    code, out, err = _run_single_file(standalone, *options, "-", stdin=text.encode() + b"\r\n")
    assert (code, b"signature valid" in out, ROOT.fingerprint.encode() in err) == (0, True, True)
    assert _run_single_file(standalone, *options, "-", stdin=b'\xef\xbb\xbf <"%s">\n\n' % text.encode())[0] == 0
    assert _run_single_file(standalone, *options, "-", stdin=text.encode() + b"x\n")[0] == 1
    assert _run_single_file(standalone, *options, "--root", ROOT.fingerprint, text)[2] == b""
    code, _, err = _run_single_file(standalone, *options, "--newest", "2", text)
    assert (code, b"[keyring_rollback]" in err) == (2, True)
    code, _, err = _run_single_file(standalone, "--keyring", str(tmp_path / "none"), text)
    assert (code, b"[keyring_missing]" in err) == (2, True)
    assert _run_single_file(standalone, "--at", "soon", text)[0] == 2
    code, _, err = _run_single_file(standalone, "--root", "sha256:948d6f8e", text)
    assert (code, b"64 digits" in err, b"do not use it" in err) == (2, True, False)


def test_nothing_on_standard_input_is_no_code_and_no_verdict(
    tmp_path: Path, standalone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keyring = tmp_path / "keyring.json"
    keyring.write_text(_signed(), encoding="ascii")
    code, out, single = _run_single_file(standalone, "--keyring", str(keyring), "-", stdin=b"\n")
    assert (code, out, b"no input" in single) == (2, b"", True)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    home = ("--home", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    assert cli.run(["verify", "--offline", "--keyring", str(keyring), *home, "-"]) == 2
    assert "no input" in capsys.readouterr().err


def test_the_single_file_is_printed_by_the_command_line(standalone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["verify", "--print-standalone"]) == 0
    assert capsys.readouterr().out == standalone.read_text(encoding="utf-8")
    assert cli.run(["verify", "--offline"]) == 2


FILES: Final[dict[str, Callable[[], str]]] = {"offline.json": _text}

if __name__ == "__main__":
    for name, text in FILES.items():
        (VECTORS / name).write_text(text(), encoding="ascii")
        print(VECTORS / name)
