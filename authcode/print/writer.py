"""Stage 2, print: the output formats by name."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from authcode.design.plan import Design
from authcode.print.files import LabelWriter
from authcode.print.pdf import SheetWriter
from authcode.print.png import PngWriter
from authcode.print.sheet import SheetHeading, plan_sheet
from authcode.print.svg import SvgWriter
from keys.base.errors import AuthcodeError


class UnknownFormat(AuthcodeError):
    """An output format that does not exist."""

    code = "format_unknown"
    sentence = "there is no output format {name!r}; the formats are {known}"
    name: str

    @property
    def known(self) -> str:
        """All formats, as a list in words."""
        return ", ".join(FORMATS)


_DRAWN: Final[dict[str, Callable[[Path, Design, SheetHeading], LabelWriter]]] = {
    "pdf": lambda folder, design, heading: SheetWriter(folder, design, plan_sheet(design, heading.host), heading),
    "png": lambda folder, design, _heading: PngWriter(folder, design),
    "svg": lambda folder, design, _heading: SvgWriter(folder, design),
}
FORMATS: Final = ("csv", *_DRAWN)
"""Every known format; `csv` is the code list, which is written with each order and draws nothing."""


def check_formats(formats: Sequence[str]) -> None:
    """Refuse names of formats that do not exist, before anything is made.

    Raises:
        UnknownFormat: the first such name.
    """
    for name in formats:
        if name not in FORMATS:
            raise UnknownFormat(name)


def open_writers(formats: Sequence[str], out: Path, design: Design, heading: SheetHeading) -> list[LabelWriter]:
    """A writer for each drawn format, each with its own folder `out/<format>`; a name given twice counts once.

    Raises:
        UnknownFormat: a name is no format's.
        LabelTooLarge: the label does not fit on a sheet.
        OSError: a folder cannot be made.
    """
    check_formats(formats)
    return [_DRAWN[name](out / name, design, heading) for name in dict.fromkeys(formats) if name in _DRAWN]
