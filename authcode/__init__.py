"""One-time signed codes for packaging: issue them, read the keyring, verify them offline.

The front door, for nearly everybody. Names are loaded at first use, so that the command line starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from authcode.code.payload import NotOurs as NotOurs
    from authcode.code.serial import SerialCipher as SerialCipher
    from authcode.code.sign import CodeSigner as CodeSigner
    from authcode.code.verify import verify_code as verify_code
    from authcode.code.verify import verify_offline as verify_offline
    from authcode.order.fulfil import fulfil_order as fulfil_order
    from authcode.order.issue import issue_batch as issue_batch
    from authcode.order.order import DrawnBy as DrawnBy
    from authcode.order.order import Order as Order
    from authcode.order.order import Placement as Placement
    from authcode.order.order import Tiers as Tiers

_FRONT_DOOR: Final = {
    "CodeSigner": "authcode.code.sign",
    "DrawnBy": "authcode.order.order",
    "NotOurs": "authcode.code.payload",
    "Order": "authcode.order.order",
    "Placement": "authcode.order.order",
    "SerialCipher": "authcode.code.serial",
    "Tiers": "authcode.order.order",
    "fulfil_order": "authcode.order.fulfil",
    "issue_batch": "authcode.order.issue",
    "verify_code": "authcode.code.verify",
    "verify_offline": "authcode.code.verify",
}


def __getattr__(name: str) -> object:
    """Load a name of the front door from its module."""
    if name not in _FRONT_DOOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FRONT_DOOR[name]), name)


def __dir__() -> list[str]:
    """List the front door."""
    return sorted(_FRONT_DOOR)
