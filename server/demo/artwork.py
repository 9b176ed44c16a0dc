"""The demo brand's logo and product pictures, drawn four times too large and scaled down for smooth edges."""

from io import BytesIO

from PIL import Image, ImageDraw

SUPERSAMPLING = 4
LOGO_SIDE_PX = 320
PICTURE_SIZE_PX = (960, 720)

_INK = (24, 61, 61)
_SAND = (240, 233, 221)
_PAPER = (255, 255, 255)
_CLAY = (201, 125, 86)
_LEAF = (92, 131, 116)


def _canvas(width_px: int, height_px: int, colour: tuple[int, int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width_px * SUPERSAMPLING, height_px * SUPERSAMPLING), colour)
    return image, ImageDraw.Draw(image)


def _scaled(*values: float) -> list[float]:
    return [value * SUPERSAMPLING for value in values]


def _png(image: Image.Image) -> bytes:
    size = (image.width // SUPERSAMPLING, image.height // SUPERSAMPLING)
    stream = BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def brand_logo() -> bytes:
    """PNG of the demo brand's mark, a disc with a letter A cut from triangles, `LOGO_SIDE_PX` square."""
    side = LOGO_SIDE_PX
    image, pen = _canvas(side, side, _PAPER)
    pen.ellipse(_scaled(4, 4, side - 4, side - 4), fill=_INK)
    pen.polygon(_scaled(160, 58, 252, 244, 68, 244), fill=_PAPER)
    pen.polygon(_scaled(160, 132, 196, 206, 124, 206), fill=_INK)
    pen.polygon(_scaled(108, 222, 212, 222, 224, 248, 96, 248), fill=_INK)
    return _png(image)


def serum_picture() -> bytes:
    """PNG of a dropper bottle on a table, `PICTURE_SIZE_PX`."""
    width, height = PICTURE_SIZE_PX
    image, pen = _canvas(width, height, _SAND)
    pen.rectangle(_scaled(0, 560, width, height), fill=(226, 214, 196))
    pen.ellipse(_scaled(330, 570, 650, 620), fill=(208, 194, 174))
    pen.rounded_rectangle(_scaled(380, 250, 580, 600), radius=34 * SUPERSAMPLING, fill=_INK)
    pen.rectangle(_scaled(430, 205, 530, 260), fill=_INK)
    pen.rounded_rectangle(_scaled(420, 168, 540, 228), radius=10 * SUPERSAMPLING, fill=_CLAY)
    pen.rounded_rectangle(_scaled(450, 70, 510, 176), radius=30 * SUPERSAMPLING, fill=(60, 60, 60))
    pen.rectangle(_scaled(404, 350, 556, 520), fill=_PAPER)
    pen.polygon(_scaled(480, 372, 520, 456, 440, 456), fill=_INK)
    pen.rectangle(_scaled(424, 476, 536, 482), fill=_CLAY)
    pen.rectangle(_scaled(444, 494, 516, 499), fill=_LEAF)
    return _png(image)


def cream_picture() -> bytes:
    """PNG of a jar with a lid on a table, `PICTURE_SIZE_PX`."""
    width, height = PICTURE_SIZE_PX
    image, pen = _canvas(width, height, (229, 235, 230))
    pen.rectangle(_scaled(0, 560, width, height), fill=(209, 219, 211))
    pen.ellipse(_scaled(240, 570, 740, 630), fill=(188, 201, 191))
    pen.rounded_rectangle(_scaled(280, 330, 680, 604), radius=46 * SUPERSAMPLING, fill=_LEAF)
    pen.rounded_rectangle(_scaled(270, 220, 690, 346), radius=22 * SUPERSAMPLING, fill=_PAPER)
    pen.rectangle(_scaled(270, 318, 690, 324), fill=(214, 218, 214))
    pen.rectangle(_scaled(370, 392, 590, 552), fill=_PAPER)
    pen.polygon(_scaled(480, 408, 516, 482, 444, 482), fill=_INK)
    pen.rectangle(_scaled(404, 504, 556, 510), fill=_CLAY)
    pen.rectangle(_scaled(430, 524, 530, 529), fill=_LEAF)
    return _png(image)
