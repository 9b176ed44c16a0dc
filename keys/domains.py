"""Stage 5, verify: what a brand's signed lists say of a host: a partner's, or a known look-alike's (docs/format.md §1).

A listed domain stands for itself and every host below it. A host that is on both kinds of list is a look-alike's: to be
careful without need costs a buyer less than the other mistake.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from keys.errors import DomainRefused
from keys.keyring import MAX_DOMAINS, Keyring
from keys.prefix import is_domain


class Listing(StrEnum):
    """On which list of a brand a domain stands."""

    LOOKALIKE = "lookalike"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedHost:
    """A host that a brand lists: as what, the brand's name, and the `domain` of the list that it falls under."""

    listing: Listing
    brand: str
    domain: str


def domains_of(keyring: Keyring, listing: Listing) -> tuple[str, ...]:
    """The domains that a keyring has on one list."""
    return keyring.lookalike_domains if listing is Listing.LOOKALIKE else keyring.partner_domains


def listed_host(host: str, keyrings: Iterable[Keyring]) -> ListedHost | None:
    """What verified `keyrings` say of `host` (lower case); look-alikes of any of them come before partners."""
    brands = tuple(keyrings)
    for listing in Listing:
        for keyring in brands:
            for domain in domains_of(keyring, listing):
                if host == domain or host.endswith(f".{domain}"):
                    return ListedHost(listing=listing, brand=keyring.brand, domain=domain)
    return None


def added_domains(keyring: Keyring, listing: Listing, domains: Collection[str]) -> tuple[str, ...]:
    """Those of `domains`, in lower case, that are not on that list of the keyring yet and may enter it.

    Raises:
        DomainRefused: one is no domain, the brand's own or on the other list, or the list would be too long.
    """
    held = domains_of(keyring, listing)
    added = tuple(dict.fromkeys(one for one in map(str.lower, domains) if one not in held))
    own = {_host_of(prefix) for prefix in keyring.prefixes}
    others = {one for kind in Listing if kind is not listing for one in domains_of(keyring, kind)}
    for domain in added:
        if not is_domain(domain) or "." not in domain:
            raise DomainRefused(domain, "write the domain alone, as in shop.example.com, an international one as xn--")
        if any(host == domain or host.endswith(f".{domain}") for host in own):
            raise DomainRefused(domain, "codes of the brand itself lead there")
        if domain in others:
            raise DomainRefused(domain, "it stands on the other list; take it off first")
    if len(held) + len(added) > MAX_DOMAINS:
        raise DomainRefused(added[-1], f"a list has at most {MAX_DOMAINS} domains")
    return added


def _host_of(prefix: str) -> str:
    return prefix.partition("://")[2].rstrip("/").partition(":")[0].lower()
