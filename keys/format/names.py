"""Stage 5, verify: which brand owns a name and the hosts of its codes (docs/format.md §1)."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keys.base.errors import BrandConflict
from keys.format.lookalike import appearances, host_appearance, refuse_mixed_host, refuse_mixed_scripts
from keys.format.prefix import host_of

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"})
"""Unicode categories that no name has: controls, formats, surrogates, private use, separators but the space."""
_BLANK: Final = (
    *(range(0x34F, 0x350), range(0x115F, 0x1161), range(0x17B4, 0x17B6), range(0x180B, 0x1810), range(0x2060, 0x2070)),
    *(range(0x2800, 0x2801), range(0x3164, 0x3165), range(0xFE00, 0xFE10), range(0xFFA0, 0xFFA1)),
    *(range(0xFFF0, 0xFFF9), range(0x1BCA0, 0x1BCA4), range(0x1D173, 0x1D17B), range(0xE0000, 0xE1000)),
)
"""Letters, marks and symbols that draw nothing: Default_Ignorable_Code_Point of Unicode, and the empty Braille pattern.

Written out, because the property is not in the standard library; what it adds one day is for a new format.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameOwner:
    """A brand, under its root, as the owner of its name and of the hosts of its prefixes."""

    root: str
    brand: str
    prefixes: tuple[str, ...]


def is_visible(character: str) -> bool:
    """Whether a name may have a character; unassigned ones too, since the Unicode version decides which these are."""
    if character == " ":
        return True
    return unicodedata.category(character) not in _HIDDEN and not any(ord(character) in blank for blank in _BLANK)


def refuse_conflict(
    known: NameOwner | None, offered: NameOwner, others: Iterable[NameOwner], *, root_settles: bool
) -> None:
    """Refuse a name or host that `offered` has, `known` (the same brand until now) did not have, and another has.

    Raises:
        BrandConflict: another brand has it; with `root_settles` naming the root would allow it.
    """
    held = [(other, _marks(other).keys()) for other in others]
    had = set() if known is None else _marks(known).keys()
    for mark, shown in _marks(offered).items():
        for other, marks in held:
            if mark not in had and mark in marks:
                raise BrandConflict(shown, other.root, offered.root, root_settles=root_settles)


def refuse_mixed(known: NameOwner | None, offered: NameOwner) -> None:
    """Refuse a name or host that `offered` has and `known` did not have, where a word of it mixes scripts.

    Raises:
        NameMixesScripts: it does.
    """
    if known is None or known.brand != offered.brand:
        refuse_mixed_scripts(offered.brand)
    had = set() if known is None else set(map(host_of, known.prefixes))
    for host in map(host_of, offered.prefixes):
        if host not in had:
            refuse_mixed_host(host)


def _marks(owner: NameOwner) -> dict[tuple[str, str], str]:
    """The name and hosts that identify a brand, each in its form for comparison with its form for display.

    Names that read alike are one name. Shoppers see a host alone, so another scheme or port of it is the same one.
    """
    hosts = {("host", host_appearance(host_of(prefix))): prefix for prefix in reversed(owner.prefixes)}
    return dict.fromkeys(appearances(_plain(owner.brand)), owner.brand) | hosts


def _plain(name: str) -> str:
    return " ".join("".join(filter(is_visible, unicodedata.normalize("NFKC", name))).split())
