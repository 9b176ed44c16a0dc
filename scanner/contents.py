"""Stage 4, decode: contents whose encoding the symbol does not name, as the characters that were meant.

ISO/IEC 18004 takes bytes without an ECI for ISO/IEC 8859-1; makers of labels write UTF-8, and in East Asia what their
systems use: Shift JIS, GBK, EUC-KR. zxing-cpp tells UTF-8 and Shift JIS from Latin letters; the others are told here.
"""

import re

_HIGH_RUNS = re.compile(rb"[\x80-\xff]+")
_PAIRS = re.compile(rb"(?:[\xa1-\xfe][\xa1-\xfe])+")
_HANGUL = re.compile(rb"(?:[\xb0-\xc8\xa1-\xac][\xa1-\xfe])+")  # KS X 1001: syllables, after symbols and letters
_LATIN_1_END = 0xFF
_HALF_WIDTH = re.compile("[\uff61-\uff9f]+")
_NO_KATAKANA = re.compile(  # a mark, a small letter or a voicing with no letter before it that can take it
    "(?:^|[\uff61-\uff65 ])[\uff67-\uff70\uff9e\uff9f]|[^\uff73\uff76-\uff84\uff8a-\uff8e]\uff9e|[^\uff8a-\uff8e]\uff9f"
)
_LATIN_LETTER = re.compile(rb"[A-Za-z]")
_SHORT = 2


def readable(raw: bytes, decoded: str) -> str:
    """The characters of `raw`, bytes of a symbol without ECI, which a decoder took for `decoded`.

    GBK (GB/T 2312 pairs) and EUC-KR are known by high bytes that come in pairs, and told apart by the rows that hold
    Korean syllables; a lone pair beside a Latin letter is two Latin letters. A word of few characters may be taken for
    the wrong one of them: the bytes alone do not tell.
    """
    runs = list(_HIGH_RUNS.finditer(raw))
    if not runs or _is_utf8(raw) or not _may_be_wrong(decoded) or not _are_pairs(raw, runs):
        return decoded
    encoding = "cp949" if all(_HANGUL.fullmatch(run.group()) for run in runs) else "gb18030"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return decoded


def _are_pairs(raw: bytes, runs: list[re.Match[bytes]]) -> bool:
    """Whether all high bytes come in pairs, and not in lone pairs beside Latin letters alone."""
    paired = all(_PAIRS.fullmatch(run.group()) for run in runs)
    return paired and not all(len(run.group()) == _SHORT and _beside_letter(raw, run) for run in runs)


def _may_be_wrong(decoded: str) -> bool:
    """Whether a decoder had nothing but Latin letters to offer, or half-width katakana that form no word."""
    katakana = _HALF_WIDTH.findall(decoded)
    if katakana:
        return any(_NO_KATAKANA.search(word) for word in katakana)
    return all(ord(letter) <= _LATIN_1_END for letter in decoded)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _beside_letter(raw: bytes, run: re.Match[bytes]) -> bool:
    """Whether a Latin letter stands directly before or behind."""
    around = raw[max(0, run.start() - 1) : run.start()] + raw[run.end() : run.end() + 1]
    return _LATIN_LETTER.search(around) is not None
