"""What a print station's token allows, and for how long."""

from enum import StrEnum
from typing import Final

DEFAULT_DAYS: Final = 90
"""A quarter, after which a token forgotten on an old machine has expired."""

MAX_DAYS: Final = 366
"""As long as a signing key covers orders, so that both are renewed on the same day."""


class Scope(StrEnum):
    """The rights a token can have; none includes another."""

    REGISTER = "batch:register"
    ACT = "batch:act"
    READ = "batch:read"
    KEYS = "keys:publish"
    PRODUCT = "product:publish"
    METRICS = "metrics:read"

    @property
    def sentence(self) -> str:
        """What it allows."""
        return _SENTENCES[self]


_SENTENCES: Final = {
    Scope.REGISTER: "Register orders by manifests that the brand's office key signed, inactive.",
    Scope.ACT: "Activate, void, recall, mark as samples, lock and unlock the codes of the brand's orders.",
    Scope.READ: "See the state of the brand's orders, and what withdrawing a key would touch: counts, and no code.",
    Scope.KEYS: "Publish newer keyrings, which the brand's root key signed.",
    Scope.METRICS: "Read the counters of the whole server at /metrics: routes and verdicts of all its brands.",
    Scope.PRODUCT: "Publish the texts and pictures that shoppers read of the brand's products.",
}
