# ruff: noqa: ANN401 - fixtures' classes live in conftest, which tests cannot import
"""Announcements reach what is installed, in a distribution of its own, and nothing else."""

import importlib.metadata
from pathlib import Path
from typing import Any

import pytest

from authcode import events
from authcode.order.products import Product

LISTENER = """
heard = []

def hear(*arguments):
    heard.append(arguments)
    return "registered, inactive"

def stay_silent(*arguments):
    return None
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a distribution with these entry points, the only one there is in the listeners' groups."""
    monkeypatch.setattr(events, "entry_points", importlib.metadata.entry_points)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "listener_of_test.py").write_text(LISTENER)

    def installed(entry_points: str) -> None:
        folder = tmp_path / "listener_of_test-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: listener-of-test\nVersion: 1\n")
        (folder / "entry_points.txt").write_text(entry_points)
        found = importlib.metadata.PathDistribution(folder).entry_points
        monkeypatch.setattr(events, "entry_points", lambda *, group: found.select(group=group))

    return installed


def test_with_nobody_installed_nobody_answers(tmp_path: Path) -> None:
    assert events.announce_batch(tmp_path, b"{}") == ()


def test_every_listener_hears_and_those_that_acted_answer(install: Any, tmp_path: Path) -> None:
    install(
        "[authcode.batch_issued]\na = listener_of_test:hear\nb = listener_of_test:stay_silent\n"
        "[authcode.product_published]\na = listener_of_test:hear\n"
        "[authcode.keyring_published]\na = listener_of_test:hear\n"
    )
    product = Product(sku="a", name="A")
    assert events.announce_batch(tmp_path, b"{}") == ("registered, inactive",)
    assert events.announce_product(tmp_path, product) == ("registered, inactive",)
    import listener_of_test

    assert listener_of_test.heard == [(tmp_path, b"{}"), (tmp_path, product)]


def test_a_listener_whose_packages_are_missing_is_left_out(install: Any, tmp_path: Path) -> None:
    (tmp_path / "listener_with_needs.py").write_text("import a_package_that_nobody_has\n")
    install("[authcode.batch_issued]\na = listener_with_needs:hear\nb = listener_of_test:hear\n")
    assert events.announce_batch(tmp_path, b"{}") == ("registered, inactive",)


def test_a_listener_with_a_part_missing_is_a_defect_and_told(install: Any, tmp_path: Path) -> None:
    install("[authcode.batch_issued]\na = listener_of_test.no_such_part:hear\n")
    with pytest.raises(ModuleNotFoundError):
        events.announce_batch(tmp_path, b"{}")
