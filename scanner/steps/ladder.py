"""Stage 4, decode: the order of the steps that prepare a picture that was not read as it is.

Every step is a picture in, a picture out, at most 2,400 px, in 1 to 10 ms; zxing-cpp then reads the result. First comes
what reads most for its time: `benchmarks/read.py --order` measures every step on every picture that is not read as it
is and prints the order, `--ablate` what is lost without each.
"""

from collections.abc import Callable
from dataclasses import dataclass

from scanner.photo.open import Gray
from scanner.steps.contrast import contrast
from scanner.steps.double import double
from scanner.steps.even_light import even_light
from scanner.steps.gamma import brighten, darken
from scanner.steps.local_threshold import local_threshold
from scanner.steps.sharpen import sharpen
from scanner.steps.stretch import stretch_x, stretch_y
from scanner.steps.thicken import thicken

LADDER_PX = 2400
"""Longest side on the ladder; larger pictures are halved until they fit, so that labels far away keep their modules."""

_SMALL_PX = 800


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step. `prepare` takes and gives `uint8[h, w]`; `side_px` is the longest side that it is worth."""

    name: str
    prepare: Callable[[Gray], Gray]
    side_px: int = LADDER_PX


RUNGS = (
    Rung(name="double", prepare=double, side_px=_SMALL_PX),
    Rung(name="gamma 3", prepare=darken),
    Rung(name="local threshold", prepare=local_threshold),
    Rung(name="sharpen", prepare=sharpen),
)
"""The ladder before WeChat's decoder, in order. `side_px` skips a rung for larger pictures."""

LATE_RUNGS = (
    Rung(name="stretch x", prepare=stretch_x),
    Rung(name="thicken", prepare=thicken),
    Rung(name="gamma 0.4", prepare=brighten),
    Rung(name="stretch y", prepare=stretch_y),
    Rung(name="even light", prepare=even_light),
    Rung(name="contrast", prepare=contrast),
)
"""The rungs after it: what they read besides, it mostly reads for less than all of them take."""

RUNGS_FOR_MORE = (Rung(name="gamma 0.4", prepare=brighten), Rung(name="even light", prepare=even_light))
"""The rungs for a picture of which something was read and something seems left."""
