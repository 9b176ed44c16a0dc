"""Stage 5, verify: what stands for a brand, its name and its hosts, and whose it is (docs/format.md §1)."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keys.base.errors import BrandConflict
from keys.format.prefix import host_of

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"})
"""Unicode categories that no name holds: controls, formats, surrogates, private use, separators but the space."""
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
    """Who goes by a name and addresses: a brand under its root. `brand` is None where the name was never kept."""

    root: str
    brand: str | None
    prefixes: tuple[str, ...]


def is_seen(character: str) -> bool:
    """Whether a character may stand in a name. An unassigned one may: which these are depends on the reader's age."""
    if character == " ":
        return True
    return unicodedata.category(character) not in _HIDDEN and not any(ord(character) in blank for blank in _BLANK)


def refuse_conflict(
    before: NameOwner | None, offered: NameOwner, others: Iterable[NameOwner], *, root_settles: bool
) -> None:
    """Refuse a name, or a host of a prefix, that `offered` did not have `before` and one of `others` has.

    Raises:
        BrandConflict: another has it; `root_settles` says that naming the root would let it pass.
    """
    held = [(other, _marks(other).keys()) for other in others]
    had = set() if before is None else _marks(before).keys()
    for mark, shown in _marks(offered).items():
        for other, marks in held:
            if mark not in had and mark in marks:
                raise BrandConflict(shown, other.root, offered.root, root_settles=root_settles)


def _marks(holder: NameOwner) -> dict[tuple[str, str], str]:
    """What stands for a brand, as it is compared and as it is shown.

    Names that read alike are one name. Shoppers are shown a host alone: another scheme or port of it is the same one.
    """
    names = [] if holder.brand is None else [holder.brand]
    hosts = {("host", host_of(prefix)): prefix for prefix in reversed(holder.prefixes)}
    return {("name", _folded(name)): name for name in names} | hosts


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(filter(is_seen, plain)).split())
