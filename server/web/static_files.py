"""Our stylesheets, scripts and icon. Their addresses change with their content."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Response, request, send_from_directory, url_for

_FOLDER = Path(__file__).parent / "static"
_MAX_AGE_S = 365 * 24 * 3600  # only under an address that changes with the content


def static_address(endpoint: str, filename: str) -> str:
    """The address of a file below a blueprint's own `endpoint`, with its version, so that it may be kept for a year."""
    return url_for(endpoint, filename=filename, v=_version(filename))


def send_static(filename: str) -> Response:
    """The file; a browser may keep it if the address names this version."""
    response = send_from_directory(_FOLDER, filename)  # 404 before the file is read
    if request.args.get("v") == _version(filename):
        response.cache_control.public, response.cache_control.max_age = True, _MAX_AGE_S
        response.cache_control.no_cache = None
    return response


@cache
def _version(filename: str) -> str:
    return sha256((_FOLDER / filename).read_bytes()).hexdigest()[:12]
