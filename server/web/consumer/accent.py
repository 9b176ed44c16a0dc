"""The brand's accent colour as a stylesheet of its own: pages have no inline style, and each brand has its colour."""

from http import HTTPStatus

from flask import Response, abort, url_for

from server.domain.brands.accent import is_colour, shades_of
from server.web.visit import context

_MAX_AGE_S = 24 * 3600  # the address names the colour, so that another colour is another address
_SHEET = """:root {{ --accent: {0.light}; --on-accent: #ffffff; --accent-press: {0.light_press}; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --accent: {0.dark}; --on-accent: #121518; --accent-press: {0.dark_press}; }}
}}
"""


def accent_sheet(colour: str) -> Response:
    """The shades of a colour, for light and dark."""
    if not is_colour(f"#{colour}"):
        abort(HTTPStatus.NOT_FOUND)
    sheet = _SHEET.format(shades_of(f"#{colour}"))
    return Response(sheet, mimetype="text/css", headers={"Cache-Control": f"public, max-age={_MAX_AGE_S}"})


def accent_address(brand_id: str | None) -> str | None:
    """The address of a brand's stylesheet; None where it has chosen no colour, or where no brand is meant."""
    colour = None if brand_id is None else context().keyrings.brand(bytes.fromhex(brand_id)).accent
    return None if colour is None else url_for("consumer.accent_sheet", colour=colour[1:])
