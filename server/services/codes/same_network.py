"""Stage 5, verify: whether the network that asks verified the code a moment ago (docs/protocol.md §2 rule 7)."""

from datetime import timedelta

from server.runtime.context import Context
from server.services.codes.attempts import Channel, Request
from server.services.codes.facts import CodeState
from server.storage.engine import Connection
from server.storage.scans import network_of_burn

SAME_NETWORK_WINDOW = timedelta(minutes=15)
"""The time in which a second scan is mostly the same person in another browser, or the same household."""


def is_from_same_network(ctx: Context, connection: Connection, state: CodeState, request: Request) -> bool:
    """Whether the unit was verified moments ago, and from the visitor's network; on pages only.

    Never for a network that is unknown or that many share: there it says nothing about who pressed.
    """
    first, address = state.redemption, request.visitor.address
    if first is None or request.channel is not Channel.PAGE or request.now - first.at > SAME_NETWORK_WINDOW:
        return False
    network = ctx.pseudonyms.marks(address, state.unit.id, now=request.now).unit
    if network is None or ctx.look_limits.is_crowded(address, now=request.now):
        return False
    return network_of_burn(connection, state.unit.id) == network
