"""`authcode brand contact`: whom shoppers of a brand may ask."""

from pathlib import Path

import click

from authcode.commands.options import example, home_option, the_time
from server.commands.database import opened_database


@click.command(epilog=example("authcode brand contact care@acme.example"))
@click.argument("contact")
@click.option("--brand", help="The brand's name, where this server has several.")
@home_option
def contact(contact: str, brand: str | None, home: Path | None) -> None:
    """Set whom shoppers ask: an address, a telephone number or words. Without it no code can be activated."""
    from server.runtime.actor import command_line_actor
    from server.services.brands.settings import set_contact

    with opened_database(home) as db:
        name = set_contact(db, contact, brand=brand, actor=command_line_actor(), now=the_time())
    click.echo(f"{name}: shoppers ask {contact}")
