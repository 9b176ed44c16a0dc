"""Part 3 of the story: the sheet is rendered by a renderer that is not ours, photographed, and read by the scanner."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from scanner import read_symbols
from server.demo.camera import Picture, photograph, render_page
from server.demo.preparation import DemoOrder
from server.demo.process import run_command

SEARCH_S: Final = 20.0
"""Time to find all symbols of a whole page at print resolution; the photos are read at the usual deadline."""
SURROUNDINGS: Final = 0.35
"""How much of the label's surroundings the camera sees, as a share of the symbol's side."""


def photograph_codes(order: DemoOrder, indices: Sequence[int]) -> list[Path]:
    """Take a photo of each of these codes on the first sheet; returns the JPEG files, in that order."""
    page = render_page(order.sheet)
    corners = {symbol.text: symbol.corners for symbol in read_symbols(page, deadline_s=SEARCH_S)}
    folder = order.folder / "photos"
    folder.mkdir(exist_ok=True)
    photos = []
    for index in indices:
        scene = _cut(page, np.asarray(corners[order.codes[index]]))
        path = folder / f"{index:06}.jpg"
        path.write_bytes(photograph(scene, seed=index))
        photos.append(path)
    return photos


def read_photos(home: Path, order: DemoOrder, indices: Sequence[int], photos: Sequence[Path]) -> list[bool]:
    """For each photo whether `authcode scan` read exactly the code that was photographed, and knew it as ours."""
    printed = run_command(home, "scan", "--json", *map(str, photos))
    readings = [json.loads(line) for line in printed.splitlines()]
    return [
        any(symbol["text"] == order.codes[index] and symbol["ours"] for symbol in reading["symbols"])
        for index, reading in zip(indices, readings, strict=True)
    ]


def _cut(page: Picture, corners: np.ndarray) -> Picture:
    """The part of the page round a symbol, bounded by the page."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = SURROUNDINGS * float((high - low).max())
    left, top = np.maximum(low - margin, 0).astype(int)
    right, bottom = (high + margin).astype(int)
    return np.ascontiguousarray(page[top:bottom, left:right])
