"""The sentences for staff about a picture without a code of ours."""

from collections.abc import Mapping
from typing import Final

from authcode.code.foreign import ForeignText
from keys.format.domains import Listing
from scanner import AdviceCode
from server.services.queries.photo_search import PhotoFind


def why_no_code(found: PhotoFind) -> str:
    """Why there is none; a host that a brand lists is named as what the brand knows it for."""
    if found.unregistered:
        return "The picture holds a code of ours that no batch has: a manifest is late, or a signing key has leaked."
    if found.foreign:
        hosts = list(dict.fromkeys(_host_words(text) for text in found.foreign if text.host))
        where = (
            f"It leads to {', '.join(hosts)}; we did not open it." if hosts else "It is no web address that is clear."
        )
        return f"The picture holds a code that is not ours. {where}"
    return _ADVICE[found.advice.code if found.advice else AdviceCode.NO_CODE]


def _host_words(text: ForeignText) -> str:
    if text.listed is None:
        return str(text.host)
    kind = "a look-alike" if text.listed.listing is Listing.LOOKALIKE else "a partner"
    return f"{text.host} (on the list of {text.listed.brand}: {kind})"


_ADVICE: Final[Mapping[AdviceCode, str]] = {
    AdviceCode.MOVE_CLOSER: "No code was read: it is too small in the picture.",
    AdviceCode.HOLD_STILL: "No code was read: the picture is blurred.",
    AdviceCode.TILT: "No code was read: it is seen too much from the side.",
    AdviceCode.BENT: "No code was read: it goes around a curve.",
    AdviceCode.ONE_CODE_AT_A_TIME: "No code was read: there are too many in the picture, each too small.",
    AdviceCode.TOO_DARK: "No code was read: the picture is too dark.",
    AdviceCode.TOO_BRIGHT: "No code was read: the picture is too bright.",
    AdviceCode.GLARE: "No code was read: light is reflected where it should be.",
    AdviceCode.WHOLE_CODE: "No code was read: a part of it, or of its white border, is missing.",
    AdviceCode.NO_CODE: "No code was seen in the picture.",
}
