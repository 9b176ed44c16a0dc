# ruff: noqa: ANN401 - vectors are JSON, and the second implementation is loaded by its path
"""A second implementation, written from docs/format.md alone, agrees with every published vector."""

import ast
import json
from pathlib import Path
from typing import Any, Final

import pytest

VECTORS: Final = Path(__file__).parents[2] / "docs" / "vectors"
OURS: Final = {"keys", "authcode", "scanner", "server"}


def _load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="ascii"))


@pytest.fixture(scope="module")
def keyring(second: Any) -> Any:
    content = _load("documents.json")
    return second.open_keyring(content["keyring"].encode(), content["root_fingerprint"])


def test_it_imports_nothing_of_ours() -> None:
    for module in ("format_one.py", "log_one.py"):
        source = Path(__file__).with_name(module).read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & OURS


def test_it_makes_every_published_code(second: Any, keyring: Any) -> None:
    content = _load("code.json")
    brand_id, serial_key = bytes.fromhex(content["brand_id"]), bytes.fromhex(content["serial_key"])
    records = {record["key_id"]: record for record in keyring["code_keys"]}
    secrets = {key["key_id"]: bytes.fromhex(key["secret"]) for key in content["keys"]}
    for key in content["keys"]:
        if key["public_key"]:
            assert second.public_key(secrets[key["key_id"]]).hex() == key["public_key"]
    for vector in content["codes"]:
        record, unit = records[vector["key_id"]], (vector["batch"], vector["index"], vector["tier"])
        serial = second.serial_of(serial_key, brand_id, *unit)
        gtin = content["gtin"] if record["form"] == "gs1" else "0" * 14
        message = second.signed_message(record, brand_id, serial, gtin)
        tag = second.make_tag(record, secrets[vector["key_id"]], message)
        made = (serial, second.printed(serial), message.hex(), tag.hex(), second.write_code(record, serial, gtin, tag))
        fields = ("serial", "printed_serial", "signed_message", "tag", "code")
        assert made == tuple(vector[field] for field in fields)


def test_it_verifies_every_published_code_and_finds_its_unit(second: Any, keyring: Any) -> None:
    content = _load("code.json")
    brand_id, serial_key = bytes.fromhex(content["brand_id"]), bytes.fromhex(content["serial_key"])
    mac_keys = {key["key_id"]: bytes.fromhex(key["secret"]) for key in content["keys"]}
    for vector in content["codes"]:
        record, serial = second.judge(vector["code"], keyring, mac_keys)
        assert record["key_id"] == vector["key_id"]
        unit = second.unit_of(serial_key, brand_id, serial)
        assert unit == (vector["batch"], vector["index"], vector["tier"])


def test_it_refuses_every_published_refusal(second: Any, keyring: Any) -> None:
    mac_keys = {key["key_id"]: bytes.fromhex(key["secret"]) for key in _load("code.json")["keys"]}
    for vector in _load("refusals.json")["refused"]:
        with pytest.raises(second.Refused):
            second.judge(vector["text"], keyring, mac_keys)


def test_it_reads_and_refuses_typed_serials_alike(second: Any) -> None:
    content = _load("typed-serials.json")
    for vector in content["read"]:
        assert second.read_typed(vector["typed"]) == vector["serial"]
    for vector in content["refused"]:
        with pytest.raises(second.Refused):
            second.read_typed(vector["typed"])


def test_it_opens_the_published_manifest_under_the_published_keyring(second: Any, keyring: Any) -> None:
    content = _load("documents.json")
    manifest = second.open_manifest(content["manifest"].encode(), keyring)
    assert (manifest["order"], manifest["count"], manifest["key_id"]) == ("spring", 24, "K1")
    with pytest.raises(second.Refused):
        second.open_manifest(content["manifest"].replace("spring", "summer").encode(), keyring)


def test_it_refuses_every_edge_signature(second: Any) -> None:
    for edge in _load("ed25519-edges.json")["vectors"]:
        key, message, signature = (bytes.fromhex(edge[name]) for name in ("public_key", "message", "signature"))
        with pytest.raises(second.Refused):
            second.check_signature(key, message, signature)
        if edge["key_refused"]:
            with pytest.raises(second.Refused):
                second.check_key(key)
        else:
            second.check_key(key)


def test_it_gives_every_published_offline_answer(second: Any) -> None:
    content = _load("offline.json")
    for case in content["cases"]:
        document = content["keyrings"][case["keyring"]].encode()
        told = second.answer_offline(document, case["root"], case["at"], case["text"])
        published = case["answer"].get("state") or case["answer"]["error"]
        refused = "error" in case["answer"] and published != "online_only"
        assert told == ("refused" if refused else published), case["name"]
