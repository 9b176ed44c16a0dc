"""One-time signed codes for packaging: issue them, read the keyring, verify them offline.

The front door, for nearly everybody. Names are loaded at first use, so that the command line starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from authcode.batch import DrawnBy as DrawnBy
    from authcode.batch import Order as Order
    from authcode.batch import Placement as Placement
    from authcode.batch import Tiers as Tiers
    from authcode.fulfil import fulfil_order as fulfil_order
    from authcode.issue import issue_batch as issue_batch
    from authcode.payload import NotOurs as NotOurs
    from authcode.serial import SerialCipher as SerialCipher
    from authcode.sign import CodeSigner as CodeSigner
    from authcode.verify import verify_code as verify_code
    from authcode.verify import verify_offline as verify_offline

_FRONT_DOOR: Final = {
    "CodeSigner": "authcode.sign",
    "DrawnBy": "authcode.batch",
    "NotOurs": "authcode.payload",
    "Order": "authcode.batch",
    "Placement": "authcode.batch",
    "SerialCipher": "authcode.serial",
    "Tiers": "authcode.batch",
    "fulfil_order": "authcode.fulfil",
    "issue_batch": "authcode.issue",
    "verify_code": "authcode.verify",
    "verify_offline": "authcode.verify",
}


def __getattr__(name: str) -> object:
    """Load a name of the front door from its module."""
    if name not in _FRONT_DOOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FRONT_DOOR[name]), name)


def __dir__() -> list[str]:
    """List the front door."""
    return sorted(_FRONT_DOOR)
