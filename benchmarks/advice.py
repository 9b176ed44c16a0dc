"""Advice on photos that are not read: 20 pictures each of blur, motion, small codes, tilt, bending and glare.

    python -m benchmarks.advice [--each N] [--faults F...] [--seed S] [--keep FOLDER]

Every picture is a label on a pack as a phone sees it, with one fault, made worse until our scanner reads nothing. The
fault is its label, known before any advice is asked for. Printed: how often the advice names the fault, and what it
says instead. `--keep` writes the pictures as JPEG, for looking.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import qrcode

from scanner import AdviceCode, scan_photo

Gray = npt.NDArray[np.uint8]
Shade = npt.NDArray[np.float64]

SIZE = (1200, 1600)
"""Height and width in pixels: what messengers leave of a phone's photo."""

MODULE_PX = 12
"""Pixels a module of the print that is photographed."""

WORST = 14
"""Steps from harmless to hopeless."""

MOST_HANDS = 3
"""Hands tried for each picture: some hold a label so well that it is read at every step."""

RIGHT = {
    "blur": AdviceCode.HOLD_STILL,
    "motion": AdviceCode.HOLD_STILL,
    "small": AdviceCode.MOVE_CLOSER,
    "tilt": AdviceCode.TILT,
    "bending": AdviceCode.BENT,
    "glare": AdviceCode.GLARE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One photo of a label. Lengths in pixels of the photo, angles in degrees."""

    module_px: float
    turn_deg: float
    tilt_deg: float = 0.0
    bend_deg: float = 0.0
    blur_px: float = 0.0
    motion_px: float = 0.0
    motion_deg: float = 0.0
    glare: float = 0.0
    glare_at: tuple[float, float] = (0.0, 0.0)
    middle: tuple[float, float] = (800.0, 600.0)


def label(chance: np.random.Generator) -> Gray:
    """A printed label: a symbol of 140 characters in a band of colour, with lines of text."""
    alphabet = list("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    symbol = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4)
    symbol.add_data("HTTPS://V.EXAMPLE.COM/K1" + "".join(chance.choice(alphabet, 116)), optimize=0)
    symbol.make(fit=True)
    modules = np.where(np.array(symbol.get_matrix(), dtype=bool), 20, 235).astype(np.uint8)
    code = np.kron(modules, np.ones((MODULE_PX, MODULE_PX), dtype=np.uint8))
    side = len(code)
    pack = np.full((3 * side, 3 * side), int(chance.integers(70, 200)), dtype=np.uint8)
    for line in range(0, 3 * side, 70):
        word = "".join(chance.choice(list("abcdefghiklmnoprstuvw "), 60))
        ink = int(chance.choice([30, 240]))
        cv2.putText(pack, word, (10, line), cv2.FONT_HERSHEY_SIMPLEX, float(chance.uniform(0.8, 1.8)), ink, 3)
    pack[side : 2 * side, side : 2 * side] = code
    return pack


def photograph(pack: Gray, shot: Shot, chance: np.random.Generator) -> bytes:
    """The JPEG file that a phone makes of `pack`, laid over a table."""
    height, width = SIZE
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    along, across = columns - shot.middle[0], rows - shot.middle[1]
    turn = np.radians(shot.turn_deg)
    x = along * np.cos(turn) + across * np.sin(turn)
    y = -along * np.sin(turn) + across * np.cos(turn)
    x, y = tilted(x, y, shot)
    x, y = bent(x, y, shot)
    scale = MODULE_PX / shot.module_px
    at = (x * scale + pack.shape[1] / 2).astype(np.float32), (y * scale + pack.shape[0] / 2).astype(np.float32)
    smooth = cv2.GaussianBlur(pack, (0, 0), max(0.5, 0.35 * scale))
    seen = cv2.remap(smooth, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=120).astype(np.float64)
    seen *= np.linspace(*chance.uniform(0.75, 1.0, 2), width)[np.newaxis, :]
    seen = smeared(seen, shot)
    if shot.glare:
        seen += glare(rows, columns, shot)
    seen += chance.normal(0, 3, seen.shape)
    return bytes(cv2.imencode(".jpg", seen.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])[1])


def tilted(x: Shade, y: Shade, shot: Shot) -> tuple[Shade, Shade]:
    """Where a plane that leans away from the lens is met: a lens two frames away."""
    if not shot.tilt_deg:
        return x, y
    lean, distance = np.radians(shot.tilt_deg), 2.0 * SIZE[1]
    depth = np.maximum(distance * np.cos(lean) - y * np.sin(lean), 1.0)
    return x * distance * np.cos(lean) / depth, y * distance / depth


def bent(x: Shade, y: Shade, shot: Shot) -> tuple[Shade, Shade]:
    """Where a bottle is met on which the symbol covers `bend_deg`, its axis along y; off the bottle is table."""
    if not shot.bend_deg:
        return x, y
    half = 41 * shot.module_px / 2
    radius = half / np.radians(shot.bend_deg / 2)
    sine = x / radius
    off = np.abs(sine) >= 1
    return np.where(off, 1e6, radius * np.arcsin(np.clip(sine, -1, 1))), y


def smeared(seen: Shade, shot: Shot) -> Shade:
    """Out of focus, moved, or neither."""
    if shot.blur_px:
        radius = int(np.ceil(shot.blur_px))
        rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
        disc = np.clip(shot.blur_px + 0.5 - np.hypot(rows, columns), 0, 1)
        return np.asarray(cv2.filter2D(seen, -1, disc / disc.sum()))
    if shot.motion_px:
        size = int(np.ceil(shot.motion_px)) | 1
        path = np.zeros((size, size))
        step = np.linspace(-0.5, 0.5, 8 * size) * shot.motion_px
        angle = np.radians(shot.motion_deg)
        at = (np.rint([step * np.sin(angle), step * np.cos(angle)]) + size // 2).astype(int).clip(0, size - 1)
        np.add.at(path, tuple(at), 1.0)
        return np.asarray(cv2.filter2D(seen, -1, path / path.sum()))
    return seen


def glare(rows: Shade, columns: Shade, shot: Shot) -> Shade:
    """A lamp's reflection: burnt out in its middle, fading at its edge."""
    radius = shot.glare * 41 * shot.module_px / 2
    x, y = (shot.middle[axis] + shot.glare_at[axis] * 41 * shot.module_px / 2 for axis in (0, 1))
    return np.asarray(600 / (1 + np.exp((np.hypot(columns - x, rows - y) / radius - 1) * 8)))


def worse(kind: str, chance: np.random.Generator) -> Iterator[Shot]:
    """One hand's photo, from harmless to hopeless."""
    module_px = float(chance.uniform(4.0, 9.0))
    if kind in {"bending", "tilt"}:
        module_px = float(chance.uniform(5.0, 9.0))
    middle = (float(chance.uniform(600, 1000)), float(chance.uniform(450, 750)))
    shot = Shot(module_px=module_px, turn_deg=float(chance.uniform(-180, 180)), middle=middle)
    angle, at = float(chance.uniform(0, 180)), tuple(float(value) for value in chance.uniform(-0.5, 0.5, 2))
    growths: dict[str, Callable[[float], Shot]] = {
        "blur": lambda share: replace(shot, blur_px=share * 2.5 * module_px),
        "motion": lambda share: replace(shot, motion_px=share * 5 * module_px, motion_deg=angle),
        "small": lambda share: replace(shot, module_px=3.2 - 2.4 * share),
        "tilt": lambda share: replace(shot, tilt_deg=45 + 35 * share),
        "bending": lambda share: replace(shot, bend_deg=90 + 89 * share),
        "glare": lambda share: replace(shot, glare=0.2 + 0.7 * share, glare_at=(at[0], at[1])),
    }
    for step in range(WORST):
        yield growths[kind](step / (WORST - 1))


def first_unread(kind: str, chance: np.random.Generator) -> bytes | None:
    """The first photo of a hand's series in which nothing is read; None where even the last is read."""
    pack = label(chance)
    for shot in worse(kind, chance):
        data = photograph(pack, shot, chance)
        if not scan_photo(data).symbols:
            return data
    return None


def main() -> None:
    """Print the share of right advice by fault."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--each", type=int, default=20, help="pictures of each fault")
    arguments.add_argument("--faults", nargs="+", choices=RIGHT, default=list(RIGHT), help="these only")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep", type=Path, help="write the pictures into this folder")
    options = arguments.parse_args()
    chance = np.random.default_rng(options.seed)
    right = total = 0
    for kind, wanted in ((kind, RIGHT[kind]) for kind in options.faults):
        said: Counter[str] = Counter()
        for _hand in range(MOST_HANDS * options.each):
            data = first_unread(kind, chance) if said.total() < options.each else None
            if data is None:
                continue
            advice = scan_photo(data).advice
            said[advice.code if advice else "read"] += 1
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                name = f"{kind}-{said.total():02}-{advice.code if advice else 'read'}.jpg"
                (options.keep / name).write_bytes(data)
        right, total = right + said[wanted], total + said.total()
        others = ", ".join(f"{code} {count}" for code, count in said.most_common() if code != wanted)
        print(
            f"{kind:8} {wanted:12} {said[wanted]:3d} of {said.total()}" + (f"; {others}" if others else ""), flush=True
        )
    print(f"right    {100 * right / total:.0f} %")


if __name__ == "__main__":
    main()
