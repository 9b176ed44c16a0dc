"""`authcode db upgrade`: the server's tables and keys."""

from contextlib import closing
from pathlib import Path

import click

from authcode.commands.options import example, home_option


@click.command(epilog=example("authcode db upgrade"))
@home_option
def upgrade(home: Path | None) -> None:
    """Make the server's part of a home, or bring its tables up to date."""
    from keys.base.home import home_dir
    from keys.store.passphrase import read_passphrase
    from server.keystore import lacks_own_keys, make_server_keys
    from server.settings import load_settings
    from server.storage import migrate
    from server.storage.engine import open_database

    place = home_dir(home)
    with closing(open_database(load_settings(place).database)) as db:
        current = migrate.is_current(db)
        if lacks_own_keys(place):
            make_server_keys(place, read_passphrase("server", place, new=True))
            click.echo("The server has keys of its own now. A brand in this home comes with `authcode keys publish`,")
            click.echo("one from elsewhere with `keys address` here, `keys send` there and `keys receive` here.")
        if not current:
            migrate.upgrade(db)
    click.echo("The database is up to date.")
