# ruff: noqa: ANN401, RUF001, T201 - fixtures' classes live in conftest; look-alikes are the point; run by hand it prints
"""The published vectors are what the code makes, and every published refusal is refused.

Run by hand it writes them anew, which is a change of the format: `python tests/authcode/code/test_vectors.py`.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from authcode.code.payload import GTIN_NONE, NotOurs, parse_code, signed_message
from authcode.code.serial import SerialCipher, SerialUnit, Tier, TypedSerialInvalid, printed_serial, read_typed_serial
from authcode.code.sign import CodeSigner
from authcode.code.verify import verify_code
from authcode.order.manifest import Manifest, open_manifest, sign_manifest
from authcode.order.order import DrawnBy, Placement, Tiers
from keys.base.errors import SignatureInvalid
from keys.format.keyring import Keyring, KeyringSet, open_keyring, sign_keyring
from keys.format.records import CodeKey, Form, KeyState, OfficeKey, Profile
from keys.primitives import SigningKey, verify_bytes

ROOT: Final = Path(__file__).parents[3]
VECTORS: Final = ROOT / "docs" / "vectors"
NOW: Final = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
PREFIX: Final = "HTTPS://V.EXAMPLE.COM/"
GTIN: Final = "09506000134352"
BRAND_ID: Final = bytes(range(16))
SERIAL_KEY: Final = b"\x04" * 32
SECRETS: Final = {"K1": b"\x01" * 32, "K2": b"\x02" * 32, "K3": b"\x03" * 32}
ROOT_SEED: Final = b"\x11" * 32
OFFICE_SEED: Final = b"\x12" * 32
UNITS: Final = (
    SerialUnit(batch=1, index=0, tier=Tier.SINGLE),
    SerialUnit(batch=1, index=23, tier=Tier.SINGLE),
    SerialUnit(batch=2, index=5, tier=Tier.OUTER),
    SerialUnit(batch=2, index=5, tier=Tier.INNER),
    SerialUnit(batch=33_554_431, index=34_359_738_367, tier=Tier.SINGLE),
)


def _key(key_id: str, profile: Profile, form: Form) -> CodeKey:
    return CodeKey(
        key_id=key_id,
        profile=profile,
        form=form,
        prefix=PREFIX,
        serial_key=1,
        state=KeyState.ACTIVE,
        since=NOW,
        public_key=SigningKey(SECRETS[key_id]).public_key if profile is Profile.SIGNED else None,
    )


def _keyring() -> Keyring:
    office = SigningKey(OFFICE_SEED)
    return Keyring(
        brand_id=BRAND_ID,
        brand="Example Tea",
        version=1,
        issued=NOW,
        expires=NOW + timedelta(days=30),
        prefixes=(PREFIX,),
        code_keys=(
            _key("K1", Profile.SIGNED, Form.SHORT),
            _key("K2", Profile.SIGNED, Form.GS1),
            _key("K3", Profile.COMPACT, Form.SHORT),
        ),
        office_keys=(
            OfficeKey(fingerprint=office.fingerprint, public_key=office.public_key, state=KeyState.ACTIVE, since=NOW),
        ),
    )


def _manifest() -> Manifest:
    return Manifest(
        server_id="00112233445566778899aabbccddeeff",
        brand_id=BRAND_ID,
        batch_number=1,
        order="spring",
        product="tea-100",
        count=24,
        tiers=Tiers.SINGLE,
        profile=Profile.SIGNED,
        form=Form.SHORT,
        gtin=None,
        key_id="K1",
        placement=Placement.INSIDE,
        drawn_by=DrawnBy.AUTHCODE,
        issued_at=NOW,
        checksums={"codes.csv": "ab" * 32},
    )


def _code_vector(key: CodeKey, unit: SerialUnit) -> dict[str, object]:
    serial = SerialCipher(SERIAL_KEY, BRAND_ID).serial(unit)
    gtin = GTIN if key.form is Form.GS1 else GTIN_NONE
    text = CodeSigner(BRAND_ID, key, SECRETS[key.key_id]).code(serial, gtin)
    message = signed_message(key, BRAND_ID, serial=serial, gtin=gtin)
    return {
        "key_id": key.key_id,
        "batch": unit.batch,
        "index": unit.index,
        "tier": int(unit.tier),
        "serial": serial,
        "printed_serial": printed_serial(serial),
        "signed_message": message.hex(),
        "tag": parse_code(text, KeyringSet([_keyring()]))[2].tag.hex(),
        "code": text,
    }


def code_vectors() -> dict[str, object]:
    keyring = _keyring()
    return {
        "comment": "Codes of format 1 made with test keys. Binary values in hexadecimal.",
        "brand_id": BRAND_ID.hex(),
        "prefix": PREFIX,
        "gtin": GTIN,
        "serial_key": SERIAL_KEY.hex(),
        "keys": [
            {
                "key_id": key.key_id,
                "profile": key.profile,
                "form": key.form,
                "secret": SECRETS[key.key_id].hex(),
                "public_key": key.public_key.hex() if key.public_key else None,
            }
            for key in keyring.code_keys
        ],
        "codes": [_code_vector(key, unit) for key in keyring.code_keys for unit in UNITS],
    }


def document_vectors() -> dict[str, object]:
    keyring, root, office = _keyring(), SigningKey(ROOT_SEED), SigningKey(OFFICE_SEED)
    return {
        "comment": "Signed documents, as exact text. The keyring is that of code.json.",
        "root_seed": ROOT_SEED.hex(),
        "root_fingerprint": root.fingerprint,
        "office_seed": OFFICE_SEED.hex(),
        "keyring": sign_keyring(keyring, root).decode(),
        "manifest": sign_manifest(_manifest(), office).decode(),
    }


_REFUSALS: Final[tuple[tuple[str, str, Callable[[str], str]], ...]] = (
    ("K1", "forged: one bit of the signature changed", lambda text: text[:60] + "01"[text[60] == "0"] + text[61:]),
    ("K1", "forged: the key id of no key", lambda text: text.replace("/K1", "/Z9")),
    ("K1", "the key id of a key of the other form", lambda text: text.replace("/K1", "/K2")),
    ("K1", "the key id of a key with another tag length", lambda text: text.replace("/K1", "/K3")),
    ("K1", "truncated by one character", lambda text: text[:-1]),
    ("K1", "one character too many", lambda text: text + "0"),
    ("K1", "newline at the end", lambda text: text + "\n"),
    ("K1", "space in front", lambda text: " " + text),
    ("K1", "percent form of a slash", lambda text: text.replace("M/", "M%2F")),
    ("K1", "hyphen among the characters", lambda text: text[:-4] + "-" + text[-4:]),
    ("K1", "alias I for 1 in the key id", lambda text: text.replace("/K1", "/KI")),
    ("K1", "default port written out", lambda text: text.replace(".COM/", ".COM:443/")),
    ("K1", "another scheme", lambda text: text.replace("HTTPS", "HTTP")),
    ("K1", "user before the host", lambda text: text.replace("//V.", "//X@V.")),
    ("K1", "backslash: parsers disagree about the host", lambda text: text.replace("//V.", "//EVIL.COM\\@V.")),
    ("K1", "final dot of the host", lambda text: text.replace(".COM/", ".COM./")),
    ("K1", "full-width digit", lambda text: text.replace("/K1", "/K１")),
    ("K1", "Kelvin sign for K", lambda text: text.replace("/K1", "/\N{KELVIN SIGN}1")),
    ("K1", "long s for S in the scheme", lambda text: text.replace("HTTPS", "HTTPſ")),
    ("K1", "query on a short code", lambda text: text + "?x=1"),
    ("K1", "fragment", lambda text: text + "#x"),
    ("K1", "spare bits of the last character not zero", lambda text: text[:-1] + "19HS"["08GR".index(text[-1])]),
    ("K2", "spare bits of the last character not zero", lambda text: text[:-1] + "BRhx"["AQgw".index(text[-1])]),
    ("K2", "wrong check digit of the GTIN", lambda text: text.replace(GTIN, "09506000134353")),
    ("K2", "another GTIN with a right check digit", lambda text: text.replace(GTIN, "09506000134376")),
    ("K2", "two 8030", lambda text: text + "&8030=x"),
    ("K2", "no 8030", lambda text: text.partition("?")[0]),
    ("K2", "8030 in another spelling", lambda text: text.replace("8030", "%38030")),
    ("K2", "serial in lower case", lambda text: text.replace(text[43:56], text[43:56].lower())),
    ("K2", "plus sign in a foreign query key", lambda text: text + "&a=b+c"),
    ("K2", "backslash in a foreign query key", lambda text: text + "&a=b\\c"),
    ("K2", "over-long", lambda text: text + "&a=" + "b" * 512),
    ("K3", "forged: a tag under another MAC key", lambda text: text[:-16] + "0" * 16),
    ("K3", "a short tag", lambda text: text[:-1]),
)  # fmt: skip


def refusal_vectors() -> dict[str, object]:
    keyring = _keyring()
    whole = {key.key_id: str(_code_vector(key, UNITS[1])["code"]) for key in keyring.code_keys}
    return {
        "comment": "Refused texts, all with one answer; the reasons are for the reader only. Keys as in code.json.",
        "refused": [
            {"reason": f"{key_id}: {reason}", "text": change(whole[key_id])} for key_id, reason, change in _REFUSALS
        ],
    }


def typed_vectors() -> dict[str, object]:
    serial = SerialCipher(SERIAL_KEY, BRAND_ID).serial(UNITS[0])
    printed = printed_serial(serial)
    bare = printed.replace(" ", "").replace("·", "")
    return {
        "comment": "Printed serials as people type them.",
        "read": [
            {"typed": typed, "serial": serial}
            for typed in (printed, bare, bare.lower(), bare.replace("0", "O").replace("1", "l"), "-".join(bare))
        ],
        "refused": [
            {"reason": "without its check character", "typed": serial},
            {"reason": "another check character", "typed": serial + ("0" if bare[-1] != "0" else "1")},
            {"reason": "two characters exchanged", "typed": bare[1] + bare[0] + bare[2:]},
            {"reason": "a character outside the alphabet", "typed": "U" + bare[1:]},
        ],
    }


def edge_vectors() -> dict[str, object]:
    edges: dict[str, object] = json.loads((ROOT / "tests/keys/vectors/ed25519_edges.json").read_text(encoding="utf-8"))
    return edges


FILES: Final[dict[str, Callable[[], dict[str, object]]]] = {
    "code.json": code_vectors,
    "refusals.json": refusal_vectors,
    "typed-serials.json": typed_vectors,
    "documents.json": document_vectors,
    "ed25519-edges.json": edge_vectors,
}


def _text(content: dict[str, object]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def _load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="ascii"))


@pytest.mark.parametrize("name", FILES)
def test_the_published_vectors_are_what_the_code_makes(name: str) -> None:
    assert (VECTORS / name).read_text(encoding="ascii") == _text(FILES[name]())


def test_every_published_code_verifies_and_names_its_unit() -> None:
    content = _load("code.json")
    cipher = SerialCipher(bytes.fromhex(content["serial_key"]), bytes.fromhex(content["brand_id"]))
    keyrings = KeyringSet([_keyring()])
    for vector in content["codes"]:
        verified = verify_code(vector["code"], keyrings, mac_keys={"K3": SECRETS["K3"]})
        unit = cipher.unit(verified.serial)
        assert (unit.batch, unit.index, unit.tier) == (vector["batch"], vector["index"], vector["tier"])


def test_the_example_in_the_specification_is_the_first_vector() -> None:
    page = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
    example = page.partition("One of them in full")[2]
    first = _load("code.json")["codes"][0]
    for field in ("serial", "printed_serial", "code"):
        assert f" {first[field]}\n" in example
    assert first["signed_message"] in "".join(example.split())


def test_every_published_refusal_is_refused() -> None:
    keyrings = KeyringSet([_keyring()])
    for vector in _load("refusals.json")["refused"]:
        with pytest.raises(NotOurs):
            verify_code(vector["text"], keyrings, mac_keys={"K3": SECRETS["K3"]})


def test_every_published_typed_serial_is_read_or_refused() -> None:
    content = _load("typed-serials.json")
    for vector in content["read"]:
        assert read_typed_serial(vector["typed"]) == vector["serial"]
    for vector in content["refused"]:
        with pytest.raises(TypedSerialInvalid):
            read_typed_serial(vector["typed"])


def test_the_published_documents_open_under_the_published_keys() -> None:
    content = _load("documents.json")
    opened = open_keyring(content["keyring"].encode(), root_fingerprint=content["root_fingerprint"])
    assert opened.keyring == _keyring()
    assert open_manifest(content["manifest"].encode(), opened.keyring) == _manifest()


def test_every_published_edge_signature_is_refused() -> None:
    for vector in _load("ed25519-edges.json")["vectors"]:
        with pytest.raises(SignatureInvalid):
            verify_bytes(*(bytes.fromhex(vector[field]) for field in ("public_key", "message", "signature")))


if __name__ == "__main__":
    VECTORS.mkdir(parents=True, exist_ok=True)
    for file_name, make in FILES.items():
        (VECTORS / file_name).write_text(_text(make()), encoding="ascii")
        print(VECTORS / file_name)
