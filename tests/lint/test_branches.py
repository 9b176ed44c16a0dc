"""What `make lint` counts as a branch."""

import pytest

from tests.lint.branches import branches_of, crowded, functions_of


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("return 1", 1),
        ("return 1 if x else 2", 2),
        ("return a and b and c or d", 4),
        ("return [a for a in b for c in d if e]", 3),
        ("for a in b:\n  while c:\n   if d: pass\n   elif e: pass", 5),
        ("try: a\n except B: c\n except D: e", 3),
        ("match a:\n  case 1: b\n  case _: c", 3),
        ("def inner():\n  return 1 if x else 2\n return inner", 2),
    ],
)
def test_branches_are_counted(body: str, count: int) -> None:
    (function, *_) = functions_of(f"def f():\n {body}")
    assert branches_of(function) == count


def test_no_function_has_too_many_branches() -> None:
    assert crowded() == []
