"""Stage 4, decode: the decoders that are not ours, each behind one call that takes grey and gives readings.

A decoder only ever sees pixels; what it returns is a claim. Whether a text is ours is settled by its signature.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from scanner.contents import readable
from scanner.photo.open import Gray

Point = tuple[float, float]
"""x to the right and y down, in pixels from the middle of the top left pixel."""

Corners = tuple[Point, Point, Point, Point]
"""Corners of a symbol without quiet zone, in its own orientation: top left, top right, bottom right, bottom left."""

_POINTS = 4
_WITHOUT_ECI = "]Q1"  # ISO/IEC 15424: model 2, no ECI


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The result of a decoder for one symbol; `text` is None for one that it found and could not decode."""

    text: str | None
    corners: Corners


def corners_of(points: Sequence[Sequence[float]] | npt.NDArray[np.float64]) -> Corners:
    """Four points as `Corners`."""
    a, b, c, d = ((float(x), float(y)) for x, y in points)
    return a, b, c, d


def read_with_zxing(gray: Gray) -> list[Reading]:
    """All QR symbols that zxing-cpp finds, those included that it cannot decode.

    Model 2 only (ISO/IEC 18004): with any QR code allowed, textures are taken for Micro QR. Plain text, since every
    other mode adds to the contents of the symbol.
    """
    found = zxingcpp.read_barcodes(
        gray,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2),
        text_mode=zxingcpp.TextMode.Plain,
        return_errors=True,
    )
    readings = []
    for symbol in found:
        place = symbol.position
        points = [(p.x, p.y) for p in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)]
        text = readable(symbol.bytes, symbol.text) if symbol.symbology_identifier == _WITHOUT_ECI else symbol.text
        readings.append(Reading(text=(text or None) if symbol.valid else None, corners=corners_of(points)))
    return readings


def has_wechat() -> bool:
    """Whether this OpenCV carries WeChat's decoder (the contrib builds do)."""
    return hasattr(cv2, "wechat_qrcode_WeChatQRCode")


def read_with_wechat(gray: Gray) -> list[Reading]:
    """The symbol that WeChat's decoder finds, at most one as a rule; without model files it takes the whole picture.

    The binding raises on contents that are not UTF-8 and on odd sizes; both count as not read.
    """
    try:
        # The stubs lack the contrib modules; builds whose stubs have them need no exception.
        texts, places = cv2.wechat_qrcode_WeChatQRCode().detectAndDecode(gray)  # type: ignore[attr-defined, unused-ignore]
    except (cv2.error, UnicodeDecodeError):
        return []
    return [
        Reading(text=str(text), corners=corners_of(np.asarray(place, dtype=np.float64)))
        for text, place in zip(texts, places, strict=False)
        if text and len(place) == _POINTS
    ]
