"""The issuer's part of a home: made whole or not at all, changed by one at a time, published before it signs."""

import errno
import json
import os
import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from keys.base.errors import (
    HomeExists,
    HomeMissing,
    KeyIdsExhausted,
    KeyringInvalid,
    KeyringSignatureInvalid,
    PrefixInvalid,
    UnknownKey,
    WrongPassphrase,
)
from keys.base.home import issuer_dir, issuer_keyring_path, issuer_keys_dir
from keys.format.keyring import open_keyring, sign_keyring
from keys.format.records import Form, KeyState, Profile, Purpose
from keys.primitives import SigningKey, mac_tag, verify_bytes
from keys.store.foundation import free_key_id
from keys.store.issuer import IssuerHome, UnlockedIssuer
from keys.store.key_file import ScryptCost

OTHER = "http://127.0.0.1:8000"


@pytest.fixture
def unlocked(issuer: IssuerHome, passphrase: str) -> UnlockedIssuer:
    return issuer.unlock(passphrase)


def test_a_new_brand_has_a_key_for_each_form_and_an_office(issuer: IssuerHome, now: datetime) -> None:
    keyring = issuer.keyring.keyring
    assert (keyring.brand, keyring.version, keyring.prefixes) == ("Blue Stars", 1, ("HTTPS://V.EXAMPLE.COM/",))
    assert [(key.form, key.profile, key.state) for key in keyring.code_keys] == [
        (Form.SHORT, Profile.SIGNED, KeyState.ACTIVE),
        (Form.GS1, Profile.SIGNED, KeyState.ACTIVE),
    ]
    assert len(keyring.office_keys) == 1
    assert keyring.expires == now + timedelta(days=30)
    assert len(keyring.brand_id) == 16
    assert len(issuer.server_id) == 32


def test_the_published_keyring_opens_under_the_brands_root_only(issuer: IssuerHome, home: Path) -> None:
    document = issuer_keyring_path(home).read_bytes()
    assert open_keyring(document, root_fingerprint=issuer.keyring.root_fingerprint) == issuer.keyring
    forged = sign_keyring(issuer.keyring.keyring, SigningKey(bytes(32)))
    issuer_keyring_path(home).write_bytes(forged)
    with pytest.raises(KeyringSignatureInvalid):
        _ = issuer.keyring


def test_secrets_fit_what_the_keyring_publishes(unlocked: UnlockedIssuer) -> None:
    for key in unlocked.keyring.keyring.code_keys:
        verify_bytes(key.public_key or b"", b"message", SigningKey(unlocked.code_secret(key.key_id)).sign(b"message"))
    assert unlocked.office_key().fingerprint == unlocked.keyring.keyring.office_keys[0].fingerprint
    assert len(unlocked.serial_key(1)) == 32


def test_a_home_is_private_and_only_the_keyring_is_public(home: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in issuer_dir(home).iterdir()}
    assert modes.pop("keyring.json") == 0o644
    assert modes == {"brand.json": 0o600, "keys": 0o700}
    assert stat.S_IMODE(issuer_dir(home).stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in issuer_keys_dir(home).iterdir()} == {0o600}


def test_the_home_itself_is_private(made_home: Path) -> None:
    assert stat.S_IMODE(made_home.stat().st_mode) == 0o700


def test_a_home_is_never_overwritten(home: Path, now: datetime, cheap: ScryptCost) -> None:
    before = issuer_keyring_path(home).read_bytes()
    with pytest.raises(HomeExists, match="never overwritten"):
        IssuerHome.create(home, brand="B", prefix=OTHER, passphrase="x", now=now, cost=cheap)
    assert issuer_keyring_path(home).read_bytes() == before
    assert [path.name for path in home.iterdir()] == ["issuer"]


@pytest.mark.parametrize(
    ("brand", "prefix"), [("B", "https://v.example.com/path"), ("", OTHER), ("B" * 101, OTHER), ("a\nb", OTHER)]
)
def test_a_refused_home_leaves_nothing(
    tmp_path: Path, now: datetime, cheap: ScryptCost, brand: str, prefix: str
) -> None:
    with pytest.raises((PrefixInvalid, KeyringInvalid)):
        IssuerHome.create(tmp_path / "home", brand=brand, prefix=prefix, passphrase="x", now=now, cost=cheap)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writes", [0, 3, 9, 13])
def test_a_full_disk_leaves_nothing_half_made(
    tmp_path: Path, now: datetime, cheap: ScryptCost, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = os.fsync, [None] * writes

    def full(descriptor: int) -> None:
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        left.pop()
        real(descriptor)

    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "kept").touch()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        IssuerHome.create(tmp_path / "home", brand="B", prefix=OTHER, passphrase="x", now=now, cost=cheap)
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["kept"]


def test_of_two_that_make_one_home_only_one_does(
    tmp_path: Path, now: datetime, cheap: ScryptCost, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, real = tmp_path / "home", Path.rename

    def slower(path: Path, target: Path) -> Path:
        if path.parent == home:
            monkeypatch.setattr(Path, "rename", real)
            IssuerHome.create(home, brand="First", prefix=OTHER, passphrase="x", now=now, cost=cheap)
        return real(path, target)

    monkeypatch.setattr(Path, "rename", slower)
    with pytest.raises(HomeExists):
        IssuerHome.create(home, brand="Second", prefix=OTHER, passphrase="x", now=now, cost=cheap)
    assert IssuerHome.open(home).keyring.keyring.brand == "First"
    assert [path.name for path in home.iterdir()] == ["issuer"]


def test_a_home_without_an_issuer_is_missing(tmp_path: Path, home: Path) -> None:
    with pytest.raises(HomeMissing, match="authcode init"):
        IssuerHome.open(tmp_path)
    issuer = IssuerHome.open(home)
    issuer_keyring_path(home).unlink()
    with pytest.raises(HomeMissing):
        _ = issuer.keyring


def test_a_home_that_cannot_be_written_says_so_and_leaves_nothing(
    tmp_path: Path, now: datetime, cheap: ScryptCost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_path: Path, _target: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(PermissionError):
        IssuerHome.create(tmp_path / "home", brand="B", prefix=OTHER, passphrase="x", now=now, cost=cheap)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff", b'{"format": "authcode-brand-2"}', b'{"format": "authcode-brand-1"}']
)
def test_a_damaged_brand_file_is_said(home: Path, content: bytes) -> None:
    (issuer_dir(home) / "brand.json").write_bytes(content)
    with pytest.raises(KeyringInvalid, match=r"brand\.json"):
        IssuerHome.open(home)


def test_a_wrong_passphrase_opens_nothing(issuer: IssuerHome) -> None:
    with pytest.raises(WrongPassphrase):
        issuer.unlock("wrong")


def test_a_new_key_is_published_in_the_next_version(unlocked: UnlockedIssuer, now: datetime) -> None:
    later = now + timedelta(days=3)
    key = unlocked.new_code_key(profile=Profile.SIGNED, form=Form.SHORT, prefix="https://v.example.com", now=later)
    keyring = unlocked.keyring.keyring
    assert (keyring.version, keyring.issued, keyring.expires) == (2, later, later + timedelta(days=30))
    assert keyring.code_keys[-1] == key
    assert keyring.key_for(form=Form.SHORT, profile=Profile.SIGNED) == key
    assert key.public_key == SigningKey(unlocked.code_secret(key.key_id)).public_key


def test_a_key_under_a_new_prefix_brings_the_prefix(unlocked: UnlockedIssuer, now: datetime) -> None:
    key = unlocked.new_code_key(profile=Profile.SIGNED, form=Form.GS1, prefix=OTHER, now=now)
    assert key.prefix == "HTTP://127.0.0.1:8000/"
    assert unlocked.keyring.keyring.prefixes == ("HTTPS://V.EXAMPLE.COM/", "HTTP://127.0.0.1:8000/")


def test_a_compact_key_is_a_mac_key_that_is_shared(unlocked: UnlockedIssuer, now: datetime) -> None:
    key = unlocked.new_code_key(profile=Profile.COMPACT, form=Form.SHORT, prefix=OTHER, now=now)
    assert key.public_key is None
    shared = unlocked.shared_keys()
    assert shared.mac == {key.key_id: unlocked.code_secret(key.key_id)}
    assert shared.serial == {1: unlocked.serial_key(1)}
    assert len(mac_tag(shared.mac[key.key_id], b"message")) == 10


def test_a_compact_key_of_the_link_form_is_refused_and_nothing_changes(
    unlocked: UnlockedIssuer, home: Path, now: datetime
) -> None:
    before = sorted(issuer_keys_dir(home).iterdir())
    with pytest.raises(KeyringInvalid, match="short form"):
        unlocked.new_code_key(profile=Profile.COMPACT, form=Form.GS1, prefix=OTHER, now=now)
    assert unlocked.keyring.keyring.version == 1
    assert sorted(issuer_keys_dir(home).iterdir()) == before


def test_what_is_shared_holds_no_signing_key(unlocked: UnlockedIssuer) -> None:
    shared = unlocked.shared_keys()
    seeds = {unlocked.code_secret(key.key_id) for key in unlocked.keyring.keyring.code_keys}
    assert not seeds & {*shared.serial.values(), *shared.mac.values()}


def test_no_secret_stands_in_a_repr(unlocked: UnlockedIssuer) -> None:
    shown = repr(unlocked) + repr(unlocked.shared_keys()) + repr(unlocked.office_key()) + repr(unlocked.keyring)
    for secret in (unlocked.serial_key(1), unlocked.office_key().seed):
        assert secret.hex() not in shown
        assert repr(secret) not in shown


def test_unknown_keys_are_named(unlocked: UnlockedIssuer) -> None:
    with pytest.raises(UnknownKey, match="serial 2"):
        unlocked.serial_key(2)
    taken = {key.key_id for key in unlocked.keyring.keyring.code_keys}
    free = free_key_id(taken, lambda ids: ids[0])
    with pytest.raises(UnknownKey, match=free):
        unlocked.code_secret(free)


def test_without_an_active_office_key_nothing_is_signed(unlocked: UnlockedIssuer, home: Path, passphrase: str) -> None:
    from dataclasses import replace

    from keys.store.key_store import open_store

    opened = unlocked.keyring
    store = open_store(issuer_keys_dir(home)).unlock(passphrase)
    root = next(header for header in store.headers() if header.purpose is Purpose.ROOT)
    retired = replace(opened.keyring.office_keys[0], state=KeyState.RETIRED)
    keyring = replace(opened.keyring, version=2, office_keys=(retired,))
    document = sign_keyring(keyring, SigningKey(store.get(Purpose.ROOT, root.key_id)))
    issuer_keyring_path(home).write_bytes(document)
    with pytest.raises(UnknownKey, match="office"):
        unlocked.office_key()


def test_a_keyring_is_signed_again_when_its_end_is_near(unlocked: UnlockedIssuer, now: datetime) -> None:
    assert unlocked.refresh_keyring(now + timedelta(days=19)).keyring.version == 1
    near = now + timedelta(days=20)
    refreshed = unlocked.refresh_keyring(near)
    assert (refreshed.keyring.version, refreshed.keyring.expires) == (2, near + timedelta(days=30))
    assert unlocked.keyring == refreshed
    assert unlocked.keyring == refreshed
    assert unlocked.refresh_keyring(near) == refreshed


def test_a_crash_between_secret_and_keyring_costs_only_a_key_id(
    unlocked: UnlockedIssuer, home: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("keys.store.issuer.sign_keyring", lambda *_, **__: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(OSError, match="power cut"):
            unlocked.new_code_key(profile=Profile.SIGNED, form=Form.SHORT, prefix=OTHER, now=now)
    orphan = {path.name for path in issuer_keys_dir(home).glob("signing.*")}
    assert len(orphan) == 3
    assert unlocked.keyring.keyring.version == 1
    key = unlocked.new_code_key(profile=Profile.SIGNED, form=Form.SHORT, prefix=OTHER, now=now)
    assert f"signing.{key.key_id}.key.json" not in orphan


def test_a_free_key_id_is_never_a_taken_one() -> None:
    everything = {a + b for a in "0123456789ABCDEFGHJKMNPQRSTVWXYZ" for b in "0123456789ABCDEFGHJKMNPQRSTVWXYZ"}
    assert free_key_id(everything - {"K1"}, lambda ids: ids[-1]) == "K1"
    with pytest.raises(KeyIdsExhausted, match="every key id"):
        free_key_id(everything, lambda ids: ids[0])


ADD_KEYS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from keys.store.issuer import IssuerHome
from keys.format.records import Form, Profile
issuer = IssuerHome.open(Path(sys.argv[1])).unlock(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(5):
    key = issuer.new_code_key(profile=Profile.SIGNED, form=Form.SHORT, prefix="https://v.example.com",
                              now=datetime(2026, 3, 2, tzinfo=UTC))
    print(key.key_id, flush=True)
"""


def test_two_processes_that_add_keys_at_once_lose_none(issuer: IssuerHome, home: Path, passphrase: str) -> None:
    command = [sys.executable, "-c", ADD_KEYS, str(home), passphrase]
    root = Path(__file__).parents[3]
    workers = [
        subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    made = [key_id for worker in workers for key_id in worker.communicate("go\n", timeout=30)[0].split()]
    keyring = issuer.keyring.keyring
    assert len(set(made)) == 10
    assert keyring.version == 11
    assert {key.key_id for key in keyring.code_keys} >= set(made)
    assert len(list(issuer_keys_dir(home).glob("signing.*"))) == 12


def test_brand_json_says_whose_home_it_is(home: Path, issuer: IssuerHome) -> None:
    brand = json.loads((issuer_dir(home) / "brand.json").read_text())
    assert brand["brand_id"] == issuer.keyring.keyring.brand_id.hex()
    assert brand["root"] == issuer.keyring.root_fingerprint
    assert brand["server_id"] == issuer.server_id
    assert issuer.home == home
