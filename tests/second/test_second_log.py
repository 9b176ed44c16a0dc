# ruff: noqa: ANN401 - vectors are JSON, and the second implementation is loaded by its path
"""A second implementation of the log and of receipts agrees with every published vector, refusals included."""

import importlib.util
import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcode.log.merkle import LogProofRefused, check_consistency, check_inclusion

VECTORS: Final = Path(__file__).parents[2] / "docs" / "vectors"
LOG, RECEIPTS = (json.loads((VECTORS / f"{name}.json").read_text(encoding="ascii")) for name in ("log", "receipts"))


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("log_one", Path(__file__).with_name("log_one.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SECOND: Final = _load()


@pytest.mark.parametrize("case", LOG["cases"], ids=lambda case: case["name"])
def test_it_answers_every_file_of_a_log_alike(case: dict[str, Any]) -> None:
    found = SECOND.judge(case["text"], LOG["key"], kept=case.get("kept"), leaf=case.get("leaf"))
    assert found == case["answer"]


@pytest.mark.parametrize("case", LOG["pairs"], ids=lambda case: case["name"])
def test_it_judges_two_heads_alike(case: dict[str, Any]) -> None:
    assert SECOND.judge_heads(*case["texts"], LOG["key"]) == (None if case["holds"] else "log_proof_refused")


@pytest.mark.parametrize("case", RECEIPTS["cases"], ids=lambda case: case["name"])
def test_it_answers_every_receipt_alike(case: dict[str, Any]) -> None:
    found = SECOND.judge_receipt(case["proof"], RECEIPTS["keys"], entry=case.get("entry"), log_key=RECEIPTS["log_key"])
    assert found == case["answer"]


def _took(check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except (LogProofRefused, SECOND.Refused):
        return False
    return True


def _bent(path: list[bytes], how: str) -> list[bytes]:
    changes = {"as it is": path, "cut": path[:-1], "longer": [*path, bytes(32)], "begun anew": path[1:]}
    return changes[how] if how in changes else [bytes(32), *path[1:]]


WAYS: Final = st.sampled_from(["as it is", "as it is", "cut", "longer", "begun anew", "another step"])


@given(st.integers(1, 70), st.data())
def test_library_and_second_implementation_agree_on_growths_that_nobody_published(size: int, data: Any) -> None:
    """Also where the path is another one, and where the kept root is."""
    leaves = [bytes([number]) * 32 for number in range(size)]
    old = data.draw(st.integers(1, size))
    path = _bent(SECOND.growth_path(old, leaves), data.draw(WAYS))
    roots = SECOND.root_of(leaves[:old]), SECOND.root_of(leaves)
    kept = data.draw(st.sampled_from([roots[0], roots[0], roots[1], bytes(32)]))

    def second() -> None:
        SECOND.check_growth(old, size, (kept, roots[1]), path)

    said = _took(second)
    assert said == _took(check_consistency, old, size, kept, roots[1], path)
    assert said or path != SECOND.growth_path(old, leaves) or kept != roots[0]
    assert not said or kept == roots[0]


@given(st.integers(1, 70), st.data())
def test_library_and_second_implementation_agree_on_places_that_nobody_published(size: int, data: Any) -> None:
    leaves = [bytes([number]) * 32 for number in range(size)]
    index, asked = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    path, root = _bent(SECOND.inclusion_path(index, leaves), data.draw(WAYS)), SECOND.root_of(leaves)

    def second() -> None:
        SECOND.check_place(leaves[index], asked, size, path, root)

    said = _took(second)
    assert said == _took(check_inclusion, leaves[index], asked, size, path, root)
    assert not said or asked == index
