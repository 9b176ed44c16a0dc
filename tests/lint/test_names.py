"""Names of modules."""

import re
import sys

from tests.lint.branches import PACKAGES, ROOT

ROOM_OF_CODES = "authcode/code"
"""Named after what it holds; nothing imports it as `code` alone."""


def test_no_module_shadows_the_standard_library_or_is_a_drawer() -> None:
    paths = [path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    names = {path.with_suffix("") for path in paths} | {path.parent for path in paths}
    refused = set(sys.stdlib_module_names) - {"__main__"} | {"utils", "helpers", "common", "misc"}
    found = sorted(name.as_posix() for name in names if name.name in refused)
    assert found == [ROOM_OF_CODES]


def test_no_module_is_named_by_a_gerund() -> None:
    modules = {path.stem for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert sorted(name for name in modules if re.fullmatch(r".+ing", name) and name != "keyring") == []
