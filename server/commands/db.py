"""`authcode db upgrade`: the server's tables and keys."""

from pathlib import Path

import click

from authcode.commands.options import example, home_option


@click.command(epilog=example("authcode db upgrade"))
@home_option
def upgrade(home: Path | None) -> None:
    """Make the server's part of a home, or bring its tables up to date.

    A server that lacks keys of its own is given them; its passphrase is asked for then.
    """
    from keys.base.home import home_dir
    from keys.store.passphrase import read_passphrase
    from server.keystore import lacks_own_keys, make_server_keys, server_has_keys
    from server.settings import load_settings
    from server.storage import migrate
    from server.storage.engine import open_database

    place = home_dir(home)
    settings = load_settings(place)
    db = open_database(settings.database)
    try:
        if not server_has_keys(place):
            make_server_keys(place, read_passphrase("server", place, new=True))
            click.echo("The server has keys of its own now. A brand in this home comes with `authcode keys publish`,")
            click.echo("one from elsewhere with `keys address` here, `keys send` there and `keys receive` here.")
        elif lacks_own_keys(place):
            make_server_keys(place, read_passphrase("server", place))
            click.echo("The server was given the keys that this version needs.")
        migrate.upgrade(db)
    finally:
        db.close()
    click.echo("The database is up to date.")
