"""Photos of codes."""

from io import BytesIO

from PIL import Image

from authcode.qr.codewords import Level
from authcode.qr.segments import segments_of
from authcode.qr.symbol import draw_symbol
from keys.format.records import Form


def photo_of(*codes: tuple[str, Form]) -> BytesIO:
    """A picture of symbols side by side, six pixels a module."""
    pieces = []
    for code, form in codes:
        dark = draw_symbol(segments_of(code, form), Level.M).modules
        symbol = Image.fromarray(((~dark) * 255).astype("uint8")).resize([6 * side for side in dark.shape[::-1]], 0)
        piece = Image.new("L", (symbol.width + 120, symbol.height + 120), 255)
        piece.paste(symbol, (60, 60))
        pieces.append(piece)
    whole = Image.new("L", (sum(p.width for p in pieces), max(p.height for p in pieces)), 255)
    left = 0
    for piece in pieces:
        whole.paste(piece, (left, 0))
        left += piece.width
    stream = BytesIO()
    whole.save(stream, "PNG")
    stream.seek(0)
    return stream


def foreign_photo(text: str) -> BytesIO:
    import qrcode

    stream = BytesIO()
    qrcode.make(text, box_size=6).save(stream)
    stream.seek(0)
    return stream
