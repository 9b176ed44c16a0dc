"""`authcode product`: what shoppers read of a product."""

from pathlib import Path
from typing import Any

import click

from authcode.client.station import Station
from authcode.code.payload import check_gtin
from authcode.commands.options import common_options, example, print_answer, read_bounded, server_option, station_at
from authcode.events import announce_product
from authcode.order.products import MAX_PICTURE_BYTES, Product, load_products, save_product
from keys.base.errors import AuthcodeError
from keys.base.home import home_dir
from keys.store.issuer import IssuerHome

_PICTURE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FACTS = ("sku", "name", "gtin", "description", "features", "picture_type", "support", "placement_hint", "more_url")


@click.command(epilog=example('authcode product add tea-100 --name "Green tea, 100 g" --gtin 09506000134352'))
@click.argument("sku")
@click.option("--name", required=True, help="The product's name.")
@click.option("--gtin", help="Its trade item number, 8 to 14 digits; the GS1 form needs it.")
@click.option("--description", help="A sentence or two about it.")
@click.option("--feature", "features", multiple=True, help="One way to recognise the genuine pack; may be repeated.")
@click.option("--picture", type=_PICTURE, help="A picture of the pack: PNG, JPEG or WebP, at most 2 MiB.")
@click.option("--support", help="A contact for shoppers: a telephone number or an address.")
@click.option("--placement-hint", help='Where the code is found, such as "under the cap".')
@click.option("--more-url", help="A page with more about the product.")
@server_option
@common_options
def add(picture: Path | None, server: str | None, home: Path | None, as_json: bool, **texts: Any) -> None:  # noqa: ANN401 - the other options, as click gives them
    """Keep a product, in place of an earlier one of the same SKU (your own short name for it)."""
    place = home_dir(home)
    IssuerHome.open(place)
    texts["gtin"] = check_gtin(texts["gtin"]) if texts["gtin"] else None
    product = Product(**texts, picture=read_bounded(picture, MAX_PICTURE_BYTES) if picture else None)
    station = station_at(server) if server is not None else None
    path = save_product(place, product)
    notes = announce_product(place, product)
    if station:
        _publish(station, product)
        notes = (*notes, f"{station.server}: product {product.sku} is published")
    facts = {**_facts(product), "file": str(path), "notes": notes}
    print_answer(facts, f"Product {product.sku}: {product.name}, kept in {path}", as_json=as_json, notes=notes)


@click.command("list", epilog=example("authcode product list --json"))
@common_options
def list_products(home: Path | None, as_json: bool) -> None:
    """List the products that are kept."""
    place = home_dir(home)
    IssuerHome.open(place)
    products = load_products(place)
    lines = [f"{product.sku:20} {product.gtin or '':14}  {product.name}" for product in products]
    none = "No product yet; keep one with `authcode product add`."
    print_answer({"products": [_facts(product) for product in products]}, *(lines or [none]), as_json=as_json)


def _publish(station: Station, product: Product) -> None:
    try:
        station.publish_product(product)
    except AuthcodeError:
        click.echo(f"Product {product.sku} is kept here, and not published at {station.server}.", err=True)
        click.echo("Once the error below is fixed, run the same command again.", err=True)
        raise


def _facts(product: Product) -> dict[str, object]:
    return {name: getattr(product, name) for name in _FACTS}
