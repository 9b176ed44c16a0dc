"""What the pages say is what the code does."""

import ast
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("keys", "authcode", "scanner", "server")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
STAGES = {
    1: "batch",
    2: "print",
    3: "photo",
    4: "decode",
    5: "verify",
    6: "redeem",
    7: "alert",
    8: "case",
    9: "evidence",
}


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


def every_error() -> set[type]:
    from keys.base.errors import AuthcodeError

    for package in PACKAGES:
        for found in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if ".migrations." not in found.name and not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    leaves: set[type] = set()
    waiting: list[type] = [AuthcodeError]
    while waiting:
        children = waiting.pop().__subclasses__()
        leaves |= {child for child in children if "code" in vars(child)}
        waiting += children
    return {leaf for leaf in leaves if leaf.__module__.split(".")[0] in PACKAGES}


def test_every_error_has_a_code_of_its_own_and_stands_on_the_errors_page() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    codes = {error.code: error for error in every_error()}  # type: ignore[attr-defined]
    assert len(codes) == len(every_error())
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []


def test_the_errors_page_names_no_code_that_does_not_exist() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))
    assert listed == {error.code for error in every_error()}  # type: ignore[attr-defined]


def test_every_setting_stands_on_the_operations_page() -> None:
    from server.settings import Settings

    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"`AUTHCODE_{name.upper()}`" not in page]
    assert missing == []


def test_every_stage_in_a_module_is_in_the_table_under_that_name() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    seen = set()
    for path in modules():
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for number, name in re.findall(r"Stage (\d), ([a-z]+)", docstring):
            assert STAGES[int(number)] == name, path
            assert f"| {number} {name} |" in table, path
            seen.add(int(number))
    assert seen == {1, 2, 3, 4, 5, 6, 7}


def table_of_the_journey() -> list[tuple[str, str]]:
    """Each stage's number with each path that its row names; a folder stands for the modules below it."""
    table, named = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"), list[tuple[str, str]]()
    for number, row in re.findall(r"^\| (\d) [a-z]+ \|(.*)$", table, re.MULTILINE):
        for cell in re.findall(r"`((?:keys|authcode|scanner|server)/[^`]*)`", row):
            head, _, names = cell.partition("{")
            paths = [head + name + ".py" for name in names.split("}")[0].split(",")] if names else [cell]
            named += [(number, path) for path in paths]
    return named


def test_every_module_that_the_table_names_exists_and_says_its_stage() -> None:
    for number, path in table_of_the_journey():
        assert (ROOT / path).exists(), path
        if path.endswith(".py"):
            assert f"Stage {number}, " in (ROOT / path).read_text(encoding="utf-8"), path


def test_every_module_that_says_its_stage_is_in_that_row_of_the_table() -> None:
    rows, missing = table_of_the_journey(), list[str]()
    for package in ("keys", "authcode", "scanner", "server"):
        for module in sorted((ROOT / package).rglob("*.py")):
            stage = re.match(r'"""Stage (\d), ', module.read_text(encoding="utf-8"))
            path = module.relative_to(ROOT).as_posix()
            if stage and not any(number == stage[1] and path.startswith(row) for number, row in rows):
                missing.append(f"{path}: stage {stage[1]}")
    assert missing == []


def test_every_table_of_the_database_is_in_the_table_of_tables_and_no_other() -> None:
    from server.storage.schema import metadata

    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", page.partition("## The tables")[2].partition("## ")[0], re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)) == sorted(metadata.tables)


def test_every_path_that_the_architecture_names_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:keys|authcode|scanner|server|tests|docs)/[\w/.]*)`", page)
    in_server = re.findall(r"`((?:services|storage|runtime)/[\w/.]*)`", page)
    assert [path for path in paths + [f"server/{path}" for path in in_server] if not (ROOT / path).exists()] == []


def test_every_command_of_the_readme_exists() -> None:
    commands = {entry.name for entry in entry_points(group="authcode.commands")}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for line in re.findall(r"^\$ (?:\.venv/bin/)?authcode (.*)$", text, re.MULTILINE):
            words = line.split()
            assert words[0] in commands or ".".join(words[:2]) in commands, f"{page.name}: {line}"


def test_the_python_of_the_readme_runs_and_prints_verified_codes(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert [(index, state) for index, _, state in lines] == [(str(i), "signature_valid") for i in range(3)]


def test_the_claim_of_the_readme_is_drawn_by_what_everybody_has_and_is_new_each_time() -> None:
    from server.domain.codes.claim import check_claim

    (command,) = re.findall(r"\"claim\": \"'\$\((.*)\)'", (ROOT / "README.md").read_text(encoding="utf-8"))
    code = command.removeprefix("python3 -c '").removesuffix("'")
    drawn = {subprocess.check_output([sys.executable, "-c", code], text=True).strip() for _ in range(2)}
    assert len(drawn) == 2
    assert {check_claim(claim) for claim in drawn} == drawn


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) + re.findall(r'src="([^"]+)"', text)
    broken = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert broken == []


def test_every_decision_record_is_in_the_index_and_names_a_negative_consequence() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    records = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    assert records
    for record in records:
        assert record.name in index
        assert "**Negative**" in record.read_text(encoding="utf-8")


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    assert [path for path in modules() if path.stem in {"utils", "helpers", "common", "misc"}] == []


def test_the_page_of_the_interface_names_every_address_of_its_description() -> None:
    from server.web.api.openapi import document

    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(GET|POST|PUT|DELETE) (/[^`? ]*)", page))
    described = {
        (method.upper(), path)
        for path, methods in document()["paths"].items()
        for method in methods
        if method in {"get", "post", "put", "delete"}
    }
    assert described - named == set()


def test_the_reference_of_the_interface_is_made_from_its_description() -> None:
    from tests.docs.reference import reference, written

    assert written() == reference(), "run `make reference`"


def test_every_refusal_of_the_description_stands_on_the_errors_page_with_its_status() -> None:
    from server.web.api.openapi import document

    unrefused = {
        way["operationId"]
        for ways in document()["paths"].values()
        for way in ways.values()
        if way["responses"].keys() == {"200"}
    }
    assert unrefused == {"openapi"}
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| (\d{3}) \|", page, re.MULTILINE))
    of_the_web = {"request_too_large": "413", "too_many_requests": "429"}
    for path, ways in document()["paths"].items():
        for method, operation in ways.items():
            for status, answer in operation["responses"].items():
                if status != "200":
                    schema = answer["content"]["application/problem+json"]["schema"]
                    for code in schema["allOf"][1]["properties"]["code"]["enum"]:
                        assert (told | of_the_web)[code] == status, (path, method, code)
