"""The second implementation, loaded by its path: it imports nothing of ours."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def second() -> ModuleType:
    spec = importlib.util.spec_from_file_location("format_one", Path(__file__).with_name("format_one.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
