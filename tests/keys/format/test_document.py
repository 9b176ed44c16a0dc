"""Signed documents: one text, one sequence of bytes, one signer."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.base.errors import DocumentInvalid, SignatureInvalid, UnknownKey
from keys.base.fields import Fields
from keys.base.instants import format_instant, parse_instant, to_second
from keys.format.document import MAX_DOCUMENT_BYTES, open_document, read_document, sign_document
from keys.format.records import Form
from keys.primitives import LABEL_CODE, LABEL_KEYRING, LABEL_MANIFEST, SigningKey, verify_bytes

KEY = SigningKey(bytes(range(32)))
KEYS = {KEY.fingerprint: KEY.public_key}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_what_is_signed_is_what_is_opened(payload: str) -> None:
    opened = open_document(LABEL_MANIFEST, sign_document(LABEL_MANIFEST, payload, KEY), public_keys=KEYS)
    assert opened == payload


def test_the_signature_covers_the_label_and_the_exact_text() -> None:
    envelope = json.loads(sign_document(LABEL_MANIFEST, '{"a": "é"}', KEY))
    signature = base64.urlsafe_b64decode(envelope["signature"] + "==")
    verify_bytes(KEY.public_key, LABEL_MANIFEST + '{"a": "é"}'.encode(), signature)
    assert list(envelope) == ["format", "payload", "signer", "signature", "succession"]


def test_a_document_of_one_kind_is_none_of_another() -> None:
    document = sign_document(LABEL_MANIFEST, "{}", KEY)
    with pytest.raises(DocumentInvalid, match="format"):
        open_document(LABEL_KEYRING, document, public_keys=KEYS)
    renamed = document.replace(b"authcode-manifest-1", b"authcode-keyring-1")
    with pytest.raises(SignatureInvalid):
        open_document(LABEL_KEYRING, renamed, public_keys=KEYS)


def test_no_document_is_signed_as_a_code() -> None:
    with pytest.raises(ValueError, match="label"):
        sign_document(LABEL_CODE, "{}", KEY)


def test_an_unknown_signer_is_named() -> None:
    with pytest.raises(UnknownKey, match=KEY.fingerprint):
        open_document(LABEL_MANIFEST, sign_document(LABEL_MANIFEST, "{}", KEY), public_keys={})


def test_a_changed_text_is_refused() -> None:
    document = sign_document(LABEL_MANIFEST, "count 24", KEY).replace(b"count 24", b"count 25")
    with pytest.raises(SignatureInvalid):
        open_document(LABEL_MANIFEST, document, public_keys=KEYS)


def _edited(**changes: object) -> bytes:
    envelope = json.loads(sign_document(LABEL_MANIFEST, "{}", KEY))
    envelope.update(changes)
    return (json.dumps(envelope, indent=1) + "\n").encode()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"format": NaN}',
        b'{"a": ' * 100_000,
        b"[" * 100_000,
        b'{"format": "a", "format": "b"}',
        b"1" * 10_000,
        sign_document(LABEL_MANIFEST, "{}", KEY) + b"\n",
        sign_document(LABEL_MANIFEST, "{}", KEY).replace(b" ", b"  "),
        sign_document(LABEL_MANIFEST, "{}", KEY).replace(b'"{}"', b'"\\u007b}"'),
        _edited(more=1),
        _edited(payload="\ud800"),
        _edited(payload=1),
        _edited(payload=""),
        _edited(signer="sha256:" + "A" * 64),
        _edited(signature="AAAA"),
        _edited(signature="A" * 85),
        _edited(signature="A" * 85 + "B"),
        _edited(succession=[1]),
        _edited(succession=[{}] * 17),
        _edited(succession=None),
        b" " * (MAX_DOCUMENT_BYTES + 1),
    ],
    ids=lambda document: repr(document[:24]),
)
def test_what_is_not_written_as_we_write_it_is_refused(document: bytes) -> None:
    with pytest.raises(DocumentInvalid):
        open_document(LABEL_MANIFEST, document, public_keys=KEYS)


def test_only_a_keyring_carries_steps_of_a_succession_and_its_content_is_the_same_without() -> None:
    steps = [{"old": "00", "new": "01", "signature": "02"}]
    with pytest.raises(DocumentInvalid):
        read_document(LABEL_MANIFEST, _edited(succession=steps))
    bare = sign_document(LABEL_KEYRING, "{}", KEY)
    read = read_document(LABEL_KEYRING, sign_document(LABEL_KEYRING, "{}", KEY, succession=steps))
    assert list(read.succession) == steps
    assert read.content() == bare


def test_a_document_that_would_be_too_long_is_not_signed() -> None:
    with pytest.raises(ValueError, match="at most"):
        sign_document(LABEL_MANIFEST, "x" * MAX_DOCUMENT_BYTES, KEY)


@given(st.binary(max_size=300))
def test_hostile_bytes_are_refused_as_a_document(document: bytes) -> None:
    with pytest.raises(DocumentInvalid):
        read_document(LABEL_MANIFEST, document)


@given(st.data())
def test_no_byte_of_a_document_can_be_changed(data: st.DataObject) -> None:
    document = bytearray(sign_document(LABEL_MANIFEST, '{"count": 24}', KEY))
    place = data.draw(st.integers(0, len(document) - 1))
    document[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises((DocumentInvalid, SignatureInvalid, UnknownKey)):
        open_document(LABEL_MANIFEST, bytes(document), public_keys=KEYS)


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds of a strategy are naive
def test_a_moment_comes_back_to_the_second(instant: datetime) -> None:
    text = format_instant(instant)
    assert text.endswith("Z")
    assert parse_instant(text) == to_second(instant) == instant.replace(microsecond=0)


@pytest.mark.parametrize(
    "text",
    ["2026-03-01", "2026-03-01T08:30:00", "2026-03-01T08:30:00+00:00", "2026-13-01T08:30:00Z", "2026-03-01 08:30:00Z",
     "2026-03-01T08:30:00.5Z", "2026-03-01T08:30:60Z", "2026-03-01T08:30:00Z\n", "٢٠٢٦-03-01T08:30:00Z", ""],
)  # fmt: skip
def test_a_moment_is_written_in_no_other_way(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)


def test_a_moment_without_utc_is_refused() -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001 - that is the point
    east = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    for wrong in (naive, east):
        with pytest.raises(ValueError, match="UTC"):
            format_instant(wrong)
    with pytest.raises(ValueError, match="zone"):
        to_second(naive)
    assert to_second(east) == datetime(2026, 3, 1, tzinfo=UTC)


def test_fields_are_of_the_asked_kind_or_refused() -> None:
    fields = Fields.parse('{"n": 1, "yes": true, "hex": "0A", "form": "long", "list": ["", "x"], "o": {}}')
    for ask in (
        lambda: fields.number("yes", low=0, high=9),
        lambda: fields.number("n", low=2, high=9),
        lambda: fields.number("absent", low=0, high=9),
        lambda: fields.binary("hex", n_bytes=1),
        lambda: fields.choice("form", Form),
        lambda: fields.texts("list", most=2, longest=9),
        lambda: fields.texts("list", most=1, longest=9),
        lambda: fields.objects("list", most=9),
        lambda: fields.nested("n"),
        lambda: fields.text("n"),
    ):
        with pytest.raises(ValueError, match=r"must|expected"):
            ask()
    assert fields.nested("o").values() == {}


@pytest.mark.parametrize(
    "value", ["1.0", "1e2", "NaN", "-Infinity", '"\\ud800"', '["\\ud800"]', '{"\\udc00": 1}', "[" * 16 + "]" * 16]
)
def test_what_readers_of_json_disagree_about_is_refused_in_any_field(value: str) -> None:
    with pytest.raises(ValueError, match=r"whole number|surrogates|levels"):
        Fields.parse(f'{{"nobody asks": {value}}}')
