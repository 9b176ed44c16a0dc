"""A fresh machine: the two locks belong together, and make installs them or says in one sentence what is missing."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PINNED = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[\w.]+)(?: ; (?P<marker>[^\\]+?))?(?: \\)?")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


@dataclass(frozen=True)
class Locked:
    """One requirement of a lock."""

    name: str
    version: str
    marker: str | None
    hashes: int

    @property
    def wanted_here(self) -> bool:
        return self.marker is None or Marker(self.marker).evaluate()


def locked(lock: str) -> list[Locked]:
    found: list[Locked] = []
    for block in re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").rstrip("\n")):
        head, *hashes = block.split("\n")
        pinned = PINNED.fullmatch(head)
        assert pinned, f"{lock}: {head}"
        assert all(HASH.fullmatch(line) for line in hashes), f"{lock}: {head}"
        found.append(Locked(pinned["name"], pinned["version"], pinned["marker"], len(hashes)))
    return found


def wanted_here(lock: str) -> dict[str, str]:
    return {requirement.name: requirement.version for requirement in locked(lock) if requirement.wanted_here}


def needed(roots: list[str], versions: dict[str, str]) -> set[str]:
    """What the requirements lead to, by the metadata of the installed packages; each must allow the locked version."""
    waiting = [Requirement(root) for root in roots]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        assert name in versions, f"{requirement} is in no lock: run `make lock`"
        assert requirement.specifier.contains(versions[name]), f"{requirement}, locked is {versions[name]}"
        for extra in {"", *requirement.extras} - {extra for seen_name, extra in seen if seen_name == name}:
            seen.add((name, extra))
            candidates = [Requirement(text) for text in distribution(name).requires or []]
            waiting += [new for new in candidates if new.marker is None or new.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


def roots() -> tuple[list[str], list[str]]:
    """What pyproject.toml asks for: the product with all its extras and its build back end, and the tools on top."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, groups = pyproject["project"], pyproject["dependency-groups"]
    asked = [project["dependencies"], *project["optional-dependencies"].values(), groups["build"]]
    product = [text for texts in asked for text in texts if not text.startswith("authcode[")]
    return product, [text for text in groups["dev"] if isinstance(text, str)]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_pinned_hashed_requirements_and_no_other_line(lock: str) -> None:
    assert [requirement for requirement in locked(lock) if requirement.hashes == 0] == []


def test_no_package_has_two_versions_on_one_machine() -> None:
    product, development = (
        {(found.name, found.version) for found in locked(lock) if found.wanted_here} for lock in LOCKS
    )
    everything = product | development
    assert len({name for name, _ in everything}) == len(everything)


def test_the_product_lock_is_what_the_product_its_extras_and_its_build_need_and_no_more() -> None:
    product, _ = roots()
    versions = wanted_here("requirements.lock")
    assert needed(product, versions) == versions.keys()


def test_the_development_lock_is_the_rest_that_tests_and_lint_need() -> None:
    _, tools = roots()
    product, rest = wanted_here("requirements.lock"), wanted_here("requirements-dev.lock")
    assert needed(tools, product | rest) - product.keys() == rest.keys() - product.keys()


def test_the_source_distribution_holds_both_locks() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = pyproject["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {f"/{lock}" for lock in LOCKS} <= set(included)


def test_the_readme_and_the_error_name_the_pythons_whose_wheels_make_lock_checks() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (pythons,) = re.findall(r"^WHEEL_PYTHONS := (.*)$", makefile, re.MULTILINE)
    oldest, *_, newest = pythons.split()
    for text in (makefile, (ROOT / "README.md").read_text(encoding="utf-8")):
        assert f"CPython {oldest} to {newest}" in text


def python(path: Path, answers: dict[str, str]) -> Path:
    """A Python that runs the shell command of the first words found in its arguments, else is the real one."""
    cases = "".join(f'*"{words}"*) {command};;\n' for words, command in answers.items())
    path.write_text(
        f'#!/bin/sh\ncase "$*" in\n{cases}esac\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8"
    )
    path.chmod(0o755)
    return path


def recorder(folder: Path, answers: dict[str, str] | None = None) -> Path:
    """A Python whose environments hold one that only answers; `calls` in the folder lists what both were asked."""
    record = f'echo "$*" >> {folder}/calls'
    answered = {words: f"{record}; {command}" for words, command in (answers or {}).items()}
    inner = python(folder / "inner", answered | {"": f"{record}; exit 0"})
    venv = f'{record}; for folder; do :; done; mkdir -p "$folder/bin"; cp {inner} "$folder/bin/python"; exit 0'
    return python(folder / "outer", {"-m venv": venv})


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text(encoding="utf-8").splitlines()


def make(target: str, folder: Path, interpreter: Path | str, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs make with an environment of its own; what an outer make handed on is left out."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    }
    command = ["make", *options, target, f"PYTHON={interpreter}", f"VENV={folder / 'venv'}"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def sentence(ended: subprocess.CompletedProcess[str]) -> str:
    """The one line of the errors that make itself did not write."""
    assert ended.returncode == 2
    (line,) = [line for line in ended.stderr.splitlines() if not line.startswith("make")]
    return line


def installed(folder: Path) -> list[str]:
    """The last word of each `pip install`, and each `pip check`."""
    return [words[-1] for words in map(str.split, calls(folder)) if {"install", "check"} & set(words)]


def test_a_missing_python_is_named_with_what_to_install(tmp_path: Path) -> None:
    line = sentence(make("demo", tmp_path, "no-such-python"))
    assert "no-such-python was not found" in line
    assert "python3-venv" in line
    assert "PYTHON=/path/to/python3.11" in line


def test_a_python_that_is_too_old_is_named_with_its_version(tmp_path: Path) -> None:
    old = python(tmp_path / "old", {"--version": "echo Python 3.9.2; exit 0", "sys.version_info <": "exit 1"})
    line = sentence(make("demo", tmp_path, old))
    assert f"needs Python 3.11 or newer, and {old} is Python 3.9.2" in line


def test_a_python_without_ensurepip_leads_to_the_package_that_brings_it(tmp_path: Path) -> None:
    bare = python(tmp_path / "bare", {"import ensurepip": "echo ModuleNotFoundError >&2; exit 1"})
    line = sentence(make("demo", tmp_path, bare))
    assert "python{}.{}-venv".format(*sys.version_info) in line
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(("target", "lock"), [("demo", LOCKS[0]), ("lint", LOCKS[1])])
def test_a_missing_wheel_leaves_the_words_of_pip_and_says_who_has_wheels(
    tmp_path: Path, target: str, lock: str
) -> None:
    words = "ERROR: No matching distribution found for numpy"
    failing = recorder(tmp_path, {f"--requirement {lock}": f"echo {words} >&2; exit 1"})
    ended = make(target, tmp_path, failing)
    assert ended.returncode == 2
    pip, line = [line for line in ended.stderr.splitlines() if not line.startswith("make")]
    assert pip == words
    assert "CPython 3.11 to 3.15" in line
    assert "glibc 2.28" in line


def test_packages_that_contradict_each_other_stop_the_setup_until_it_is_made_again(tmp_path: Path) -> None:
    fake = recorder(tmp_path, {"pip --disable-pip-version-check check": "echo flask 3 requires werkzeug; exit 1"})
    ended = make("setup", tmp_path, fake)
    assert "flask 3 requires werkzeug" in ended.stdout
    assert "remove the folder" in sentence(ended)
    assert "remove the folder" in sentence(make("setup", tmp_path, fake))


def test_the_demo_installs_the_product_and_setup_the_tools_on_top(tmp_path: Path) -> None:
    fake = recorder(tmp_path)
    assert make("demo", tmp_path, fake).returncode == 2  # there is no command to start
    assert installed(tmp_path) == ["requirements.lock", ".", "check"]
    assert make("setup", tmp_path, fake).returncode == 0
    assert installed(tmp_path) == ["requirements.lock", ".", "check", "requirements-dev.lock", "check"]
    assert make("setup", tmp_path, fake).stdout.startswith("make: Nothing to be done")


def test_every_lock_is_installed_hashed_from_wheels_and_without_resolution(tmp_path: Path) -> None:
    make("setup", tmp_path, recorder(tmp_path))
    ends = [call.partition("install --quiet ")[2] for call in calls(tmp_path) if call.endswith(".lock")]
    assert ends == [f"--no-deps --require-hashes --only-binary :all: --requirement {lock}" for lock in LOCKS]


def test_a_changed_lock_keeps_a_working_environment_and_checks_both_locks_together(tmp_path: Path) -> None:
    fake = recorder(tmp_path)
    make("setup", tmp_path, fake)
    os.utime(tmp_path / "venv" / ".installed", (0, 0))
    assert make("setup", tmp_path, fake).returncode == 0
    assert installed(tmp_path)[5:] == ["requirements.lock", ".", "requirements-dev.lock", "check"]
    assert [call for call in calls(tmp_path) if "-m venv" in call] == [f"-m venv --clear {tmp_path / 'venv'}"]


def test_an_environment_whose_python_has_gone_is_made_from_nothing(tmp_path: Path) -> None:
    fake = recorder(tmp_path)
    make("setup", tmp_path, fake)
    (tmp_path / "venv" / "bin" / "python").unlink()
    os.utime(tmp_path / "venv" / ".installed", (0, 0))
    make("setup", tmp_path, fake)
    assert [call for call in calls(tmp_path) if "-m venv" in call] == 2 * [f"-m venv --clear {tmp_path / 'venv'}"]


@pytest.mark.parametrize("target", ["test", "coverage", "lint", "format", "bench", "pictures", "reference"])
def test_work_on_authcode_installs_both_locks(tmp_path: Path, target: str) -> None:
    planned = make(target, tmp_path, sys.executable, "--dry-run").stdout
    assert re.findall(r"--requirement (\S+)", planned) == list(LOCKS)


def test_the_check_of_the_setup_installs_both_locks_with_the_newest_pip_in_an_environment_of_its_own(
    tmp_path: Path,
) -> None:
    fake = recorder(tmp_path)
    assert make("check-setup", tmp_path, fake).returncode == 2  # there is no command to ask for help
    assert installed(tmp_path) == ["pip", "requirements.lock", ".", "check", "requirements-dev.lock", "check"]
    assert calls(tmp_path)[0] == f"-m venv --clear {tmp_path / 'venv' / 'newest-pip'}"


def test_continuous_integration_sets_up_with_both_pips() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^make check-setup lint test$", script, re.MULTILINE)
