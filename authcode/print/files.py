"""Stage 2, print: what formats with a file for each label have in common."""

from abc import abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import ClassVar

from authcode.design.label import Label


class FilePerLabelWriter(AbstractContextManager["FilePerLabelWriter"]):
    """Writes `000000.<ending>`, `000001.<ending>`, ... into a folder of its own."""

    ending: ClassVar[str]

    def __init__(self, directory: Path) -> None:
        """Make the folder.

        Raises:
            OSError: it cannot be made.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory

    @abstractmethod
    def encode(self, label: Label) -> bytes:
        """The whole file of one label; the same label gives the same bytes."""

    def write(self, label: Label) -> None:
        """Write one label's file.

        Raises:
            OSError: it cannot be written; what was begun stays in the folder, which is the caller's to remove.
        """
        (self._directory / f"{label.file_stem}.{self.ending}").write_bytes(self.encode(label))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left to write: every label is whole on disk already."""
