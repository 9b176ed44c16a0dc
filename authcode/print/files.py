"""Stage 2, print: the base of every format's writer, and of the formats with a file for each label."""

from abc import abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import ClassVar

from authcode.design.label import Label
from authcode.design.plan import Design


class LabelWriter(AbstractContextManager["LabelWriter"]):
    """Takes labels in order and writes them into a folder of its own; a context manager that closes itself.

    A writer keeps no more in memory than a file of its format. It raises OSError when something cannot be written, and
    leaves what it wrote until then to the owner of the folder.
    """

    def __init__(self, directory: Path, design: Design) -> None:
        """Make the folder."""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._design = directory, design

    @abstractmethod
    def write(self, label: Label) -> None:
        """Take one label."""

    def close(self) -> None:
        """Write what is still in memory. Closing again writes nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; after an error write nothing more, the order is not complete."""
        if kind is None:
            self.close()


class FilePerLabelWriter(LabelWriter):
    """Writes `000000.<ending>`, `000001.<ending>`, ..., each whole at once."""

    ending: ClassVar[str]

    @abstractmethod
    def encode(self, label: Label) -> bytes:
        """The whole file of one label; the same label gives the same bytes."""

    def write(self, label: Label) -> None:
        """Write one label's file."""
        (self._directory / f"{label.file_stem}.{self.ending}").write_bytes(self.encode(label))
