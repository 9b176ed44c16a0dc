"""Stage 2, print: one SVG a label, a single path with crisp edges, for layout programs."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from authcode.design.label import Label
from authcode.design.plan import Design
from authcode.print.files import FilePerLabelWriter
from authcode.print.png import encode_png
from authcode.qr.codewords import QUIET_ZONE_MODULES

# The older name of `href`: layout programs of this decade still read no other.
_XLINK: Final = 'xmlns:xlink="http://www.w3.org/1999/xlink" '


def _number(value: float) -> str:
    """A coordinate in modules, to a ten-thousandth, without needless digits."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _runs(dark: npt.NDArray[np.bool_]) -> Iterator[str]:
    """A closed rectangle for each horizontal run of dark modules, quiet zone added."""
    edges = np.diff(np.pad(dark.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    for row, line in enumerate(edges):
        starts, ends = np.flatnonzero(line == 1), np.flatnonzero(line == -1)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            length = end - start
            yield f"M{start + QUIET_ZONE_MODULES} {row + QUIET_ZONE_MODULES}h{length}v1h-{length}z"


class SvgWriter(FilePerLabelWriter):
    """Writes one SVG a label; one unit of its view box is one module."""

    ending: ClassVar[str] = "svg"

    def __init__(self, directory: Path, design: Design) -> None:
        """Make the folder, and encode the logo once for all labels."""
        super().__init__(directory, design)
        size, side = f"{_number(design.label_mm)}mm", design.side_modules
        self._head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" {_XLINK}width="{size}" height="{size}" '
            f'viewBox="0 0 {side} {side}">'
            f'<rect width="{side}" height="{side}" fill="#fff"/><path shape-rendering="crispEdges" fill="#000" d="'
        )
        self._tail = f'"/>{self._image()}</svg>\n'

    def _image(self) -> str:
        design = self._design
        if not design.logo or not (place := design.placement):
            return ""
        data = base64.b64encode(encode_png(design.logo.pixels)).decode("ascii")
        x, y = (_number(QUIET_ZONE_MODULES + offset) for offset in (place.x0, place.y0))
        return (
            f'<image x="{x}" y="{y}" width="{_number(place.w)}" height="{_number(place.h)}" '
            f'xlink:href="data:image/png;base64,{data}"/>'
        )

    def encode(self, label: Label) -> bytes:
        """White ground, one black path, the logo as an embedded PNG; ASCII throughout."""
        outline = "".join(_runs(self._design.dark_modules(label.symbol)))
        return f"{self._head}{outline}{self._tail}".encode("ascii")
