"""Reading photos: untrusted bytes become an upright picture, a picture becomes the texts of its QR symbols.

The front door. Names are loaded when they are first used, so that importing the package, as the command line does for
its help, loads neither OpenCV nor zxing-cpp.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authcode.client.errors import ServerAnswerUnusable, ServerUnreachable
    from scanner.confine.readers import PhotoReaders
    from scanner.errors import (
        PhotoAnimated,
        PhotoEmpty,
        PhotoError,
        PhotoNotFound,
        PhotosBusy,
        PhotoTooCostly,
        PhotoTooLarge,
        PhotoTooManyPixels,
        PhotoTruncated,
        PhotoUnreadable,
    )
    from scanner.photo.open import Photo, open_photo
    from scanner.quality import Advice, AdviceCode
    from scanner.scan import PhotoScan, Symbol, read_symbols, scan_photo

__all__ = [
    "Advice",
    "AdviceCode",
    "Photo",
    "PhotoAnimated",
    "PhotoEmpty",
    "PhotoError",
    "PhotoNotFound",
    "PhotoReaders",
    "PhotoScan",
    "PhotoTooCostly",
    "PhotoTooLarge",
    "PhotoTooManyPixels",
    "PhotoTruncated",
    "PhotoUnreadable",
    "PhotosBusy",
    "ServerAnswerUnusable",
    "ServerUnreachable",
    "Symbol",
    "open_photo",
    "read_symbols",
    "scan_photo",
]

_ROOMS = {
    "scanner.confine.readers": ("PhotoReaders",),
    "authcode.client.errors": ("ServerAnswerUnusable", "ServerUnreachable"),
    "scanner.photo.open": ("Photo", "open_photo"),
    "scanner.quality": ("Advice", "AdviceCode"),
    "scanner.scan": ("PhotoScan", "Symbol", "read_symbols", "scan_photo"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    """Load the room of a public name on first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'scanner' has no attribute {name!r}")
    return getattr(import_module(_ROOM_OF.get(name, "scanner.errors")), name)
