# ruff: noqa: ANN401, T201 - JSON has any type; run by hand it prints
"""The library and the verifier's own writing of docs/format.md agree on documents and texts that nobody published.

`mutations.json` holds what both say of a published keyring and manifest in which one value is another. Run by hand it
is written anew, which is a change of the format: `python tests/authcode/verifier/test_agreement.py`.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authcode.code.verify import verify_offline
from authcode.order.manifest import open_manifest
from authcode.verifier import codes, keyring
from authcode.verifier.documents import Refused
from keys.base.errors import AuthcodeError
from keys.format.document import sign_document
from keys.format.keyring import open_keyring
from keys.primitives import LABEL_KEYRING, LABEL_MANIFEST, SigningKey

VECTORS: Final = Path(__file__).parents[3] / "docs" / "vectors"
DOCUMENTS: Final = json.loads((VECTORS / "documents.json").read_text(encoding="ascii"))
CODES: Final = [made["code"] for made in json.loads((VECTORS / "code.json").read_text(encoding="ascii"))["codes"]]
ROOT, OFFICE = (SigningKey(bytes.fromhex(DOCUMENTS[name])) for name in ("root_seed", "office_seed"))
KEYRING: Final = json.loads(json.loads(DOCUMENTS["keyring"])["payload"])
MANIFEST: Final = json.loads(json.loads(DOCUMENTS["manifest"])["payload"])
OPENED: Final = open_keyring(DOCUMENTS["keyring"].encode(), root_fingerprint=ROOT.fingerprint)
OPENED_AGAIN: Final = keyring.open_keyring(DOCUMENTS["keyring"].encode(), ROOT.fingerprint)
NOW: Final = datetime(2026, 3, 2, tzinfo=UTC)
ODD: Final = (
    *(None, True, False, 0, -1, 1, 2, 1.0, 1e2, 10**400, "", " ", "x", "\u0130", "\u200b", "a b", "\ue000", "\u0378"),
    *([], [[]], {}, [None], "x" * 300, "0" * 14, "https://v.example.com/", "HTTPS://V.EXAMPLE.COM:443/"),
    *("HTTP://A:80/", "HTTPS://A.0X/", "HTTPS://1.2.3.4/", "HTTPS://1.2.3/", "HTTPS://A:8080/", "a.0x", "a.example"),
    *("1.2.3.4", "-a.b", "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "0000-01-01T00:00:00Z"),
    *("2026-03-01T08:30:60Z", "2026-03-01T08:30:00+00:00", "2026-03-15T00:00:00Z", "retired", "withdrawn", "compact"),
    *("gs1", "short", "K1", "k1", "O0", "01" + "0" * 62, "ff" * 32, "00" * 16, "pair", "inside", "visible", "press"),
)


def opens(opening: Callable[[], object]) -> bool:
    """Whether a document is opened; any other exception than a refusal fails the test."""
    try:
        opening()
    except (AuthcodeError, Refused):
        return False
    return True


def opens_keyring(payload: str) -> bool:
    """What the library says of a keyring with this payload, signed by the published root."""
    document = sign_document(LABEL_KEYRING, payload, ROOT)
    return opens(lambda: open_keyring(document, root_fingerprint=ROOT.fingerprint))


def opens_manifest(payload: str) -> bool:
    """What the library says of a manifest with this payload, signed by the published office key."""
    document = sign_document(LABEL_MANIFEST, payload, OFFICE)
    return opens(lambda: open_manifest(document, OPENED.keyring))


def agreed_on_keyring(payload: str) -> bool:
    """What both say of a keyring with this payload."""
    document = sign_document(LABEL_KEYRING, payload, ROOT)
    opened = opens_keyring(payload)
    assert opens(lambda: keyring.open_keyring(document, ROOT.fingerprint)) is opened
    return opened


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value of a JSON text."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([here] if here else []), *(way for name, item in inner for way in places(item, (*here, name)))]


def changed(value: Any, way: tuple[Any, ...], new: Any) -> Any:
    """The value with another one at the end of a way."""
    whole = deepcopy(value)
    inner = whole
    for step in way[:-1]:
        inner = inner[step]
    inner[way[-1]] = new
    return whole


def without(value: Any, way: tuple[Any, ...]) -> Any:
    """The value without what stands at the end of a way."""
    whole = deepcopy(value)
    inner = whole
    for step in way[:-1]:
        inner = inner[step]
    del inner[way[-1]]
    return whole


def mutations(payload: Any, opened: Callable[[str], bool]) -> list[dict[str, Any]]:
    """For each place of a payload, the numbers of the values that may stand there."""
    return [
        {
            "at": list(way),
            "opened": [n for n, odd in enumerate(ODD) if opened(json.dumps(changed(payload, way, odd)))],
            "opened_without": opened(json.dumps(without(payload, way))),
        }
        for way in places(payload)
    ]


def mutation_vectors() -> dict[str, object]:
    return {
        "comment": "The payloads of documents.json with the value at one place replaced by one of `values`, and signed "
        "again: the numbers of those that are opened, every other one is refused; or with that place left out.",
        "values": list(ODD),
        "keyring": mutations(KEYRING, opens_keyring),
        "manifest": mutations(MANIFEST, opens_manifest),
    }


def _text() -> str:
    """A line a place."""
    content = mutation_vectors()
    lines = [f'"{name}": {json.dumps(content[name])}' for name in ("comment", "values")]
    for name in ("keyring", "manifest"):
        found = content[name]
        assert isinstance(found, list)
        lines.append(f'"{name}": [\n  ' + ",\n  ".join(map(json.dumps, found)) + "\n ]")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def test_the_published_mutations_are_what_the_library_answers() -> None:
    assert (VECTORS / "mutations.json").read_text(encoding="ascii") == _text()


def test_both_open_what_is_published() -> None:
    assert agreed_on_keyring(json.dumps(KEYRING))


@given(way=st.sampled_from(places(KEYRING)), new=st.sampled_from(ODD) | st.text(max_size=4))
@settings(max_examples=150)
def test_they_agree_on_a_keyring_in_which_one_value_is_another(way: tuple[Any, ...], new: Any) -> None:
    agreed_on_keyring(json.dumps(changed(KEYRING, way, new)))


@pytest.mark.parametrize("way", places(KEYRING), ids=lambda way: ".".join(map(str, way)))
def test_they_agree_on_a_keyring_in_which_something_is_missing(way: tuple[Any, ...]) -> None:
    agreed_on_keyring(json.dumps(without(KEYRING, way)))


@pytest.mark.parametrize(
    ("added", "opened"),
    [
        ('"later": 1', True),
        ('"later": {"a": [{}]}', True),
        ('"later": ' + "[" * 15 + "]" * 15, True),
        ('"later": ' + "[" * 14 + "1" + "]" * 14, True),
        ('"later": ' + "[" * 15 + "1" + "]" * 15, False),
        ('"later": ' + "[" * 16 + "]" * 16, False),
        ('"later": 1.0', False),
        ('"later": 1e2', False),
        ('"later": NaN', False),
        ('"later": "\\ud800"', False),
        ('"later": "\\ud83d\\ude00"', True),
        ('"\\udc00": 1', False),
        ('"later": {"a": 1, "\\u0061": 2}', False),
        ('"version": 1', False),
        ('"later": 01', False),
        ('"later": 1,', False),
    ],
)
def test_they_agree_on_fields_that_nobody_knows(added: str, *, opened: bool) -> None:
    payload = json.dumps(KEYRING)[:-1] + f", {added}}}"
    assert agreed_on_keyring(payload) is opened


@given(way=st.sampled_from(places(MANIFEST)), new=st.text(max_size=4))
@settings(max_examples=150)
def test_a_manifest_in_which_one_value_is_another_is_opened_or_refused(way: tuple[Any, ...], new: Any) -> None:
    other = changed(MANIFEST, way, new)
    assert opens_manifest(json.dumps(other)) or other != MANIFEST


@given(data=st.data(), code=st.sampled_from(CODES))
@settings(max_examples=150)
def test_they_agree_on_a_code_in_which_something_is_another(data: st.DataObject, code: str) -> None:
    start = data.draw(st.integers(0, len(code) - 1))
    end = data.draw(st.integers(start, min(len(code), start + 3)))
    text = code[:start] + data.draw(st.text(st.characters(max_codepoint=0x17F), max_size=4)) + code[end:]
    assert answered(lambda: verify_offline(text, OPENED, NOW).state) == answered(
        lambda: codes.verify_offline(text, OPENED_AGAIN, NOW)["state"]
    )


def answered(judging: Callable[[], object]) -> str:
    """A state, or the code of the refusal."""
    try:
        return str(judging())
    except (AuthcodeError, Refused) as refusal:
        return refusal.code
    except codes.NotOurs:
        return "not_ours"


FILES: Final[dict[str, Callable[[], str]]] = {"mutations.json": _text}

if __name__ == "__main__":
    for name, text in FILES.items():
        (VECTORS / name).write_text(text(), encoding="ascii")
        print(VECTORS / name)
