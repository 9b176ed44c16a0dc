"""Reading photos: untrusted bytes become an upright picture, a picture becomes the texts of its QR symbols.

The front door. Names are loaded when they are first used, so that importing the package, as the command line does for
its help, loads neither OpenCV nor zxing-cpp.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scanner.errors import PhotoError
    from scanner.photo.open import Photo, open_photo
    from scanner.quality import Advice, AdviceCode
    from scanner.scan import PhotoScan, ReadSymbol, read_symbols, scan_photo

__all__ = [
    "Advice",
    "AdviceCode",
    "Photo",
    "PhotoError",
    "PhotoScan",
    "ReadSymbol",
    "open_photo",
    "read_symbols",
    "scan_photo",
]

_ROOMS = {
    "scanner.errors": ("PhotoError",),
    "scanner.photo.open": ("Photo", "open_photo"),
    "scanner.quality": ("Advice", "AdviceCode"),
    "scanner.scan": ("PhotoScan", "ReadSymbol", "read_symbols", "scan_photo"),
}


def __getattr__(name: str) -> object:
    """Load the room of a public name on first use (PEP 562)."""
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(room), name)
    raise AttributeError(f"module 'scanner' has no attribute {name!r}")
