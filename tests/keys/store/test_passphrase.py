"""Where a passphrase comes from, in which order, and what is refused."""

import getpass
import io
import sys
from pathlib import Path

import pytest

from keys.base.errors import PassphraseFileReadable, PassphraseMissing
from keys.base.home import (
    home_dir,
    issuer_dir,
    issuer_keyring_path,
    issuer_keys_dir,
    orders_dir,
    server_dir,
    server_keys_dir,
)
from keys.store.passphrase import read_passphrase


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "ISSUER_PASSPHRASE", "ISSUER_PASSPHRASE_FILE", "SERVER_PASSPHRASE", "SERVER_PASSPHRASE_FILE"):
        monkeypatch.delenv(f"AUTHCODE_{name}", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())


def _secret_file(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person at a terminal types, prompt by prompt."""
    answers: list[str] = []
    monkeypatch.setattr(sys, "stdin", _Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: answers.pop(0))
    return answers


def test_the_named_file_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHCODE_ISSUER_PASSPHRASE", "from the environment")
    _secret_file(tmp_path / "issuer" / "passphrase", b"of the demo\n")
    assert read_passphrase("issuer", tmp_path) == "from the environment"
    monkeypatch.setenv("AUTHCODE_ISSUER_PASSPHRASE_FILE", str(_secret_file(tmp_path / "p", b" from the file \r\n")))
    assert read_passphrase("issuer", tmp_path) == " from the file "


def test_a_home_may_carry_its_own_passphrases(tmp_path: Path) -> None:
    _secret_file(tmp_path / "issuer" / "passphrase", b"one\n")
    _secret_file(tmp_path / "server" / "passphrase", b"two\n")
    assert (read_passphrase("issuer", tmp_path), read_passphrase("server", tmp_path)) == ("one", "two")


def test_parts_do_not_share_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "two")
    assert read_passphrase("server", tmp_path) == "two"
    with pytest.raises(PassphraseMissing, match="AUTHCODE_ISSUER_PASSPHRASE_FILE"):
        read_passphrase("issuer", tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o666])
def test_a_file_open_to_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    path = _secret_file(tmp_path / "p", b"secret words", mode)
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE_FILE", str(path))
    with pytest.raises(PassphraseFileReadable, match="chmod 600") as caught:
        read_passphrase("server", tmp_path)
    assert "secret words" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\xff", b"x" * 4097])
def test_a_file_without_a_usable_passphrase_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE_FILE", str(_secret_file(tmp_path / "p", content)))
    with pytest.raises(PassphraseMissing):
        read_passphrase("server", tmp_path)


def test_a_named_file_that_is_not_there_is_no_reason_to_look_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE", "elsewhere")
    monkeypatch.setenv("AUTHCODE_SERVER_PASSPHRASE_FILE", str(tmp_path / "none"))
    with pytest.raises(PassphraseMissing, match="cannot be read"):
        read_passphrase("server", tmp_path)


def test_a_person_is_asked_once_for_an_old_passphrase(tmp_path: Path, typed: list[str]) -> None:
    typed.append("typed")
    assert read_passphrase("issuer", tmp_path) == "typed"


def test_a_person_is_asked_twice_for_a_new_passphrase(tmp_path: Path, typed: list[str]) -> None:
    typed.extend(["five random words"] * 2)
    assert read_passphrase("issuer", tmp_path, new=True) == "five random words"
    assert typed == []


@pytest.mark.parametrize("answers", [["typed by hand", "tpyed by hand"], ["", ""], ["elevenchars"] * 2])
def test_two_that_differ_or_are_short_are_refused(tmp_path: Path, typed: list[str], answers: list[str]) -> None:
    typed.extend(answers)
    with pytest.raises(PassphraseMissing, match=r"differ|at least 12"):
        read_passphrase("issuer", tmp_path, new=True)


def test_the_home_is_the_option_else_the_variable_else_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home_dir(None) == Path("authcode-home")
    monkeypatch.setenv("AUTHCODE_HOME", "")
    assert home_dir(None) == Path("authcode-home")
    monkeypatch.setenv("AUTHCODE_HOME", str(tmp_path))
    assert home_dir(None) == tmp_path
    assert home_dir(Path("other")) == Path("other")


def test_the_two_parts_of_a_home_are_separate(tmp_path: Path) -> None:
    assert issuer_keys_dir(tmp_path).is_relative_to(issuer_dir(tmp_path))
    assert issuer_keyring_path(tmp_path).is_relative_to(issuer_dir(tmp_path))
    assert server_keys_dir(tmp_path).is_relative_to(server_dir(tmp_path))
    assert not server_dir(tmp_path).is_relative_to(issuer_dir(tmp_path))
    assert not orders_dir(tmp_path).is_relative_to(server_dir(tmp_path))
