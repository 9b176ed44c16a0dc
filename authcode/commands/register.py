"""`authcode batch register`: making an issued order known to a server, later or elsewhere."""

from pathlib import Path

import click

from authcode.client.http_client import Json
from authcode.commands.options import common_options, example, print_answer, read_bounded, server_option, station_at
from authcode.events import announce_batch
from authcode.order.book import OrderBook
from authcode.order.products import is_sku, product_unknown
from keys.base.errors import AuthcodeError
from keys.base.home import home_dir
from keys.format.document import MAX_DOCUMENT_BYTES


class OrderNotIssued(AuthcodeError):
    """No finished order of this name is where one was expected."""

    code = "order_not_issued"
    http_status = 404
    sentence = "order {order!r} cannot be registered: {reason}"
    order: str
    reason: str


class ServerMissing(AuthcodeError):
    """A home without a server's database, and no server was named."""

    code = "server_missing"
    http_status = 404
    sentence = (
        "there is no server's database in {home}; name a server with --server URL, or run `authcode db upgrade` where "
        "one is to be"
    )
    home: Path


@click.command(epilog=example("authcode batch register spring --server https://v.example.com"))
@click.argument("order", required=False)
@click.option(
    "--manifest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The manifest itself, where the order was issued on another machine.",
)
@server_option
@common_options
def register(order: str | None, manifest: Path | None, server: str | None, home: Path | None, as_json: bool) -> None:
    """Register the issued ORDER, inactive: in this home's database, or at a server over the network.

    The same order again changes nothing. Its manifest names no secret; the codes stay where they are.
    """
    if (order is None) == (manifest is None):
        raise click.UsageError("name one thing to register: ORDER, or --manifest FILE")
    place = home_dir(home)
    document = read_bounded(manifest, MAX_DOCUMENT_BYTES) if manifest else manifest_of(place, order or "")
    if server is not None:
        station = station_at(server)
        answer = station.register(document)
        facts, lines = dict(answer), registered_lines(station.server, answer)
    else:
        lines = list(announce_batch(place, document))
        if not lines:
            raise ServerMissing(place)
        facts = {"order": order, "notes": lines}
    print_answer(facts, *lines, as_json=as_json)


def registered_lines(server: str, answer: Json) -> list[str]:
    """A server's answer to a registration in words; with a warning if it lacks the order's product."""
    lines = [f"{server}: order {answer['order']} is registered, inactive"]
    sku = answer.get("product")
    if answer.get("product_known") is False and isinstance(sku, str) and is_sku(sku):
        lines.append(f"Warning: {product_unknown(sku, server=server)}.")
    return lines


def manifest_of(home: Path, order: str) -> bytes:
    """The signed manifest of an order that was issued in this home.

    Raises:
        OrderNotIssued: there is none, or its folder is no longer where it was written.
    """
    from authcode.order.folder import MANIFEST_FILE

    known = OrderBook.of(home).find(order)
    if known is None:
        raise OrderNotIssued(order, f"it was never issued in {home}; see `authcode batch issue`")
    if known.out is None:
        raise OrderNotIssued(order, "it was begun and not finished; repeat the same `authcode batch issue`")
    path = known.out / MANIFEST_FILE
    if not path.is_file():
        raise OrderNotIssued(order, f"its folder {known.out} is not there any more; name the file with --manifest")
    return read_bounded(path, MAX_DOCUMENT_BYTES)
