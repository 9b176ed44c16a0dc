"""`authcode batch plan` and `authcode batch issue`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from authcode.client.http_client import Json
from authcode.client.station import Station
from authcode.commands.options import (
    choice_option,
    counted,
    example,
    home_option,
    json_option,
    print_answer,
    server_option,
    station_at,
    the_time,
    unlocked_issuer,
)
from authcode.commands.progress import progress_bar
from authcode.commands.register import manifest_of, registered_lines
from authcode.commands.values import WHOLE_NUMBER
from authcode.order.book import OrderBook
from authcode.order.key_use import check_cover, cover_warning
from authcode.order.order import LEVELS, DrawnBy, Order, Placement, Tiers
from authcode.order.products import load_product
from keys.base.errors import AuthcodeError
from keys.base.home import home_dir, orders_dir
from keys.base.instants import format_instant
from keys.format.prefix import normalise_prefix
from keys.format.records import Form, Profile
from keys.store.issuer import IssuerHome

if TYPE_CHECKING:
    from authcode.order.fulfil import Delivery, IssuedBatch

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--order", "name", required=True, help="The order's name, used only once."),
    click.option("--count", type=WHOLE_NUMBER, required=True, help="Units; a pair is one unit."),
    choice_option("--placement", Placement, required=True, help="Where the burning code sits."),
    click.option("--out", type=click.Path(path_type=Path), help="A new folder for it [HOME/orders/NAME]."),
    click.option("--product", metavar="SKU", help="The product that the packs hold."),
    choice_option("--form", Form, default=Form.SHORT),
    choice_option("--profile", Profile, default=Profile.SIGNED),
    choice_option("--tiers", Tiers, default=Tiers.SINGLE),
    click.option("--level", type=click.Choice(LEVELS), default="M", show_default=True, help="Error correction."),
    click.option("--prefix", metavar="URL", help="Where the codes lead [where the newest key leads]."),
    click.option("--logo", type=click.Path(path_type=Path), help="A picture inside the symbols."),
    click.option("--label-mm", type=float, help="Width of a symbol with its quiet zone [modules of 0.33 mm or more]."),
    choice_option("--drawn-by", DrawnBy, default=DrawnBy.AUTHCODE),
    click.option("--formats", metavar="LIST", help="Of csv, pdf, png, svg [csv,pdf; csv where the press draws]."),
    home_option,
    json_option,
)


def _order_options(command: _Command) -> _Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_COST: Final = {"csv": (0.004, 170), "pdf": (0.01, 500), "png": (0.014, 4200), "svg": (0.016, 8300)}
"""Seconds and bytes that a code takes in each format, measured once on two shared cores: a rough guide, since
logo, level and machine change the seconds by more than ten times."""


@click.command(
    epilog=example("authcode batch plan --order spring --count 5000 --placement inside --logo logo.png --level Q")
)
@_order_options
def plan(home: Path | None, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - the options above, as click gives them
    """Show what `batch issue` with the same options would print; no key is used and nothing is written."""
    facts = _plan_facts(*_request(home, options))
    codes = counted(facts["codes"], "code")
    lines = [
        f"Order {facts['order']}: {codes} of key {facts['key_id']}, would be in {facts['out']}",
        f"  symbol   version {facts['version']}, level {facts['level']}, {facts['modules']} modules",
        f"  label    {facts['label_mm']:g} mm with its quiet zone, {facts['module_mm']:.2f} mm a module",
    ]
    if facts["logo_mm"] is not None:
        width, height = facts["logo_mm"]
        kept = f"leaves {facts['logo_margin']:.0%} of the error correction"
        lines.append(f"  logo     {width:.1f} by {height:.1f} mm, {kept}")
    if facts["sheets"]:
        lines.append(f"  sheets   {facts['sheets']} of A4, {counted(facts['labels_per_sheet'], 'label')} each")
    lines.append(f"  work     {_duration_text(facts['about_seconds'])}, {_size_text(facts['about_bytes'])}")
    print_answer(facts, *lines, *_warnings(facts["risk"], facts["warning"]), as_json=as_json)


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

    place, order, delivery = _request(home, options)
    station = station_at(server) if server is not None else None
    issuer = unlocked_issuer(place)
    with progress_bar(f"Issuing {order.name}", order.codes) as show:
        issued = fulfil_order(issuer, order, delivery, progress=lambda done, _total: show(done), now=the_time())
    facts, notes = _issued_facts(issued), list[str]()
    if station:
        registered = _register(station, issued, place)
        facts |= {"registered": dict(registered)}
        notes = registered_lines(station.server, registered)
    print_answer(facts, *_issued_lines(issued), as_json=as_json, notes=notes)


def _register(station: Station, issued: "IssuedBatch", home: Path) -> Json:
    try:
        return station.register(manifest_of(home, issued.order.name))
    except AuthcodeError:
        name, server = issued.order.name, station.server
        click.echo(f"Order {name} is issued and kept in {issued.out}, but not registered. Once the error", err=True)
        click.echo(f"below is fixed: authcode batch register {name} --server {server}", err=True)
        raise


def _request(home: Path | None, options: dict[str, Any]) -> "tuple[Path, Order, Delivery]":
    """The home, the order and its delivery, as the options describe them."""
    from authcode.order.fulfil import Delivery

    place = home_dir(home)
    product = load_product(place, options["product"]) if options["product"] else None
    as_given = ("name", "count", "placement", "form", "profile", "tiers", "drawn_by", "level", "label_mm")
    order = Order(
        **{name: options[name] for name in as_given},
        product=product.sku if product else None,
        gtin=product.gtin if product and options["form"] is Form.GS1 else None,
        prefix=normalise_prefix(options["prefix"]) if options["prefix"] else None,
    )
    usual = "csv" if order.drawn_by is DrawnBy.PRESS else "csv,pdf"
    formats = tuple(map(str.strip, (options["formats"] or usual).split(",")))
    out = options["out"] or orders_dir(place) / order.name
    return place, order, Delivery(out=out, formats=formats, logo=options["logo"])


def _plan_facts(home: Path, order: Order, delivery: "Delivery") -> dict[str, Any]:
    from authcode.code.payload import shown_host
    from authcode.order.fulfil import plan_order
    from authcode.print.sheet import plan_sheet
    from authcode.print.writer import check_formats
    from authcode.qr.codewords import symbol_width

    check_formats(delivery.formats)
    keyring = IssuerHome.open(home).keyring.keyring
    key = keyring.key_for(prefix=order.prefix, form=order.form, profile=order.profile)
    signed = len(OrderBook.of(home).orders_of(key.key_id))
    check_cover(key, orders=signed, now=the_time())
    design = plan_order(order, key, delivery.logo)
    costs = [_COST[name] for name in {"csv", *delivery.formats}]
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
        "logo_mm": [round(side, 2) for side in design.logo_mm] if design.logo_mm else None,
        "logo_margin": round(design.margin, 3) if delivery.logo else None,
        "labels_per_sheet": None,
        "sheets": None,
        "out": str(delivery.out),
        "risk": order.risk,
        "warning": cover_warning(key, orders=signed, now=the_time()),
        "about_seconds": 2 + round(sum(seconds for seconds, _ in costs) * order.codes),
        "about_bytes": sum(size for _, size in costs) * order.codes,
    }
    if "pdf" in delivery.formats:
        geometry = plan_sheet(design, shown_host(key.prefix))
        sheets = geometry.pages_for(order.count) * (order.codes // order.count)  # each tier has sheets of its own
        facts |= {"labels_per_sheet": geometry.labels_per_page, "sheets": sheets}
    return facts


def _issued_facts(issued: "IssuedBatch") -> dict[str, Any]:
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


def _issued_lines(issued: "IssuedBatch") -> list[str]:
    order, design = issued.order, issued.design
    if not issued.written:
        return [f"Order {order.name} was issued before; nothing was written. It is in {issued.out}"]
    drawn = f"version {design.version}, level {order.level}, {design.label_mm:g} mm a label"
    return [
        f"Order {order.name}: {counted(order.codes, 'code')} as batch {issued.batch_number}, in {issued.out}",
        "  codes.csv       every code; keep it secret until the goods are sold",
        "  manifest.json   for the server that is to know this batch",
        *(f"  {folder + '/':15} {drawn}" for folder in issued.formats if folder != "csv"),
        *(f"  {note}" for note in issued.notes),
        *_warnings(order.risk, issued.warning),
    ]


def _duration_text(seconds: int) -> str:
    if seconds < 90:  # noqa: PLR2004 - people think in minutes from here on
        return f"about {seconds} seconds"
    return f"about {round(seconds / 60)} minutes" if seconds < 7200 else f"about {round(seconds / 3600)} hours"  # noqa: PLR2004 - and in hours


def _size_text(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size < 1_000_000_000 else f"{size / 1_000_000_000:.1f} GB"  # noqa: PLR2004 - a gigabyte


def _warnings(*clauses: str | None) -> list[str]:
    return [f"Warning: {clause}." for clause in clauses if clause]
