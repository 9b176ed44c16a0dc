"""Stage 5, verify: a brand's signed lists of partners' and known look-alikes' domains (docs/format.md §1).

A listed domain covers itself and every host below it. A host on both kinds of list is a look-alike's: needless caution
costs a buyer less than the other mistake.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from keys.base.errors import DomainRefused, NameMixesScripts
from keys.format.keyring import MAX_DOMAINS, Keyring
from keys.format.lookalike import host_appearance, refuse_mixed_host
from keys.format.prefix import host_of, is_domain


class Listing(StrEnum):
    """The two lists of a brand."""

    LOOKALIKE = "lookalike"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedHost:
    """A host that a brand lists: as what, the brand's id and name, and the `domain` of the list that it falls under."""

    listing: Listing
    brand_id: bytes
    brand: str
    domain: str


def domains_of(keyring: Keyring, listing: Listing) -> tuple[str, ...]:
    """The domains that a keyring has on one list."""
    return keyring.lookalike_domains if listing is Listing.LOOKALIKE else keyring.partner_domains


def falls_under(host: str, domain: str) -> bool:
    """Whether `domain` covers `host`, both in lower case: it is that host or one above it."""
    return host == domain or host.endswith(f".{domain}")


def listed_host(host: str, keyrings: Iterable[Keyring]) -> ListedHost | None:
    """The entry of verified `keyrings` for `host` (lower case); look-alikes of any of them come before partners.

    A partner listing does not count for another brand's hosts, those below them, domains above them, and what looks
    like one of these.
    """
    brands = tuple(keyrings)
    for listing in Listing:
        for keyring in brands:
            for domain in domains_of(keyring, listing):
                if falls_under(host, domain) and (
                    listing is Listing.LOOKALIKE or not _is_of_another(host, domain, keyring, brands)
                ):
                    return ListedHost(listing=listing, brand_id=keyring.brand_id, brand=keyring.brand, domain=domain)
    return None


def _is_of_another(host: str, domain: str, keyring: Keyring, brands: Iterable[Keyring]) -> bool:
    others = (other for other in brands if other.brand_id != keyring.brand_id)
    homes = [host_appearance(host_of(prefix)) for other in others for prefix in other.prefixes]
    host, domain = host_appearance(host), host_appearance(domain)
    return any(falls_under(host, home) or falls_under(home, domain) for home in homes)


def added_domains(keyring: Keyring, additions: Mapping[Listing, Collection[str]]) -> Mapping[Listing, tuple[str, ...]]:
    """Both lists with `additions`, in lower case; a domain that is on its list already keeps its place.

    Public suffixes, such as `co.uk`, are not recognised.

    Raises:
        DomainRefused: one is no domain or the brand's own, a partner's looks like the brand's own or mixes scripts in a
            label, one of the other list is the same, above it or below it, or a list would be too long.
    """
    given = {kind: map(str.lower, additions.get(kind, ())) for kind in Listing}
    lists = {kind: tuple(dict.fromkeys((*domains_of(keyring, kind), *given[kind]))) for kind in Listing}
    own = {host_of(prefix) for prefix in keyring.prefixes}
    for listing, domains in lists.items():
        held = domains_of(keyring, listing)
        others = [one for kind, listed in lists.items() if kind is not listing for one in listed]
        for domain in domains[len(held) :]:
            _check(domain, own, others)
            if listing is Listing.PARTNER:
                _check_partner(domain, own)
        if len(domains) > MAX_DOMAINS:
            raise DomainRefused(domains[-1], f"a list has at most {MAX_DOMAINS} domains")
    return lists


def _check(domain: str, own: Collection[str], others: Iterable[str]) -> None:
    if not is_domain(domain):
        raise DomainRefused(domain, "write the domain alone, as in shop.example.com, an international one as xn--")
    if any(falls_under(host, domain) for host in own):
        raise DomainRefused(domain, "codes of the brand itself lead there")
    for other in others:
        if falls_under(domain, other) or falls_under(other, domain):
            same = "it" if other == domain else f"{other}, which has hosts in common with it,"
            raise DomainRefused(domain, f"{same} is on the other list; take that off first")


def _check_partner(domain: str, own: Collection[str]) -> None:
    try:
        refuse_mixed_host(domain)
    except NameMixesScripts as mixed:
        raise DomainRefused(domain, f"{mixed.word!r} mixes {mixed.listed} letters, as look-alikes do") from None
    twin = next((above for host in own for above in _and_above(host) if _looks_like_below(domain, above)), None)
    if twin is not None:
        raise DomainRefused(domain, f"it looks like {twin}, where the brand's own codes lead; list it as a look-alike")


def _and_above(domain: str) -> list[str]:
    """A domain and those above it that are domains (of two labels or more)."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def _looks_like_below(domain: str, home: str) -> bool:
    """Whether a domain, or one above it, has the look of `home` without being it."""
    return any(above != home and host_appearance(above) == host_appearance(home) for above in _and_above(domain))
