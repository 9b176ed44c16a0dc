"""Where a print station reads its token: a private file or the environment, never the command line."""

import os
from pathlib import Path
from typing import Final

from authcode.client.errors import TokenFileReadable, TokenNotGiven
from authcode.client.token_format import token_prefix
from keys.base.files import mode_for_others

VARIABLE: Final = "AUTHCODE_TOKEN"
_MAX_FILE_BYTES: Final = 1024


def read_token() -> str:
    """The token of this machine: from the file that AUTHCODE_TOKEN_FILE names, else AUTHCODE_TOKEN itself.

    Raises:
        TokenFileReadable: the file is open to others than its owner.
        TokenNotGiven: there is none, or it does not have the form of one.
    """
    named = os.environ.get(f"{VARIABLE}_FILE")
    given = _read_file(Path(named)) if named else os.environ.get(VARIABLE, "").strip()
    if not given:
        raise TokenNotGiven("there is no token to show to the server")
    if token_prefix(given) is None:
        raise TokenNotGiven("what was given as the token does not have the form of one")
    return given


def _read_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = mode_for_others(file)
            if mode is not None:
                raise TokenFileReadable(path, mode)
            return file.read(_MAX_FILE_BYTES).decode("ascii", "replace").strip()
    except OSError as error:
        raise TokenNotGiven(f"the token file {path} cannot be read ({error.strerror})") from None
