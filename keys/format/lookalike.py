"""Stage 5, verify: names that look alike, and words that mix scripts (UTS 39, Unicode Security Mechanisms).

The tables are those of the package `confusable_homoglyphs`. They decide what enters, never what a signature is worth:
a keyring that was admitted once stays readable whatever a newer table says (docs/adr/0033-names-that-look-alike.md).
"""

import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import Final

from keys.base.errors import NameMixesScripts

ANY_SCRIPT: Final = frozenset({"COMMON", "INHERITED", "UNKNOWN"})
"""Scripts of digits, punctuation, marks and unassigned characters, which occur in words of every script."""
_TOGETHER: Final = tuple(
    frozenset({"LATIN", "HAN", *others}) for others in (("HIRAGANA", "KATAKANA"), ("BOPOMOFO",), ("HANGUL",))
)
"""Scripts that one word may mix: the level "Highly Restrictive" (UTS 39 clause 5.2)."""
_WITHIN_WORDS: Final = "'\u2019\u00b7"
"""Apostrophes and the dot of Catalan; a word ends at a space, a hyphen and all else but letters, marks and digits."""
_CAPITALS_I: Final = str.maketrans("I\u0399\u0406", "iii")
"""Of Latin, Greek and Cyrillic; the table of UTS 39 has them as a small l."""
_LEFT_TO_RIGHT: Final = "\u200e"
_PUNYCODE: Final = "xn--"


def skeleton(text: str) -> str:
    """The text with each character replaced by what it looks like (UTS 39 clause 4)."""
    for _ in range(2):  # what a character is spelled with may have a look of its own
        text = "".join(map(_prototype, unicodedata.normalize("NFD", text)))
    return unicodedata.normalize("NFD", text)


def appearances(name: str) -> frozenset[tuple[str, str]]:
    """The forms of a name that are compared, each with its kind: names with one in common are read as the same name.

    1. As it is written.   2. In small letters, since case distinguishes no brands.   3. In small letters after its
    characters were replaced, since some look like others in one case only. A capital I looks like a small l there
    within a word of small letters ("AureI") and not in one of capitals ("MALI" is not "Mall").
    """
    small = _small(skeleton(_small(name)))
    looks = _small(skeleton("".join(map(_read, _parts(name)))))
    return frozenset({("written", skeleton(name)), ("small", small), ("small", looks)})


def host_appearance(host: str) -> str:
    """A host in lower case as it looks where it is shown in its own script (`xn--` labels decoded)."""
    return _small(skeleton(_decoded(host)))


@lru_cache(maxsize=4096)
def script_of(character: str) -> str:
    """The script of a character by its name in Unicode, in capitals: `LATIN`, `HAN`, `COMMON`."""
    from confusable_homoglyphs import categories

    return str(categories.alias(character)).upper()


def refuse_mixed_scripts(name: str) -> None:
    """Refuse a name with a word of several scripts, except those that are written together (UTS 39 clause 5.2).

    Raises:
        NameMixesScripts: the first such word.
    """
    for word in _parts(name):
        scripts = {script_of(character) for character in word} - ANY_SCRIPT
        if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
            raise NameMixesScripts(word, tuple(sorted(script.capitalize() for script in scripts)))


def refuse_mixed_host(host: str) -> None:
    """Refuse a host with a label of several scripts; `xn--` labels are decoded.

    Raises:
        NameMixesScripts: the first such label.
    """
    refuse_mixed_scripts(_decoded(host).replace("-", ""))


def _small(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _parts(name: str) -> list[str]:
    """The words of a name and what is between them."""
    return ["".join(part) for _, part in groupby(name, _is_in_word)]


def _is_in_word(character: str) -> bool:
    return character in _WITHIN_WORDS or unicodedata.category(character)[0] in "LMN"


def _read(part: str) -> str:
    """A part of a name in which each capital I that is read as one is a small i: the first letter, or all are large."""
    if part.isupper():
        return part.translate(_CAPITALS_I)
    return part[0].translate(_CAPITALS_I) + part[1:]


def _decoded(host: str) -> str:
    return ".".join(map(_decoded_label, host.split(".")))


def _decoded_label(label: str) -> str:
    if not label.startswith(_PUNYCODE):
        return label
    try:
        return label.removeprefix(_PUNYCODE).encode("ascii").decode("punycode")
    except UnicodeError:
        return label


@lru_cache(maxsize=4096)
def _prototype(character: str) -> str:
    """What a character looks like, by the table of UTS 39.

    The package lists each pair both ways. A character with one partner leads to it, a character with several is what
    they lead to; of a pair without others the lower one is taken. Right-to-left letters are between two marks there.
    """
    from confusable_homoglyphs.confusables import confusables_data

    marked = f"{_LEFT_TO_RIGHT}{character}{_LEFT_TO_RIGHT}"
    partners = [partner["c"] for name in (character, marked) for partner in confusables_data.get(name, ())]
    if len(partners) != 1:
        return character
    (partner,) = partners
    bare = str(partner).strip(_LEFT_TO_RIGHT)
    return bare if len(bare) > 1 or len(confusables_data[partner]) > 1 else min(character, bare)
