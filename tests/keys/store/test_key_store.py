"""Sealed keys: one passphrase a store, bounded work, headers that cannot be changed, files whole and private."""

import contextlib
import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.base.errors import (
    AuthcodeError,
    KeyFileInvalid,
    KeyFileOwner,
    KeyFileReadable,
    KeyFileTooCostly,
    KeyIdTaken,
    UnknownKey,
    WrongPassphrase,
)
from keys.base.files import exchange_dirs, exclusive_lock, write_atomic
from keys.format.records import Purpose
from keys.store.key_file import KeyFile, KeyHeader, Lock, ScryptCost
from keys.store.key_store import open_store

BRAND = b"\x0b" * 16
SECRET = b"\x5a" * 32
Change = Callable[[dict[str, object]], object]


@pytest.fixture
def folder(tmp_path: Path, cheap: ScryptCost, passphrase: str) -> Path:
    """A store with one signing key K1 and one serial key 1."""
    store = open_store(tmp_path / "keys").unlock(passphrase, cost=cheap)
    store.put(Purpose.SIGNING, "K1", BRAND, SECRET)
    store.put(Purpose.SERIAL, "1", BRAND, b"\x33" * 32)
    return tmp_path / "keys"


@pytest.fixture
def k1(folder: Path) -> Path:
    return folder / "signing.K1.key.json"


def _edit(path: Path, change: Change) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def _edit_header(path: Path, change: Change) -> None:
    values = json.loads(path.read_text())
    header = json.loads(values["header"])
    change(header)
    values["header"] = json.dumps(header)
    path.write_text(json.dumps(values))


def test_a_secret_comes_back_with_the_right_passphrase(folder: Path, passphrase: str) -> None:
    store = open_store(folder).unlock(passphrase)
    assert store.get(Purpose.SIGNING, "K1") == SECRET
    assert store.get(Purpose.SERIAL, "1") == b"\x33" * 32


def test_headers_are_read_without_a_passphrase(folder: Path, cheap: ScryptCost) -> None:
    headers = open_store(folder).headers()
    assert [(header.purpose, header.key_id, header.brand_id) for header in headers] == [
        (Purpose.SERIAL, "1", BRAND),
        (Purpose.SIGNING, "K1", BRAND),
    ]
    assert {header.lock.cost for header in headers} == {cheap}


needs_modes = pytest.mark.skipif(os.name != "posix", reason="permissions are bits on POSIX systems")


@needs_modes
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602, 0o610, 0o666])
def test_a_key_file_open_to_others_is_refused_by_every_way_into_the_store(
    folder: Path, k1: Path, passphrase: str, mode: int
) -> None:
    unlocked = open_store(folder).unlock(passphrase)
    k1.chmod(mode)
    closed = open_store(folder)
    ways: list[Callable[[], object]] = [
        closed.headers,
        closed.check_closed,
        lambda: closed.unlock(passphrase),
        unlocked.headers,
        lambda: unlocked.get(Purpose.SIGNING, "K1"),
        lambda: unlocked.put(Purpose.SIGNING, "K2", BRAND, SECRET),
    ]
    for way in ways:
        with pytest.raises(KeyFileReadable, match=f"mode {mode:04o}.*chmod 600 .*signing.K1") as caught:
            way()
        assert caught.value.code == "key_file_readable"
    k1.chmod(0o600)
    assert closed.unlock(passphrase).get(Purpose.SIGNING, "K1") == SECRET


@needs_modes
def test_a_link_does_not_hide_who_may_read_a_key_file(folder: Path, k1: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    k1.rename(elsewhere)
    elsewhere.chmod(0o644)
    k1.symlink_to(elsewhere)
    with pytest.raises(KeyFileReadable):
        open_store(folder).headers()


@needs_modes
def test_a_key_file_of_another_user_is_refused_by_every_way_into_the_store(
    folder: Path, k1: Path, passphrase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked = open_store(folder).unlock(passphrase)
    if os.geteuid() == 0:
        os.chown(k1, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: k1.stat().st_uid + 1)
    closed = open_store(folder)
    ways: list[Callable[[], object]] = [
        closed.headers,
        closed.check_closed,
        lambda: closed.unlock(passphrase),
        lambda: unlocked.get(Purpose.SIGNING, "K1"),
    ]
    for way in ways:
        with pytest.raises(KeyFileOwner, match=f"number {k1.stat().st_uid}.*chown") as caught:
            way()
        assert caught.value.code == "key_file_owner"


@needs_modes
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_root_is_used_by_the_user_who_may_read_it(
    folder: Path, k1: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert k1.stat().st_uid == 0
    open_store(folder).check_closed()


@needs_modes
@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_a_key_file_closed_to_others_may_be_as_its_owner_likes(folder: Path, k1: Path, mode: int) -> None:
    k1.chmod(mode)
    open_store(folder).check_closed()


def test_a_wrong_passphrase_is_said_clearly(folder: Path) -> None:
    with pytest.raises(WrongPassphrase, match="does not open the keys in") as caught:
        open_store(folder).unlock("a wrong one")
    assert "a wrong one" not in str(caught.value)


def test_accents_typed_on_another_keyboard_open_the_same_store(cheap: ScryptCost) -> None:
    lock = Lock(salt=bytes(16), cost=cheap)
    assert lock.derive("caf\u00e9") == lock.derive("cafe\u0301") != lock.derive("cafe")


def test_the_default_cost_is_scrypt_2_17_8_1(tmp_path: Path, passphrase: str) -> None:
    store = open_store(tmp_path / "keys").unlock(passphrase)
    store.put(Purpose.SESSION, "1", None, SECRET)
    assert store.headers()[0].lock.cost == ScryptCost(n=2**17, r=8, p=1)


def test_the_store_key_is_that_of_hashlibs_scrypt(passphrase: str) -> None:
    import hashlib

    expected = hashlib.scrypt(passphrase.encode(), salt=bytes(16), n=16, r=2, p=1, dklen=32)
    assert Lock(salt=bytes(16), cost=ScryptCost(n=16, r=2, p=1)).derive(passphrase) == expected


@pytest.mark.parametrize("cost", [{"n": 2**21}, {"n": 2**60}, {"r": 9}, {"p": 5}, {"p": 2**61}])
def test_a_file_that_asks_for_too_much_work_is_refused_before_any(
    folder: Path, k1: Path, passphrase: str, cost: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _edit_header(k1, lambda header: header["kdf"].update(cost))  # type: ignore[attr-defined]
    monkeypatch.setattr(Lock, "derive", lambda *_: pytest.fail("work was done"))
    with pytest.raises(KeyFileTooCostly, match="not opened"):
        open_store(folder).unlock(passphrase)
    with pytest.raises(KeyFileTooCostly):
        open_store(folder).headers()


def test_two_to_the_twenty_is_the_most_that_is_admitted() -> None:
    assert ScryptCost(n=2**20).n == 1048576
    with pytest.raises(KeyFileTooCostly, match="n=2097152"):
        ScryptCost(n=2**21)


@pytest.mark.parametrize("cost", [{"n": 3}, {"n": 1}, {"n": 0}, {"n": -2}, {"r": 0}, {"p": 0}])
def test_what_are_no_parameters_of_scrypt_is_refused(cost: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="scrypt"):
        ScryptCost(**cost)


def test_too_little_memory_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, cheap: ScryptCost) -> None:
    def no_memory(**_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("keys.store.key_file.Scrypt", no_memory)
    with pytest.raises(KeyFileTooCostly):
        Lock(salt=bytes(16), cost=cheap).derive("x")


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.update(purpose="root"),
        lambda header: header.update(key_id="K2"),
        lambda header: header.update(brand_id="00" * 16),
        lambda header: header.update(brand_id=None),
        lambda header: header.update(note="added"),
    ],
)
def test_a_changed_header_is_refused(folder: Path, k1: Path, passphrase: str, change: Change) -> None:
    _edit_header(k1, change)
    store = open_store(folder).unlock(passphrase)
    with pytest.raises(KeyFileInvalid, match="changed"):
        store.get(Purpose.SIGNING, "K1")


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.update(format="authcode-key-2"),
        lambda header: header.update(aead="none"),
        lambda header: header.update(purpose="lunch"),
        lambda header: header.update(kdf=[]),
        lambda header: header["kdf"].update(name="md5"),
        lambda header: header["kdf"].update(salt="00"),
        lambda header: header["kdf"].update(n=3),
        lambda header: header["kdf"].update(n="4"),
        lambda header: header["kdf"].update(n=4),
    ],
)
def test_a_header_of_another_kind_or_store_is_refused(folder: Path, k1: Path, passphrase: str, change: Change) -> None:
    _edit_header(k1, change)
    with pytest.raises(KeyFileInvalid):
        open_store(folder).unlock(passphrase)


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.update(sealed="00" * 48),
        lambda values: values.update(nonce="00" * 12),
        lambda values: values.update(sealed=values["sealed"][:-2]),
    ],
)
def test_a_changed_content_is_refused_and_the_others_still_open(
    folder: Path, k1: Path, passphrase: str, change: Change
) -> None:
    _edit(k1, change)
    store = open_store(folder).unlock(passphrase)
    with pytest.raises(KeyFileInvalid):
        store.get(Purpose.SIGNING, "K1")
    assert store.get(Purpose.SERIAL, "1") == b"\x33" * 32


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 20_000,
        b'{"format": "authcode-key-1"}',
        b'{"format": "authcode-key-1", "header": "{}", "nonce": "", "sealed": ""}',
        b'{"format": "authcode-key-1", "header": "x", "nonce": "zz", "sealed": "\xc3\xa9"}',
        b" " * 20_000,
    ],
)
def test_what_is_no_key_file_is_refused(folder: Path, k1: Path, passphrase: str, content: bytes) -> None:
    k1.write_bytes(content)
    with pytest.raises(KeyFileInvalid, match=r"signing\.K1"):
        open_store(folder).unlock(passphrase)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: json.dumps({"header": text}).encode()))
def test_hostile_bytes_raise_only_our_error(content: bytes) -> None:
    with pytest.raises(AuthcodeError):
        KeyFile.parse("x", content)


@given(st.data())
def test_no_character_of_a_key_file_can_be_changed_unnoticed(data: st.DataObject) -> None:
    lock = Lock(salt=bytes(16), cost=ScryptCost(n=2, r=1, p=1))
    header = KeyHeader(purpose=Purpose.MAC, key_id="C0", brand_id=BRAND, lock=lock)
    sealed = KeyFile.seal("mac.C0", header, SECRET, bytes(32))
    content = bytearray(sealed.to_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 127))
    with contextlib.suppress(AuthcodeError):
        opened = KeyFile.parse("mac.C0", bytes(content))
        # Spaces between the fields, or a capital in hexadecimal, may differ; what is kept may not.
        assert (opened.open(bytes(32)), opened.header) == (SECRET, header)


def test_a_file_moved_to_another_name_is_refused(folder: Path, k1: Path, passphrase: str) -> None:
    k1.rename(folder / "root.K1.key.json")
    with pytest.raises(KeyFileInvalid, match="another"):
        open_store(folder).unlock(passphrase).get(Purpose.ROOT, "K1")


def test_a_file_of_another_store_is_refused(folder: Path, tmp_path: Path, passphrase: str, cheap: ScryptCost) -> None:
    store = open_store(folder).unlock(passphrase)
    other = open_store(tmp_path / "other").unlock("another", cost=cheap)
    other.put(Purpose.SIGNING, "K9", BRAND, SECRET)
    (tmp_path / "other" / "signing.K9.key.json").rename(folder / "signing.K9.key.json")
    with pytest.raises(KeyFileInvalid, match="store"):
        store.get(Purpose.SIGNING, "K9")
    with pytest.raises(KeyFileInvalid, match="store"):
        open_store(folder).unlock(passphrase)


def test_two_processes_that_begin_one_store_do_not_mix_passphrases(tmp_path: Path, cheap: ScryptCost) -> None:
    first = open_store(tmp_path / "keys").unlock("one", cost=cheap)
    second = open_store(tmp_path / "keys").unlock("two", cost=cheap)
    first.put(Purpose.SESSION, "1", None, SECRET)
    with pytest.raises(KeyFileInvalid, match="begun by another"):
        second.put(Purpose.HOLDER, "1", None, SECRET)


def test_files_are_private_and_nothing_lies_beside_them(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {".lock", "serial.1.key.json", "signing.K1.key.json"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_secret_stands_in_no_file_and_no_repr(folder: Path, k1: Path, passphrase: str) -> None:
    store = open_store(folder).unlock(passphrase)
    shown = repr(store) + repr(store.headers()) + repr(KeyFile.parse("x", k1.read_bytes())) + k1.read_text()
    assert SECRET.hex() not in shown
    assert repr(SECRET) not in shown
    assert passphrase not in shown


def test_a_full_disk_leaves_the_old_keys_and_nothing_else(
    folder: Path, passphrase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    store = open_store(folder).unlock(passphrase)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.put(Purpose.SIGNING, "K2", BRAND, SECRET)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_same_secret_again_changes_nothing_and_another_is_refused(tmp_path: Path, cheap: ScryptCost) -> None:
    store = open_store(tmp_path / "keys").unlock("x", cost=cheap)
    store.put(Purpose.SERIAL, "1", BRAND, SECRET)
    store.put(Purpose.SERIAL, "1", BRAND, SECRET)
    with pytest.raises(KeyIdTaken):
        store.put(Purpose.SERIAL, "1", BRAND, bytes(32))
    assert store.get(Purpose.SERIAL, "1") == SECRET
    assert len(store.headers()) == 1


def test_a_removed_key_is_gone(tmp_path: Path, cheap: ScryptCost) -> None:
    store = open_store(tmp_path / "keys").unlock("x", cost=cheap)
    store.put(Purpose.PSEUDONYM_DAY, "2026-03-01", None, SECRET)
    store.remove(Purpose.PSEUDONYM_DAY, "2026-03-01")
    store.remove(Purpose.PSEUDONYM_DAY, "2026-03-01")
    with pytest.raises(UnknownKey, match="pseudonym-day 2026-03-01"):
        store.get(Purpose.PSEUDONYM_DAY, "2026-03-01")
    assert store.headers() == []


@pytest.mark.parametrize("key_id", ["", "../x", "a/b", ".x", "a.b", "-a", "a" * 65, "a\n", "é"])
def test_a_key_id_cannot_leave_the_folder(folder: Path, passphrase: str, key_id: str) -> None:
    store = open_store(folder).unlock(passphrase)
    with pytest.raises(ValueError, match="key id"):
        store.put(Purpose.SESSION, key_id, None, SECRET)


@pytest.mark.parametrize("secret", [b"", bytes(4097)])
def test_a_secret_has_1_to_4096_bytes(tmp_path: Path, cheap: ScryptCost, secret: bytes) -> None:
    with pytest.raises(ValueError, match="4096"):
        open_store(tmp_path / "keys").unlock("x", cost=cheap).put(Purpose.SESSION, "1", None, secret)


def test_an_atomic_write_replaces_the_whole_content(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomic(path, b"long content", mode=0o644)
    write_atomic(path, b"short")
    assert path.read_bytes() == b"short"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_a_lock_is_let_go_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), exclusive_lock(tmp_path / "lock"):
        raise RuntimeError
    with exclusive_lock(tmp_path / "lock"):
        assert (tmp_path / "lock").exists()


def test_a_new_passphrase_opens_every_key_and_the_old_one_none(
    folder: Path, cheap: ScryptCost, passphrase: str
) -> None:
    before = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    store = open_store(folder).unlock(passphrase)
    elsewhere = open_store(folder).unlock(passphrase)
    assert store.change_passphrase("another one", cost=cheap) == 2
    with pytest.raises(WrongPassphrase):
        open_store(folder).unlock(passphrase)
    for opened in (store, open_store(folder).unlock("another one")):
        assert opened.get(Purpose.SIGNING, "K1") == SECRET
        assert opened.get(Purpose.SERIAL, "1") == b"\x33" * 32
    with pytest.raises(KeyFileInvalid):
        elsewhere.put(Purpose.SERIAL, "2", BRAND, SECRET)
    after = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in after} == {0o600}


@pytest.mark.parametrize("broken", ["keys.store.key_store.write_atomic", "keys.store.key_store.exchange_dirs"])
def test_a_change_of_passphrase_that_breaks_off_leaves_everything_as_it_was(
    folder: Path, cheap: ScryptCost, passphrase: str, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    store = open_store(folder).unlock(passphrase)
    monkeypatch.setattr(broken, full)
    with pytest.raises(OSError, match="full"):
        store.change_passphrase("another one", cost=cheap)
    assert open_store(folder).unlock(passphrase).get(Purpose.SIGNING, "K1") == SECRET
    assert store.get(Purpose.SIGNING, "K1") == SECRET
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_folders_change_names_where_the_system_cannot_do_it_at_once_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keys.base.files._exchanged_at_once", lambda _one, _other: False)
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        path.mkdir()
        (path / path.name).touch()
    exchange_dirs(one, other)
    assert ([path.name for path in one.iterdir()], [path.name for path in other.iterdir()]) == (["other"], ["one"])
    with pytest.raises(FileNotFoundError):
        exchange_dirs(one, tmp_path / "none")
    assert {path.name for path in tmp_path.iterdir()} == {"one", "other"}
    assert [path.name for path in one.iterdir()] == ["other"]
