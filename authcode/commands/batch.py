"""`authcode batch plan` and `authcode batch issue`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from authcode.commands.options import (
    example,
    home_option,
    json_option,
    server_option,
    station_at,
    tell_json,
    the_time,
    unlocked_issuer,
)
from authcode.commands.register import manifest_of, registered_lines
from authcode.commands.values import WHOLE_NUMBER
from authcode.order.book import OrderBook
from authcode.order.key_use import check_cover, cover_warning
from authcode.order.order import LEVELS, DrawnBy, Order, Placement, Tiers
from authcode.order.products import load_product
from keys.base.errors import AuthcodeError
from keys.base.home import home_dir, issuer_dir, orders_dir
from keys.base.instants import format_instant
from keys.format.prefix import normalise_prefix
from keys.format.records import Form, Profile
from keys.store.issuer import IssuerHome

if TYPE_CHECKING:
    from authcode.client.http_client import Json
    from authcode.client.station import Station
    from authcode.order.fulfil import Delivery, IssuedBatch

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--order", "name", required=True, help="The order's name, once for good."),
    click.option("--count", type=WHOLE_NUMBER, required=True, help="Units; a pair is one unit."),
    click.option(
        "--placement", type=click.Choice(list(map(str, Placement))), required=True, help="Where the burning code sits."
    ),
    click.option("--out", type=click.Path(path_type=Path), help="A new folder for it [HOME/orders/NAME]."),
    click.option("--product", metavar="SKU", help="The product that the packs hold."),
    click.option("--form", type=click.Choice(list(map(str, Form))), default=Form.SHORT.value, show_default=True),
    click.option(
        "--profile", type=click.Choice(list(map(str, Profile))), default=Profile.SIGNED.value, show_default=True
    ),
    click.option("--tiers", type=click.Choice(list(map(str, Tiers))), default=Tiers.SINGLE.value, show_default=True),
    click.option("--level", type=click.Choice(LEVELS), default="M", show_default=True, help="Error correction."),
    click.option("--prefix", metavar="URL", help="Where the codes lead [where the newest key leads]."),
    click.option("--logo", type=click.Path(path_type=Path), help="A picture inside the symbols."),
    click.option("--label-mm", type=float, help="Width of a symbol with its quiet zone [modules of 0.33 mm or more]."),
    click.option(
        "--drawn-by", type=click.Choice(list(map(str, DrawnBy))), default=DrawnBy.AUTHCODE.value, show_default=True
    ),
    click.option("--formats", metavar="LIST", help="Of csv, pdf, png, svg [csv,pdf; csv where the press draws]."),
    home_option,
    json_option,
)


def _order_options(command: _Command) -> _Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_COST: Final = {"csv": (0.004, 170), "pdf": (0.01, 500), "png": (0.014, 4200), "svg": (0.016, 8300)}
"""Seconds and bytes that a code takes in each format, as measured on two shared cores: enough to plan an afternoon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """An order as the options describe it."""

    home: Path
    order: Order
    delivery: "Delivery"


@click.command(
    epilog=example("authcode batch plan --order spring --count 5000 --placement inside --logo logo.png --level Q")
)
@_order_options
def plan(home: Path | None, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - the options above, as click gives them
    """Show what `batch issue` with the same options would print; no key is used and nothing is written."""
    request = _request(home, options)
    facts = _plan_facts(request)
    if as_json:
        tell_json(facts)
        return
    click.echo(f"Order {facts['order']}: {facts['codes']} codes of key {facts['key_id']}, would lie in {facts['out']}")
    click.echo(f"  symbol   version {facts['version']}, level {facts['level']}, {facts['modules']} modules")
    click.echo(f"  label    {facts['label_mm']:g} mm with its quiet zone, {facts['module_mm']:.2f} mm a module")
    if request.delivery.logo:
        click.echo(f"  logo     leaves {facts['logo_margin']:.0%} of the error correction")
    if facts["sheets"]:
        click.echo(f"  sheets   {facts['sheets']} of A4, {facts['labels_per_sheet']} labels each")
    click.echo(f"  work     {_in_words(facts['about_seconds'])}, {_size_in_words(facts['about_bytes'])}")
    _tell_risk(request.order)
    if facts["warning"]:
        click.echo(f"Warning: {facts['warning']}.")


@click.command(
    epilog=example(
        "authcode batch issue --order spring --count 5000 --placement inside --product tea-100 --formats csv,pdf"
    )
)
@_order_options
@server_option
def issue(home: Path | None, as_json: bool, server: str | None, **options: Any) -> None:  # noqa: ANN401 - the options above, as click gives them
    """Issue an order: signed codes, print sheets and the manifest, registered inactive where the home has a server.

    The folder is written whole or not at all. The same order again writes nothing and names the folder. Keep it secret
    until the goods are sold: anybody who has a code can verify it. With --server the order is registered over the
    network once it is written; if that fails it is kept, and `batch register` sends it later.
    """
    from authcode.order.fulfil import fulfil_order

    request = _request(home, options)
    station = station_at(server) if server is not None else None
    issuer = unlocked_issuer(request.home)
    with _progress_bar(request.order) as progress:
        issued = fulfil_order(issuer, request.order, request.delivery, progress=progress, now=the_time())
    registered = _register(station, issued, request.home) if station else None
    if as_json:
        tell_json(_issued_facts(issued) | ({"registered": dict(registered)} if registered else {}))
        return
    if issued.written:
        _tell_issued(issued)
    else:
        click.echo(f"Order {issued.order.name} was issued before; nothing was written. It lies in {issued.out}")
    for line in registered_lines(station.server, registered) if station and registered else ():
        click.echo(f"  {line}")


def _register(station: "Station", issued: "IssuedBatch", home: Path) -> "Json":
    try:
        return station.register(manifest_of(home, issued.order.name))
    except AuthcodeError:
        name, server = issued.order.name, station.server
        click.echo(f"Order {name} is issued and kept in {issued.out}, but not registered. When what follows", err=True)
        click.echo(f"is mended: authcode batch register {name} --server {server}", err=True)
        raise


def _request(home: Path | None, options: dict[str, Any]) -> _Request:
    from authcode.order.fulfil import Delivery

    place = home_dir(home)
    product = load_product(place, options["product"]) if options["product"] else None
    form = Form(options["form"])
    order = Order(
        name=options["name"],
        count=options["count"],
        placement=Placement(options["placement"]),
        form=form,
        profile=Profile(options["profile"]),
        tiers=Tiers(options["tiers"]),
        drawn_by=DrawnBy(options["drawn_by"]),
        level=options["level"],
        label_mm=options["label_mm"],
        product=product.sku if product else None,
        gtin=product.gtin if product and form is Form.GS1 else None,
        prefix=normalise_prefix(options["prefix"]) if options["prefix"] else None,
    )
    usual = "csv" if order.drawn_by is DrawnBy.PRESS else "csv,pdf"
    formats = tuple(name.strip() for name in (options["formats"] or usual).split(","))
    out = options["out"] or orders_dir(place) / order.name
    return _Request(home=place, order=order, delivery=Delivery(out=out, formats=formats, logo=options["logo"]))


def _plan_facts(request: _Request) -> dict[str, Any]:
    from authcode.code.payload import shown_host
    from authcode.order.fulfil import plan_order
    from authcode.print.sheet import plan_sheet
    from authcode.print.writer import check_formats
    from authcode.qr.codewords import symbol_width

    order, delivery = request.order, request.delivery
    check_formats(delivery.formats)
    key = IssuerHome.open(request.home).keyring.keyring.key_for(
        prefix=order.prefix, form=order.form, profile=order.profile
    )
    signed = len(OrderBook(issuer_dir(request.home) / "orders").orders_of(key.key_id))
    check_cover(key, orders=signed, now=the_time())
    design = plan_order(order, key, delivery.logo)
    facts = {
        "order": order.name,
        "count": order.count,
        "codes": order.codes,
        "key_id": key.key_id,
        "prefix": key.prefix,
        "version": design.version,
        "level": order.level,
        "modules": symbol_width(design.version),
        "label_mm": design.label_mm,
        "module_mm": round(design.module_mm, 3),
        "logo_margin": round(design.margin, 3) if delivery.logo else None,
        "labels_per_sheet": None,
        "sheets": None,
        "out": str(delivery.out),
        "risk": order.risk,
        "warning": cover_warning(key, orders=signed, now=the_time()),
        "about_seconds": 2 + round(sum(_COST[name][0] for name in {"csv", *delivery.formats}) * order.codes),
        "about_bytes": sum(_COST[name][1] for name in {"csv", *delivery.formats}) * order.codes,
    }
    if "pdf" in delivery.formats:
        geometry = plan_sheet(design, shown_host(key.prefix))
        sheets = geometry.pages_for(order.count) * (order.codes // order.count)  # each tier has sheets of its own
        facts |= {"labels_per_sheet": geometry.labels_per_page, "sheets": sheets}
    return facts


def _issued_facts(issued: "IssuedBatch") -> dict[str, object]:
    order = issued.order
    return {
        "order": order.name,
        "batch_number": issued.batch_number,
        "count": order.count,
        "codes": order.codes,
        "key_id": issued.key_id,
        "issued_at": format_instant(issued.issued_at),
        "out": str(issued.out),
        "formats": list(issued.formats),
        "version": issued.design.version,
        "label_mm": issued.design.label_mm,
        "already_issued": not issued.written,
        "notes": list(issued.notes),
        "risk": order.risk,
        "warning": issued.warning,
    }


def _tell_issued(issued: "IssuedBatch") -> None:
    order, design = issued.order, issued.design
    click.echo(f"Order {order.name}: {order.codes} codes as batch {issued.batch_number}, in {issued.out}")
    click.echo("  codes.csv       every code; keep it secret until the goods are sold")
    click.echo("  manifest.json   for the server that is to know this batch")
    for folder in (name for name in issued.formats if name != "csv"):
        click.echo(f"  {folder + '/':15} version {design.version}, level {order.level}, {design.label_mm:g} mm a label")
    for note in issued.notes:
        click.echo(f"  {note}")
    _tell_risk(order)
    if issued.warning:
        click.echo(f"Warning: {issued.warning}.")


def _in_words(seconds: int) -> str:
    if seconds < 90:  # noqa: PLR2004 - from there on people think in minutes
        return f"about {seconds} seconds"
    return f"about {round(seconds / 60)} minutes" if seconds < 7200 else f"about {round(seconds / 3600)} hours"  # noqa: PLR2004 - and in hours


def _size_in_words(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size < 1_000_000_000 else f"{size / 1_000_000_000:.1f} GB"  # noqa: PLR2004 - a gigabyte


def _tell_risk(order: Order) -> None:
    if order.risk:
        click.echo(f"Warning: {order.risk}.")


def _told_by_lines(done: int, total: int) -> None:
    if done % 512 == 0:
        click.echo(f"  {done} of {total}", err=True)


@contextmanager
def _progress_bar(order: Order) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error where a person looks at it, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if console.is_dumb_terminal:  # where no bar can be drawn, a line every so often
        click.echo(f"Issuing {order.name}: {order.codes} codes", err=True)
        yield _told_by_lines
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(f"Issuing {order.name}", total=order.codes)
        yield lambda done, _total: bar.update(task, completed=done)
