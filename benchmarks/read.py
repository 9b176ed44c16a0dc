"""Reading real photos: our scanner beside zxing-cpp alone and OpenCV's detector, picture by picture, in one run.

    AUTHCODE_PHOTOS=FOLDER python -m benchmarks.read [--every N] [--opencv-seconds S] [--ablate]

FOLDER holds `index.json` with one object a picture: `file`, `set`, `category`, `texts` (null: a code that nobody ever
read, missed by everyone; []: no code, every reading is false). Pictures and texts stay where they are; only numbers are
printed. CPU is the time of the whole process, so that threads count; ratios are to zxing-cpp on the same picture.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import cv2
import zxingcpp

from scanner import open_photo, read_symbols, scan
from scanner.photo.open import Bgr
from scanner.steps import ladder

OPENCV_PX = 800
"""OpenCV's own detector takes 12 to 20 s on crowded 12-megapixel photos, so it is given small views."""

HALF_WIDTH = {0xA1 + step: 0xFF61 + step for step in range(63)}
"""Some labels hold half-width katakana as the Latin-1 characters of its Shift JIS bytes; both mean the same content."""

Reader = Callable[[Bgr], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One line of the index."""

    path: Path
    group: tuple[str, str]
    texts: tuple[str | None, ...]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one reader did on one category, and its CPU and wall seconds by picture."""

    pictures: int = 0
    codes: int = 0
    codes_read: int = 0
    pictures_read: int = 0
    other_texts: int = 0
    cpu_s: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)


def pictures(folder: Path, every: int) -> Iterator[Picture]:
    """Every `every`th picture of the index."""
    for line in json.loads((folder / "index.json").read_text())[::every]:
        yield Picture(path=folder / line["file"], group=(line["set"], line["category"]), texts=tuple(line["texts"]))


def plain(text: str) -> str:
    """A text as it is compared: line endings aside, one writing for half-width katakana."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").translate(HALF_WIDTH)


def ours(bgr: Bgr) -> list[str]:
    """Our scanner as it stands."""
    return [symbol.text for symbol in read_symbols(bgr)]


def zxing_alone(bgr: Bgr) -> list[str]:
    """zxing-cpp with all its options on the picture as it is."""
    formats, plain_mode = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2), zxingcpp.TextMode.Plain
    return [symbol.text for symbol in zxingcpp.read_barcodes(bgr, formats=formats, text_mode=plain_mode)]


class OpenCv:
    """OpenCV's detector and decoder, until its time is used up; after that it counts no further picture."""

    def __init__(self, seconds: float) -> None:
        """Take at most `seconds` of CPU in all."""
        self.left_s = seconds
        self._detector = cv2.QRCodeDetector()

    def __call__(self, bgr: Bgr) -> list[str]:
        """Texts of one picture, in a view of at most `OPENCV_PX`."""
        began = time.process_time()
        factor = min(1.0, OPENCV_PX / max(bgr.shape))
        view = cv2.resize(bgr, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        texts: Sequence[str] = ()
        with contextlib.suppress(cv2.error, UnicodeDecodeError):
            texts = self._detector.detectAndDecodeMulti(view)[1]
        self.left_s -= time.process_time() - began
        return [text for text in texts if text]


def measure(readers: dict[str, Reader], chosen: Sequence[Picture]) -> dict[str, dict[tuple[str, str], Tally]]:
    """Let every reader read every picture, one picture after the other."""
    tallies: dict[str, dict[tuple[str, str], Tally]] = {name: defaultdict(Tally) for name in readers}
    for picture in chosen:
        bgr = open_photo(picture.path.read_bytes()).bgr
        for name, reader in readers.items():
            if isinstance(reader, OpenCv) and reader.left_s <= 0:
                continue
            cpu, wall = time.process_time(), time.monotonic()
            found = Counter(plain(text) for text in reader(bgr))
            cpu, wall = time.process_time() - cpu, time.monotonic() - wall
            add(tallies[name][picture.group], picture, found, cpu, wall)
    return tallies


def add(tally: Tally, picture: Picture, found: Counter[str], cpu_s: float, wall_s: float) -> None:
    """Count one picture. A code counts as often as it stands in the index, a picture when one of its texts came out."""
    known = Counter(plain(text) for text in picture.texts if text is not None)
    read = (found & known).total()
    tally.pictures += 1
    tally.codes += len(picture.texts)
    tally.codes_read += read
    tally.pictures_read += bool(read)
    tally.other_texts += 0 if None in picture.texts else (found - known).total()
    tally.cpu_s.append(cpu_s)
    tally.wall_s.append(wall_s)


def macro(tallies: dict[tuple[str, str], Tally], name: str) -> float:
    """Mean over the categories of a set of the share of codes read, in per cent."""
    shares = [
        100 * tally.codes_read / tally.codes for (group, _), tally in tallies.items() if group == name and tally.codes
    ]
    return statistics.mean(shares) if shares else float("nan")


def report(results: dict[str, dict[tuple[str, str], Tally]]) -> None:
    """Print shares by category and set, false readings, and CPU as a ratio to zxing-cpp."""
    names = list(results)
    print(f"{'codes read / codes':34}" + "".join(f"{name:>14}" for name in names))
    for place in results[names[0]]:
        row = [results[name].get(place) for name in names]
        cells = [f"{tally.codes_read}/{tally.codes}" if tally else "-" for tally in row]
        print(f"{' '.join(place):34}" + "".join(f"{cell:>14}" for cell in cells))
    for name in names:
        tallies = results[name]
        print(f"\n{name}:")
        for group in dict.fromkeys(group for group, _ in tallies):
            of_set = [tally for (owner, _), tally in tallies.items() if owner == group]
            codes, count = sum(tally.codes for tally in of_set), sum(tally.pictures for tally in of_set)
            false = sum(tally.other_texts for tally in of_set)
            if codes:
                read, seen = sum(tally.codes_read for tally in of_set), sum(tally.pictures_read for tally in of_set)
                shares = f"macro {macro(tallies, group):5.1f}  codes {100 * read / codes:5.1f}"
                shares += f"  pictures {100 * seen / count:5.1f}"
            else:
                shares = f"{count} pictures without a code"
            print(f"  {group:10} {shares}  texts not in the index {false}")
        costs(tallies, results["zxing-cpp"])


def costs(tallies: dict[tuple[str, str], Tally], base: dict[tuple[str, str], Tally]) -> None:
    """Print CPU by picture against zxing-cpp, and the longest wait."""
    pairs = [
        (mine, theirs)
        for group, tally in tallies.items()
        for mine, theirs in zip(tally.cpu_s, base[group].cpu_s, strict=False)
    ]
    ratios = [mine / theirs for mine, theirs in pairs]
    large = [mine / theirs for mine, theirs in pairs if theirs > 0.01]  # noqa: PLR2004 - 10 ms: 12 megapixels
    walls = [wall for tally in tallies.values() for wall in tally.wall_s]
    print(
        f"  CPU to zxing-cpp: median {statistics.median(ratios):.2f}, all together "
        f"{sum(mine for mine, _ in pairs) / sum(theirs for _, theirs in pairs):.2f}, worst {max(ratios):.0f}, "
        f"worst of large pictures {max(large, default=float('nan')):.1f}; "
        f"longest {max(mine for mine, _ in pairs):.3f} s CPU, "
        f"{max(walls):.3f} s wall"
    )


def ablate(chosen: Sequence[Picture]) -> None:
    """Print what is lost when one rung or step is left out: each has to be worth its place."""

    def codes() -> int:
        return sum(tally.codes_read for tally in measure({"ours": ours}, chosen)["ours"].values())

    full = codes()
    print(f"whole ladder: {full} codes of the pictures that zxing-cpp did not read completely")
    for left_out in ladder.RUNGS:
        with mock.patch.object(scan, "RUNGS", tuple(rung for rung in ladder.RUNGS if rung is not left_out)):
            print(f"  without {left_out.name:20} {codes() - full:+d}", flush=True)
    for step in ("read_flattened", "climb", "read_with_wechat"):
        with mock.patch.object(scan._Search, step):  # noqa: SLF001 - the one place that looks inside
            print(f"  without {step:20} {codes() - full:+d}", flush=True)


def hard(chosen: Sequence[Picture]) -> list[Picture]:
    """Pictures that zxing-cpp alone does not read completely."""
    left = []
    for picture in chosen:
        found = Counter(map(plain, zxing_alone(open_photo(picture.path.read_bytes()).bgr)))
        if found.total() < len(picture.texts):
            left.append(picture)
    return left


def main() -> None:
    """Run what the arguments ask for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--every", type=int, default=1, help="take every Nth picture only")
    arguments.add_argument("--opencv-seconds", type=float, default=60.0, help="CPU seconds for OpenCV's own detector")
    arguments.add_argument("--ablate", action="store_true", help="leave out one rung after the other instead")
    options = arguments.parse_args()
    folder = os.environ.get("AUTHCODE_PHOTOS")
    if not folder:
        sys.exit("skipped: AUTHCODE_PHOTOS names no folder of photos with an index.json")
    chosen = list(pictures(Path(folder), options.every))
    if options.ablate:
        ablate(hard(chosen))
    else:
        report(measure({"zxing-cpp": zxing_alone, "ours": ours, "OpenCV": OpenCv(options.opencv_seconds)}, chosen))


if __name__ == "__main__":
    main()
