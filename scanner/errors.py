"""Stage 3, photo: the reasons why a picture is refused.

Every leaf descends from `AuthcodeError`; the sentence names the remedy, the facts are attributes. No message carries
any byte of the picture or the text of a code.
"""

from pathlib import Path
from typing import ClassVar

from keys.base.errors import AuthcodeError

TAKEN = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP, TIFF or PDF"


class PhotoError(AuthcodeError):
    """Root of every refusal of a picture: `open_photo` raises nothing else, whatever the bytes."""

    code = "photo_error"


class PhotoEmpty(PhotoError):
    """The upload or file holds no byte."""

    code = "photo_empty"
    sentence = f"the picture is empty (0 bytes); choose the photo again, {TAKEN}"


class PhotoTooLarge(PhotoError):
    """The file is longer than the limit."""

    code = "photo_too_large"
    http_status = 413
    sentence = "the picture has {size_bytes} bytes, at most {limit_bytes} are taken; send a smaller one"
    size_bytes: int
    limit_bytes: int


class PhotoTooManyPixels(PhotoError):
    """The picture's header announces more pixels, or a longer side, than the limit; nothing was decoded."""

    code = "photo_too_many_pixels"
    http_status = 413
    sentence = (
        "the picture measures {width} x {height} pixels, at most {limit_px} pixels and {limit_side} along a side are "
        "taken; send a smaller one"
    )
    width: int
    height: int
    limit_px: int
    limit_side: int


class PhotoUnreadable(PhotoError):
    """The bytes are not a picture of a kind that is taken, or a damaged one."""

    code = "photo_unreadable"
    http_status = 415
    sentence = f"{{what}}; send a photo as {TAKEN}"
    found: str  # what the bytes look like: JPEG, PNG, HEIC or unknown

    @property
    def what(self) -> str:
        """The refused file, as a clause."""
        if self.found == "unknown":
            return "the file is not a picture that can be read"
        return f"this {self.found} cannot be read"


class PhotoTruncated(PhotoError):
    """The picture breaks off before its end: an upload or a copy that stopped half-way."""

    code = "photo_truncated"
    sentence = "the {found} breaks off after {size_bytes} bytes; send or copy the whole file again"
    found: str
    size_bytes: int


class PhotoTooCostly(PhotoError):
    """Reading the picture took more time or memory than one picture may."""

    code = "photo_too_costly"
    http_status = 413
    sentence = "reading this picture takes more time or memory than one may; send a smaller one"


class PhotosBusy(AuthcodeError):
    """More pictures came than can be read at the moment."""

    code = "photos_busy"
    http_status = 503
    retry_after_s: ClassVar[int] = 5
    """Seconds after which it is worth trying again."""

    sentence = "Many pictures are being read at the moment; send yours again in a few seconds."


class PhotoNotFound(PhotoError):
    """A file that the command line was given does not exist or may not be read."""

    code = "photo_not_found"
    http_status = 404
    sentence = "cannot open {path}: {reason}; check the name"
    path: Path
    reason: str
