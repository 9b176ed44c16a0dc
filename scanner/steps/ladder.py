"""Stage 4, decode: the order of the steps that prepare a picture that was not read as it is.

Every step is a picture in, a picture out, at most 1,600 px, in 1 to 6 ms; zxing-cpp then reads the result. First comes
what reads most for its time; `benchmarks/read.py --ablate` prints what is lost without each.
"""

from collections.abc import Callable
from dataclasses import dataclass

from scanner.photo.open import Gray
from scanner.steps.double import double
from scanner.steps.even_light import even_light
from scanner.steps.gamma import gamma
from scanner.steps.local_threshold import local_threshold
from scanner.steps.thicken import thicken

LADDER_PX = 1600
"""Longest side on the ladder: beyond it a step costs more and reads no more."""

_SMALL_PX = 800


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step. `prepare` takes and gives `uint8[h, w]`; `side_px` is the longest side that it is worth."""

    name: str
    prepare: Callable[[Gray], Gray]
    side_px: int = LADDER_PX


RUNGS = (
    Rung(name="gamma 3", prepare=gamma),
    Rung(name="local threshold", prepare=local_threshold),
    Rung(name="double", prepare=double, side_px=_SMALL_PX),
    Rung(name="even light", prepare=even_light),
    Rung(name="thicken", prepare=thicken),
)
"""The ladder, in order. `side_px` skips a rung for larger pictures."""
