"""The sizes that CONTRIBUTING.md names, and where tests may sleep."""

import ast
import io
import tokenize
from collections.abc import Iterator

from tests.lint.branches import PACKAGES, ROOT, functions_of

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 40

POLLS = {"tests/browser/house.py", "tests/postgres_keeper.py", "tests/server/processes.py"}
"""They wait for another process, which reports nothing, and stop at a deadline."""

_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return ((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths)


def lines_of_code(source: str) -> set[int]:
    """The lines with code, docstrings, comments and empty lines left out."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    found = {line for token in tokens if token.type not in _NO_CODE for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def long_functions(source: str) -> list[str]:
    code = lines_of_code(source)
    return [
        function.name
        for function in functions_of(source)
        if len(code & set(range(function.lineno, (function.end_lineno or 0) + 1))) > MAX_FUNCTION_LINES
    ]


def sleeps(source: str) -> bool:
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return any(ast.unparse(called).split(".")[-1] == "sleep" for called in calls)


def test_no_module_is_too_long() -> None:
    assert [name for name, source in sources(*PACKAGES) if len(source.splitlines()) > MAX_MODULE_LINES] == []


def test_no_function_is_too_long() -> None:
    assert [(name, found) for name, source in sources(*PACKAGES) if (found := long_functions(source))] == []


def test_lines_of_code_are_counted_without_what_explains_them() -> None:
    explained = "def f():\n    '''Text.'''\n    # why\n\n" + "    x = 1\n" * 39
    assert long_functions(explained) == []
    assert long_functions(explained + "    x = 1\n") == ["f"]


def test_no_test_sleeps_but_the_polls_of_other_processes() -> None:
    assert {name for name, source in sources("tests") if sleeps(source)} == POLLS
