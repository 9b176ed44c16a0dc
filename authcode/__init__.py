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

_ROOMS: Final = {
    "authcode.code.payload": ("NotOurs",),
    "authcode.code.serial": ("SerialCipher",),
    "authcode.code.sign": ("CodeSigner",),
    "authcode.code.verify": ("verify_code", "verify_offline"),
    "authcode.order.fulfil": ("fulfil_order",),
    "authcode.order.issue": ("issue_batch",),
    "authcode.order.order": ("DrawnBy", "Order", "Placement", "Tiers"),
}


def __getattr__(name: str) -> object:
    """Load the room of a public name on first use (PEP 562)."""
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(room), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the front door."""
    return sorted(name for names in _ROOMS.values() for name in names)
