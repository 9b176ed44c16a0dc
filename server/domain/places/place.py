"""Where a visitor seems to be, never finer than a province; addresses are truncated first (docs/protocol.md §3)."""

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network

UNKNOWN = "unknown"
"""The key of an unknown place."""

_KEPT_BITS_V4 = 24  # a /24 is a street or an office, not a person
_KEPT_BITS_V6 = 48  # what a provider gives to one customer site


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A country (ISO 3166-1 alpha-2) and a region of it (ISO 3166-2 without the country), as far as known."""

    country: str | None = None
    region: str | None = None

    @property
    def key(self) -> str:
        """One short text for the place: `KR-11`, `KR` or `unknown`."""
        if self.country is None:
            return UNKNOWN
        return f"{self.country}-{self.region}" if self.region else self.country


NOWHERE = Place()


def truncated_network(address: str | None) -> str | None:
    """The network of an address (/24 of IPv4, /48 of IPv6); None for what is no address."""
    if address is None:
        return None
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    host = mapped or parsed
    bits = _KEPT_BITS_V4 if isinstance(host, IPv4Address) else _KEPT_BITS_V6
    return str(ip_network((host, bits), strict=False))
