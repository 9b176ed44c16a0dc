# ruff: noqa: ANN401 - JSON, and implementations that are loaded by their path
"""Three implementations of docs/format.md agree on documents and texts that nobody published.

The library, the single file and the second implementation open the same keyrings and manifests and refuse the same
ones. Each has a reader of JSON, of hosts, of times and of points of its own.
"""

import importlib.util
import json
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import authcode.verifier
from authcode.code.serial import TypedSerialInvalid, read_typed_serial
from authcode.code.verify import verify_offline
from authcode.order.manifest import open_manifest
from keys.base.errors import AuthcodeError
from keys.format.document import sign_document
from keys.format.keyring import open_keyring
from keys.primitives import LABEL_KEYRING, LABEL_MANIFEST, SigningKey

VECTORS: Final = Path(__file__).parents[2] / "docs" / "vectors"
DOCUMENTS: Final = json.loads((VECTORS / "documents.json").read_text(encoding="ascii"))
CODES: Final = [made["code"] for made in json.loads((VECTORS / "code.json").read_text(encoding="ascii"))["codes"]]
ROOT, OFFICE = (SigningKey(bytes.fromhex(DOCUMENTS[name])) for name in ("root_seed", "office_seed"))
KEYRING: Final = json.loads(json.loads(DOCUMENTS["keyring"])["payload"])
MANIFEST: Final = json.loads(json.loads(DOCUMENTS["manifest"])["payload"])
AT: Final = "2026-03-02T00:00:00Z"

ODD: Final = st.sampled_from(
    [
        *(
            None,
            True,
            False,
            0,
            -1,
            1,
            2,
            1.0,
            1e2,
            10**400,
            "",
            " ",
            "x",
            "\u0130",
            "\u200b",
            "a b",
            "\ue000",
            "\u0378",
        ),
        *(
            [],
            [[]],
            {},
            [None],
            "x" * 300,
            "0" * 14,
            "https://v.example.com/",
            "HTTPS://V.EXAMPLE.COM:443/",
            "HTTP://A:80/",
        ),
        *(
            "HTTPS://A.0X/",
            "HTTPS://1.2.3.4/",
            "HTTPS://1.2.3/",
            "HTTPS://A:8080/",
            "a.0x",
            "a.example",
            "1.2.3.4",
            "-a.b",
        ),
        *("2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "2026-03-01T08:30:60Z"),
        *("2026-03-01T08:30:00+00:00", "2026-03-15T00:00:00Z", "retired", "withdrawn", "compact", "gs1", "short"),
        *("K1", "k1", "O0", "01" + "0" * 62, "ff" * 32, "00" * 16, "pair", "inside", "visible", "press"),
    ]
) | st.text(max_size=4)


@cache
def standalone() -> ModuleType:
    """The single file, loaded as whoever downloads it would."""
    path = Path(authcode.verifier.__path__[0]) / "authcode_verify.py"
    spec = importlib.util.spec_from_file_location("authcode_verify", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def opens(opening: Any, *refusals: type[Exception]) -> bool:
    """Whether a document is opened; any other exception than a refusal fails the test."""
    try:
        opening()
    except refusals:
        return False
    return True


def agreed_on_keyring(second: Any, payload: str) -> bool:
    """What all three say of a keyring with this payload, signed by the published root."""
    document = sign_document(LABEL_KEYRING, payload, ROOT)
    said = {
        "library": opens(lambda: open_keyring(document, root_fingerprint=ROOT.fingerprint), AuthcodeError),
        "single file": opens(lambda: standalone().open_keyring(document, ROOT.fingerprint), standalone().Refused),
        "second": opens(lambda: second.open_keyring(document, ROOT.fingerprint), second.Refused),
    }
    assert len(set(said.values())) == 1, said
    return said["library"]


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


def test_all_three_open_what_is_published(second: Any) -> None:
    assert agreed_on_keyring(second, json.dumps(KEYRING))


@given(way=st.sampled_from(places(KEYRING)), new=ODD)
@settings(max_examples=150, deadline=None)
def test_they_agree_on_a_keyring_in_which_one_value_is_another(second: Any, way: tuple[Any, ...], new: Any) -> None:
    agreed_on_keyring(second, json.dumps(changed(KEYRING, way, new)))


@pytest.mark.parametrize("way", places(KEYRING), ids=lambda way: ".".join(map(str, way)))
def test_they_agree_on_a_keyring_in_which_something_is_missing(second: Any, way: tuple[Any, ...]) -> None:
    agreed_on_keyring(second, json.dumps(without(KEYRING, way)))


@pytest.mark.parametrize(
    ("added", "opened"),
    [
        ('"later": 1', True),
        ('"later": {"a": [{}]}', True),
        ('"later": ' + "[" * 15 + "]" * 15, True),
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
def test_they_agree_on_fields_that_nobody_knows(second: Any, added: str, *, opened: bool) -> None:
    payload = json.dumps(KEYRING)[:-1] + f", {added}}}"
    assert agreed_on_keyring(second, payload) is opened


@given(way=st.sampled_from(places(MANIFEST)), new=ODD)
@settings(max_examples=150, deadline=None)
def test_they_agree_on_a_manifest_in_which_one_value_is_another(second: Any, way: tuple[Any, ...], new: Any) -> None:
    payload = changed(MANIFEST, way, new)
    document = sign_document(LABEL_MANIFEST, json.dumps(payload), OFFICE)
    ours = open_keyring(DOCUMENTS["keyring"].encode(), root_fingerprint=ROOT.fingerprint).keyring
    theirs = second.open_keyring(DOCUMENTS["keyring"].encode(), ROOT.fingerprint)
    said = (
        opens(lambda: open_manifest(document, ours), AuthcodeError),
        opens(lambda: second.open_manifest(document, theirs), second.Refused),
    )
    assert said[0] == said[1], said


@given(data=st.data(), code=st.sampled_from(CODES))
@settings(max_examples=150, deadline=None)
def test_they_agree_on_a_code_in_which_something_is_another(second: Any, data: st.DataObject, code: str) -> None:
    start = data.draw(st.integers(0, len(code) - 1))
    end = data.draw(st.integers(start, min(len(code), start + 3)))
    text = code[:start] + data.draw(st.text(st.characters(max_codepoint=0x17F), max_size=4)) + code[end:]
    document = DOCUMENTS["keyring"].encode()
    opened = open_keyring(document, root_fingerprint=ROOT.fingerprint)
    now = datetime.strptime(AT, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    said = {
        second.answer_offline(document, ROOT.fingerprint, AT, text),
        ours(lambda: verify_offline(text, opened, now).state.value),
        ours(lambda: single(document, text, now)),
    }
    assert len(said) == 1, said


def ours(judging: Any) -> str:
    """A state, or the code of the refusal."""
    try:
        return str(judging())
    except AuthcodeError as refusal:
        return refusal.code
    except standalone().NotOurs:
        return "not_ours"
    except standalone().Refused as refusal:
        return str(refusal.code)


def single(document: bytes, text: str, now: datetime) -> str:
    """The single file's answer."""
    module = standalone()
    return str(module.verify_offline(text, module.open_keyring(document, ROOT.fingerprint), now)["state"])


@given(text=st.text(st.sampled_from("21JWYNEPCET4RE21jwynepcet4re OoIiLl\u0131\u00a0\u00b7-.\t\n"), max_size=18))
@settings(max_examples=250)
def test_they_agree_on_typed_serials(second: Any, text: str) -> None:
    def read(reading: Any, refusal: type[Exception]) -> str | None:
        try:
            return str(reading(text))
        except refusal:
            return None

    assert read(read_typed_serial, TypedSerialInvalid) == read(second.read_typed, second.Refused)
