"""Stage 3, photo: the reasons why a picture is refused.

Every leaf descends from `AuthcodeError`; the sentence says what to do, the facts are attributes. No message carries any
byte of the picture or the text of a code.
"""

from pathlib import Path
from typing import ClassVar

from keys.base.errors import AuthcodeError

TAKEN = "JPEG, PNG or WebP"


class PhotoError(AuthcodeError):
    """Root of every refusal of a picture: `open_photo` raises nothing else, whatever the bytes."""

    code: ClassVar[str] = "photo_error"


class PhotoEmpty(PhotoError):
    """The upload or file holds no byte."""

    code = "photo_empty"

    def __init__(self) -> None:
        """Carry nothing: there is nothing."""
        super().__init__(f"the picture is empty (0 bytes); choose the photo again, {TAKEN}")


class PhotoTooLarge(PhotoError):
    """The file is longer than the limit."""

    code = "photo_too_large"
    http_status = 413

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        """Carry both lengths in bytes."""
        super().__init__(f"the picture has {size_bytes} bytes, at most {limit_bytes} are taken; send a smaller one")
        self.size_bytes, self.limit_bytes = size_bytes, limit_bytes


class PhotoTooManyPixels(PhotoError):
    """The picture's header announces more pixels, or a longer side, than the limit; nothing was decoded."""

    code = "photo_too_many_pixels"
    http_status = 413

    def __init__(self, width: int, height: int, limit_px: int, limit_side: int) -> None:
        """Carry width and height as announced and both limits, all in pixels."""
        super().__init__(
            f"the picture measures {width} x {height} pixels, at most {limit_px} pixels and {limit_side} along a side "
            "are taken; send a smaller one"
        )
        self.width, self.height, self.limit_px, self.limit_side = width, height, limit_px, limit_side


class PhotoUnreadable(PhotoError):
    """The bytes are not a picture of a kind that is taken, or a damaged one."""

    code = "photo_unreadable"
    http_status = 415

    def __init__(self, found: str) -> None:
        """Carry `found`, what the bytes look like: `JPEG`, `PNG`, `WebP`, `GIF` or `unknown`."""
        what = "the file is not a picture that can be read" if found == "unknown" else f"this {found} cannot be read"
        super().__init__(f"{what}; send a photo as {TAKEN}")
        self.found = found


class PhotoTruncated(PhotoError):
    """The picture breaks off before its end: an upload or a copy that stopped half-way."""

    code = "photo_truncated"

    def __init__(self, found: str, size_bytes: int) -> None:
        """Carry the kind of picture and how many bytes arrived."""
        super().__init__(f"the {found} breaks off after {size_bytes} bytes; send or copy the whole file again")
        self.found, self.size_bytes = found, size_bytes


class PhotoAnimated(PhotoError):
    """The picture has more than one frame: a code in a film is a recording, not a photo."""

    code = "photo_animated"
    http_status = 415

    def __init__(self, found: str) -> None:
        """Carry the kind of picture."""
        super().__init__(f"this {found} is animated; send one still photo as {TAKEN}")
        self.found = found


class PhotoTooCostly(PhotoError):
    """Reading the picture took more time or memory than one picture may."""

    code = "photo_too_costly"
    http_status = 413

    def __init__(self) -> None:
        """Carry nothing: the reader was ended, and what it held is gone."""
        super().__init__("reading this picture takes more time or memory than one may; send a smaller one")


class PhotosBusy(AuthcodeError):
    """More pictures came than can be read at the moment."""

    code: ClassVar[str] = "photos_busy"
    http_status: ClassVar[int] = 503
    retry_after_s: ClassVar[int] = 5
    """Seconds after which it is worth trying again."""

    def __init__(self) -> None:
        """Say when to come again."""
        super().__init__("Many pictures are being read at the moment; send yours again in a few seconds.")


class PhotoNotFound(PhotoError):
    """A file that the command line was given does not exist or may not be read."""

    code = "photo_not_found"
    http_status = 404

    def __init__(self, path: Path, reason: str) -> None:
        """Carry the path and the system's reason."""
        super().__init__(f"cannot open {path}: {reason}; check the name")
        self.path, self.reason = path, reason
