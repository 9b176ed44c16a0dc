"""Damaged pictures of every kind in the confined reader, for as long as asked: only refusals of ours may come back.

    python -m benchmarks.fuzz [--seconds S] [--seed N] [--keep FOLDER]

Bytes of good pictures are changed, cut, doubled, and pictures joined. A reader that ends over one is an expected
refusal (`photo_too_costly`) and is counted; its picture is kept in FOLDER, since a decoder may have crashed.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from scanner.confine.readers import PhotoReaders
from scanner.errors import PhotoError, PhotoTooCostly
from tests.scanner.conftest import draw, encode

KINDS = ("JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF", "AVIF", "PDF")


def corpus() -> list[bytes]:
    """Good pictures of one code, small, in every kind, and the HEIC of a phone."""
    page = np.repeat(draw("HTTPS://V.EXAMPLE.COM/7Q4K", module_px=3)[:, :, np.newaxis], 3, axis=2)
    clear = Image.fromarray(page).convert("RGBA")
    clear.putalpha(128)
    made = [encode(page, kind) for kind in KINDS]
    made += [encode(page, "JPEG", progressive=True), encode(np.asarray(clear)[:, :, [2, 1, 0, 3]], "PNG")]
    return [*made, (Path(__file__).parents[1] / "tests" / "data" / "photo.heic").read_bytes()]


def damaged(good: list[bytes], chance: np.random.Generator) -> bytes:
    """One of them, with some damage."""
    data = bytearray(good[chance.integers(len(good))])
    for _ in range(chance.integers(1, 6)):
        at, end = sorted(chance.integers(0, len(data) + 1, 2))
        match chance.integers(6):
            case 0 if at < len(data):
                data[at] = chance.integers(256)
            case 1:
                data[at : at + 4] = bytes(chance.choice([0, 1, 127, 255], 4).astype(np.uint8))
            case 2:
                del data[at : min(end, at + 64)]
            case 3:
                data[at:at] = data[at : min(end, at + 256)]
            case 4:
                other = good[chance.integers(len(good))]
                data[at:] = other[chance.integers(len(other)) :]
            case _:
                del data[max(1, end) :]
    return bytes(data)


def main() -> None:
    """Try until the time is over, and print what came of it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=60.0)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    options = arguments.parse_args()
    chance, outcomes, readers, good = np.random.default_rng(options.seed), Counter[str](), PhotoReaders(), corpus()
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        data = damaged(good, chance)
        try:
            found = readers.scan(data, accept=lambda _text: True)
            outcomes["read" if found.symbols else "advice"] += 1
        except PhotoError as refused:
            outcomes[refused.code] += 1
            if isinstance(refused, PhotoTooCostly):
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{options.seed}-{outcomes.total()}").write_bytes(data)
    readers.close()
    print(f"{outcomes.total()} pictures: {dict(outcomes.most_common())}")


if __name__ == "__main__":
    main()
