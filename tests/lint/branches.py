"""Counts the branches of every function, as `make lint` does: `python -m tests.lint.branches`.

A branch is an `if`, `for`, `while`, `except`, `case`, comprehension, conditional expression or further operand of `and`
and `or`; a function starts with one. Ruff's C901 does not count operands and comprehensions.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("keys", "authcode", "scanner", "server")

MAX_BRANCHES: Final = 10
"""As many as a reader keeps in mind."""

_BRANCHES: Final = (ast.If, ast.IfExp, ast.For, ast.While, ast.ExceptHandler, ast.match_case, ast.comprehension)


def branches_of(function: ast.AST) -> int:
    """The branches of a function, those of functions inside it included."""
    nodes = list(ast.walk(function))
    operands = sum(len(node.values) - 1 for node in nodes if isinstance(node, ast.BoolOp))
    return 1 + operands + sum(isinstance(node, _BRANCHES) for node in nodes)


def functions_of(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def crowded() -> list[str]:
    """A line for each function with too many branches."""
    found = []
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        counted = ((branches_of(one), one) for one in functions_of(path.read_text(encoding="utf-8")))
        found += [
            f"{name}:{function.lineno}: {function.name} has {count} branches, at most {MAX_BRANCHES}"
            for count, function in counted
            if count > MAX_BRANCHES
        ]
    return found


if __name__ == "__main__":
    lines = crowded()
    print("\n".join(lines) or f"No function has over {MAX_BRANCHES} branches.")  # noqa: T201 - its output
    sys.exit(bool(lines))
