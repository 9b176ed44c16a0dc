"""`authcode staff add` and `authcode staff reset`: who may open the dashboard."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from authcode.commands.options import example, home_option, the_time
from server.commands.database import opened_database


@click.command(epilog=example("authcode staff add anna@example.com"))
@click.argument("email")
@home_option
def add(email: str, home: Path | None) -> None:
    """Make an account for the dashboard; its one-time password is printed once and changed at the first login."""
    from server.services.staff.accounts import add_staff

    _give_password(add_staff, email, home)


@click.command(epilog=example("authcode staff reset anna@example.com"))
@click.argument("email")
@home_option
def reset(email: str, home: Path | None) -> None:
    """Give an account a new one-time password, printed once; all its sessions end."""
    from server.services.staff.accounts import reset_staff

    _give_password(reset_staff, email, home)


def _give_password(write: Callable[..., Any], email: str, home: Path | None) -> None:
    from server.runtime.actor import command_line_actor
    from server.services.staff.accounts import new_one_time_password

    one_time = new_one_time_password()
    with opened_database(home) as db:
        write(db, email, one_time=one_time, actor=command_line_actor(), now=the_time())
    click.echo(f"{email}: one-time password {one_time}")
    click.echo("It is shown this once, and changed at the first login.")
