"""The written form of a print station's token: how both sides recognise one before anything is sent."""

import base64
import re
from typing import Final

PREFIX_CHARS: Final = 8
"""The public part, by which people and the server's table name a token."""

_FORM = re.compile(rf"authcode_([0-9a-f]{{{PREFIX_CHARS}}})_[A-Za-z0-9_-]{{43}}", re.ASCII)


def format_token(public: bytes, secret: bytes) -> str:
    """The token of 4 public and 32 secret random bytes; it begins with a word that secret scanners can look for."""
    return f"authcode_{public.hex()}_{base64.urlsafe_b64encode(secret).decode('ascii').rstrip('=')}"


def token_prefix(text: str) -> str | None:
    """The public part of a token, None for a text that does not have the form of one."""
    found = _FORM.fullmatch(text)
    return found.group(1) if found else None
