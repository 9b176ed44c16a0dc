"""Stage 5, verify: which page an address is meant for that is not, byte for byte, the address of a code."""

from contextlib import suppress

from authcode.code.address import codes_in, is_cut
from authcode.code.payload import NotOurs, code_from_path, parse_code
from authcode.code.verify import OnlineOnly, verify_code
from keys.format.records import KeyState
from server.runtime.context import Context


def names_code(ctx: Context, raw_path: str, query: str) -> bool:
    """Whether an address is the plain one of a code, genuine or forged, of a key that is known."""
    try:
        parse_code(code_from_path(raw_path, query, ctx.keyrings()), ctx.keyrings())
    except NotOurs:
        return False
    return True


def plain_address(ctx: Context, text: str) -> str | None:
    """The plain address of the code in a damaged address or a pasted link; None where no key vouches for one.

    It is a prefix of a keyring, in lower case, and the code that was verified: nothing of the request is in it. A
    withdrawn key leads nowhere: its codes may be answered like forged ones, and a redirect would tell them apart.
    """
    keyrings = ctx.keyrings()
    for candidate in codes_in(text, keyrings):
        with suppress(NotOurs, OnlineOnly):
            key = verify_code(candidate, keyrings, mac_keys=ctx.keys.mac).key
            if key.state is not KeyState.WITHDRAWN:
                return f"{key.prefix.lower()}{candidate.removeprefix(key.prefix)}"
    return None


def is_cut_address(ctx: Context, raw_path: str, query: str) -> bool:
    """Whether an address is the beginning of one of a code of ours."""
    return is_cut(raw_path, query, ctx.keyrings())
