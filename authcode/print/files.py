"""Stage 2, print: what formats with a file for each label have in common."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from authcode.design.label import Label


class FilePerLabelWriter(ABC):
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

    def close(self) -> None:  # noqa: B027 - a hook for `with`: every label is whole on disk already
        """Nothing is left to write."""

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()
