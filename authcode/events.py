"""Announce what was published (keyring, product, batch) or chosen to installed listeners (docs/adr/0007).

The library announces and the server's part listens; without one everything still works.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from authcode.order.products import Product
from keys.store.issuer import SharedKeys

BATCH_ISSUED: Final = "authcode.batch_issued"
"""Listeners: `(home: Path, manifest: bytes) -> str | None`."""
KEYRING_PUBLISHED: Final = "authcode.keyring_published"
"""Listeners: `(home, keyring: bytes, shared: SharedKeys, server_passphrase: Callable[[], str]) -> str | None`."""
PRODUCT_PUBLISHED: Final = "authcode.product_published"
"""Listeners: `(home, product: Product) -> str | None`."""
CONTACT_CHOSEN: Final = "authcode.contact_chosen"
"""Listeners: `(home, brand: str, contact: str) -> str | None`."""
WITHDRAWAL_PLANNED: Final = "authcode.withdrawal_planned"
"""Listeners: `(home, brand_id: bytes, key_id: str, since: datetime, now: datetime) -> Touched | None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """The effects of withdrawing a key, in registered orders and in units.

    `active_unburned` can be verified today and were not. Of these some were in the world before the moment, and are
    answered as their brand chose: `locked`, or `as_usual` with a caution; the others `not_ours`. `used` were verified
    already; of their holders `used_locked` and `used_not_ours` will read another answer.
    """

    orders: int
    active_unburned: int
    locked: int
    as_usual: int
    used: int
    used_locked: int
    used_not_ours: int

    @property
    def not_ours(self) -> int:
        """Units that were activated later or only registered: no longer ours."""
        return self.active_unburned - self.locked - self.as_usual


def listeners(group: str) -> tuple[Callable[..., object], ...]:
    """Load the listeners of a group; one whose own packages are not installed is left out."""
    loaded = []
    for entry in entry_points(group=group):
        try:
            loaded.append(entry.load())
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == entry.module.partition(".")[0]:
                raise  # a part of the listener itself is missing: a defect, not an extra
    return tuple(loaded)


def is_heard(group: str) -> bool:
    """Whether anything installed here listens to a group."""
    return bool(listeners(group))


def announce_batch(home: Path, manifest: bytes) -> tuple[str, ...]:
    """Announce an issued batch by its signed manifest; returns a sentence from each listener that acted."""
    return _call_all(BATCH_ISSUED, home, manifest)


def announce_keyring(
    home: Path, keyring: bytes, shared: SharedKeys, server_passphrase: Callable[[], str]
) -> tuple[str, ...]:
    """Announce a published keyring, with the keys that this machine's server shares; returns the listeners' sentences.

    `server_passphrase` is called only by a listener that has to open the server's part.
    """
    return _call_all(KEYRING_PUBLISHED, home, keyring, shared, server_passphrase)


def announce_product(home: Path, product: Product) -> tuple[str, ...]:
    """Announce a product's new texts and picture; returns the listeners' sentences."""
    return _call_all(PRODUCT_PUBLISHED, home, product)


def announce_contact(home: Path, brand: str, contact: str) -> tuple[str, ...]:
    """Announce whom shoppers of a brand may ask; returns the listeners' sentences."""
    return _call_all(CONTACT_CHOSEN, home, brand, contact)


def count_touched(home: Path, brand_id: bytes, key_id: str, *, since: datetime, now: datetime) -> tuple[Touched, ...]:
    """Count what withdrawing a key since a moment would touch, by each listener that knows; empty without one."""
    answers = (listener(home, brand_id, key_id, since, now) for listener in listeners(WITHDRAWAL_PLANNED))
    return tuple(answer for answer in answers if isinstance(answer, Touched))


def _call_all(group: str, *arguments: Any) -> tuple[str, ...]:  # noqa: ANN401 - each group has a signature of its own
    return tuple(str(sentence) for listener in listeners(group) if (sentence := listener(*arguments)))
