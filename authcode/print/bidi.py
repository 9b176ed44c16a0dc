"""Stage 2, print: the order in which the characters of a line are drawn (UAX 9, the Unicode Bidirectional Algorithm).

For one paragraph of text without explicit embeddings, overrides and isolates (rules X1 to X8, which need controls that
draw nothing) and without the pairing of brackets (rule N0): a bracket between two directions follows the paragraph.
"""

import unicodedata
from itertools import groupby

_STRONG = {"L": 0, "R": 1, "AL": 1}
_NEUTRAL = frozenset({"B", "S", "WS", "ON"})
_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def is_control(character: str) -> bool:
    """Whether a character only steers the order of others."""
    return unicodedata.bidirectional(character) in _CONTROLS


def levels(text: str) -> list[int]:
    """The level of each character of a paragraph: odd ones run from right to left (UAX 9 rules P2 to I2, and L1)."""
    given = [unicodedata.bidirectional(character) or "L" for character in text]
    base = next((_STRONG[kind] for kind in given if kind in _STRONG), 0)  # P2, P3
    if base == 0 and not {"R", "AL", "AN"} & set(given):
        return [0] * len(text)
    kinds = _neutral(_weak(given, base), base)
    found = [_level(kind, base) for kind in kinds]
    end = len(text.rstrip())
    return [*found[:end], *[base] * (len(text) - end)]  # L1


def visual_order(line_levels: list[int]) -> list[int]:
    """The places of a line's characters from left to right (UAX 9 rule L2)."""
    order = list(range(len(line_levels)))
    for level in range(max(line_levels, default=0), 0, -1):
        order = _reversed_from(level, order, line_levels)
    return order


def _reversed_from(level: int, order: list[int], line_levels: list[int]) -> list[int]:
    parts = groupby(order, lambda place: line_levels[place] >= level)
    return [place for reached, run in parts for place in (reversed(list(run)) if reached else run)]


def _weak(kinds: list[str], base: int) -> list[str]:
    """Rules W1 to W7: marks, digits and what is between them."""
    start = "R" if base else "L"
    kinds = _carried(kinds, start)
    found, strong = [], start
    for kind in kinds:  # W2, W3
        strong = kind if kind in _STRONG else strong
        found.append("AN" if kind == "EN" and strong == "AL" else kind)
    found = ["R" if kind == "AL" else kind for kind in found]
    found = _separated(found)
    return _european(found, start)


def _carried(kinds: list[str], start: str) -> list[str]:
    """W1: a mark that does not advance is of the kind of what it follows."""
    found: list[str] = []
    for kind in kinds:
        if kind in {"NSM", "BN"}:
            found.append(found[-1] if found else start)
        else:
            found.append("ON" if kind in _CONTROLS else kind)
    return found


def _separated(kinds: list[str]) -> list[str]:
    """W4 to W6: one separator between two numbers is part of them, and so are signs next to European digits."""
    found = list(kinds)
    for place in range(1, len(kinds) - 1):
        found[place] = _joined(found[place - 1], kinds[place], kinds[place + 1])
    runs = [list(run) for _, run in groupby(found)]
    edges = ["ON", *(run[0] for run in runs), "ON"]
    for place, run in enumerate(runs):
        if run[0] == "ET" and "EN" in {edges[place], edges[place + 2]}:
            run[:] = ["EN"] * len(run)
    return ["ON" if kind in {"ES", "ET", "CS"} else kind for run in runs for kind in run]


def _joined(before: str, kind: str, after: str) -> str:
    """W4: the kind of what is between two others."""
    joins = (before == "EN" and kind in {"ES", "CS"}) or (before == "AN" and kind == "CS")
    return before if joins and before == after else kind


def _european(kinds: list[str], start: str) -> list[str]:
    """W7: European digits after letters from left to right are like these."""
    found, strong = [], start
    for kind in kinds:
        strong = kind if kind in {"L", "R"} else strong
        found.append("L" if kind == "EN" and strong == "L" else kind)
    return found


def _neutral(kinds: list[str], base: int) -> list[str]:
    """N1 and N2: what is neutral follows its neighbours where they agree, else the paragraph."""
    own = "R" if base else "L"
    runs = [(kind in _NEUTRAL, list(run)) for kind, run in _runs(kinds)]
    edges = [own, *("L" if run[-1] == "L" else "R" for _, run in runs), own]
    found: list[str] = []
    for place, (neutral, run) in enumerate(runs):
        before, after = edges[place], edges[place + 2]
        found += [(before if before == after else own)] * len(run) if neutral else run
    return found


def _runs(kinds: list[str]) -> list[tuple[str, list[str]]]:
    """Neighbours that are neutral together, the others one by one."""
    return [
        (run[0], run)
        for neutral, group in groupby(kinds, lambda kind: kind in _NEUTRAL)
        for run in ([list(group)] if neutral else [[kind] for kind in group])
    ]


def _level(kind: str, base: int) -> int:
    """I1 and I2: the level of a resolved kind in a paragraph of this base level."""
    if kind == "L":
        return base + base % 2
    if kind == "R":
        return base + 1 - base % 2
    return 2  # numbers
