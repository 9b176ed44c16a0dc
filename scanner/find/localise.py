"""Stage 4, decode: where symbols seem to be, before they are read.

Two questions about finder patterns (ISO/IEC 18004, clause 6.3.3: dark and light in the ratio 1:1:3:1:1): roughly how
many there are, to refuse pictures made to exhaust a decoder, and exactly where they are, to say what is wrong.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from scanner.photo.open import Gray

_ROWS = 32
"""Rows looked at for `crowding`: enough to distinguish a page of labels from a wall of patterns, at a millisecond."""

_LOCAL_MEAN_PX = 129
_RUNS = 5
_FINDER_RUNS = np.array([1, 1, 3, 1, 1], dtype=np.float32)
FINDER_MODULES = 7
"""Modules across a finder pattern."""

_AREA_TOLERANCE = 2.0
_MAX_ASPECT = 5.0  # a symbol leaning away by 78 degrees
_MIN_FINDER_PX = 7.0
_DRAWN_OUT = 2.5
_MAX_HITS = 1500  # photos of screens have up to 1,070; beyond are noise and walls of patterns, and seconds of outlines
_MAX_NESTS = 3000  # a sheet of 320 labels has 960 patterns; beyond this it is a texture, and costs time


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowding:
    """How much of a picture looks like finder patterns.

    Attributes:
        hits: 1:1:3:1:1 sequences met along 32 rows.
        finders: estimated number of patterns in the whole picture, from the hits and their sizes.
    """

    hits: int
    finders: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """One finder pattern: its centre, its module and its outline `float32[n, 2]`, in pixels of the picture."""

    x: float
    y: float
    module_px: float
    outline: npt.NDArray[np.float32] = field(compare=False, repr=False)


_CHANCE = np.random.default_rng()


def crowding(gray: Gray) -> Crowding:
    """Estimate the number of finder patterns from 32 rows, in about a millisecond for any size.

    The time of every decoder grows with the number of patterns, at worst with its cube: zxing-cpp took 50 s on 16
    megapixels tiled with them, WeChat's decoder 5 s on 0.6.
    """
    step = max(1, gray.shape[0] // _ROWS)
    # One row of each stripe by chance: fixed ones could be left empty by an attacker, to make the decoder run on.
    stripes = np.arange(0, gray.shape[0] - step + 1, step)
    rows = np.ascontiguousarray(gray[stripes + _CHANCE.integers(0, step, len(stripes))])
    _, _, modules = finder_runs(rows)
    return Crowding(hits=len(modules), finders=float((step / (3 * modules)).sum()))


def finder_runs(rows: Gray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The 1:1:3:1:1 sequences along the rows of `uint8[n, w]`, against the mean of their surroundings.

    Returns:
        Of each sequence: its row, the x of its middle, and its module, in pixels.
    """
    width = min(_LOCAL_MEAN_PX, rows.shape[1] | 1)
    dark = rows < np.asarray(cv2.blur(rows, (width, 1), borderType=cv2.BORDER_REPLICATE))
    dark[:, 0] = dark[:, -1] = False  # a run never goes on into the next row as dark
    line = dark.ravel()
    edges = np.flatnonzero(line[1:] != line[:-1])
    if len(edges) <= _RUNS + 1:
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    dark_first = edges[0 if line[edges[0] + 1] else 1 :]
    lengths = np.diff(dark_first).astype(np.float32)
    runs = [lengths[at : len(lengths) - _RUNS + 1 + at : 2] for at in range(_RUNS)]
    modules = np.sum(runs, axis=0) / FINDER_MODULES
    hit = np.arange(len(modules))
    for at in (2, 0, 4, 1, 3):  # the middle refuses most, so the others are compared for few
        module = modules[hit]
        wanted = _FINDER_RUNS[at] * module
        hit = hit[np.abs(runs[at][hit] - wanted) <= wanted / 2 + 0.5]
    found = modules[hit].astype(np.float64)
    row, begin = np.divmod(dark_first[2 * hit] + 1, rows.shape[1])
    return row, begin + FINDER_MODULES * found / 2, found


def find_finders(gray: Gray) -> list[Finder]:
    """Finder patterns as three nested outlines with areas near 49 : 25 : 9, in 10 to 30 ms at 1,600 px.

    None where so much looks like one that it is a texture.
    """
    if crowding(gray).hits > _MAX_HITS:
        return []
    window = max(3, min(gray.shape) // 8 | 1)
    dark = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, 7)
    outlines, family = cv2.findContours(dark, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    if family is None:
        return []
    child = np.asarray(family, dtype=np.int64)[0, :, 2]
    core = np.where(child >= 0, child[child], -1)  # the outline inside the outline inside
    finders = []
    for outer in np.flatnonzero(core >= 0)[:_MAX_NESTS]:
        nest = (outlines[outer], outlines[child[outer]], outlines[core[outer]])
        finder = _finder(*(np.asarray(outline, dtype=np.int32) for outline in nest))
        finders += [finder] if finder else []
    return finders


def find_small_finders(gray: Gray) -> list[Finder]:
    """Finder patterns whose rings are about a pixel wide: twice the size first."""
    return _find_drawn_out(gray, 2 * np.eye(2))


def find_leaning_finders(gray: Gray, angle_deg: float) -> list[Finder]:
    """Finder patterns of symbols that lean so far away that their rings are lost: drawn out along `angle_deg` first."""
    along = np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
    return _find_drawn_out(gray, np.eye(2) + (_DRAWN_OUT - 1) * np.outer(along, along))


def _find_drawn_out(gray: Gray, turn: npt.NDArray[np.float64]) -> list[Finder]:
    """The finder patterns of the picture after the linear map `turn`, where they are in the picture itself."""
    size = np.array(gray.shape[::-1])
    reach = np.abs(turn) @ size
    shift = (reach - turn @ size) / 2
    to = (int(reach[0]), int(reach[1]))
    drawn = cv2.warpAffine(
        gray, np.column_stack([turn, shift]), to, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    back, scale = np.linalg.inv(turn), float(np.linalg.det(turn)) ** 0.5
    finders = []
    for finder in find_finders(np.asarray(drawn, dtype=np.uint8)):
        x, y = back @ (np.array([finder.x, finder.y]) - shift)
        outline = ((finder.outline - shift) @ back.T).astype(np.float32)
        finders.append(Finder(x=x, y=y, module_px=finder.module_px / scale, outline=outline))
    return finders


def _finder(*outlines: npt.NDArray[np.int32]) -> Finder | None:
    """The finder pattern that three nested outlines form, if sizes and centres agree."""
    boxes = [cv2.minAreaRect(outline) for outline in outlines]
    areas = [max(1.0, box[1][0] * box[1][1]) for box in boxes]
    if areas[0] < _MIN_FINDER_PX**2:
        return None
    wanted = (49 / 25, 25 / 9)
    ratios = (areas[0] / areas[1], areas[1] / areas[2])
    if any(
        not want / _AREA_TOLERANCE < ratio < want * _AREA_TOLERANCE for want, ratio in zip(wanted, ratios, strict=True)
    ):
        return None
    (x, y), (width, height), _ = boxes[0]
    module_px = (width * height) ** 0.5 / FINDER_MODULES
    (inner_x, inner_y), _, _ = boxes[2]
    if abs(x - inner_x) + abs(y - inner_y) > 2 * module_px or max(width, height) > _MAX_ASPECT * min(width, height):
        return None
    outline = outlines[0].reshape(-1, 2).astype(np.float32)
    return Finder(x=x, y=y, module_px=module_px, outline=outline)
