"""The keyring: what it may say, who may have signed it, and what a verifier remembers of it."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.base.errors import (
    AuthcodeError,
    BrandConflict,
    DocumentInvalid,
    KeyIdTaken,
    KeyringInvalid,
    KeyringRollback,
    KeyringSignatureInvalid,
    NoKeyForOrder,
    PrefixInvalid,
    PublicKeyInvalid,
    RootChanged,
    TrustFileInvalid,
    UnknownKey,
)
from keys.format.document import sign_document
from keys.format.keyring import Keyring, KeyringSet, check_successor, open_keyring, sign_keyring
from keys.format.prefix import normalise_prefix
from keys.format.records import CodeKey, Form, KeyState, OfficeKey, Profile, Purpose
from keys.primitives import LABEL_KEYRING, SigningKey, fingerprint
from keys.trust import TrustFile

MakeKey = Callable[..., CodeKey]
MakeKeyring = Callable[..., Keyring]
PREFIX = "HTTPS://V.EXAMPLE.COM/"
OTHER_PREFIX = "HTTP://127.0.0.1:8000/"
IDENTITY = bytes([1]) + bytes(31)
PUBLIC = SigningKey(b"\x01" * 32).public_key


def _payload(keyring: Keyring, root: SigningKey) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(json.loads(sign_keyring(keyring, root))["payload"])
    return payload


def _elsewhere(keyring: MakeKeyring, name: str, prefix: str) -> dict[str, Any]:
    """What makes the usual keyring one of another name at another address."""
    keys = tuple(replace(key, prefix=prefix) for key in keyring().code_keys)
    return {"brand": name, "prefixes": (prefix,), "code_keys": keys}


def _signed(payload: object, root: SigningKey) -> bytes:
    return sign_document(LABEL_KEYRING, json.dumps(payload), root)


def test_a_keyring_comes_back_as_it_was_signed(keyring: MakeKeyring, code_key: MakeKey, root: SigningKey) -> None:
    withdrawn = code_key(key_id="ZZ", state=KeyState.WITHDRAWN, reason="laptop stolen", form=Form.GS1)
    compact = code_key(key_id="C0", profile=Profile.COMPACT, public_key=None, prefix=OTHER_PREFIX)
    made = keyring(
        brand="Синяя звезда", prefixes=("HTTPS://V.EXAMPLE.COM/", OTHER_PREFIX), code_keys=(withdrawn, compact)
    )
    document = sign_keyring(made, root)
    opened = open_keyring(document, root_fingerprint=root.fingerprint)
    assert opened.keyring == made
    assert (opened.root_fingerprint, opened.document) == (root.fingerprint, document)


def test_a_keyring_opens_at_first_sight_without_a_pinned_root(keyring: MakeKeyring, root: SigningKey) -> None:
    assert open_keyring(sign_keyring(keyring(), root), root_fingerprint=None).root_fingerprint == root.fingerprint


def test_a_keyring_of_another_root_is_refused(keyring: MakeKeyring, root: SigningKey) -> None:
    document = sign_keyring(keyring(), SigningKey(b"\x09" * 32))
    with pytest.raises(KeyringSignatureInvalid):
        open_keyring(document, root_fingerprint=root.fingerprint)


def test_a_keyring_signed_by_another_key_than_it_names_is_refused(keyring: MakeKeyring, root: SigningKey) -> None:
    document = _signed(_payload(keyring(), root), SigningKey(b"\x09" * 32))
    with pytest.raises(KeyringSignatureInvalid):
        open_keyring(document, root_fingerprint=None)


def test_a_changed_keyring_is_refused(keyring: MakeKeyring, root: SigningKey) -> None:
    document = sign_keyring(keyring(), root).replace(b"Blue Stars", b"Blue Starz")
    with pytest.raises(KeyringSignatureInvalid):
        open_keyring(document, root_fingerprint=root.fingerprint)


def test_a_root_for_which_one_signature_fits_everything_is_refused(keyring: MakeKeyring, root: SigningKey) -> None:
    payload = {**_payload(keyring(), root), "root": IDENTITY.hex()}
    envelope = json.loads(_signed(payload, root))
    envelope["signer"] = fingerprint(IDENTITY)
    document = (json.dumps(envelope, indent=1) + "\n").encode()
    with pytest.raises(PublicKeyInvalid):
        open_keyring(document, root_fingerprint=None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("brand_id", "00"),
        ("brand_id", "0B" * 16),
        ("brand", ""),
        ("brand", "a\u202eb"),
        ("version", 0),
        ("version", True),
        ("issued", "2026-03-01T08:30:00+00:00"),
        ("expires", "2026-02-01T00:00:00Z"),
        ("expires", "2026-04-01T08:30:00Z"),
        ("prefixes", []),
        ("prefixes", ["https://v.example.com/"]),
        ("prefixes", ["HTTPS://V.EXAMPLE.COM/", "HTTPS://V.EXAMPLE.COM/"]),
        ("prefixes", ["HTTPS://OTHER.EXAMPLE/"]),
        ("prefixes", {}),
        ("lookalike_domains", ["V-EXAMPLE.COM"]),
        ("partner_domains", ["a b"]),
        ("partner_domains", ["com"]),
        ("lookalike_domains", ["com"]),
        ("office_keys", [None]),
        ("code_keys", "K1"),
    ],
)
def test_a_keyring_that_breaks_a_rule_is_refused(
    keyring: MakeKeyring, root: SigningKey, field: str, value: object
) -> None:
    with pytest.raises(KeyringInvalid):
        open_keyring(_signed({**_payload(keyring(), root), field: value}, root), root_fingerprint=None)


BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u2065\u2800\u3164\ufe00\ufe0e\ufe0f\uffa0\ufff0"


@pytest.mark.parametrize("mark", [*BLANK, "\U0001bca0", "\U0001d173", "\U000e0000", "\U000e0100", "\U000e0fff"])
def test_a_name_holds_no_character_that_draws_nothing(keyring: MakeKeyring, root: SigningKey, mark: str) -> None:
    for name in (f"Blue Stars{mark}", f"Blue{mark} Stars"):
        with pytest.raises(KeyringInvalid, match="draws nothing; write the name without it"):
            open_keyring(_signed({**_payload(keyring(), root), "brand": name}, root), root_fingerprint=None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key_id", "K"),
        ("key_id", "K1\n"),
        ("key_id", "OI"),
        ("profile", "open"),
        ("form", "long"),
        ("serial_key", 0),
        ("serial_key", 256),
        ("state", "deleted"),
        ("state", "withdrawn"),
        ("since", "yesterday"),
        ("reason", "an active key has none"),
        ("public_key", None),
        ("public_key", "00"),
        ("profile", "compact"),
        ("prefix", "HTTPS://OTHER.EXAMPLE/"),
    ],
)
def test_a_code_key_that_breaks_a_rule_is_refused(
    keyring: MakeKeyring, root: SigningKey, field: str, value: object
) -> None:
    payload = _payload(keyring(), root)
    payload["code_keys"][0][field] = value
    with pytest.raises(KeyringInvalid):
        open_keyring(_signed(payload, root), root_fingerprint=None)


@pytest.mark.parametrize("kind", ["code_keys", "office_keys"])
def test_a_key_that_is_no_valid_point_enters_no_keyring(keyring: MakeKeyring, root: SigningKey, kind: str) -> None:
    payload = _payload(keyring(), root)
    payload[kind][0]["public_key"] = IDENTITY.hex()
    payload[kind][0]["fingerprint"] = fingerprint(IDENTITY)
    with pytest.raises(PublicKeyInvalid):
        open_keyring(_signed(payload, root), root_fingerprint=None)


def test_a_key_id_stands_once_in_a_keyring(keyring: MakeKeyring, code_key: MakeKey) -> None:
    with pytest.raises(KeyIdTaken, match="K1"):
        keyring(code_keys=(code_key(), code_key(form=Form.GS1)))


def test_an_office_key_stands_once_and_under_its_own_fingerprint(keyring: MakeKeyring) -> None:
    office = keyring().office_keys[0]
    with pytest.raises(KeyringInvalid, match="twice"):
        keyring(office_keys=(office, office))
    with pytest.raises(ValueError, match="fingerprint"):
        OfficeKey(fingerprint="sha256:00", public_key=PUBLIC, state=KeyState.ACTIVE, since=office.since)


@pytest.mark.parametrize(
    "changes",
    [
        {"brand_id": b"short"},
        {"version": 2**31},
        {"issued": datetime(2026, 3, 1, 8, 30)},  # noqa: DTZ001 - that is the point
    ],
)
def test_a_wrong_keyring_cannot_be_built(keyring: MakeKeyring, changes: dict[str, object]) -> None:
    with pytest.raises(KeyringInvalid):
        keyring(**changes)


def test_a_wrong_code_key_cannot_be_built(code_key: MakeKey) -> None:
    with pytest.raises(ValueError, match="UTC"):
        code_key(since=datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="serial key 256"):
        code_key(serial_key=256)
    with pytest.raises(ValueError, match="reason"):
        code_key(state=KeyState.WITHDRAWN, reason="x" * 201)


def test_a_keyring_that_is_no_object_is_no_keyring(root: SigningKey) -> None:
    for payload in ([], {}, {"root": "00"}, None, 1):
        with pytest.raises(DocumentInvalid):
            open_keyring(_signed(payload, root), root_fingerprint=None)


def test_fields_of_a_later_edition_are_ignored(keyring: MakeKeyring, root: SigningKey) -> None:
    made = keyring()
    assert open_keyring(_signed({**_payload(made, root), "colour": 1}, root), root_fingerprint=None).keyring == made


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_stands_in_a_signed_keyring_raises_only_our_errors(
    keyring: MakeKeyring, root: SigningKey, data: st.DataObject
) -> None:
    payload = _payload(keyring(), root)
    place = data.draw(st.sampled_from([payload, payload["code_keys"][0], payload["office_keys"][0]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(json_values)
    with contextlib.suppress(AuthcodeError):
        open_keyring(_signed(payload, root), root_fingerprint=None)


def test_a_keyring_expires_after_thirty_days_to_the_second(keyring: MakeKeyring, now: datetime) -> None:
    assert not keyring().expired(now + timedelta(days=30, seconds=-1))
    assert keyring().expired(now + timedelta(days=30))


def test_an_order_gets_the_newest_active_key_that_fits(keyring: MakeKeyring, code_key: MakeKey, now: datetime) -> None:
    later = now + timedelta(days=1)
    old, new, twin = code_key(key_id="A1"), code_key(key_id="A2", since=later), code_key(key_id="A3", since=later)
    retired = code_key(key_id="A4", state=KeyState.RETIRED, since=later + timedelta(days=1))
    elsewhere = code_key(key_id="A5", prefix=OTHER_PREFIX, since=later + timedelta(days=2))
    link = code_key(key_id="A6", form=Form.GS1)
    ring = keyring(
        prefixes=("HTTPS://V.EXAMPLE.COM/", OTHER_PREFIX), code_keys=(old, new, twin, retired, elsewhere, link)
    )
    first = "HTTPS://V.EXAMPLE.COM/"
    assert ring.key_for(prefix=first, form=Form.SHORT, profile=Profile.SIGNED) == twin
    assert ring.key_for(form=Form.SHORT, profile=Profile.SIGNED) == elsewhere
    assert ring.key_for(form=Form.GS1, profile=Profile.SIGNED) == link
    with pytest.raises(NoKeyForOrder, match=r"compact key for the short form; make one"):
        ring.key_for(form=Form.SHORT, profile=Profile.COMPACT)
    with pytest.raises(NoKeyForOrder, match=OTHER_PREFIX):
        ring.key_for(prefix=OTHER_PREFIX, form=Form.GS1, profile=Profile.SIGNED)


def test_a_key_is_found_by_its_id(keyring: MakeKeyring, code_key: MakeKey) -> None:
    assert keyring().code_key("K1") == code_key()
    with pytest.raises(UnknownKey, match="K2"):
        keyring().code_key("K2")


def test_a_set_finds_records_by_prefix_and_id(keyring: MakeKeyring, code_key: MakeKey) -> None:
    first = keyring()
    second = keyring(
        brand_id=b"\x0c" * 16, prefixes=(OTHER_PREFIX,), code_keys=(code_key(key_id="K2", prefix=OTHER_PREFIX),)
    )
    trusted = KeyringSet([first, second])
    assert trusted.lookup("HTTPS://V.EXAMPLE.COM/", "K1") == (first, first.code_keys[0])
    assert trusted.lookup(OTHER_PREFIX, "K1") is None
    assert trusted.lookup(OTHER_PREFIX, "K3") is None
    assert trusted.by_key_id("K2") == (second, second.code_keys[0])
    assert trusted.by_key_id("K3") is None
    assert trusted.prefixes == {"HTTPS://V.EXAMPLE.COM/", OTHER_PREFIX}
    assert trusted.brand(b"\x0c" * 16) is second
    assert trusted.brand(bytes(16)) is None
    assert trusted.keyrings == (first, second)


def test_a_key_id_is_unique_across_the_brands_of_a_set(keyring: MakeKeyring) -> None:
    with pytest.raises(KeyIdTaken):
        KeyringSet([keyring(), keyring(brand_id=b"\x0c" * 16)])


def test_a_brand_stands_once_in_a_set(keyring: MakeKeyring) -> None:
    with pytest.raises(KeyringInvalid, match="twice"):
        KeyringSet([keyring(), keyring(version=2)])


def test_a_keyring_follows_another_when_its_keys_stay_what_they_were(keyring: MakeKeyring, code_key: MakeKey) -> None:
    withdrawn = code_key(state=KeyState.WITHDRAWN, reason="laptop stolen")
    check_successor(keyring(), keyring(version=2, code_keys=(withdrawn, code_key(key_id="K2"))))


@pytest.mark.parametrize(
    "change",
    [
        {"public_key": SigningKey(b"\x07" * 32).public_key},
        {"form": Form.GS1},
        {"serial_key": 2},
        {"prefix": OTHER_PREFIX},
        {"profile": Profile.COMPACT, "public_key": None},
    ],
)
def test_a_key_id_never_comes_to_stand_for_another_key(
    keyring: MakeKeyring, code_key: MakeKey, change: dict[str, object]
) -> None:
    new = keyring(version=2, prefixes=("HTTPS://V.EXAMPLE.COM/", OTHER_PREFIX), code_keys=(code_key(**change),))
    with pytest.raises(KeyIdTaken):
        check_successor(keyring(), new)


def test_a_keyring_that_drops_a_key_or_does_not_grow_follows_nothing(keyring: MakeKeyring) -> None:
    with pytest.raises(KeyringInvalid, match="never dropped"):
        check_successor(keyring(), keyring(version=2, code_keys=()))
    with pytest.raises(KeyringInvalid, match="another brand"):
        check_successor(keyring(), keyring(version=2, brand_id=bytes(16)))
    with pytest.raises(KeyringRollback):
        check_successor(keyring(), keyring())


def test_letters_and_numbers_of_the_signed_message_are_fixed() -> None:
    assert {form: form.letter for form in Form} == {Form.SHORT: "S", Form.GS1: "L"}
    assert {profile: profile.number for profile in Profile} == {Profile.SIGNED: 1, Profile.COMPACT: 2}
    assert all(purpose == purpose.lower() for purpose in Purpose)


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("https://v.example.com", "HTTPS://V.EXAMPLE.COM/"),
        ("HTTPS://V.EXAMPLE.COM/", "HTTPS://V.EXAMPLE.COM/"),
        ("https://v.example.com:443/", "HTTPS://V.EXAMPLE.COM/"),
        ("http://v.example.com:80", "HTTP://V.EXAMPLE.COM/"),
        ("https://v.example.com:80", "HTTPS://V.EXAMPLE.COM:80/"),
        ("http://127.0.0.1:8000", "HTTP://127.0.0.1:8000/"),
        ("http://localhost:65535/", "HTTP://LOCALHOST:65535/"),
        ("https://xn--80ak6aa92e.com", "HTTPS://XN--80AK6AA92E.COM/"),
    ],
)
def test_a_prefix_is_brought_to_its_one_spelling(url: str, prefix: str) -> None:
    assert normalise_prefix(url) == prefix
    assert normalise_prefix(prefix) == prefix


@pytest.mark.parametrize(
    "url",
    [
        "",
        "v.example.com",
        "ftp://v.example.com/",
        "https://v.example.com/path",
        "https://v.example.com//",
        "https://v.example.com?x",
        "https://v.example.com/#",
        "https://user@v.example.com/",
        "HTTPS://EVIL.COM\\@V.EXAMPLE.COM/",
        "https://v_.example.com",
        "https://v..example.com",
        "https://.example.com",
        "https://v.example.com.",
        "https://-v.example.com",
        "https://v-.example.com",
        "https://" + "a" * 64 + ".com",
        "https://" + "a." * 120 + "com",
        "https://" + "a" * 300,
        "https://v.example.com:0",
        "https://v.example.com:",
        "https://v.example.com:0443",
        "https://v.example.com:65536",
        "https://[::1]/",
        "https://1.2.3",
        "https://0x7f.1",
        "https://127.0.0.01",
        "https://256.1.1.1",
        " https://v.example.com",
        "https://v.example.com/\n",
        "https://\u212aelvin.example",
        "https://\uff25xample.com",
    ],
)
def test_anything_but_scheme_host_and_port_is_no_prefix(url: str) -> None:
    with pytest.raises(PrefixInvalid):
        normalise_prefix(url)


@given(st.text(max_size=40) | st.from_regex(r"https?://[a-zA-Z0-9.:@\\/-]{1,30}", fullmatch=True))
def test_normalising_twice_is_normalising_once(url: str) -> None:
    try:
        prefix = normalise_prefix(url)
    except PrefixInvalid:
        return
    assert normalise_prefix(prefix) == prefix
    assert prefix == prefix.upper()
    assert prefix.endswith("/")


class TestTrust:
    """What a verifier remembers between keyrings."""

    def test_the_root_is_pinned_at_first_sight(self, tmp_path: Path, keyring: MakeKeyring, root: SigningKey) -> None:
        trust = TrustFile(tmp_path / "trust" / "pins.json")
        opened = trust.admit(sign_keyring(keyring(), root))
        assert opened.keyring == keyring()
        assert trust.pins()[keyring().brand_id].root == root.fingerprint

    def test_another_root_is_refused_however_high_its_version(
        self, tmp_path: Path, keyring: MakeKeyring, root: SigningKey
    ) -> None:
        trust = TrustFile(tmp_path / "pins.json")
        trust.admit(sign_keyring(keyring(), root))
        with pytest.raises(RootChanged, match="Blue Stars"):
            trust.admit(sign_keyring(keyring(version=9), SigningKey(b"\x09" * 32)))

    def test_versions_only_grow(self, tmp_path: Path, keyring: MakeKeyring, root: SigningKey) -> None:
        trust = TrustFile(tmp_path / "pins.json")
        trust.admit(sign_keyring(keyring(version=2), root))
        trust.admit(sign_keyring(keyring(version=5), root))
        trust.admit(sign_keyring(keyring(version=5), root))
        with pytest.raises(KeyringRollback):
            trust.admit(sign_keyring(keyring(version=4), root))
        with pytest.raises(KeyringRollback):
            trust.admit(sign_keyring(keyring(version=5, brand="Blue Star"), root))
        assert TrustFile(tmp_path / "pins.json").pins()[keyring().brand_id].version == 5

    def test_brands_do_not_disturb_each_other(self, tmp_path: Path, keyring: MakeKeyring, root: SigningKey) -> None:
        trust = TrustFile(tmp_path / "pins.json")
        trust.admit(sign_keyring(keyring(version=5), root))
        other = keyring(brand_id=b"\x0c" * 16, **_elsewhere(keyring, "Red Moons", "HTTPS://V.EXAMPLE.ORG/"))
        trust.admit(sign_keyring(other, SigningKey(b"\x09" * 32)))
        assert sorted(pin.version for pin in trust.pins().values()) == [1, 5]

    @pytest.mark.parametrize(
        ("name", "prefix"),
        [
            ("Blue Stars", "HTTPS://V.EXAMPLE.ORG/"),
            ("BLUE  \uff33tars", "HTTPS://V.EXAMPLE.ORG/"),
            ("Red Moons", PREFIX),
            ("Red Moons", "HTTP://V.EXAMPLE.COM/"),
            ("Red Moons", "HTTPS://V.EXAMPLE.COM:444/"),
        ],
    )
    def test_no_other_brand_comes_with_the_name_or_a_prefix_of_a_pinned_one(
        self, tmp_path: Path, keyring: MakeKeyring, root: SigningKey, name: str, prefix: str
    ) -> None:
        trust, stranger = TrustFile(tmp_path / "pins.json"), SigningKey(b"\x09" * 32)
        assert trust.admit(sign_keyring(keyring(), root)).first_seen
        before = trust.pins()
        copied = keyring(brand_id=b"\x0c" * 16, version=7, **_elsewhere(keyring, name, prefix))
        with pytest.raises(BrandConflict) as caught:
            trust.admit(sign_keyring(copied, stranger))
        assert caught.value.code == "brand_conflict"
        assert (caught.value.shared, caught.value.pinned) == (name if name != "Red Moons" else prefix, root.fingerprint)
        assert caught.value.offered == stranger.fingerprint
        assert trust.pins() == before
        assert not trust.admit(sign_keyring(keyring(version=2), root)).first_seen

    def test_a_brand_does_not_take_a_pinned_name_or_prefix_later_either(
        self, tmp_path: Path, keyring: MakeKeyring, root: SigningKey
    ) -> None:
        trust, stranger = TrustFile(tmp_path / "pins.json"), SigningKey(b"\x09" * 32)
        other, own = b"\x0c" * 16, _elsewhere(keyring, "Red Moons", "HTTPS://V.EXAMPLE.ORG/")
        trust.admit(sign_keyring(keyring(), root))
        trust.admit(sign_keyring(keyring(brand_id=other, **own), stranger))
        for number, taken in enumerate(({"brand": "Blue Stars"}, {"prefixes": (*own["prefixes"], PREFIX)}), start=2):
            with pytest.raises(BrandConflict):
                trust.admit(sign_keyring(keyring(brand_id=other, version=number, **{**own, **taken}), stranger))
        assert {pin.brand for pin in trust.pins().values()} == {"Blue Stars", "Red Moons"}

    def test_brands_of_one_host_are_taken_when_their_root_was_learnt_in_another_way(
        self, tmp_path: Path, keyring: MakeKeyring, root: SigningKey
    ) -> None:
        trust, second = TrustFile(tmp_path / "pins.json"), SigningKey(b"\x09" * 32)
        trust.admit(sign_keyring(keyring(), root))
        shared = [sign_keyring(keyring(brand_id=b"\x0c" * 16, brand="Red Moons", version=n), second) for n in (1, 2)]
        with pytest.raises(KeyringSignatureInvalid):
            trust.admit(shared[0], root_fingerprint=root.fingerprint)
        assert trust.admit(shared[0], root_fingerprint=second.fingerprint).first_seen
        assert trust.admit(shared[1]).keyring.version == 2
        assert trust.admit(sign_keyring(keyring(version=2), root)).keyring.brand == "Blue Stars"

    @pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"format": "authcode-trust-2", "brands": []}'])
    def test_a_damaged_file_is_refused_and_not_started_anew(
        self, tmp_path: Path, keyring: MakeKeyring, root: SigningKey, content: bytes
    ) -> None:
        path = tmp_path / "pins.json"
        path.write_bytes(content)
        with pytest.raises(TrustFileInvalid):
            TrustFile(path).admit(sign_keyring(keyring(), root))
        assert path.read_bytes() == content


def test_a_key_cannot_be_changed_in_place(code_key: MakeKey) -> None:
    with pytest.raises(AttributeError):
        code_key().state = KeyState.RETIRED  # type: ignore[misc]
    assert replace(code_key(), state=KeyState.RETIRED, since=datetime(2026, 4, 1, tzinfo=UTC)).state == "retired"
