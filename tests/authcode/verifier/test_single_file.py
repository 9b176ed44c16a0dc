"""One file, built from the sources: the same bytes each time, and nothing in it but Python's standard library."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from authcode.verifier import single_file
from authcode.verifier.single_file import build


def test_it_runs_in_an_empty_folder_without_packages_and_site(tmp_path: Path) -> None:
    (tmp_path / "authcode_verify.py").write_text(build(), encoding="utf-8")
    for words in ((), ("log",), ("receipt",)):
        command = [sys.executable, "-I", "-S", "authcode_verify.py", *words, "--help"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: authcode_verify.py")
    assert [path.name for path in tmp_path.iterdir()] == ["authcode_verify.py"]


def test_it_imports_the_standard_library_alone_and_defines_every_name_once() -> None:
    text = build()
    compile(text, "authcode_verify.py", "exec", dont_inherit=True)
    tree = ast.parse(text)
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
    names = [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    assert len(set(names)) == len(names)


def test_it_has_one_licence_line_and_one_docstring() -> None:
    text = build()
    assert text.startswith('# SPDX-License-Identifier: Apache-2.0\n"""Stage 5, verify: check authcodes')
    assert text.count("SPDX-License-Identifier") == 1
    assert "python3 authcode_verify.py" in (ast.get_docstring(ast.parse(text)) or "")


def test_it_is_the_same_bytes_on_every_build() -> None:
    command = [sys.executable, "-c", "from authcode.verifier.single_file import build; print(build(), end='')"]
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        assert done.stdout.decode() == build()


def test_no_library_that_is_not_pythons_own_is_behind_it() -> None:
    """Where the library calls libsodium, the file has the verifier's own arithmetic."""
    text = build()
    assert "nacl" not in text.replace("libsodium", "")
    assert "# --- authcode.verifier.ed25519" in text


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("from authcode.verifier.keyring import open_keyring as main", "in a way"),
        ("from authcode.verifier import keyring\ndef main(): keyring.open_keyring(b'')", "in a way"),
        ("from keys.base.fields import Fields\ndef open(): pass\ndef main(): open()", "two of open"),
        (
            "from authcode.log.checkpoint import open_head\ndef encode(): pass\ndef main(): open_head(encode())",
            "of encode",
        ),
    ],
)
def test_what_has_no_room_in_one_file_is_refused(
    source: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "toy_command.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(single_file, "COMMAND", "toy_command")
    monkeypatch.setattr(single_file, "OURS", ("toy_command", "authcode", "keys"))
    with pytest.raises(ValueError, match=reason):
        build()
