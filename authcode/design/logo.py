"""Stage 2, print: a brand's logo, from an untrusted file to the largest place in a symbol that still reads."""

import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from authcode.design.margin import margin_of
from authcode.qr.codewords import Level, alignment_centres, symbol_width
from keys.base.errors import AuthcodeError

MAX_LOGO_BYTES: Final = 8 * 1024 * 1024
"""No logo that is worth printing five millimetres wide needs a larger file."""
MAX_LOGO_PIXELS: Final = 25_000_000
"""Checked on the header, before anything is decoded: 100 MB of memory at four bytes a pixel."""
LOGO_SIDE_PX: Final = 480
"""A larger logo is scaled down to this: 1,200 dpi at 10 mm, and small enough to be in every SVG file."""
MIN_LOGO_MODULES: Final = 3.0
"""Below this width or height, about 1 mm in print, a logo is a stain."""
KEPT_CORRECTION: Final = 0.5
"""Share of every block's correction that a logo leaves for dirt, scratches and bad light."""
CLEAR_MODULES: Final = 1
"""White around the logo, so that its edge is not read as modules."""

_FORMATS: Final = ("PNG", "JPEG", "WEBP")


class LogoUnreadable(AuthcodeError):
    """A logo file cannot be opened as a still picture."""

    code = "logo_unreadable"
    sentence = "the logo cannot be used: {reason}; give a still picture as PNG, JPEG or WebP"
    reason: str


class LogoTooLarge(AuthcodeError):
    """A logo file is larger than the limits for decoding."""

    code = "logo_too_large"
    http_status = 413
    sentence = "the logo has {measured:,} {unit}, and the limit is {limit:,}: scale it down"
    measured: int
    limit: int
    unit: str


class LogoDoesNotFit(AuthcodeError):
    """No place in the symbol is large enough for the logo and leaves enough error correction."""

    code = "logo_does_not_fit"
    sentence = (
        "in a version {version} symbol of level {level} this logo would be at most {largest[0]:.1f} x {largest[1]:.1f} "
        "modules if {margin:.0%} of the error correction is kept, and it needs {needed:g} in both "
        "directions: choose a higher level or a more compact logo"
    )
    version: int
    level: Level
    largest: tuple[float, float]  # modules, width and height
    margin: float
    needed: float = MIN_LOGO_MODULES


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logo:
    """A logo on white, ready to print."""

    pixels: npt.NDArray[np.uint8]
    """uint8[h, w] grey or uint8[h, w, 3] RGB, upright, no side longer than `LOGO_SIDE_PX`, read only."""

    @property
    def width_px(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def grey(self) -> bool:
        """Whether the logo has no colours, so that it prints with black ink only."""
        return self.pixels.ndim == 2  # noqa: PLR2004 (rows and columns, no channels)

    def scaled(self, width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
        """The logo resampled to a size in pixels, in its own mode."""
        picture = Image.fromarray(self.pixels).resize((width_px, height_px), Image.Resampling.LANCZOS)
        return np.asarray(picture, dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoPlacement:
    """Where a logo is in a symbol. Lengths in modules, from the symbol's top left, quiet zone excluded."""

    x0: float
    y0: float
    w: float
    h: float
    """The logo itself, in its own aspect ratio."""
    clear_x0: int
    clear_y0: int
    clear_w: int
    clear_h: int
    """Whole modules that are left white: the logo and at least `CLEAR_MODULES` around it."""
    margin: float
    """Share of the error correction that the cleared modules leave in the poorest block: see `margin_of`."""

    def clear(self, modules: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """A copy of bool[n, n] modules (True is dark) with the logo's place white."""
        cleared = modules.copy()
        cleared[self.clear_y0 : self.clear_y0 + self.clear_h, self.clear_x0 : self.clear_x0 + self.clear_w] = False
        return cleared


def load_logo(path: Path) -> Logo:
    """Read a logo file: bounded before decoding, upright, transparency on white.

    1. Bound the bytes.   2. Bound the pixels, by the header alone.   3. Refuse animations.   4. Decode.
    5. Flatten on white and scale down.

    Raises:
        LogoTooLarge: more than `MAX_LOGO_BYTES` or `MAX_LOGO_PIXELS`.
        LogoUnreadable: no such file, not a PNG, JPEG or WebP, damaged, or animated.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LOGO_BYTES + 1)
    except OSError as error:
        raise LogoUnreadable(f"{path.name} cannot be opened ({error.strerror})") from error
    if len(data) > MAX_LOGO_BYTES:  # (1)
        raise LogoTooLarge(max(path.stat().st_size, len(data)), MAX_LOGO_BYTES, "bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # our own limit is far below the one the library warns of
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                if (pixels := picture.width * picture.height) > MAX_LOGO_PIXELS:  # (2)
                    raise LogoTooLarge(pixels, MAX_LOGO_PIXELS, "pixels")
                if getattr(picture, "n_frames", 1) > 1:  # (3)
                    raise LogoUnreadable("it is animated")
                picture.load()  # (4)
                return _on_white(picture)  # (5)
        except Image.DecompressionBombError as error:  # raised by the header, at twice the library's limit
            raise LogoTooLarge(2 * (Image.MAX_IMAGE_PIXELS or 0), MAX_LOGO_PIXELS, "pixels") from error
        except (OSError, ValueError, SyntaxError, EOFError, OverflowError) as error:
            raise LogoUnreadable(f"{path.name} is damaged or not a picture") from error


def _on_white(picture: Image.Image) -> Logo:
    """Flatten an opened picture, in any mode, to grey or RGB on white, no side longer than `LOGO_SIDE_PX`."""
    if picture.mode.startswith("I"):  # 16 bits of grey: plain conversion would clip, not scale
        picture = Image.fromarray((np.asarray(picture, dtype=np.uint32) >> 8).astype(np.uint8))
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright).convert("RGB")
    flat.thumbnail((LOGO_SIDE_PX, LOGO_SIDE_PX), Image.Resampling.LANCZOS)
    pixels = np.asarray(flat, dtype=np.uint8)
    if bool((pixels == pixels[:, :, :1]).all()):
        pixels = pixels[:, :, 0]
    pixels = np.ascontiguousarray(pixels)
    pixels.flags.writeable = False
    return Logo(pixels=pixels)


def _cleared_for(scale: float, logo: Logo) -> tuple[int, int]:
    """Odd width and height in modules that hold the logo at `scale` modules a pixel, and the white around it."""
    sides = (logo.width_px * scale + 2 * CLEAR_MODULES, logo.height_px * scale + 2 * CLEAR_MODULES)
    width, height = (2 * math.ceil((side - 1) / 2 - 1e-9) + 1 for side in sides)
    return width, height


def _steps(version: int, logo: Logo) -> list[float]:
    """Scales, rising, in modules a pixel, at which the logo just fills another odd width or height."""
    inner = range(1, symbol_width(version) - 2 * CLEAR_MODULES + 1, 2)
    return sorted({side / pixels for side in inner for pixels in (logo.width_px, logo.height_px)})


def _tops(version: int, height: int) -> list[int]:
    """Rows at which a cleared area of odd height may begin, the best looking first.

    The middle of the symbol; where an alignment pattern is there (versions 7-13, 21-27, 35-40), as near to it as
    may be, first below it, then above. On bent and tilted packs a symbol whose middle pattern was hidden was read a
    third less often than one with the logo below it.
    """
    side = symbol_width(version)
    middle = (side - height) // 2
    if side // 2 not in alignment_centres(version):
        return [middle]
    return sorted(range(side - height + 1), key=lambda top: (abs(top - middle), -top))


def _place(version: int, level: Level, width: int, height: int, keep: float) -> tuple[int, float] | None:
    """Top row and margin of the first place where a cleared area of whole modules keeps enough, or None."""
    side = symbol_width(version)
    left = (side - width) // 2
    for top in _tops(version, height):
        covered = np.zeros((side, side), dtype=np.bool_)
        covered[top : top + height, left : left + width] = True
        if (margin := margin_of(version, level, covered)) >= keep:
            return top, margin
    return None


def fit_logo(version: int, level: Level, logo: Logo, *, keep: float = KEPT_CORRECTION) -> LogoPlacement:
    """The largest centred place for a logo that keeps a share (above 0, at most 1) of every block's correction.

    The logo keeps its aspect ratio, `CLEAR_MODULES` of white are around it, and no function pattern is covered: where
    one is in the very middle, the logo is centred from left to right and placed just below (see `_tops`). What fits
    at one scale also fits at a smaller one, so the last step that keeps the margin is the largest.

    Raises:
        LogoDoesNotFit: that place is narrower or lower than `MIN_LOGO_MODULES`.
    """
    scale, top, margin = 0.0, 0, 1.0
    for step in _steps(version, logo):
        place = _place(version, level, *_cleared_for(step, logo), keep)
        if place is None:
            break
        scale, (top, margin) = step, place
    w, h = logo.width_px * scale, logo.height_px * scale
    if min(w, h) < MIN_LOGO_MODULES - 1e-9:
        raise LogoDoesNotFit(version, level, (w, h), keep)
    clear_w, clear_h = _cleared_for(scale, logo)
    side = symbol_width(version)
    return LogoPlacement(
        x0=(side - w) / 2,
        y0=top + (clear_h - h) / 2,
        w=w,
        h=h,
        clear_x0=(side - clear_w) // 2,
        clear_y0=top,
        clear_w=clear_w,
        clear_h=clear_h,
        margin=margin,
    )
