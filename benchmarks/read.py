"""Reading real photos: our scanner beside zxing-cpp alone and OpenCV's detector, picture by picture, in one run.

    AUTHCODE_PHOTOS=FOLDER python -m benchmarks.read [--every N] [--opencv-seconds S] [--order | --ablate]

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
from functools import partial
from pathlib import Path
from unittest import mock

import cv2
import zxingcpp

from scanner import open_photo, read_symbols, scan
from scanner.engines import Reading, read_with_wechat, read_with_zxing
from scanner.find.rectify import halve, shrink
from scanner.photo.open import Bgr, Gray, open_views
from scanner.steps import ladder

OPENCV_PX = 800
"""OpenCV's own detector takes 12 to 20 s on crowded 12-megapixel photos, so it is given small views."""

HALF_WIDTH = {0xA1 + step: 0xFF61 + step for step in range(63)}
"""Some labels hold half-width katakana as the Latin-1 characters of its Shift JIS bytes; both mean the same content."""

SIZES = (("below 1 megapixel", 0.0, 1.0), ("1 to 4", 1.0, 4.0), ("above", 4.0, float("inf")))
"""Sizes of pictures whose cost is told apart, in megapixels."""

Reader = Callable[[Bgr], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One line of the index."""

    path: Path
    group: tuple[str, str]
    texts: tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one picture took, and whether anything right was read."""

    megapixels: float
    read: bool
    cpu_s: float
    wall_s: float


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one reader did on one category, and the cost of each picture."""

    pictures: int = 0
    codes: int = 0
    codes_read: int = 0
    pictures_read: int = 0
    other_texts: int = 0
    costs: list[Cost] = field(default_factory=list)


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
            size = bgr.shape[0] * bgr.shape[1] / 1e6
            add(tallies[name][picture.group], picture, found, (size, cpu, wall))
    return tallies


def add(tally: Tally, picture: Picture, found: Counter[str], spent: tuple[float, float, float]) -> None:
    """Count one picture. A code counts as often as it stands in the index, a picture when one of its texts came out."""
    known = Counter(plain(text) for text in picture.texts if text is not None)
    read = (found & known).total()
    tally.pictures += 1
    tally.codes += len(picture.texts)
    tally.codes_read += read
    tally.pictures_read += bool(read)
    tally.other_texts += 0 if None in picture.texts else (found - known).total()
    megapixels, cpu_s, wall_s = spent
    tally.costs.append(Cost(megapixels=megapixels, read=bool(read), cpu_s=cpu_s, wall_s=wall_s))


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
    """Print CPU of the pictures that were read against zxing-cpp, by size, and the most that any other took."""
    lines = [
        (mine, theirs)
        for group, tally in tallies.items()
        for mine, theirs in zip(tally.costs, base[group].costs, strict=False)
    ]
    shares = []
    for name, low, high in SIZES:
        read = [(mine, theirs) for mine, theirs in lines if low <= mine.megapixels < high and mine.read]
        total = sum(theirs.cpu_s for _, theirs in read)
        shares.append(f"{name} {sum(mine.cpu_s for mine, _ in read) / total if total else float('nan'):.2f}")
    print(f"  CPU to zxing-cpp, pictures that were read: {', '.join(shares)}")
    others = [mine.cpu_s for mine, _ in lines if not mine.read]
    print(
        f"  not read: at most {max(others, default=float('nan')):.3f} s of CPU; longest of all "
        f"{max((mine.wall_s for mine, _ in lines), default=float('nan')):.3f} s by the clock"
    )


def ablate(chosen: Sequence[Picture]) -> None:
    """Print what is lost when one rung or step is left out: each has to be worth its place."""

    def codes() -> int:
        return sum(tally.codes_read for tally in measure({"ours": ours}, chosen)["ours"].values())

    full = codes()
    print(f"whole ladder: {full} codes of the pictures that zxing-cpp did not read completely")
    for name in ("RUNGS", "LATE_RUNGS", "RUNGS_FOR_MORE"):
        rungs = getattr(ladder, name)
        for left_out in rungs:
            with mock.patch.object(scan, name, tuple(rung for rung in rungs if rung is not left_out)):
                print(f"  {name:14} without {left_out.name:20} {codes() - full:+d}", flush=True)
    for step in ("read_flattened", "climb", "read_with_wechat"):
        with mock.patch.object(scan._Search, step):  # noqa: SLF001 - the one place that looks inside
            print(f"  {'':14} without {step:20} {codes() - full:+d}", flush=True)


def order(chosen: Sequence[Picture]) -> None:
    """Print the steps by what they read for their time, each on the pictures that those before it did not read."""
    read: dict[str, set[Path]] = defaultdict(set)
    spent: dict[str, dict[Path, float]] = defaultdict(dict)
    for picture in chosen:
        gray = next(open_views(picture.path.read_bytes()).views)
        known = {plain(text) for text in picture.texts if text is not None}
        for name, step in steps_of(gray).items():
            began = time.process_time()
            found = {plain(reading.text) for reading in step() if reading.text is not None}
            spent[name][picture.path] = time.process_time() - began
            if found & known:
                read[name].add(picture.path)
    left = {picture.path for picture in chosen}
    while spent:
        cost = {name: sum(seconds for path, seconds in by.items() if path in left) for name, by in spent.items()}
        best = max(cost, key=lambda name: (len(read[name] & left) / max(cost[name], 1e-6), -cost[name]))
        print(f"  {best:16} {len(read[best] & left):3d} pictures in {cost[best]:.3f} s of CPU")
        left -= read[best]
        del spent[best]


def steps_of(gray: Gray) -> dict[str, Callable[[], list[Reading]]]:
    """Every rung and WeChat's decoder, each as a call on one picture."""
    view = halve(gray, ladder.LADDER_PX)
    rungs = [rung for rung in ladder.RUNGS + ladder.LATE_RUNGS if max(view.shape) <= rung.side_px]
    steps = {rung.name: partial(lambda rung: read_with_zxing(rung.prepare(view)), rung) for rung in rungs}
    return {**steps, "WeChat's decoder": lambda: read_with_wechat(shrink(gray, scan.WECHAT_PX))}


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
    arguments.add_argument("--order", action="store_true", help="measure every step by itself and print their order")
    options = arguments.parse_args()
    folder = os.environ.get("AUTHCODE_PHOTOS")
    if not folder:
        sys.exit("skipped: AUTHCODE_PHOTOS names no folder of photos with an index.json")
    chosen = list(pictures(Path(folder), options.every))
    if options.order:
        order(hard(chosen))
    elif options.ablate:
        ablate(hard(chosen))
    else:
        report(measure({"zxing-cpp": zxing_alone, "ours": ours, "OpenCV": OpenCv(options.opencv_seconds)}, chosen))


if __name__ == "__main__":
    main()
