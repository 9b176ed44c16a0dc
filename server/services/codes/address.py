"""Stage 5, verify: a code's own address, and which code an address is meant for that is not, byte for byte, one."""

from contextlib import suppress

from authcode.code.address import codes_in, is_cut
from authcode.code.payload import NotOurs, code_from_path, format_code, parse_code
from authcode.code.verify import OnlineOnly, verify_code
from keys.format.records import KeyState
from server.runtime.context import Context


def code_address(ctx: Context, text: str) -> str:
    """The address of the page of a code: the one place that makes it, for redirects, forms and links.

    It is made of the parsed code, and nothing of the request is in it. It is a path: every host of this server answers
    every code, and a redirect to another origin would be stopped after a form (`form-action 'self'`) and leave the
    cookie behind.

    Raises:
        NotOurs: the text does not have the form of a code of a known key.
    """
    _, _, parsed = parse_code(text, ctx.keyrings())
    return f"/{format_code(parsed).removeprefix(parsed.prefix)}"


def names_code(ctx: Context, raw_path: str, query: str) -> bool:
    """Whether an address is the plain one of a code, genuine or forged, of a key that is known."""
    try:
        parse_code(code_from_path(raw_path, query, ctx.keyrings()), ctx.keyrings())
    except NotOurs:
        return False
    return True


def resembles_code(ctx: Context, text: str) -> bool:
    """Whether an address holds what may be a code of a known key: only its signature can tell, which costs time."""
    return next(codes_in(text, ctx.keyrings()), None) is not None


def plain_address(ctx: Context, text: str) -> str | None:
    """The plain address of the code in a damaged address or a pasted link; None where no key vouches for one.

    A withdrawn key leads nowhere: its codes may be answered like forged ones, and a redirect would tell them apart.
    """
    keyrings = ctx.keyrings()
    for candidate in codes_in(text, keyrings):
        with suppress(NotOurs, OnlineOnly):
            key = verify_code(candidate, keyrings, mac_keys=ctx.keys.mac).key
            if key.state is not KeyState.WITHDRAWN:
                return code_address(ctx, candidate)
    return None


def is_cut_address(ctx: Context, raw_path: str, query: str) -> bool:
    """Whether an address is the beginning of one of a code of ours."""
    return is_cut(raw_path, query, ctx.keyrings())
