"""What the build adds to the wheel: the message catalogues, compiled from `.po` to `.mo`, which are never committed."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileCatalogues(BuildHookInterface[Any]):
    """Puts a `.mo` in the place of each `.po`; an editable install needs none, the server reads the `.po` there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into a temporary folder that lasts until the wheel is written."""
        if version == "editable":
            return
        self._folder = TemporaryDirectory()
        for source in sorted(Path(self.root, "server", "locale").rglob("*.po")):
            inside = source.relative_to(self.root).with_suffix(".mo")
            compiled = Path(self._folder.name, inside)
            compiled.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as messages, compiled.open("wb") as target:
                write_mo(target, read_po(messages, abort_invalid=True))
            build_data["force_include"][str(compiled)] = str(inside)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's signature
        """Remove the temporary folder."""
        if version != "editable":
            self._folder.cleanup()
